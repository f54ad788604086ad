#pragma once
/// \file The order in which a product chain is multiplied.
///
/// Dynamic programming over all brackets, by operations and then bytes. The cost knows the batch: a
/// sub-chain of shared factors is run once, so it weighs 1/batch. Inverse factors take part as
/// solves (their factorization is counted elsewhere: it is needed in any order), palindromes Z'*Z
/// as syrk, diagonal factors as scalings. Nothing is ever distributed over a sum.

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "expression/interval_table.hpp"

namespace matgrad {

enum class LinkKind {
    dense,
    cholesky,    ///< inverse of a positive matrix, by its Cholesky factor
    lu,          ///< inverse of a square matrix, by its LU factors
    triangular,  ///< inverse of a triangular matrix
    diagonal,    ///< a diagonal matrix, held as a vector
    ones,        ///< a row or a column of ones
    unit_columns,  ///< columns of the identity, or their transpose: takes a part, or puts one among zeros
};

[[nodiscard]] constexpr bool is_solve(LinkKind kind) {
    return kind == LinkKind::cholesky || kind == LinkKind::lu || kind == LinkKind::triangular;
}

/// One factor of a chain.
struct ChainLink {
    LinkKind kind = LinkKind::dense;
    std::int64_t rows = 0;
    std::int64_t cols = 0;
    bool shared = false;    ///< does not depend on the batch
    std::uint64_t key = 0;  ///< equal links have equal keys
    std::uint64_t transposed_key = 0;
};

/// How links i..j become one matrix.
enum class Join {
    leaf,         ///< one link, made dense
    multiply,     ///< (i..split) * (split+1..j)
    solve_left,   ///< link i is an inverse: solve with the rest
    solve_right,  ///< link j is an inverse
    scale_left,   ///< link i is diagonal: a row scaling
    scale_right,
    sum_left,      ///< link i is a row of ones: column sums of the rest
    sum_right,     ///< link j is a column of ones: row sums
    window_left,   ///< link i takes rows of the rest, or puts it among rows of zeros
    window_right,  ///< link j takes columns, or puts it among columns of zeros
    syrk,          ///< (i..split) * (i..split)'
    congruence,  ///< Z inv(S) Z' with inv(S) the middle link `split`: a triangular solve and a syrk
};

struct ChainStep {
    Join join = Join::leaf;
    int split = 0;
    double operations = 0;  ///< of the whole sub-chain, per problem
    double bytes = 0;
};

/// The best way to every sub-chain.
using ChainOrder = IntervalTable<ChainStep>;

/// The share of the cost of sub-chain i..j that this chain bears: 1 if nobody else needs it, 0 if it
/// is there already, 1/2 if one other place needs it too.
using ChainShare = std::function<double(int i, int j)>;

/// batch: the number of problems that share what is shared, at least 1.
[[nodiscard]] ChainOrder order_chain(std::span<const ChainLink> links, double batch,
                                     const ChainShare& share = {});

/// True if links i..j read the same as their transpose.
[[nodiscard]] bool is_palindrome(std::span<const ChainLink> links, int i, int j);

}  // namespace matgrad
