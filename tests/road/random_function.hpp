#pragma once
/// \file Random texts of the language.

#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "expression/random_text.hpp"
#include "road/test_device.hpp"
#include "support/cookbook.hpp"

namespace matgrad {

/// The seeds of the functions: 1 to 400, or what MATGRAD_RANDOM_SEEDS says, as 401-2000.
struct Seeds {
    std::uint64_t first = 1;
    std::uint64_t last = 400;

    Seeds() {
        last /= static_cast<std::uint64_t>(test_device().every);
        const char* words = std::getenv("MATGRAD_RANDOM_SEEDS");
        if (words != nullptr && std::sscanf(words, "%" SCNu64 "-%" SCNu64, &first, &last) != 2) {
            throw std::runtime_error("MATGRAD_RANDOM_SEEDS: expected FIRST-LAST");
        }
    }
};

/// A random scalar function and one of its variables; an empty Expr where the draw is no function.
struct RandomFunction {
    Expr f;
    std::string wrt;
};

inline RandomFunction random_function(std::uint64_t seed) {
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
    return found.empty() ? RandomFunction{}
                         : RandomFunction{f, found[random() % found.size()].name};
}

}  // namespace matgrad
