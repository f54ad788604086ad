#include "cpu/steps/make_step.hpp"

namespace matgrad::detail {
namespace {

template <class... Functions>
struct Overloaded : Functions... {
    using Functions::operator()...;
};
template <class... Functions>
Overloaded(Functions...) -> Overloaded<Functions...>;

}  // namespace

CpuStepPtr make_plain_step(const Program& program, const Step& step) {
    return std::visit(Overloaded{
                          [&](const Gemm& s) { return make_plain_gemm(program, step, s); },
                          [&](const Syrk& s) { return make_plain_syrk(program, step, s); },
                          [&](const Potrf& s) { return make_plain_potrf(program, step, s); },
                          [&](const Trsm& s) { return make_plain_trsm(program, step, s); },
                          [&](const Getrf& s) { return make_plain_getrf(program, step, s); },
                          [&](const Solve& s) { return make_plain_solve(program, step, s); },
                          [&](const Map& s) { return make_plain_map(program, step, s); },
                          [&](const Reduce& s) { return make_plain_reduce(program, step, s); },
                          [](const BatchReduce&) { return CpuStepPtr(); },
                          [&](const Copy& s) { return make_plain_copy(program, step, s); },
                          [&](const Window& s) { return make_plain_window(program, step, s); },
                      },
                      step.operation);
}

CpuStepPtr make_compact_step(const Program& program, const Step& step) {
    return std::visit(Overloaded{
                          [&](const Gemm& s) { return make_compact_gemm(program, step, s); },
                          [&](const Syrk& s) { return make_compact_syrk(program, step, s); },
                          [&](const Potrf& s) { return make_compact_potrf(program, step, s); },
                          [&](const Trsm& s) { return make_compact_trsm(program, step, s); },
                          [&](const Getrf& s) { return make_compact_getrf(program, step, s); },
                          [&](const Solve& s) { return make_compact_solve(program, step, s); },
                          [&](const Map& s) { return make_compact_map(program, step, s); },
                          [&](const Reduce& s) { return make_compact_reduce(program, step, s); },
                          [](const BatchReduce&) { return CpuStepPtr(); },
                          [&](const Copy& s) { return make_compact_copy(program, step, s); },
                          [&](const Window& s) { return make_compact_window(program, step, s); },
                      },
                      step.operation);
}

}  // namespace matgrad::detail
