#pragma once
/// \file Programs built by hand, and batches of random matrices in every memory order.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "matgrad/plan.hpp"
#include "program/program.hpp"

namespace matgrad::test {

/// Writes a Program one value and step at a time.
class ProgramBuilder {
public:
    explicit ProgramBuilder(ScalarType type) { program_.type = type; }

    ValueId operand(const std::string& name, std::int64_t rows, std::int64_t cols, bool batched);
    /// A new value; its type is that of the operands unless given.
    ValueId value(std::int64_t rows, std::int64_t cols, Scope scope = Scope::problem,
                  std::optional<ScalarType> type = {});
    /// The step computes in the operands' type unless given; its scope is its result's.
    Step& step(Operation operation, ValueId out, std::optional<ScalarType> type = {},
               ValueId out2 = kNoValue);
    void output(ValueId value, bool transposed = false);
    [[nodiscard]] const Value& of(ValueId value) const { return program_.value(value); }
    /// Gives `value` the memory of `other`.
    void share_memory(ValueId value, ValueId other);

    /// Places every value in its workspace, except results at odd places, which executors must
    /// place themselves.
    Program finish();

private:
    Program program_;
    std::vector<std::pair<ValueId, ValueId>> shared_memory_;
};

Use use(ValueId value);
Use use_transposed(ValueId value);

/// Memory orders of a matrix.
enum class Order { rows, columns, padded_rows, reversed_rows, reversed_both, strided, spread };
inline constexpr Order kOrders[] = {Order::rows,          Order::columns,       Order::padded_rows,
                                    Order::reversed_rows, Order::reversed_both, Order::strided};

/// One matrix per problem (or one alone) in any order; entries outside the matrices are guards.
class Matrices {
public:
    Matrices(ScalarType type, std::int64_t batch, std::int64_t rows, std::int64_t cols,
             Order order = Order::rows, bool reversed_batch = false);

    [[nodiscard]] double get(std::int64_t problem, std::int64_t r, std::int64_t c) const {
        const std::size_t i = index(problem, r, c);
        return type_ == ScalarType::float32 ? static_cast<double>(floats_[i]) : doubles_[i];
    }
    void set(std::int64_t problem, std::int64_t r, std::int64_t c, double value) {
        const std::size_t i = index(problem, r, c);
        if (type_ == ScalarType::float32) {
            floats_[i] = static_cast<float>(value);
        } else {
            doubles_[i] = value;
        }
    }
    void fill_random(std::uint32_t seed, double low = -1, double high = 1);
    /// Every matrix becomes symmetric with eigenvalues of at least `shift`.
    void make_positive(std::uint32_t seed, double shift);
    [[nodiscard]] ConstStrided input() const;
    [[nodiscard]] Strided output();
    [[nodiscard]] bool guards_intact() const;
    /// All of its memory, guards included, and in it the place of entry (0, 0) of problem 0.
    [[nodiscard]] std::span<std::byte> memory();
    [[nodiscard]] std::span<const std::byte> memory() const;
    [[nodiscard]] std::int64_t origin_bytes() const { return origin_ * size_of(type_); }
    [[nodiscard]] std::int64_t rows() const { return rows_; }
    [[nodiscard]] std::int64_t cols() const { return cols_; }
    [[nodiscard]] std::int64_t batch() const { return batch_; }
    /// Do two problems hold the same bits?
    [[nodiscard]] bool same_bits(std::int64_t problem, const Matrices& other,
                                 std::int64_t other_problem) const;

private:
    [[nodiscard]] std::size_t index(std::int64_t problem, std::int64_t r, std::int64_t c) const {
        return static_cast<std::size_t>(origin_ + problem * batch_stride_ + r * row_stride_ +
                                        c * col_stride_);
    }

    ScalarType type_;
    std::int64_t batch_, rows_, cols_;
    std::int64_t row_stride_ = 0, col_stride_ = 0, batch_stride_ = 0, origin_ = 0;
    std::vector<float> floats_;
    std::vector<double> doubles_;
    std::vector<char> inside_;
};

inline constexpr ScalarType kTypes[] = {ScalarType::float32, ScalarType::float64};

/// Unit roundoff.
[[nodiscard]] inline long double unit(ScalarType type) {
    return type == ScalarType::float32 ? 0x1p-24L : 0x1p-53L;
}

}  // namespace matgrad::test
