// Common factors of a sum: taken out where that costs nothing at any size.

#include "calculus/factor.hpp"

#include <gtest/gtest.h>

#include "expression/node.hpp"
#include "support/cookbook.hpp"

namespace matgrad {
namespace {

struct FactorCase {
    const char* sum;
    const char* factored;
    const char* declarations;
};

TEST(Factor, TakesOutWhatTermsShare) {
    const FactorCase cases[] = {
        {"P*A*Q + P*B*Q", "P*(A + B)*Q", "P=m,n A=n,n B=n,n Q=n,p"},
        {"-P*A*Q - P*B*Q", "-P*(A + B)*Q", "P=m,n A=n,n B=n,n Q=n,p"},
        {"B*X + B'*X", "(B + B')*X", "B=m,m X=m,n"},
        {"2*A*X - 2*B*X", "2*(A - B)*X", "A=m,m B=m,m X=m,n"},
        {"t*A + t*B", "t*(A + B)", "t=1 A=m,n B=m,n"},
        {"2*s*A - 2*s^2*B", "2*s*(A - s*B)", "s=1 A=m,n B=m,n"},
        {"A/s + B/s^2", "(A + B/s)/s", "s=1 A=m,n B=m,n"},
        {"3*A - 3*B", "3*(A - B)", "A=m,n B=m,n"},
        {"s*A + B/s", "s*A + B/s", "s=1 A=m,n B=m,n"},
        {"X*b*c' + X*c*b'", "X*b*c' + X*c*b'", "X=m,n b=n c=n"},  // outer products are cheaper
        {"X + X*B", "X + X*B", "X=m,n B=n,n"},                    // no identity is made up
        {"A*X*B + B*X*A", "A*X*B + B*X*A", "A=n,n B=n,n X=n,n"},
    };
    for (const FactorCase& c : cases) {
        const Expr sum = parse(c.sum, parse_declarations(c.declarations));
        ASSERT_EQ(sum->op, Op::add) << c.sum;
        EXPECT_EQ(to_text(factored_sum(sum->children)), c.factored);
    }
}

}  // namespace
}  // namespace matgrad
