#pragma once
/// \file Views: where the matrices of an operand or a result lie, and what they are.
///
/// A view never owns its data and never looks at it; it knows the scalar type, the sizes, the strides (in
/// elements; they may be zero or negative), and whether it is one matrix or a batch of them. What a
/// plan expects and what a view says have to agree, or the call is an OperandError.
///
///     row_major(p, 8, 8)                   one 8-by-8 matrix at `const double* p`
///     row_major(p, 8, 8).batched(5000)     5,000 of them, one behind the other
///     column_major(p, 64, 16)              as in Fortran, Julia, MATLAB, Eigen
///     column(x, 64), strided(p, 8, 8, 64, 2)
///     std::vector<float>, std::span        row-major, of the sizes the plan expects: the number of entries
///                                          must be just that of the matrix, or a multiple for a batch
///     Eigen::MatrixXd, std::mdspan         as they are; an mdspan of rank 3 is a batch, its first index
///     double t                             a scalar

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <ranges>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>

#include "matgrad/types.hpp"

namespace matgrad {

namespace detail {

template <typename T>
inline constexpr bool kIsScalar = std::same_as<T, float> || std::same_as<T, double>;

/// Eigen's dense objects: columns one after the other unless `IsRowMajor`.
template <typename M>
concept EigenLike = requires(M& m) {
    requires kIsScalar<std::remove_cvref_t<decltype(*m.data())>>;
    { m.rows() } -> std::convertible_to<std::int64_t>;
    { m.cols() } -> std::convertible_to<std::int64_t>;
    { m.innerStride() } -> std::convertible_to<std::int64_t>;
    { m.outerStride() } -> std::convertible_to<std::int64_t>;
    {std::remove_cvref_t<M>::IsRowMajor};
};

/// std::mdspan and what is made like it.
template <typename M>
concept MdspanLike = requires(M& m) {
    requires kIsScalar<std::remove_cvref_t<decltype(*m.data_handle())>>;
    { m.extent(0) } -> std::convertible_to<std::int64_t>;
    { m.stride(0) } -> std::convertible_to<std::int64_t>;
    { std::remove_cvref_t<M>::rank() } -> std::convertible_to<std::size_t>;
};

/// Contiguous entries of a known number.
template <typename R>
concept Entries = std::ranges::contiguous_range<R> && std::ranges::sized_range<R> &&
    kIsScalar<std::ranges::range_value_t<R>> && !EigenLike<R>;

// The same where a view to `Void`, which is const for operands, may be made of it.

/// Not of a container that is gone when the view is used.
template <typename R, typename Void>
concept EntriesFor = Entries<R> &&
    (std::is_lvalue_reference_v<R> || std::ranges::borrowed_range<R>)&&std::convertible_to<
        decltype(std::ranges::data(std::declval<R&>())), Void*>;

template <typename M, typename Void>
concept EigenFor = EigenLike<M> && !MdspanLike<M> &&
                   std::convertible_to<decltype(std::declval<M&>().data()), Void*>;

template <typename M, typename Void>
concept MdspanFor =
    MdspanLike<M> && std::convertible_to<decltype(std::declval<M&>().data_handle()), Void*>;

template <typename T, typename Void>
concept ReadScalar = kIsScalar<T> && std::is_const_v<Void>;
template <typename T, typename Void>
concept WrittenScalar = kIsScalar<T> && !std::is_const_v<Void>;

template <typename V, typename Target>
concept ViewedAs = std::convertible_to<V, Target>;

}  // namespace detail

// Forwarding references below are constrained to what is no view, so they hide no copy.

/// `Void` is `const void` for operands, `void` for results: use `ConstView` and `View`.
template <typename Void>
class BasicView {
public:
    /// Of `rows`, `cols`: what the plan expects, row-major.
    static constexpr std::int64_t kOfThePlan = std::numeric_limits<std::int64_t>::min();
    /// Of `batch`: one matrix.
    static constexpr std::int64_t kOneMatrix = std::numeric_limits<std::int64_t>::min();
    /// Of `entries`: a pointer does not tell.
    static constexpr std::int64_t kUnknown = std::numeric_limits<std::int64_t>::min();

    /// No memory at all, which no call takes.
    BasicView() = default;

    /// One matrix at an address whose type is known at run time alone.
    BasicView(Void* data, ScalarType type, std::int64_t rows, std::int64_t cols,
              std::int64_t row_stride, std::int64_t col_stride) noexcept
        : data_(data),
          type_(type),
          rows_(rows),
          cols_(cols),
          row_stride_(row_stride),
          col_stride_(col_stride) {}

    /// Row-major entries; the plan knows the sizes.
    template <detail::EntriesFor<Void> R>
    BasicView(R&& entries) noexcept  // NOLINT(bugprone-forwarding-reference-overload)
        : data_(std::ranges::data(entries)),
          type_(kTypeOf<std::ranges::range_value_t<R>>),
          entries_(static_cast<std::int64_t>(std::ranges::size(entries))) {}

    /// A scalar, one for all problems. A temporary lasts for the call that it is written in.
    template <detail::ReadScalar<Void> T>
    BasicView(const T& scalar) noexcept  // a number is a view of itself
        : BasicView(&scalar, kTypeOf<T>, 1, 1, 1, 1) {
        entries_ = 1;
    }
    template <detail::WrittenScalar<Void> T>
    BasicView(T& scalar) noexcept  // a number is a view of itself
        : BasicView(&scalar, kTypeOf<T>, 1, 1, 1, 1) {
        entries_ = 1;
    }

    /// A matrix of Eigen's. Its memory ends with it: `within` says otherwise.
    template <detail::EigenFor<Void> M>
    BasicView(M&& matrix) noexcept  // NOLINT(bugprone-forwarding-reference-overload)
        : BasicView(
              matrix.data(), kTypeOf<std::remove_cvref_t<decltype(*matrix.data())>>, matrix.rows(),
              matrix.cols(),
              std::remove_cvref_t<M>::IsRowMajor ? matrix.outerStride() : matrix.innerStride(),
              std::remove_cvref_t<M>::IsRowMajor ? matrix.innerStride() : matrix.outerStride()) {
        end_here();
    }

    /// An mdspan of rank 1 (a column), 2 (a matrix) or 3 (a batch of matrices).
    template <detail::MdspanFor<Void> M>
    BasicView(M&& span) noexcept  // NOLINT(bugprone-forwarding-reference-overload)
        : data_(span.data_handle()),
          type_(kTypeOf<std::remove_cvref_t<decltype(*span.data_handle())>>) {
        constexpr std::size_t rank = std::remove_cvref_t<M>::rank();
        static_assert(rank >= 1 && rank <= 3,
                      "an operand is a column, a matrix or a batch of matrices");
        constexpr std::size_t first = rank == 3 ? 1 : 0;
        rows_ = span.extent(first);
        row_stride_ = span.stride(first);
        cols_ = 1;
        if constexpr (rank >= 2) {
            cols_ = span.extent(first + 1);
            col_stride_ = span.stride(first + 1);
        }
        if constexpr (rank == 3) {
            batch_ = span.extent(0);
            batch_stride_ = span.stride(0);
        }
        end_here();
    }

    /// A result may be read.
    operator BasicView<const void>() const noexcept requires(!std::is_const_v<Void>) {
        BasicView<const void> view;
        view.data_ = data_;
        view.type_ = type_;
        view.rows_ = rows_;
        view.cols_ = cols_;
        view.row_stride_ = row_stride_;
        view.col_stride_ = col_stride_;
        view.batch_ = batch_;
        view.batch_stride_ = batch_stride_;
        view.entries_ = entries_;
        return view;
    }

    /// `count` such matrices, each `stride` elements behind the one before it. 0 gives one matrix to
    /// all problems; results may not share.
    [[nodiscard]] BasicView batched(std::int64_t count, std::int64_t stride) const noexcept {
        BasicView view = *this;
        view.batch_ = count;
        view.batch_stride_ = stride;
        return view;
    }
    /// `count` such matrices, one behind the other (whatever the strides, rows() * cols() apart).
    [[nodiscard]] BasicView batched(std::int64_t count) const noexcept {
        // Sizes that overflow are no plan's; what the plan knows it adds itself.
        if (rows_ == kOfThePlan) {
            return batched(count, kOfThePlan);
        }
        const auto entries = static_cast<std::uint64_t>(rows_) * static_cast<std::uint64_t>(cols_);
        return batched(count, static_cast<std::int64_t>(entries));
    }
    /// Says how many entries the memory at `data` has; none outside is then ever touched.
    [[nodiscard]] BasicView within(std::int64_t entries) const noexcept {
        BasicView view = *this;
        view.entries_ = entries;
        return view;
    }

    [[nodiscard]] Void* data() const noexcept { return data_; }
    [[nodiscard]] ScalarType type() const noexcept { return type_; }
    [[nodiscard]] std::int64_t rows() const noexcept { return rows_; }
    [[nodiscard]] std::int64_t cols() const noexcept { return cols_; }
    [[nodiscard]] std::int64_t row_stride() const noexcept { return row_stride_; }
    [[nodiscard]] std::int64_t col_stride() const noexcept { return col_stride_; }
    [[nodiscard]] std::int64_t batch() const noexcept { return batch_; }
    [[nodiscard]] std::int64_t batch_stride() const noexcept { return batch_stride_; }
    [[nodiscard]] std::int64_t entries() const noexcept { return entries_; }

private:
    template <typename Other>
    friend class BasicView;
    template <typename T>
    static constexpr ScalarType kTypeOf =
        std::same_as<T, float> ? ScalarType::float32 : ScalarType::float64;

    /// No entry lies behind the last one of this view.
    void end_here() noexcept {
        const std::int64_t matrices = batch_ == kOneMatrix ? 1 : batch_;
        if (row_stride_ >= 0 && col_stride_ >= 0 && batch_stride_ >= 0 && rows_ > 0 && cols_ > 0 &&
            matrices > 0) {
            entries_ = (rows_ - 1) * row_stride_ + (cols_ - 1) * col_stride_ +
                       (matrices - 1) * batch_stride_ + 1;
        }
    }

    Void* data_ = nullptr;
    ScalarType type_ = ScalarType::float64;
    std::int64_t rows_ = kOfThePlan;
    std::int64_t cols_ = kOfThePlan;
    std::int64_t row_stride_ = 0;
    std::int64_t col_stride_ = 0;
    std::int64_t batch_ = kOneMatrix;
    std::int64_t batch_stride_ = 0;
    std::int64_t entries_ = kUnknown;
};

using ConstView = BasicView<const void>;
using View = BasicView<void>;

namespace detail {
template <typename T>
using ViewOf = std::conditional_t<std::is_const_v<T>, ConstView, View>;

template <typename T>
inline constexpr ScalarType kScalarTypeOf =
    std::same_as<std::remove_const_t<T>, float> ? ScalarType::float32 : ScalarType::float64;
}  // namespace detail

/// One matrix at `data`, entry (i, j) at i * row_stride + j * col_stride.
template <typename T>
requires detail::kIsScalar<std::remove_const_t<T>>
[[nodiscard]] detail::ViewOf<T> strided(T* data, std::int64_t rows, std::int64_t cols,
                                        std::int64_t row_stride, std::int64_t col_stride) noexcept {
    return {data, detail::kScalarTypeOf<T>, rows, cols, row_stride, col_stride};
}

/// One matrix, row after row.
template <typename T>
requires detail::kIsScalar<std::remove_const_t<T>>
[[nodiscard]] detail::ViewOf<T> row_major(T* data, std::int64_t rows, std::int64_t cols) noexcept {
    return strided(data, rows, cols, cols, 1);
}

/// One matrix, column after column.
template <typename T>
requires detail::kIsScalar<std::remove_const_t<T>>
[[nodiscard]] detail::ViewOf<T> column_major(T* data, std::int64_t rows,
                                             std::int64_t cols) noexcept {
    return strided(data, rows, cols, 1, rows);
}

/// A column vector.
template <typename T>
requires detail::kIsScalar<std::remove_const_t<T>>
[[nodiscard]] detail::ViewOf<T> column(T* data, std::int64_t rows) noexcept {
    return strided(data, rows, 1, 1, 1);
}

/// The same of containers and spans, whose ends are known.
template <detail::Entries R>
[[nodiscard]] auto row_major(R&& entries, std::int64_t rows, std::int64_t cols) noexcept {
    return row_major(std::ranges::data(entries), rows, cols)
        .within(static_cast<std::int64_t>(std::ranges::size(entries)));
}
template <detail::Entries R>
[[nodiscard]] auto column_major(R&& entries, std::int64_t rows, std::int64_t cols) noexcept {
    return column_major(std::ranges::data(entries), rows, cols)
        .within(static_cast<std::int64_t>(std::ranges::size(entries)));
}
template <detail::Entries R>
[[nodiscard]] auto column(R&& entries, std::int64_t rows) noexcept {
    return column(std::ranges::data(entries), rows)
        .within(static_cast<std::int64_t>(std::ranges::size(entries)));
}

/// What a call reads: a view, and the operand that it is. Without names views are taken in the order of
/// Plan::operands(); all of a call's have names, or none.
struct OperandView {
    template <detail::ViewedAs<ConstView> V>
    OperandView(V&& of) noexcept  // NOLINT(bugprone-forwarding-reference-overload)
        : view(std::forward<V>(of)) {}
    template <detail::ViewedAs<ConstView> V>
    OperandView(std::string_view operand, V&& of) noexcept
        : name(operand), view(std::forward<V>(of)) {}

    std::string_view name;
    ConstView view;
};

/// What a call writes: `value`, `gradient X` or `hvp X`, and where.
struct ResultView {
    template <detail::ViewedAs<View> V>
    ResultView(V&& of) noexcept  // NOLINT(bugprone-forwarding-reference-overload)
        : view(std::forward<V>(of)) {}
    template <detail::ViewedAs<View> V>
    ResultView(std::string_view output, V&& of, double times_what_is_there = 0) noexcept
        : name(output), view(std::forward<V>(of)), beta(times_what_is_there) {}

    std::string_view name;
    View view;
    /// The result is added to beta times what is there; 0 writes it. Problems that failed leave what is
    /// there alone, unless beta is 0.
    double beta = 0;
};

/// A list of arguments as a call takes it: in braces, or any contiguous range of them. It owns nothing.
template <typename Argument>
class ArgumentList {
public:
    ArgumentList(std::initializer_list<Argument> arguments) noexcept
        : arguments_(arguments.begin(), arguments.size()) {}
    template <typename R>
    requires std::ranges::contiguous_range<R> &&
        std::same_as<std::remove_cv_t<std::ranges::range_value_t<R>>, Argument>
        ArgumentList(const R& arguments)
    noexcept  // a vector is a list
        : arguments_(std::ranges::data(arguments), std::ranges::size(arguments)) {}

    [[nodiscard]] std::span<const Argument> span() const noexcept { return arguments_; }

private:
    std::span<const Argument> arguments_;
};

using OperandViews = ArgumentList<OperandView>;
using ResultViews = ArgumentList<ResultView>;

}  // namespace matgrad
