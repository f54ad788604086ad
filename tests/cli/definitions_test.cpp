// Names for parts as a user of `matgrad derive` meets them: read, printed, in files.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "cli/command_runner.hpp"
#include "matgrad/calculus.hpp"

namespace matgrad::cli_test {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr const char* kKernel = "K = exp(-D/l) + t*eye(n); 0.5*y'*inv(K)*y + 0.5*logdet(K)";

std::vector<std::string> derive_kernel(const std::vector<std::string>& more = {}) {
    std::vector<std::string> words{"derive",    kKernel,     "--wrt", "l",         "--declare",
                                   "D=n,n:sym", "--declare", "l=1",   "--declare", "t=1"};
    words.insert(words.end(), more.begin(), more.end());
    return words;
}

TEST(DeriveWithNames, UsesThoseOfTheFunction) {
    EXPECT_EQ(run(derive_kernel({"--names"})).out,
              "K = exp(-D/l) + t*eye(n);\n"
              "Y = inv(K);\n"
              "gradient = 0.5*dot((Y - Y*y*y'*Y).*exp(-D/l), D)/l^2\n");
    EXPECT_THAT(run(derive_kernel({"--no-names"})).out,
                StartsWith("gradient = 0.5*dot((inv(exp(-D/l) + t*eye(n)) - "));
    EXPECT_THAT(run(derive_kernel({"--names", "--format", "numpy"})).out,
                StartsWith("K = np.exp(-D / l) + t * np.eye(D.shape[0])\nY = np.linalg.inv(K)\n"));
    EXPECT_THAT(run(derive_kernel({"--format", "latex"})).out,
                StartsWith("\\begin{aligned}\nK &= \\exp"));
}

TEST(DeriveWithNames, IsTheDefaultForLongGradientsAlone) {
    EXPECT_EQ(run({"derive", "K = A*A'; norm2(K*x)^2", "--wrt", "x"}).out,
              "gradient = 2*A*A'*A*A'*x\n");
    // The gradient of a Gaussian process by the scales of its inputs: 1,495 characters written out.
    const std::string kernel =
        "exp(-0.5*(rowsum((X*diag(w)).^2)*ones(1,m) + ones(m,1)*rowsum((X*diag(w)).^2)' - "
        "2*(X*diag(w))*(X*diag(w))')) + t*eye(m)";
    const std::string f = "0.5*y'*inv(" + kernel + ")*y + 0.5*logdet(" + kernel + ")";
    const RunResult result = run({"derive", f, "--wrt", "w", "--declare", "X=m,d", "--declare",
                                  "w=d", "--declare", "t=1", "--declare", "y=m"});
    EXPECT_LE(std::count(result.out.begin(), result.out.end(), '\n'), 4) << result.out;
    std::string text = result.out;
    text.erase(text.find("gradient = "), std::string("gradient = ").size());
    const Declaration declarations[] = {"X=m,d", "w=d", "t=1", "y=m"};
    EXPECT_EQ(parse(text, declarations), differentiate(parse(f, declarations), "w"));
}

TEST(DeriveWithNames, HasThePartsInJson) {
    const auto root =
        nlohmann::json::parse(run(derive_kernel({"--names", "--format", "json"})).out);
    EXPECT_EQ(root["given"], kKernel);
    ASSERT_EQ(root["parts"].size(), 2u);
    EXPECT_EQ(root["parts"][0]["name"], "K");
    EXPECT_EQ(root["parts"][0]["text"], "K = exp(-D/l) + t*eye(n)");
    EXPECT_EQ(root["gradients"][0]["with_parts"]["text"],
              "0.5*dot((Y - Y*y*y'*Y).*exp(-D/l), D)/l^2");
}

TEST(DeriveOfAFile, ReadsDefinitionsAndComments) {
    const std::string path = "model_of_definitions_test.mg";
    std::ofstream(path) << "# of a Gaussian\nK = A*A' # the kernel\n    + t*eye(m)\nlogdet(K)\n";
    EXPECT_EQ(run({"derive", "@./" + path, "--wrt", "A", "--declare", "t=1"}).out,
              "gradient = 2*inv(A*A' + t*eye(m))*A\n");
    EXPECT_EQ(run({"derive", "@" + path, "--wrt", "A", "--declare", "t=1"}).status, 0);
    EXPECT_EQ(run({"derive", "@" + path, "--wrt", "B", "--declare", "t=1"}).err,
              "matgrad: --wrt B: the variable is not in # of a Gaussian K = A*A' # the kernel + "
              "t*eye(m) logdet(K), which has A, t\n");
    std::ofstream(path) << "K = A*A'\nL = K + M\nM = K\ntr(L)\n";
    EXPECT_EQ(run({"derive", "@" + path, "--wrt", "A"}).err,
              "matgrad: M stands before its definition (position 17)\nL = K + M\n        ^\n");
    std::filesystem::remove(path);
    const RunResult absent = run({"derive", "@no/such.mg", "--wrt", "A"});
    EXPECT_EQ(absent.status, 2);
    EXPECT_THAT(absent.err, HasSubstr("@no/such.mg: cannot be opened"));
}

TEST(DeriveNotes, AreLinesOfStderr) {
    const RunResult trace = run({"derive", "tr(exp(M))", "--wrt", "M"});
    EXPECT_EQ(trace.status, 0);
    EXPECT_THAT(trace.err, StartsWith("matgrad: note: tr(exp(M)): exp is of each entry"));
    EXPECT_EQ(run({"derive", "K = A; tr(B)", "--wrt", "B"}).err,
              "matgrad: note: K is defined and not used\n");
    EXPECT_THAT(run({"derive", "K = A*A'; tr(K)", "--wrt", "K"}).err,
                HasSubstr("--wrt K: K names a part of the expression, which has the variables A"));
    EXPECT_THAT(run({"derive", "tr(A)", "--wrt", "A", "--names", "--no-names"}).err,
                HasSubstr("found --names and --no-names"));
}

}  // namespace
}  // namespace matgrad::cli_test
