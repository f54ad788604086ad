#pragma once
/// \file Arrays of Python as views: whatever exports DLPack or a buffer, read and written in place.

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "matgrad/matgrad.hpp"

namespace matgrad::python {

/// An array that a call was given. Holds what keeps its memory.
class Array {
public:
    /// role   `operand`, `result`: of messages
    /// Errors   a Python TypeError for what is no array of float or double entries of this machine's byte order
    Array(nanobind::handle from, std::string_view role, std::string_view name, int rank,
          bool is_written);

    [[nodiscard]] std::size_t axes() const { return array_.ndim(); }
    /// One matrix for all problems: it has no axes before those of the matrix.
    [[nodiscard]] bool is_shared() const { return batch_axes_ == 0; }
    [[nodiscard]] std::size_t batch_axes() const noexcept { return batch_axes_; }
    [[nodiscard]] std::int64_t axis(std::size_t k) const {
        return static_cast<std::int64_t>(array_.shape(k));
    }
    [[nodiscard]] std::int64_t problems() const;
    [[nodiscard]] std::int64_t rows() const { return rank_ >= 1 ? axis(batch_axes_) : 1; }
    [[nodiscard]] std::int64_t cols() const { return rank_ >= 2 ? axis(batch_axes_ + 1) : 1; }
    [[nodiscard]] ScalarType type() const noexcept { return type_; }
    [[nodiscard]] Device device() const;
    [[nodiscard]] std::string_view name() const noexcept { return name_; }
    [[nodiscard]] std::string shape_text() const;

    /// All batch axes as one. None if their strides are no one stride: the array has to be copied.
    [[nodiscard]] std::optional<ConstView> read() const;
    /// Of an array that is written.
    [[nodiscard]] std::optional<View> written() const;

private:
    template <typename Void>
    [[nodiscard]] std::optional<BasicView<Void>> view(Void* data) const;
    [[nodiscard]] std::int64_t stride(std::size_t k) const { return array_.stride(k); }

    nanobind::ndarray<nanobind::ro> array_;
    void* written_ = nullptr;  ///< its memory, if it is written
    std::string_view role_;
    std::string_view name_;
    int rank_;
    std::size_t batch_axes_ = 0;
    ScalarType type_ = ScalarType::float64;
};

}  // namespace matgrad::python
