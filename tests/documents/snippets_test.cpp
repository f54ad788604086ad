// The C++ of README.md and docs/, as it stands there.

#include <gtest/gtest.h>

#include <matgrad/matgrad.hpp>

namespace matgrad {
namespace {

TEST(Snippets, OfTheLanguageBuildExpressions) {
#include "language_1.inc"
    EXPECT_EQ(to_text(loss),
              to_text(parse("-logdet(P) + tr(S*P) + 0.1*norm2(P)^2", {"P=n,n:spd", "S=n,n:sym"})));
}

TEST(Snippets, OfTheLanguageNameTheirParts) {
#include "language_2.inc"
    EXPECT_EQ(text,
              "K = exp(-D/l) + t*eye(n);\n"
              "gradient = dot(inv(K).*exp(-D/l), D)/l^2\n");
}

/// Compiled: device memory is not there to run it.
[[maybe_unused]] void enqueue(const Plan& plan, const ConstView& x, const View& v, const View& g,
                              std::int32_t* status, void* workspace, std::size_t workspace_bytes,
                              void* stream) {
#include "README_2.inc"
}

}  // namespace
}  // namespace matgrad
