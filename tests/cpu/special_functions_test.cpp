/// Area functions, the normal distribution, the gamma functions, powers and conditions on strips: against the C library
/// in long double, and against values of mpmath in 40 digits, rounded once.

#include <gtest/gtest.h>

#include <cmath>
#include <iterator>
#include <limits>
#include <random>
#include <vector>

#include "cpu/vector_math.hpp"
#include "strip_check.hpp"

namespace matgrad::test {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
const double kNan = std::nan("");
constexpr long double kRootOfTwoPi = 2.506628274631000502415765L;

double value(MapOp op, double x, double y = 0) {
    std::vector<double> a(kStripRoom + 1, x);
    std::vector<double> b(kStripRoom + 1, y);
    std::vector<double> out(kStripRoom + 1);
    apply_strip(op, out.data(), a.data(), b.data(), 0, 1);
    return out.front();
}

/// What is negative has its own claims.
template <typename T>
std::vector<T> positive_values() {
    std::vector<T> values;
    for (const T x : hard_values<T>()) {
        if (!(x < 0)) {
            values.push_back(x);
        }
    }
    return values;
}

TEST(SpecialFunctions, AreaFunctionsAreGoodToThreeUlpEverywhere) {
    check_both(MapOp::asinh, 0, 3, [](long double x) { return std::asinh(x); });
    check_both(MapOp::acosh, 0, 3, [](long double x) { return std::acosh(x); });
    check_both(MapOp::atanh, 0, 3, [](long double x) { return std::atanh(x); });
}

/// density(x)/normcdf(-x) - x: by erfc where little cancels, else Laplace's continued fraction.
long double excess(long double x) {
    if (std::isinf(x)) {
        return x > 0 ? 0 : -x;
    }
    if (x < 2) {
        return std::exp(-x * x / 2) / kRootOfTwoPi / (std::erfc(x / std::sqrt(2.0L)) / 2) - x;
    }
    long double result = 0;
    for (int k = 400; k > 0; --k) {
        result = k / (x + result);
    }
    return result;
}

/// Below 0, where the hazard is small, it is not the difference of two large numbers.
long double hazard(long double x) {
    return x < 0 ? std::exp(-x * x / 2) / kRootOfTwoPi / (std::erfc(x / std::sqrt(2.0L)) / 2)
                 : x + excess(x);
}

long double log_distribution(long double x) {
    return x < -4  ? -x * x / 2 - std::log(kRootOfTwoPi * hazard(-x))
           : x < 1 ? std::log(std::erfc(-x / std::sqrt(2.0L)) / 2)
                   : std::log1p(-std::erfc(x / std::sqrt(2.0L)) / 2);
}

TEST(SpecialFunctions, OfTheNormalDistributionAreGoodToSixUlpInBothTails) {
    check_both(MapOp::normcdf, 0, 6,
               [](long double x) { return std::erfc(-x / std::sqrt(2.0L)) / 2; });
    check_both(MapOp::lognormcdf, 0, 6, log_distribution);
    check_both(MapOp::normhazard, 0, 6, hazard);
    check_both(MapOp::normexcess, 0, 6, excess);
}

struct NormalCase {
    double x, cdf, log_cdf, hazard;
};

const NormalCase kNormal[] = {
    {-1e8, 0, -5000000000000019.0, 0},
    {-1e4, 0, -50000010.12927891, 0},
    {-37, 5.725571222524577e-300, -689.0305855768906, 2.1200065515246056e-298},
    {-5, 2.866515718791939e-07, -15.064998393988725, 1.4867199409049056e-06},
    {-1, 0.15865525393145705, -1.8410216450092636, 0.2875999709391784},
    {0.3, 0.6179114221889527, -0.4814101615884812, 0.9981659688584833},
    {2, 0.9772498680518208, -0.02301290932896349, 2.373215532822841},
    {8, 0.9999999999999993, -6.220960574271786e-16, 8.121368112236112},
    {37, 1, -5.725571222524577e-300, 37.02698768612699},
    {kInfinity, 1, 0, kInfinity},
    {-kInfinity, 0, -kInfinity, 0},
};

TEST(SpecialFunctions, OfTheNormalDistributionHaveTheValuesOfTables) {
    for (const NormalCase& c : kNormal) {
        SCOPED_TRACE(c.x);
        EXPECT_LE(error_in_ulp(value(MapOp::normcdf, c.x), c.cdf), 6);
        EXPECT_LE(error_in_ulp(value(MapOp::lognormcdf, c.x), c.log_cdf), 6);
        EXPECT_LE(error_in_ulp(value(MapOp::normhazard, c.x), c.hazard), 6);
    }
    // Of 1e8 the hazard has the digits of x alone, the excess has its own.
    EXPECT_LE(error_in_ulp(value(MapOp::normexcess, 1e8), 1e-8L - 2e-24L), 6);
}

struct GammaCase {
    double x, lgamma, digamma, trigamma, second, third;
};

const GammaCase kGamma[] = {
    {1e-10, 23.025850929882736, -10000000000.577215, 1e+20, -1.9999999999999998e+30, 6e+40},
    {0.1, 2.252712651734206, -10.423754940411076, 101.43329915079275, -2001.8614573783436,
     60004.51287679026},
    {0.999, 0.0005780385328913802, -0.5788618021086455, 1.6473414317770505, -2.410620209231671,
     6.518886830187096},
    {1.0000001, -5.772155829918507e-08, -0.5772155004081381, 1.6449338264368782,
     -2.4041131569253724, 6.493936913640826},
    {1.4616321449683622, -0.12148629053584961, -9.241265521729427e-17, 0.9676722454476212,
     -0.8855263379671844, 1.5509985657339065},
    {2.0000001, 4.227843666532498e-08, 0.4227843995918717, 0.6449340264368484, -0.40411375692525286,
     0.49393931364022736},
    {3, 0.6931471805599453, 0.9227843350984671, 0.39493406684822646, -0.15411380631918858,
     0.11893940226682916},
    {3.9999, 1.7916338588803398, 1.2560892857360206, 0.2838309599346727, -0.08004421896544417,
     0.04486907846969076},
    {7.5, 7.534364236758733, 1.9467574842460869, 0.1426158966967038, -0.020305252536644666,
     0.005772436656578694},
    {1e10, 220258509288.81058, 23.025850929890456, 1.00000000005e-10, -1.0000000001e-20,
     2.0000000003e-30},
    {1e300, 6.897755278982137e+302, 690.7755278982137, 1e-300, 0, 0},
};

TEST(SpecialFunctions, OfGammaHaveTheValuesOfTables) {
    for (const GammaCase& c : kGamma) {
        SCOPED_TRACE(c.x);
        EXPECT_LE(error_in_ulp(value(MapOp::lgamma, c.x), c.lgamma), 5);
        EXPECT_LE(error_in_ulp(value(MapOp::digamma, c.x), c.digamma), 5);
        EXPECT_LE(error_in_ulp(value(MapOp::trigamma, c.x), c.trigamma), 6);
        EXPECT_LE(error_in_ulp(value(MapOp::polygamma, 2, c.x), c.second), 8);
        EXPECT_LE(error_in_ulp(value(MapOp::polygamma, 3, c.x), c.third), 8);
    }
}

// By the reflection: what cancels there is lost, in units of the terms.
TEST(SpecialFunctions, OfGammaAreRightBelowZero) {
    const GammaCase cases[] = {
        {-0.5, 1.2655121234846454, 0.03648997397857652, 8.934802200544679, -0.82879664423432,
         193.40909103400242},
        {-1.5, 0.860047015376481, 0.7031566406452432, 9.379246644989124, -0.2362040516417274,
         194.59427621918763},
        {-20.3, -41.887292480135244, 5.317549924239749, 15.03134603262623, 68.8352336578373,
         769.0206923407153},
    };
    constexpr double kUnit = 10 * std::numeric_limits<double>::epsilon();
    for (const GammaCase& c : cases) {
        SCOPED_TRACE(c.x);
        EXPECT_LE(error_in_ulp(value(MapOp::lgamma, c.x), c.lgamma), 5);
        EXPECT_NEAR(value(MapOp::digamma, c.x), c.digamma, kUnit * 6);
        EXPECT_NEAR(value(MapOp::trigamma, c.x), c.trigamma, kUnit * 16);
        EXPECT_NEAR(value(MapOp::polygamma, 2, c.x), c.second, kUnit * 70);
        EXPECT_NEAR(value(MapOp::polygamma, 3, c.x), c.third, kUnit * 770);
    }
}

TEST(SpecialFunctions, OfHighOrderHaveTheValuesOfTables) {
    EXPECT_LE(error_in_ulp(value(MapOp::polygamma, 7, 0.25), 330302293.70901346), 8);
    EXPECT_LE(error_in_ulp(value(MapOp::polygamma, 7, 60), 2.725383461875294e-10), 8);
    EXPECT_LE(error_in_ulp(value(MapOp::polygamma, 20, 0.25), -1.070001618891921e+31), 8);
    EXPECT_LE(error_in_ulp(value(MapOp::polygamma, 20, 3), -233141556.11225682), 8);
}

TEST(SpecialFunctions, OfGammaAreGoodToSixUlpAboveZero) {
    check<double>(
        MapOp::lgamma, 0, 5, [](long double x) { return std::lgamma(x); },
        positive_values<double>());
    check<float>(
        MapOp::lgamma, 0, 1, [](long double x) { return std::lgamma(x); },
        positive_values<float>());
}

TEST(SpecialFunctions, OfGammaAtPolesAndAtInfinity) {
    EXPECT_EQ(value(MapOp::lgamma, 0), kInfinity);
    EXPECT_EQ(value(MapOp::lgamma, -3), kInfinity);
    EXPECT_EQ(value(MapOp::lgamma, -kInfinity), kInfinity);
    EXPECT_EQ(value(MapOp::digamma, 0), -kInfinity);
    EXPECT_EQ(value(MapOp::digamma, -0.0), kInfinity);
    EXPECT_EQ(value(MapOp::digamma, kInfinity), kInfinity);
    EXPECT_TRUE(std::isnan(value(MapOp::digamma, -3)));
    EXPECT_TRUE(std::isnan(value(MapOp::digamma, -kInfinity)));
    EXPECT_EQ(value(MapOp::trigamma, 0), kInfinity);
    EXPECT_EQ(value(MapOp::trigamma, -3), kInfinity);
    EXPECT_EQ(value(MapOp::trigamma, kInfinity), 0);
    EXPECT_TRUE(std::isnan(value(MapOp::polygamma, 2, -3)));
    EXPECT_EQ(value(MapOp::polygamma, 3, -3), kInfinity);
    for (const MapOp op : {MapOp::lgamma, MapOp::digamma, MapOp::trigamma}) {
        EXPECT_TRUE(std::isnan(value(op, kNan)));
    }
}

TEST(SpecialFunctions, XlogyIsZeroWhereXIsZeroButForNan) {
    EXPECT_EQ(value(MapOp::xlogy, 0, 0), 0);
    EXPECT_EQ(value(MapOp::xlogy, -0.0, -1), 0);
    EXPECT_EQ(value(MapOp::xlogy, 0, kInfinity), 0);
    EXPECT_TRUE(std::isnan(value(MapOp::xlogy, 0, kNan)));
    EXPECT_TRUE(std::isnan(value(MapOp::xlogy, kNan, 2)));
    EXPECT_TRUE(std::isnan(value(MapOp::xlogy, 2, -1)));
    EXPECT_EQ(value(MapOp::xlogy, 2, 0), -kInfinity);
    EXPECT_LE(error_in_ulp(value(MapOp::xlogy, 3, 5), 3 * std::log(5.0L)), 2);
}

TEST(SpecialFunctions, PowersAreThoseOfTheCLibrary) {
    EXPECT_EQ(value(MapOp::entry_power, -2, 3), -8);
    EXPECT_TRUE(std::isnan(value(MapOp::entry_power, -2, 0.5)));
    EXPECT_EQ(value(MapOp::entry_power, 0, 0), 1);
    EXPECT_EQ(value(MapOp::entry_power, 0, 2), 0);
    EXPECT_EQ(value(MapOp::entry_power, 0, -2), kInfinity);
    EXPECT_EQ(value(MapOp::entry_power, kNan, 0), 1);
    EXPECT_LE(error_in_ulp(value(MapOp::entry_power, 1.1, 700.5), std::pow(1.1L + 0, 700.5L)), 320)
        << "1.1 is rounded: its error is magnified by the exponent";
}

TEST(SpecialFunctions, ComparisonsAreFalseOfNanAndRightOfInfinity) {
    const double xs[] = {-kInfinity, -1, -0.0, 0, 1, kInfinity, kNan};
    for (const double x : xs) {
        for (const double y : xs) {
            EXPECT_EQ(value(MapOp::less, x, y), x < y ? 1 : 0) << x << " < " << y;
            EXPECT_EQ(value(MapOp::less_equal, x, y), x <= y ? 1 : 0) << x << " <= " << y;
        }
    }
}

TEST(SpecialFunctions, MasksKeepOrDropWhateverThereIs) {
    for (const double x : {2.0, kInfinity, kNan}) {
        EXPECT_EQ(value(MapOp::mask, x, 0), 0);
        EXPECT_EQ(value(MapOp::unmask, x, 1), 0);
        EXPECT_EQ(value(MapOp::unmask, x, kNan), 0);
        EXPECT_FALSE(value(MapOp::mask, x, -3) == 0);
        EXPECT_FALSE(value(MapOp::unmask, x, -0.0) == 0);
    }
}

}  // namespace
}  // namespace matgrad::test
