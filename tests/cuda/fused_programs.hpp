#pragma once
/// \file Programs of many functions, for tests of what fused kernels are made to be.

#include <fmt/format.h>

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "api/plan_making.hpp"
#include "road/random_function.hpp"
#include "support/cookbook.hpp"
#include "support/verified_program.hpp"

namespace matgrad::test {

using ProgramSizes = std::map<std::string, std::int64_t>;

/// Of a block of compute capability 9.0, less those that primitives keep.
inline constexpr std::int64_t kMostBlockBytes = std::int64_t{219} << 10;

inline std::int64_t size_in(const Dim& d, const ProgramSizes& sizes) {
    return d.name.empty() ? d.size : sizes.at(d.name);
}

/// `shared`: the variable, the other operands, or neither are the same for all problems.
enum class WhatIsShared { nothing, variable, others };

inline Program program_of(const Expr& f, const std::string& wrt, const ProgramSizes& sizes,
                          PlanOptions options, WhatIsShared shared = WhatIsShared::nothing) {
    std::vector<Operand> operands;
    for (const Declaration& d : symbols(f)) {
        const bool is_shared = shared != WhatIsShared::nothing &&
                               (d.name == wrt) == (shared == WhatIsShared::variable);
        operands.push_back(
            {d.name, size_in(d.shape.rows, sizes), size_in(d.shape.cols, sizes), !is_shared});
    }
    options.wrt = {wrt};
    return verified_program(detail::make_request(f, operands, options));
}

/// Every row of the cookbook and some random functions, in several sizes and both types, with operands shared in
/// turn, and sums over the batch.
inline void for_each_fused_program(
    const std::function<void(const std::string& name, const Program& program)>& visit) {
    std::size_t number = 0;
    const auto add = [&](const Expr& f, const std::string& wrt, const ProgramSizes& sizes) {
        PlanOptions options;
        options.type = number % 2 == 0 ? ScalarType::float32 : ScalarType::float64;
        options.reduction = number % 5 == 4 ? Reduction::sum : Reduction::none;
        options.rcond = number % 7 == 3;
        const auto shared = static_cast<WhatIsShared>(number % 3);
        ++number;
        visit(fmt::format("{} m={} n={}", to_text(f), sizes.at("m"), sizes.at("n")),
              program_of(f, wrt, sizes, options, shared));
    };
    const ProgramSizes all_sizes[] = {{{"m", 7}, {"n", 3}, {"p", 5}, {"q", 2}},
                                      {{"m", 20}, {"n", 12}, {"p", 16}, {"q", 8}},
                                      {{"m", 9}, {"n", 1}, {"p", 4}, {"q", 6}}};
    for (const CookbookRow& row : read_cookbook()) {
        for (const ProgramSizes& sizes : all_sizes) {
            add(parse(row.f, row.declarations), row.wrt, sizes);
        }
    }
    for (std::uint64_t seed = 1; seed <= 120; ++seed) {
        const RandomFunction draw = random_function(seed);
        if (draw.f) {
            add(draw.f, draw.wrt, {{"m", 8}, {"n", 4}});
        }
    }
}

}  // namespace matgrad::test
