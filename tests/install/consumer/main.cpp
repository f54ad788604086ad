// log det(X'X) of two small problems with known answers: X = [1 0; 0 2; 0 0] and X = 3 [1 0; 0 1; 0 0],
// and one of rank 1, whose Cholesky factorization stops at the second pivot: on the processor, and on
// each GPU. Prints the GPUs, or why there is none.

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <matgrad/matgrad.hpp>
#include <string>
#include <vector>

namespace {

int failures = 0;

void expect(bool holds, const char* claim) {
    if (!holds) {
        std::fprintf(stderr, "not so: %s\n", claim);
        ++failures;
    }
}

bool near(double a, double b) {
    return std::abs(a - b) <= 1e-14 * (1 + std::abs(b));
}

void evaluate(const matgrad::Expr& f, const matgrad::Device& device) {
    const std::vector<double> x = {1, 0, 0, 2, 0, 0,  //
                                   3, 0, 0, 3, 0, 0,  //
                                   1, 1, 1, 1, 1, 1};
    std::vector<double> value(3);
    std::vector<double> gradient(x.size());
    std::vector<std::int32_t> status(3);
    const matgrad::Plan plan =
        matgrad::make_plan(f, {matgrad::batched("X", 3, 2)}, {.wrt = {"X"}, .device = device});
    const matgrad::RunSummary summary =
        plan.run({{"X", x}}, {{"value", value}, {"gradient X", gradient}}, status);

    expect(summary.problems == 3 && summary.failed == 1, "one of three problems fails");
    expect(status == std::vector<std::int32_t>(
                         {0, 0, matgrad::make_status(matgrad::StatusKind::not_positive, 2)}),
           "it fails at pivot 2");
    expect(near(value[0], std::log(4.0)) && near(value[1], std::log(81.0)), "values");
    expect(std::isnan(value[2]) && std::isnan(gradient[12]), "a failed problem's results are NaN");
    const std::vector<double> expected = {2, 0, 0, 1, 0, 0, 2.0 / 3, 0, 0, 2.0 / 3, 0, 0};
    for (std::size_t i = 0; i < expected.size(); ++i) {
        expect(near(gradient[i], expected[i]), "gradient");
    }
}

void evaluate_on_gpus(const matgrad::Expr& f) {
    const matgrad::DeviceList list = matgrad::list_devices();
    for (const matgrad::DeviceInfo& gpu : list.gpus) {
        std::printf("cuda:%d  %s\n", gpu.index, gpu.name.c_str());
        evaluate(f, {matgrad::DeviceKind::cuda, gpu.index});
    }
    if (list.gpus.empty()) {
        std::printf("none: %s\n", list.why_none.c_str());
        try {
            evaluate(f, {matgrad::DeviceKind::cuda, 0});
            expect(false, "a GPU that is not there is an error");
        } catch (const matgrad::MachineError& error) {
            expect(std::string(error.what()).find(list.why_none) != std::string::npos,
                   "the error gives the reason");
        }
    }
}

}  // namespace

int main() {
    const matgrad::Expr f = matgrad::parse("logdet(X'*X)");
    expect(matgrad::to_text(matgrad::differentiate(f, "X")) == "2*X*inv(X'*X)",
           "the gradient of log det(X'X) is printed as 2*X*inv(X'*X)");
    evaluate(f, {matgrad::DeviceKind::cpu, 0});
    evaluate_on_gpus(f);

    try {
        (void)matgrad::parse("A*(x + b");
        expect(false, "an unmatched parenthesis is an error");
    } catch (const matgrad::ParseError& error) {
        expect(error.position() == 2, "the caret stands below the unmatched parenthesis");
    }
    return failures == 0 ? 0 : 1;
}
