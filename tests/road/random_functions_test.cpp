// Functions nobody wrote: random texts of the language through the whole road.

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "expression/random_text.hpp"
#include "road/road_check.hpp"
#include "support/cookbook.hpp"

namespace matgrad {
namespace {

constexpr int kFunctions = 400;

/// A random scalar function and one of its variables; an empty Expr where the draw is no function.
struct Draw {
    Expr f;
    std::string wrt;
};

Draw random_function(std::uint64_t seed) {
    std::mt19937_64 random(seed);
    std::vector<std::uint8_t> choices(12 + random() % 30);
    for (std::uint8_t& c : choices) {
        c = static_cast<std::uint8_t>(random());
    }
    Expr f;
    try {
        f = parse(RandomText(choices).text('1', '1'),
                  parse_declarations(RandomText::kDeclarations));
    } catch (const UnsupportedError&) {
        return {};  // a constant that overflows
    }
    const std::vector<Declaration> found = symbols(f);
    for (const char* dim : {"m", "n"}) {  // eye(n) may have outlived every symbol with an n
        const bool sized = std::any_of(found.begin(), found.end(), [dim](const Declaration& d) {
            return d.shape.rows.name == dim || d.shape.cols.name == dim;
        });
        if (!sized) {
            return {};
        }
    }
    return found.empty() ? Draw{} : Draw{f, found[random() % found.size()].name};
}

TEST(RandomFunctions, AgreeWithTheOracle) {
    int compared = 0;
    int drawn = 0;
    const int functions = kFunctions / test_device().every;
    for (int k = 1; k <= functions; ++k) {
        const auto seed = static_cast<std::uint64_t>(k);
        SCOPED_TRACE("seed " + std::to_string(seed));
        const Draw draw = random_function(seed);
        if (!draw.f) {
            continue;
        }
        ++drawn;
        const Batched batched = seed % 2 == 0 ? Batched::all : Batched::variable;
        const Case small{{{"m", 5}, {"n", 3}}, batched, 3};
        compared +=
            expect_row<double>(draw.f, draw.wrt, small, Accuracy::robust, Kind::random) > 0 ? 1 : 0;
        expect_row<float>(draw.f, draw.wrt, small, Accuracy::robust, Kind::random);
        if (seed % 8 == 0) {
            expect_row<double>(draw.f, draw.wrt, {{{"m", 70}, {"n", 66}}, batched, 2},
                               Accuracy::robust, Kind::random);
        }
        if (HasFailure()) {
            break;  // one is enough to read
        }
    }
    EXPECT_GT(drawn, functions / 2);
    EXPECT_GT(compared, drawn / 3) << "of " << drawn;
}

}  // namespace
}  // namespace matgrad
