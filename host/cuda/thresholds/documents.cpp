// What documents and others' measurements say, and guesses: until a device's own table knows better.
#include "cuda/thresholds.hpp"

namespace matgrad::gpu {
namespace {

constexpr Threshold kTable[] = {
    {Limit::slice_bytes, "slice_bytes", std::int64_t{256} << 20,
     "guess: large enough to fill the device, small beside its memory"},
    {Limit::cholesky_alone_order, "cholesky_alone_order", 512,
     "guess: below it a matrix is too small to fill a device alone"},
    {Limit::cholesky_alone_batch, "cholesky_alone_batch", 1,
     "L40S, mlx pull request 4208: potrfBatched of 16 x 512^2 in 0.72 ms, one by one 5.3 ms; "
     "PyTorch takes potrf for one matrix alone"},
    {Limit::own_cholesky_order, "own_cholesky_order", 0,
     "not measured: cuSOLVER where it may be called"},
    {Limit::lu_alone_order, "lu_alone_order", 512,
     "PyTorch's rule, LU of few large matrices one by one (issue 181999 finds it coarse)"},
    {Limit::lu_alone_batch, "lu_alone_batch", 16, "guess"},
    {Limit::trsm_alone_order, "trsm_alone_order", 512, "guess"},
    {Limit::trsm_alone_batch, "trsm_alone_batch", 16, "guess"},
    {Limit::syrk_order, "syrk_order", 1024,
     "guess: half the work, in a routine that is tuned less than gemm"},
    {Limit::reduce_domain, "reduce_domain", std::int64_t{1} << 16,
     "guess: below it one block reads the domain soon enough"},
    {Limit::fused_threads, "fused_threads", 0, "by the limits below"},
    {Limit::fused_thread_order, "fused_thread_order", 10,
     "cuSolverDx 0.6.0 advises a thread for matrices of at most 100 entries"},
    {Limit::fused_thread_bytes, "fused_thread_bytes", 768,
     "guess: three quarters of a thread's registers"},
    {Limit::fused_thread_operations, "fused_thread_operations", 4000,
     "guess: longer texts take long to compile and leave the instruction cache"},
    {Limit::fused_warp_entries, "fused_warp_entries", 1024,
     "the contest of July 2026: Cholesky factors of order 32 by a warp, of order 64 by two"},
    {Limit::fused_panel_batch, "fused_panel_batch", 128,
     "guess: about as many as multiprocessors; the library shares out fewer to all of them"},
    {Limit::fused_block_bytes, "fused_block_bytes", 0, "what the device has"},
};

}  // namespace

std::span<const Threshold> thresholds_of_documents() {
    return kTable;
}

}  // namespace matgrad::gpu
