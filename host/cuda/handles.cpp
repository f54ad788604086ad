#include "cuda/handles.hpp"

#include <algorithm>

namespace matgrad::gpu {
namespace {

void make_handles(BlasHandles& handles) {
    cublasHandle_t blas = nullptr;
    MATGRAD_CUDA(cublasCreate(&blas));
    handles.blas = BlasHandle(blas);
}

void make_handles(SolverHandles& handles) {
    cusolverDnHandle_t solver = nullptr;
    MATGRAD_CUDA(cusolverDnCreate(&solver));
    handles.solver = SolverHandle(solver);
    cusolverDnParams_t parameters = nullptr;
    MATGRAD_CUDA(cusolverDnCreateParams(&parameters));
    handles.parameters = SolverParameters(parameters);
}

/// Does nothing that it was used for still run?
template <typename Entry>
bool is_idle(Entry& entry) {
    if (entry.has_work) {
        const cudaError_t code = cudaEventQuery(entry.behind.get());
        entry.has_work = code != cudaSuccess;
        if (code == cudaErrorNotReady) {
            (void)cudaGetLastError();  // an answer, and yet kept as an error
        }
    }
    return !entry.has_work;
}

}  // namespace

template <typename Handles>
typename StreamPool<Handles>::Entry& StreamPool<Handles>::take(const CallStream& stream) {
    // Making handles allocates, and asking for an event is forbidden to a thread that captures.
    const RelaxedCapture relaxed;
    std::unique_lock lock(mutex_);
    returned_.wait(lock, [this] { return !free_.empty() || entries_.size() < kMost; });
    Entry* const found = best_free(stream);
    Entry& entry = found != nullptr ? *found : make();
    if (entry.stream != stream.number) {
        if (entry.has_work) {
            MATGRAD_CUDA(cudaStreamWaitEvent(stream.stream, entry.behind.get(), 0));
        }
        entry.stream = stream.number;
    }
    free_.erase(std::find(free_.begin(), free_.end(), &entry));
    return entry;
}

template <typename Handles>
void StreamPool<Handles>::prepare() {
    const RelaxedCapture relaxed;
    const std::lock_guard lock(mutex_);
    if (entries_.empty()) {
        make();
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
        if (is_idle(*entry)) {
            return entry;
        }
    }
    // A captured stream cannot wait for what is outside its graph.
    if (entries_.size() < kMost || stream.capturing) {
        return nullptr;
    }
    return *std::min_element(free_.begin(), free_.end(), [](const Entry* a, const Entry* b) {
        return a->returned < b->returned;
    });
}

template <typename Handles>
typename StreamPool<Handles>::Entry& StreamPool<Handles>::make() {
    auto entry = std::make_unique<Entry>();
    make_handles(entry->handles);
    entry->behind = make_event();
    entries_.reserve(entries_.size() + 1);
    free_.reserve(entries_.size() + 1);  // so that giving back does not allocate
    free_.push_back(entry.get());
    entries_.push_back(std::move(entry));
    return *entries_.back();
}

template <typename Handles>
void StreamPool<Handles>::give_back(Entry& entry) noexcept {
    {
        const std::lock_guard lock(mutex_);
        entry.returned = ++returns_;
        free_.push_back(&entry);
    }
    returned_.notify_one();
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
        // A graph holds none of cuSOLVER's routines.
        solver_->has_work = true;
        (void)cudaEventRecord(solver_->behind.get(), stream_.stream);
        pools_.solver.give_back(*solver_);
    }
}

cublasHandle_t Lease::blas() {
    if (blas_ == nullptr) {
        blas_ = &pools_.blas.take(stream_);
        const cublasHandle_t handle = blas_->handles.blas.get();
        MATGRAD_CUDA(cublasSetStream(handle, stream_.stream));
        // Setting the stream has put back the library's own workspace.
        MATGRAD_CUDA(cublasSetWorkspace(handle, workspace_, kBlasWorkspaceBytes));
        MATGRAD_CUDA(cublasSetMathMode(handle, CUBLAS_DEFAULT_MATH));
    }
    return blas_->handles.blas.get();
}

cusolverDnHandle_t Lease::solver() {
    if (solver_ == nullptr) {
        solver_ = &pools_.solver.take(stream_);
        MATGRAD_CUDA(cusolverDnSetStream(solver_->handles.solver.get(), stream_.stream));
    }
    return solver_->handles.solver.get();
}

cusolverDnParams_t Lease::solver_parameters() {
    (void)solver();
    return solver_->handles.parameters.get();
}

}  // namespace matgrad::gpu
