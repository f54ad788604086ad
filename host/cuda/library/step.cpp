#include "cuda/library/step.hpp"

namespace matgrad::gpu {
namespace {

struct Maker {
    StepSetup& setup;
    StepPointer operator()(const Gemm& s) const { return make_gemm(setup, s); }
    StepPointer operator()(const Syrk& s) const { return make_syrk(setup, s); }
    StepPointer operator()(const Potrf& s) const { return make_potrf(setup, s); }
    StepPointer operator()(const Trsm& s) const { return make_trsm(setup, s); }
    StepPointer operator()(const Getrf& s) const { return make_getrf(setup, s); }
    StepPointer operator()(const Solve& s) const { return make_solve(setup, s); }
    StepPointer operator()(const Map& s) const { return make_map(setup, s); }
    StepPointer operator()(const Reduce& s) const { return make_reduce(setup, s); }
    StepPointer operator()(const Copy& s) const { return make_copy(setup, s); }
    StepPointer operator()(const Window& s) const { return make_window(setup, s); }
    StepPointer operator()(const BatchReduce&) const { return nullptr; }  // see batch_sums.hpp
};

}  // namespace

StepPointer make_step(StepSetup& setup) {
    return std::visit(Maker{setup}, setup.step().operation);
}

}  // namespace matgrad::gpu
