#include "check/stand_ins.hpp"

#include <algorithm>

#include "expression/dimension_sizes.hpp"

namespace matgrad::detail {
namespace {

constexpr std::int64_t kAnySize = 2;

Eigen::MatrixXd stand_in(Structure structure, std::int64_t rows, std::int64_t cols) {
    const Eigen::MatrixXd identity = Eigen::MatrixXd::Identity(rows, cols);
    const Eigen::MatrixXd full = 0.5 * identity + Eigen::MatrixXd::Constant(rows, cols, 0.05);
    switch (structure) {
        case Structure::diagonal:
            return 0.5 * identity;
        case Structure::lower:
            return full.triangularView<Eigen::Lower>();
        case Structure::upper:
            return full.triangularView<Eigen::Upper>();
        case Structure::orthogonal:
            return identity;
        case Structure::general:
        case Structure::symmetric:
        case Structure::positive:
            break;
    }
    return full;
}

}  // namespace

MatrixMap stand_ins(std::span<const Declaration> symbols, std::span<const Operand> operands) {
    const auto operand_of = [&](const Declaration& symbol) {
        return std::find_if(operands.begin(), operands.end(),
                            [&](const Operand& o) { return o.name == symbol.name; });
    };
    DimensionSizes sizes;
    for (const Declaration& symbol : symbols) {
        const auto operand = operand_of(symbol);
        if (operand != operands.end()) {
            sizes.bind(symbol.name, symbol.shape, operand->rows, operand->cols);
        }
    }
    MatrixMap values;
    for (const Declaration& symbol : symbols) {
        if (operand_of(symbol) == operands.end()) {
            values[symbol.name] =
                stand_in(symbol.structure, sizes.find(symbol.shape.rows).value_or(kAnySize),
                         sizes.find(symbol.shape.cols).value_or(kAnySize));
        }
    }
    return values;
}

}  // namespace matgrad::detail
