#include "expression/functions.hpp"

#include <algorithm>
#include <cmath>

namespace matgrad::detail {
namespace {

using enum FunctionKind;

#define MATGRAD_ROW(name, arity, device, latex, numpy, also, facts, value)         \
    double value_of_##name([[maybe_unused]] double x, [[maybe_unused]] double y) { \
        return value;                                                              \
    }
MATGRAD_ENTRYWISE_FUNCTIONS(MATGRAD_ROW)
#undef MATGRAD_ROW

// clang-format off
constexpr Function kFunctions[] = {
    {Op::inverse,     "inv",       1, inverse,          "",                      "np.linalg.inv({})",                   " inverse "},
    {Op::det,         "det",       1, scalar_of_square, R"(\det)",               "np.linalg.det({})",                   ""},
    {Op::logdet,      "logdet",    1, scalar_of_square, "",                      "np.linalg.slogdet({})[1]",            " slogdet "},
    {Op::trace,       "tr",        1, scalar_of_square, R"(\operatorname{tr})",  "np.trace({})",                        " trace "},
    {Op::diag_matrix, "diag",      1, diagonal,         "",                      "np.diag({})",                         ""},
    {Op::diag_vector, "diag",      1, diagonal,         "",                      "np.diag({})",                         ""},
    {Op::dot,         "dot",       2, scalar_of_pair,   "",                      "np.vdot({}, {})",                     ""},
    {Op::sum,         "sum",       1, scalar_of_any,    "",                      "np.sum({})",                          ""},
    {Op::row_sum,     "rowsum",    1, row_sums,         "",                      "np.sum({}, axis=1)",                  ""},
    {Op::col_sum,     "colsum",    1, col_sums,         "",                      "np.sum({}, axis=0)",                  ""},
    {Op::norm2,       "norm2",     1, scalar_of_any,    "",                      "np.linalg.norm({})",                  " norm "},
    {Op::norm1,       "norm1",     1, scalar_of_any,    "",                      "np.sum(np.abs({}))",                  ""},
    {Op::logsumexp,   "logsumexp", 1, scalar_of_any,    "",                      "np.logaddexp.reduce({}, axis=None)",  ""},
#define MATGRAD_ROW(name, arity, device, latex, numpy, also, facts, value) \
    {Op::name, #name, arity, entrywise, latex, numpy, also, value_of_##name},
    MATGRAD_ENTRYWISE_FUNCTIONS(MATGRAD_ROW)
#undef MATGRAD_ROW
    {Op::tril,        "tril",      1, same_shape,       "",                      "np.tril({})",                         ""},
    {Op::triu,        "triu",      1, same_shape,       "",                      "np.triu({})",                         ""},
    {Op::row_max,     "rowmax",    1, row_sums,         "",                      "np.max({}, axis=-1)",                 ""},
    {Op::col_max,     "colmax",    1, col_sums,         "",                      "np.max({}, axis=0)",                  ""},
    {Op::is_row_max,  "isrowmax",  1, same_shape,       "",                      "np.apply_along_axis(lambda r: 1.0 * (np.arange(r.size) == np.argmax(r)), -1, {})", ""},
    {Op::is_col_max,  "iscolmax",  1, same_shape,       "",                      "np.apply_along_axis(lambda c: 1.0 * (np.arange(c.size) == np.argmax(c)), 0, {})", ""},
    {Op::cholesky,    "chol",      1, inverse,          "",                      "np.linalg.cholesky({})",              " cholesky "},
    {Op::eye,         "eye",       1, constant,         "",                      "",                                    " identity "},
    {Op::ones,        "ones",      2, constant,         "",                      "",                                    ""},
};

/// Without a name: they are written log(det(A)), log(rowsum(exp(A))) and log(colsum(exp(A))).
constexpr Function kNameless[] = {
    {Op::log_det,       "", 1, scalar_of_square, "", "np.log(np.linalg.det({}))",       ""},
    {Op::row_logsumexp, "", 1, row_sums,         "", "np.logaddexp.reduce({}, axis=1)", ""},
    {Op::col_logsumexp, "", 1, col_sums,         "", "np.logaddexp.reduce({}, axis=0)", ""},
};
// clang-format on

}  // namespace

std::span<const Function> functions() {
    return kFunctions;
}

const Function* find_function(std::string_view name) {
    const auto* at = std::find_if(std::begin(kFunctions), std::end(kFunctions),
                                  [name](const Function& f) { return f.name == name; });
    return at == std::end(kFunctions) ? nullptr : at;
}

const Function* function_of(Op op) {
    for (const std::span<const Function> table :
         {std::span<const Function>(kFunctions), std::span<const Function>(kNameless)}) {
        const auto at = std::find_if(table.begin(), table.end(),
                                     [op](const Function& f) { return f.op == op; });
        if (at != table.end()) {
            return &*at;
        }
    }
    return nullptr;
}

}  // namespace matgrad::detail

namespace matgrad {

std::string_view function_name(Op op) {
    const detail::Function* function = detail::function_of(op);
    return function == nullptr ? std::string_view() : function->name;
}

}  // namespace matgrad
