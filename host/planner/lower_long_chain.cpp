#include <algorithm>

#include "planner/lowering.hpp"

namespace matgrad::detail {
namespace {

constexpr int kLongestChain = 64;  // ordering takes the cube of the length
constexpr int kLeastPower = 4;

/// The shortest run of square links that the chain repeats at least kLeastPower times, or 0.
int period_of(const Links& links) {
    const int n = static_cast<int>(links.size());
    const auto weight = [&](int k) -> const ChainLink& {
        return links[static_cast<std::size_t>(k)].weight;
    };
    for (int k = 0; k < n; ++k) {
        if (weight(k).rows != weight(k).cols || weight(k).kind == LinkKind::diagonal) {
            return 0;
        }
    }
    for (int p = 1; p * kLeastPower <= n; ++p) {
        bool repeats = n % p == 0;
        for (int k = p; repeats && k < n; ++k) {
            repeats = weight(k).key == weight(k - p).key;
        }
        if (repeats) {
            return p;
        }
    }
    return 0;
}

}  // namespace

Use Lowering::lower_chain(const Links& links) {
    const int n = static_cast<int>(links.size());
    if (n <= kLongestChain) {
        return lower_chain_part(links, order(links), 0, n - 1);
    }
    const int period = period_of(links);
    return period > 0 ? lower_power(links, period, n / period) : lower_long_chain(links);
}

/// The first `exponent` repetitions of the chain, by squaring.
Use Lowering::lower_power(const Links& links, int period, int exponent) {
    if (exponent == 1) {
        return lower_chain({links.begin(), links.begin() + period});
    }
    const int last = period * exponent - 1;
    const OrientedKey key = oriented_key(links, 0, last);
    if (const auto* found = find_in(chains_, key.key)) {
        return key.reversed ? transposed(*found) : *found;
    }
    const std::string text =
        text_of(links, 0, period - 1) + " to the power " + std::to_string(exponent);
    std::vector<ChainLink> weights;
    for (int k = 0; k <= last; ++k) {
        weights.push_back(links[static_cast<std::size_t>(k)].weight);
    }
    Use use;
    if (exponent % 2 != 0) {
        const Use rest = lower_power(links, period, exponent - 1);
        use = multiply_dense(rest, lower_power(links, period, 1), text);
    } else if (const Use half = lower_power(links, period, exponent / 2);
               is_palindrome(weights, 0, last)) {
        use = emit(Syrk{half, 1, true}, rows(half), cols(half), text,
                   "the square of a symmetric matrix: half the operations");
    } else {
        use = multiply_dense(half, half, text);
    }
    chains_.emplace(key.key, key.reversed ? transposed(use) : use);
    return use;
}

Link Lowering::ready_link(const Links& part) {
    Link link;
    link.ready = lower_chain(part);
    link.rows = part.front().rows;
    link.cols = part.back().cols;
    const int last = static_cast<int>(part.size()) - 1;
    link.label = "(a part of " + std::to_string(part.size()) + " factors)";
    const auto word = [&](bool flipped) {
        const ChainKey key = key_of(part, 0, last, flipped);
        return key[0] ^ (key[1] << 3);
    };
    const bool shared =
        std::all_of(part.begin(), part.end(), [](const Link& l) { return l.weight.shared; });
    link.weight = {LinkKind::dense, link.rows.size, link.cols.size,
                   shared,          word(false),    word(true)};
    return link;
}

/// Part by part, from the end whose outer side is smaller: a vector there makes every part one.
Use Lowering::lower_long_chain(const Links& links) {
    const bool from_right = links.back().weight.cols < links.front().weight.rows;
    const auto at = from_right ? links.end() - kLongestChain : links.begin();
    const Link part = ready_link({at, at + kLongestChain});
    Links shorter = links;
    const auto begin = shorter.begin() + (at - links.begin());
    shorter.insert(shorter.erase(begin, begin + kLongestChain), part);
    return lower_chain(shorter);
}

}  // namespace matgrad::detail
