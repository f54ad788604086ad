#include "cuda/handles.hpp"

#include <algorithm>

namespace matgrad::gpu {
namespace {

void make_handles(BlasHandles& handles) {
    cublasHandle_t blas = nullptr;
    MATGRAD_CUDA(cublasCreate(&blas));
    handles.blas = BlasHandle(blas);
    MATGRAD_CUDA(cublasSetMathMode(blas, CUBLAS_DEFAULT_MATH));
}

void make_handles(SolverHandles& handles) {
    cusolverDnHandle_t solver = nullptr;
    MATGRAD_CUDA(cusolverDnCreate(&solver));
    handles.solver = SolverHandle(solver);
    cusolverDnParams_t parameters = nullptr;
    MATGRAD_CUDA(cusolverDnCreateParams(&parameters));
    handles.parameters = SolverParameters(parameters);
    handles.done = make_event();
}

/// What the device works on is in the workspaces of the calls.
bool is_idle(BlasHandles& /*handles*/) {
    return true;
}

bool is_idle(SolverHandles& handles) {
    if (handles.has_work) {
        const RelaxedCapture relaxed;  // another thread may capture
        const cudaError_t code = cudaEventQuery(handles.done.get());
        handles.has_work = code != cudaSuccess;
        if (code != cudaSuccess) {
            (void)cudaGetLastError();  // an answer, and yet kept as an error
        }
    }
    return !handles.has_work;
}

}  // namespace

template <typename Handles>
typename StreamPool<Handles>::Entry& StreamPool<Handles>::take(const CallStream& stream) {
    {
        const std::lock_guard lock(mutex_);
        if (Entry* const entry = best_free(stream); entry != nullptr) {
            return remove_free(entry);
        }
    }
    return make();
}

template <typename Handles>
typename StreamPool<Handles>::Entry& StreamPool<Handles>::take_for_question() {
    {
        const std::lock_guard lock(mutex_);
        if (!free_.empty()) {
            return remove_free(free_.back());
        }
    }
    return make();
}

template <typename Handles>
void StreamPool<Handles>::prepare() {
    if (count() == 0) {
        give_back(make());
    }
}

template <typename Handles>
typename StreamPool<Handles>::Entry* StreamPool<Handles>::best_free(const CallStream& stream) {
    for (Entry* entry : free_) {
        if (entry->stream == stream.number) {
            return entry;
        }
    }
    for (Entry* entry : free_) {
        if (is_idle(entry->handles)) {
            return entry;
        }
    }
    if (free_.empty() || entries_.size() < kKept) {
        return nullptr;
    }
    return *std::min_element(free_.begin(), free_.end(), [](const Entry* a, const Entry* b) {
        return a->returned < b->returned;
    });
}

template <typename Handles>
typename StreamPool<Handles>::Entry& StreamPool<Handles>::remove_free(Entry* entry) {
    free_.erase(std::find(free_.begin(), free_.end(), entry));
    return *entry;
}

/// Unlocked but at its end: it takes milliseconds, and others need not wait.
template <typename Handles>
typename StreamPool<Handles>::Entry& StreamPool<Handles>::make() {
    const RelaxedCapture relaxed;  // it allocates, and is no part of a graph
    auto entry = std::make_unique<Entry>();
    make_handles(entry->handles);
    const std::lock_guard lock(mutex_);
    free_.reserve(entries_.size() + 1);  // so that giving back does not allocate
    entries_.push_back(std::move(entry));
    return *entries_.back();
}

template <typename Handles>
void StreamPool<Handles>::give_back(Entry& entry) noexcept {
    const std::lock_guard lock(mutex_);
    entry.returned = ++returns_;
    free_.push_back(&entry);
}

template <typename Handles>
std::size_t StreamPool<Handles>::count() const {
    const std::lock_guard lock(mutex_);
    return entries_.size();
}

template class StreamPool<BlasHandles>;
template class StreamPool<SolverHandles>;

Lease::~Lease() {
    if (blas_ != nullptr) {
        pools_.blas.give_back(*blas_);
    }
    if (solver_ != nullptr) {
        solver_->handles.has_work = true;
        if (cudaEventRecord(solver_->handles.done.get(), stream_.stream) != cudaSuccess) {
            (void)cudaGetLastError();  // the next call on the stream will tell
        }
        pools_.solver.give_back(*solver_);
    }
}

cublasHandle_t Lease::blas() {
    if (blas_ == nullptr) {
        blas_ = &pools_.blas.take(stream_);
        const cublasHandle_t handle = blas_->handles.blas.get();
        if (blas_->stream != stream_.number) {
            blas_->stream = kNoStream;
            MATGRAD_CUDA(cublasSetStream(handle, stream_.stream));
            blas_->stream = stream_.number;
        }
        // Setting the stream puts back the library's own workspace.
        MATGRAD_CUDA(cublasSetWorkspace(handle, workspace_, kBlasWorkspaceBytes));
    }
    return blas_->handles.blas.get();
}

cusolverDnHandle_t Lease::solver() {
    if (solver_ == nullptr) {
        solver_ = &pools_.solver.take(stream_);
        SolverHandles& handles = solver_->handles;
        if (solver_->stream != stream_.number) {
            if (handles.has_work) {
                MATGRAD_CUDA(cudaStreamWaitEvent(stream_.stream, handles.done.get(), 0));
            }
            solver_->stream = kNoStream;
            MATGRAD_CUDA(cusolverDnSetStream(handles.solver.get(), stream_.stream));
            solver_->stream = stream_.number;
        }
    }
    return solver_->handles.solver.get();
}

cusolverDnParams_t Lease::solver_parameters() {
    (void)solver();
    return solver_->handles.parameters.get();
}

}  // namespace matgrad::gpu
