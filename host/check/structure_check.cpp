#include "check/structure_check.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "check/read_matrix.hpp"
#include "reference/structure_fault.hpp"

namespace matgrad::detail {

void require_structures(std::span<const Declaration> declared, std::span<const Operand> operands,
                        ScalarType type, std::span<const ConstStrided> views, std::int64_t problems,
                        std::int64_t first) {
    const double rounding = type == ScalarType::float32 ? std::numeric_limits<float>::epsilon()
                                                        : std::numeric_limits<double>::epsilon();
    for (std::size_t i = 0; i < operands.size(); ++i) {
        const Operand& operand = operands[i];
        const auto declaration =
            std::find_if(declared.begin(), declared.end(),
                         [&operand](const Declaration& d) { return d.name == operand.name; });
        if (declaration == declared.end() || declaration->structure == Structure::general) {
            continue;
        }
        Eigen::MatrixXd a(operand.rows, operand.cols);
        const std::int64_t count = operand.batched ? problems : 1;
        for (std::int64_t problem = 0; problem < count; ++problem) {
            read_matrix(type, views[i], problem, a);
            const StructureFault fault =
                structure_fault(operand.name, a, declaration->structure, rounding);
            if (!fault.found.empty()) {
                throw OperandError(fmt::format(
                    "{}{} is not {}, as it is declared: {}", operand.name,
                    operand.batched ? fmt::format(" of problem {}", first + problem) : "",
                    fault.declared, fault.found));
            }
        }
    }
}

}  // namespace matgrad::detail
