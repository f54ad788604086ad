#include "expression/functions.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "expression/words.hpp"

namespace matgrad::detail {
namespace {

using enum FunctionKind;

#define MATGRAD_ROW(name, arity, device, latex, numpy, also, facts, value)         \
    double value_of_##name([[maybe_unused]] double x, [[maybe_unused]] double y) { \
        return value;                                                              \
    }
MATGRAD_ENTRYWISE_FUNCTIONS(MATGRAD_ROW)
#undef MATGRAD_ROW

/// A word that stands for what others say.
constexpr Function word(std::string_view name, std::size_t arity, FunctionKind kind,
                        Expr (*made_of)(std::span<const Expr> arguments), std::string_view also) {
    return {Op::number, name, arity, kind, "", "", also, nullptr, true, made_of};
}

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
    {Op::row_norm2,   "rownorm2",  1, row_sums,         "",                      "np.linalg.norm({}, axis=1)",          ""},
    {Op::col_norm2,   "colnorm2",  1, col_sums,         "",                      "np.linalg.norm({}, axis=0)",          ""},
    {Op::row_logsumexp, "rowlogsumexp", 1, row_sums,    "",                      "np.logaddexp.reduce({}, axis=1)",     ""},
    {Op::col_logsumexp, "collogsumexp", 1, col_sums,    "",                      "np.logaddexp.reduce({}, axis=0)",     ""},
#define MATGRAD_ROW(name, arity, device, latex, numpy, also, facts, value) \
    {Op::name, #name, arity, entrywise, latex, numpy, also, value_of_##name, ((facts) & kNotation) == 0},
    MATGRAD_ENTRYWISE_FUNCTIONS(MATGRAD_ROW)
#undef MATGRAD_ROW
    {Op::tril,        "tril",      1, same_shape,       "",                      "np.tril({})",                         ""},
    {Op::triu,        "triu",      1, same_shape,       "",                      "np.triu({})",                         ""},
    {Op::row_max,     "rowmax",    1, row_sums,         "",                      "np.max({}, axis=-1)",                 ""},
    {Op::col_max,     "colmax",    1, col_sums,         "",                      "np.max({}, axis=0)",                  ""},
    {Op::is_row_max,  "isrowmax",  1, same_shape,       "",                      "np.apply_along_axis(lambda r: 1.0 * (np.arange(r.size) == np.argmax(r)), -1, {})", ""},
    {Op::is_col_max,  "iscolmax",  1, same_shape,       "",                      "np.apply_along_axis(lambda c: 1.0 * (np.arange(c.size) == np.argmax(c)), 0, {})", ""},
    {Op::cholesky,    "chol",      1, factor,           "",                      "np.linalg.cholesky({})",              " cholesky "},
    {Op::eye,         "eye",       1, constant,         "",                      "",                                    " identity "},
    {Op::ones,        "ones",      2, constant,         "",                      "",                                    ""},
    {Op::dim,         "dim",       1, constant,         "",                      "",                                    ""},
    word("solve",      2, left_divide,   solution_of,      " linsolve mldivide cho_solve solve_triangular "),
    word("where",      3, entrywise,     where_of,         " ifelse cond merge "),
    word("clip",       3, entrywise,     clip_of,          " clamp "),
    word("rows",       1, scalar_of_any, rows_of,          " nrow nrows height "),
    word("cols",       1, scalar_of_any, cols_of,          " ncol ncols columns width "),
    word("mean",       1, scalar_of_any, mean_of,          " average avg "),
    word("var",        1, scalar_of_any, variance_of,      " variance "),
    word("rowmean",    1, row_sums,      row_mean_of,      ""),
    word("colmean",    1, col_sums,      col_mean_of,      ""),
    word("softmax",    1, same_vector,   softmax_of,       ""),
    word("rowsoftmax", 1, same_shape,    row_softmax_of,   ""),
    word("colsoftmax", 1, same_shape,    col_softmax_of,   ""),
    word("cumsum",     1, same_vector,   cumulative_sum_of, ""),
    word("rowcumsum",  1, same_shape,    row_cumulative_sum_of, ""),
    word("colcumsum",  1, same_shape,    col_cumulative_sum_of, ""),
};

/// Without a name: it is written log(det(A)).
constexpr Function kNameless[] = {
    {Op::log_det, "", 1, scalar_of_square, "", "np.log(np.linalg.det({}))", ""},
};
// clang-format on

constexpr bool is_word(const Function& f) {
    return f.is_word;
}

constexpr auto kWords = [] {
    constexpr auto kCount = std::count_if(std::begin(kFunctions), std::end(kFunctions), is_word);
    std::array<Function, static_cast<std::size_t>(kCount)> words;
    std::copy_if(std::begin(kFunctions), std::end(kFunctions), words.begin(), is_word);
    return words;
}();

}  // namespace

std::span<const Function> functions() {
    return kWords;
}

const Function* find_function(std::string_view name) {
    const auto at = std::find_if(kWords.begin(), kWords.end(),
                                 [name](const Function& f) { return f.name == name; });
    return at == kWords.end() ? nullptr : &*at;
}

const Function* function_of(Op op) {
    for (const std::span<const Function> table :
         {std::span<const Function>(kWords), std::span<const Function>(kFunctions),
          std::span<const Function>(kNameless)}) {
        const auto at = std::find_if(table.begin(), table.end(), [op](const Function& f) {
            return f.op == op && f.made_of == nullptr;
        });
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
