#include "planner/chain_cost.hpp"

#include "program/cost.hpp"

namespace matgrad {

double solve_operations(LinkKind kind, std::int64_t n, std::int64_t k) {
    return kind == LinkKind::triangular ? trsm_operations(n, k) : solve_operations(n, k);
}

double materialise_operations(LinkKind kind, std::int64_t n) {
    switch (kind) {
        case LinkKind::cholesky:
            return trsm_inverse_operations(n) + syrk_operations(n, n);
        case LinkKind::lu:
            return solve_operations(n, n);
        case LinkKind::triangular:
            return trsm_inverse_operations(n);
        case LinkKind::dense:
        case LinkKind::diagonal:
        case LinkKind::ones:
        case LinkKind::unit_columns:
            return 0;
    }
    return 0;
}

}  // namespace matgrad
