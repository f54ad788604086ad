#pragma once
/// \file A Program with every kind of result, its data and its results.

#include <cstdint>
#include <limits>
#include <vector>

#include "executors/build_program.hpp"

namespace matgrad::test {

/// Every kind of result: with g = S^-1 x, and P the inverse of the Cholesky factor of C,
enum Output : std::size_t {
    kSolution,    ///< g'
    kOperand,     ///< x itself
    kRepeated,    ///< P, written for every problem
    kSingle,      ///< P
    kSum,         ///< of g
    kMean,        ///< of g
    kFoldedSum,   ///< of x g', of which nothing else is used
    kFoldedMean,  ///< of x'g
    kAfterwards,  ///< 3 times the sum of g
    kOutputs
};

struct EveryResult {
    static constexpr std::int64_t kSize = 4;
    Program program;

    explicit EveryResult(ScalarType type) {
        ProgramBuilder build(type);
        const ValueId s = build.operand("S", kSize, kSize, true);
        const ValueId x = build.operand("x", kSize, 1, true);
        const ValueId c = build.operand("C", kSize, kSize, false);
        const ValueId shared_factor = build.value(kSize, kSize, Scope::shared);
        build.step(Potrf{use(c)}, shared_factor);
        const ValueId p = build.value(kSize, kSize, Scope::shared);
        build.step(Trsm{Side::left, true, false, use(shared_factor), {}}, p);
        const ValueId l = build.value(kSize, kSize);
        build.step(Potrf{use(s)}, l);
        const ValueId half = build.value(kSize, 1);
        build.step(Trsm{Side::left, true, false, use(l), use(x)}, half);
        const ValueId g = build.value(kSize, 1);
        build.step(Trsm{Side::left, true, true, use(l), use(half)}, g);
        const ValueId outer = build.value(kSize, kSize);
        build.step(Gemm{use(x), use_transposed(g), 1, 0, {}}, outer);
        const ValueId inner = build.value(1, 1);
        build.step(Gemm{use_transposed(x), use(g), 1, 0, {}}, inner);
        const auto sum_of = [&build](ValueId value, std::int64_t rows, std::int64_t cols) {
            const ValueId sum = build.value(rows, cols, Scope::reduced);
            build.step(BatchReduce{use(value)}, sum);
            return sum;
        };
        const ValueId sum = sum_of(g, kSize, 1);
        const ValueId outer_sum = sum_of(outer, kSize, kSize);
        const ValueId inner_sum = sum_of(inner, 1, 1);
        const ValueId last = build.value(kSize, 1, Scope::reduced);
        build.step(Map{{{{use(sum), Broadcast::none}},
                        {{MapOp::load, 0, -1, 0}, {MapOp::scale, 0, -1, 3}}}},
                   last);
        build.output(g, true);
        build.output(x);
        build.output(p);
        build.output(p);
        build.output(sum);
        build.output(sum);
        build.output(outer_sum);
        build.output(inner_sum);
        build.output(last);
        program = build.finish();
        program.outputs[kRepeated].repeated = true;
        program.outputs[kMean].mean = true;
        program.outputs[kFoldedMean].mean = true;
    }
};

struct EveryResultData {
    Matrices S, x, C;

    EveryResultData(ScalarType type, std::int64_t batch, Order order, bool reversed)
        : S(type, batch, EveryResult::kSize, EveryResult::kSize, order, reversed),
          x(type, batch, EveryResult::kSize, 1, order, reversed),
          C(type, 1, EveryResult::kSize, EveryResult::kSize, order) {
        S.make_positive(1, 1);
        x.fill_random(2);
        C.make_positive(3, 1);
    }
    [[nodiscard]] std::vector<const Matrices*> all() const { return {&S, &x, &C}; }
};

inline bool is_for_each_problem(std::size_t output) {
    return output <= kRepeated;
}

struct EveryResultResults {
    std::vector<Matrices> each;

    /// Random numbers, or NaN where nothing may be read.
    EveryResultResults(ScalarType type, std::int64_t batch, Order order, bool reversed,
                       const std::vector<double>& beta) {
        constexpr std::int64_t n = EveryResult::kSize;
        const std::int64_t rows[] = {1, n, n, n, n, n, n, 1, n};
        const std::int64_t cols[] = {n, 1, n, n, 1, 1, n, 1, 1};
        for (std::size_t i = 0; i < kOutputs; ++i) {
            each.emplace_back(type, is_for_each_problem(i) ? batch : 1, rows[i], cols[i], order,
                              reversed && is_for_each_problem(i));
            const bool is_read = !beta.empty() && beta[i] != 0;
            each.back().fill_random(static_cast<std::uint32_t>(10 + i),
                                    is_read ? -2 : std::numeric_limits<double>::quiet_NaN(),
                                    is_read ? 2 : std::numeric_limits<double>::quiet_NaN());
        }
    }
    [[nodiscard]] std::vector<Matrices*> all() {
        std::vector<Matrices*> pointers;
        for (Matrices& m : each) {
            pointers.push_back(&m);
        }
        return pointers;
    }
};

}  // namespace matgrad::test
