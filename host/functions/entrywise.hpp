#pragma once
/// \file The entrywise functions of the language, one row each: the lowest layer, seen by all others.
///
/// Besides its row, a function has its slopes in calculus/rules_entrywise.cpp, its value and slopes
/// for checks in reference/entrywise.cpp, its vector code `<name>_of` in
/// cpu/vector_functions-inl.hpp, and device code in kernels/ unless it has that already. Code that
/// needs a case for each function expands the list with a macro of the columns; switches over
/// Entrywise have no default, so the compiler names the function that is missing.

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace matgrad {

/// What is known of an entrywise function.
enum EntrywiseFact : unsigned {
    kNoFact = 0,
    kNeverNegative = 1,  ///< its values are >= 0
    kHeavy = 2,          ///< many instructions: its evaluation hides reads of memory
    kUnitSlope = 4,      ///< slopes of at most about 1 that may cancel, as 1 - tanh(x)^2 far from 0
    kNotation = 8,       ///< written otherwise, as A < B: its name is no word of the language
};

// clang-format off
/// The columns:
///   name    in the language; also the enumerator of Entrywise, Op and MapOp
///   arity   how many arguments it takes, all of one shape, 1 or 2
///   device  its name in device code
///   latex   what stands before the bracketed argument; empty: its name in upright letters
///   numpy   its text in NumPy, {} for the next argument, {0} and {1} for the first and the second
///   also    what other languages call it, with a space before and after each name
///   facts   of EntrywiseFact
///   value   at the numbers x and y, to fold constants; a NaN is not folded
#define MATGRAD_ENTRYWISE_FUNCTIONS(ROW)                                                               \
    ROW(exp,      1, "exp",      R"(\exp)",   "np.exp({})",                    "", kNeverNegative | kHeavy, std::exp(x)) \
    ROW(log,      1, "log",      R"(\log)",   "np.log({})",                    " ln ", kHeavy, std::log(x)) \
    ROW(sqrt,     1, "sqrt",     "",          "np.sqrt({})",                   "", kNeverNegative, std::sqrt(x)) \
    ROW(abs,      1, "fabs",     "",          "np.abs({})",                    "", kNeverNegative, std::fabs(x)) \
    ROW(sign,     1, "sign",     "",          "np.sign({})",                   "", kNoFact, static_cast<double>((x > 0) - (x < 0))) \
    ROW(step,     1, "step",     "",          "np.heaviside({}, 0)",           " heaviside ", kNeverNegative, x > 0 ? 1 : 0) \
    ROW(sin,      1, "sin",      R"(\sin)",   "np.sin({})",                    "", kHeavy | kUnitSlope, std::sin(x)) \
    ROW(cos,      1, "cos",      R"(\cos)",   "np.cos({})",                    "", kHeavy | kUnitSlope, std::cos(x)) \
    ROW(tanh,     1, "tanh",     R"(\tanh)",  "np.tanh({})",                   "", kHeavy | kUnitSlope, std::tanh(x)) \
    ROW(sigmoid,  1, "sigmoid",  R"(\sigma)", "np.exp(-np.logaddexp(0, -{}))", " logistic ", kNeverNegative | kHeavy | kUnitSlope, std::nan("")) \
    ROW(softplus, 1, "softplus", "",          "np.logaddexp(0, {})",           "", kNeverNegative | kHeavy | kUnitSlope, std::nan("")) \
    ROW(relu,     1, "relu",     "",          "np.maximum({}, 0)",             "", kNeverNegative, x > 0 ? x : 0) \
    ROW(tan,      1, "tan",      R"(\tan)",   "np.tan({})",                    " tg ", kHeavy, std::tan(x)) \
    ROW(atan,     1, "atan",     R"(\arctan)","np.arctan({})",                 " arctan ", kHeavy, std::atan(x)) \
    ROW(log1p,    1, "log1p",    "",          "np.log1p({})",                  "", kHeavy, std::log1p(x)) \
    ROW(expm1,    1, "expm1",    "",          "np.expm1({})",                  "", kHeavy, std::expm1(x)) \
    ROW(cosh,     1, "cosh",     R"(\cosh)",  "np.cosh({})",                   "", kNeverNegative | kHeavy, std::cosh(x)) \
    ROW(sinh,     1, "sinh",     R"(\sinh)",  "np.sinh({})",                   "", kHeavy, std::sinh(x)) \
    ROW(erf,      1, "erf",      "",          "scipy.special.erf({})",         "", kHeavy | kUnitSlope, std::erf(x)) \
    ROW(max,      2, "max",      R"(\max)",   "np.maximum({}, {})",            " maximum fmax ", kNoFact, x < y ? y : x) \
    ROW(min,      2, "min",      R"(\min)",   "np.minimum({}, {})",            " minimum fmin ", kNoFact, y < x ? y : x) \
    ROW(asinh,     1, "asinh",      R"(\operatorname{arsinh})", "np.arcsinh({})", " arcsinh arsinh ", kHeavy, std::asinh(x)) \
    ROW(acosh,     1, "acosh",      R"(\operatorname{arcosh})", "np.arccosh({})", " arccosh arcosh ", kNeverNegative | kHeavy, std::acosh(x)) \
    ROW(atanh,     1, "atanh",      R"(\operatorname{artanh})", "np.arctanh({})", " arctanh artanh ", kHeavy, std::atanh(x)) \
    ROW(normcdf,   1, "normcdf",    R"(\Phi)", "scipy.special.ndtr({})", " ndtr norm_cdf pnorm Phi std_normal_cdf ", kNeverNegative | kHeavy, std::nan("")) \
    ROW(lognormcdf, 1, "lognormcdf", R"(\log\Phi)", "scipy.special.log_ndtr({})", " log_ndtr logcdf norm_logcdf std_normal_lcdf ", kHeavy, std::nan("")) \
    ROW(normhazard, 1, "normhazard", "", "(np.sqrt(2 / np.pi) / scipy.special.erfcx(({}) / np.sqrt(2)))", " mills millsratio inv_mills ", kNeverNegative | kHeavy, std::nan("")) \
    ROW(normexcess, 1, "normexcess", "", "(lambda x: np.sqrt(2 / np.pi) / scipy.special.erfcx(x / np.sqrt(2)) - x)({})", "", kNeverNegative | kHeavy, std::nan("")) \
    ROW(lgamma,    1, "lgamma",     R"(\log\Gamma)", "scipy.special.gammaln({})", " gammaln loggamma log_gamma lngamma ", kHeavy, std::nan("")) \
    ROW(digamma,   1, "digamma",    R"(\psi)", "scipy.special.digamma({})", " psi ", kHeavy, std::nan("")) \
    ROW(trigamma,  1, "trigamma",   R"(\psi')", "scipy.special.polygamma(1, {})", "", kNeverNegative | kHeavy, std::nan("")) \
    ROW(polygamma, 2, "polygamma",  "", "scipy.special.polygamma({}, {})", " tetragamma ", kHeavy, std::nan("")) \
    ROW(xlogy,     2, "xlogy",      "", "scipy.special.xlogy({}, {})", "", kHeavy, x == 0 && y == y ? 0 : x * std::log(y)) \
    ROW(entry_power, 2, "pow",        "", "np.power({}, {})", "", kHeavy | kNotation, std::pow(x, y)) \
    ROW(less,      2, "less",       "", "np.less({}, {}).astype(float)", "", kNeverNegative | kNotation, x < y ? 1 : 0) \
    ROW(less_equal, 2, "less_equal", "", "np.less_equal({}, {}).astype(float)", "", kNeverNegative | kNotation, x <= y ? 1 : 0) \
    ROW(mask,      2, "mask",       "", "np.where({1}, {0}, 0)", "", kNotation, y == 0 ? 0 : x) \
    ROW(unmask,    2, "unmask",     "", "np.where({1}, 0, {0})", "", kNotation, y == 0 ? x : 0)
// clang-format on

enum class Entrywise : std::uint8_t {
#define MATGRAD_ROW(name, ...) name,
    MATGRAD_ENTRYWISE_FUNCTIONS(MATGRAD_ROW)
#undef MATGRAD_ROW
};

/// All of them, in the order of the rows.
inline constexpr Entrywise kEntrywiseFunctions[] = {
#define MATGRAD_ROW(name, ...) Entrywise::name,
    MATGRAD_ENTRYWISE_FUNCTIONS(MATGRAD_ROW)
#undef MATGRAD_ROW
};

[[nodiscard]] constexpr std::string_view name_of(Entrywise f) {
    constexpr std::string_view kNames[] = {
#define MATGRAD_ROW(name, ...) #name,
        MATGRAD_ENTRYWISE_FUNCTIONS(MATGRAD_ROW)
#undef MATGRAD_ROW
    };
    return kNames[static_cast<std::size_t>(f)];
}

/// Of exp, sin, ...: 1; of a function of two arguments: 2.
[[nodiscard]] constexpr int arity_of(Entrywise f) {
    switch (f) {
#define MATGRAD_ROW(name, arity, ...) \
    case Entrywise::name:             \
        return arity;
        MATGRAD_ENTRYWISE_FUNCTIONS(MATGRAD_ROW)
#undef MATGRAD_ROW
    }
    return 0;
}

[[nodiscard]] constexpr unsigned facts_of(Entrywise f) {
    switch (f) {
#define MATGRAD_ROW(name, arity, device, latex, numpy, also, facts, value) \
    case Entrywise::name:                                                  \
        return facts;
        MATGRAD_ENTRYWISE_FUNCTIONS(MATGRAD_ROW)
#undef MATGRAD_ROW
    }
    return kNoFact;
}

}  // namespace matgrad
