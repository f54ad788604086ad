#pragma once
/// \file A better Cholesky factor of a Gram matrix from its root, on chip.

#include "factor_condition.cuh"
#include "gemm.cuh"
#include "potrf.cuh"
#include "trsm.cuh"

namespace matgrad::block {

/// gram += q'q for q = scale * rows * inv(l').
///
/// Sync     one between the two, and one at the end
template <typename Team, typename Rows, typename L, typename Q, typename Gram>
MATGRAD_DEVICE void add_orthogonal_rows(double scale, const Rows& rows, const L& l, const Q& q,
                                        const Gram& gram) {
    trsm<Team, double, false, true, true>(scale, l, rows, q);
    Team::sync();
    gemm<Team, double>(1.0, q.t(), q, 1.0, gram, gram);
    Team::sync();
}

/// Rows of the root that are worked on together.
MATGRAD_DEVICE constexpr int panel_rows(int rows) {
    return rows < kWarp ? rows : kWarp;
}

/// A second Cholesky factorization: of Q'Q for Q = scale * root * inv(L'), whose columns are nearly orthogonal. L
/// times that factor is the factor of the Gram matrix of a root changed by a few roundings, where the condition of
/// the root is well below 1/sqrt(u).
///
/// Who      every thread of the team; returns to all of them if all pivots are positive
/// Memory   gram: n x n, q: panel_rows(rows of the root) x n, of this team alone. L is overwritten in that case.
/// Order    of the operations depends on the sizes alone
/// Source   Y. Yamamoto et al., Roundoff error analysis of the CholeskyQR2 algorithm (2015).
template <typename Team, typename Root, typename L, typename Gram, typename Panel>
MATGRAD_DEVICE bool factor_again(double scale, const Root& root, const L& l, const Gram& gram,
                                 const Panel& q) {
    constexpr int n = L::kRows;
    constexpr int kPanel = Panel::kRows;
    constexpr int kPanels = Root::kRows / kPanel;
    constexpr int kRest = Root::kRows % kPanel;
    set_each<Team>(gram, [](int, int) { return 0.0; });
    Team::sync();
    in_order<Team, kPanels>([&](int i) {
        add_orthogonal_rows<Team>(scale, root.template rows<kPanel>(i * kPanel), l, q, gram);
    });
    if constexpr (kRest > 0) {
        add_orthogonal_rows<Team>(scale, root.template rows<kRest>(kPanels * kPanel), l,
                                  q.template rows<kRest>(0), gram);
    }
    if (potrf<Team, double>(gram, gram) != 0) {
        return false;
    }
    Team::sync();
    // A row to each thread: no entry is read after it was written.
    for_each<Team, n>([&](int i) {
        in_order<Team, n>([&](int j) {
            double sum = 0;
            in_order<Team, n>([&](int k) {
                if (k >= j) {
                    sum += l.get(i, k) * gram.get(k, j);  // above its diagonal l is 0
                }
            });
            if (j <= i) {
                l.set(i, j, sum);
            }
        });
    });
    Team::sync();
    return true;
}

}  // namespace matgrad::block
