// Memory that runs out while a function is read, differentiated, planned and explained.

#include <gtest/gtest.h>

#include <memory>
#include <optional>

#include "allocations/every_allocation.hpp"
#include "allocations/run_case.hpp"

namespace matgrad::test {
namespace {

constexpr const char* kTexts[] = {
    "logdet(X'*X + eye(n)) + tr(inv(X'*X + eye(n))*S)",
    "sum(softplus(-(X*w).*y)) + 0.5*norm2(w)^2",
    "log(sum(exp(X*w))) + logsumexp(X*w) + norm1(X) + det(S)",
};

const std::vector<Declaration>& declarations() {
    static const std::vector<Declaration> all{"X=m,n", "S=n,n:spd", "w=n", "y=m"};
    return all;
}

TEST(PlanningOutOfMemory, ReadsTextsOrSaysSo) {
    for (const std::string text : kTexts) {
        Expr f;
        expect_to_survive_every_failure(
            {text, [&] { f = Expr(); }, [&] { f = parse(text, declarations()); },
             [&] { return f ? to_text(f) : std::string(); }, [&] { f = Expr(); }});
    }
}

TEST(PlanningOutOfMemory, DerivesOrSaysSo) {
    const std::vector<std::string> wrt{"X"};
    for (const std::string text : kTexts) {
        const Expr f = parse(text, declarations());
        std::optional<Derivation> derivation;
        expect_to_survive_every_failure(
            {text, [&] { derivation.reset(); }, [&] { derivation = derive(f, wrt); },
             [&] {
                 std::string all;
                 for (std::size_t i = 0; derivation && i < derivation->gradients.size(); ++i) {
                     all += to_text(derivation->gradients[i].form);
                 }
                 return all;
             },
             [&] { derivation.reset(); }});
    }
}

/// Values, gradients, products of Hessians, entries, sums.
std::vector<RunCase> planned_cases() {
    std::vector<RunCase> cases{
        {"value and gradients",
         kTexts[0],
         declarations(),
         {batched("X", 6, 3), shared("S", 3, 3)},
         {.wrt = {"X", "S"}},
         5},
        {"Hessian-vector product",
         kTexts[1],
         declarations(),
         {shared("X", 6, 3), batched("w", 3), batched("y", 6), batched("v", 3)},
         {.wrt = {"w"}, .hvp = {{"w", "v"}}},
         5},
        {"joint product",
         "norm2(X*w - y)^2",
         declarations(),
         {batched("X", 6, 3), batched("w", 3), batched("y", 6), batched("V", 6, 3),
          batched("v", 3)},
         {.wrt = {"w"}, .joint_hvp = {{"X", "V"}, {"w", "v"}}},
         5},
        {"bounds and jitter",
         kTexts[0],
         declarations(),
         {batched("X", 6, 3), shared("S", 3, 3)},
         {.wrt = {"X"}, .rcond = true, .error = true, .jitter = true},
         5},
        {"an entry of a mean",
         kTexts[2],
         declarations(),
         {shared("X", 6, 3), batched("w", 3), batched("S", 3, 3)},
         {.reduction = Reduction::mean, .wrt = {"X"}, .entry = Entry{1, 2}},
         5},
    };
    for (RunCase& one : cases) {
        one.options.threads = 2;
        one.options.explain_passes = true;
    }
    return cases;
}

TEST(PlanningOutOfMemory, MakesPlansOrSaysSo) {
    for (const RunCase& one : planned_cases()) {
        const CaseData data(one);
        Plan plan;
        expect_to_survive_every_failure(
            {one.name, [&] { plan = Plan(); }, [&] { plan = data.make_plan(); },
             [&] { return plan ? plan.explain() : std::string(); }, [&] { plan = Plan(); }});
    }
}

TEST(PlanningOutOfMemory, ExplainsOrSaysSo) {
    for (const RunCase& one : planned_cases()) {
        const CaseData data(one);
        const Plan plan = data.make_plan();
        std::string text;
        const auto clear = [&] { std::string().swap(text); };
        expect_to_survive_every_failure(
            {one.name, clear, [&] { text = plan.explain(); }, [&] { return text; }, clear});
    }
}

}  // namespace
}  // namespace matgrad::test
