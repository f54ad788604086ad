// How many problems go through a chain of calls at once: a working set that stays in the cache, or few
// launches.
#include <algorithm>

#include "device_work.hpp"
#include "part.hpp"
#include "stopwatch.hpp"

namespace matgrad::probe {
namespace {

struct ChainSize {
    Type type;
    Size m, n;
};

/// X'X, its factor and X (X'X)^-1 of many row-major X, m x n: a slice after the other through the same
/// working set, as the library executor does.
class Chain {
public:
    Chain(const ChainSize& size, Size problems, Size slice, const Handles& handles,
          const Stream& stream)
        : s_(size),
          problems_(problems),
          slice_(slice),
          handles_(handles),
          stream_(stream),
          x_(bytes(size.m * size.n, problems)),
          result_(x_.bytes()),
          gram_(bytes(size.n * size.n, slice)),
          work_(bytes(size.m * size.n, slice)),
          pg_(static_cast<std::size_t>(slice) * sizeof(void*)),
          pw_(pg_.bytes()),
          info_(static_cast<std::size_t>(slice) * sizeof(int)) {
        fill(Kind::uniform, size.type, x_.data(), size.n, size.m, problems, 1, stream.get());
    }

    void run() const {
        for (Size first = 0; first < problems_; first += slice_) {
            run_slice(first, std::min(slice_, problems_ - first));
        }
    }

private:
    [[nodiscard]] std::size_t bytes(Size entries, Size problems) const {
        return static_cast<std::size_t>(entries * problems) * size_of(s_.type);
    }

    void run_slice(Size first, Size count) const {
        const std::size_t offset = bytes(s_.m * s_.n, first);
        const std::size_t size = bytes(s_.m * s_.n, count);
        cudaStream_t stream = stream_.get();
        gemm(handles_, packed_gemm(s_.type, false, true, s_.n, s_.n, s_.m, count), x_.at(offset),
             x_.at(offset), gram_.data());
        void** const pg = pg_.as<void*>();
        void** const pw = pw_.as<void*>();
        fill_pointers(pg, gram_.data(), static_cast<Size>(bytes(s_.n * s_.n, 1)), count, stream);
        potrf_batched(handles_, s_.type, CUBLAS_FILL_MODE_UPPER, s_.n, pg, info_.as<int>(), count);
        MATGRAD_PROBE(
            cudaMemcpyAsync(work_.data(), x_.at(offset), size, cudaMemcpyDeviceToDevice, stream));
        fill_pointers(pw, work_.data(), static_cast<Size>(bytes(s_.m * s_.n, 1)), count, stream);
        for (const auto op : {CUBLAS_OP_T, CUBLAS_OP_N}) {
            const TrsmShape shape{
                s_.type, CUBLAS_SIDE_LEFT, CUBLAS_FILL_MODE_UPPER, op, s_.n, s_.m, count, 0};
            trsm_batched(handles_, shape, pg, pw);
        }
        MATGRAD_PROBE(cudaMemcpyAsync(result_.at(offset), work_.data(), size,
                                      cudaMemcpyDeviceToDevice, stream));
    }

    ChainSize s_;
    Size problems_, slice_;
    const Handles& handles_;
    const Stream& stream_;
    Buffer x_, result_, gram_, work_, pg_, pw_, info_;
};

void sweep(const Recorder& recorder, const ChainSize& size) {
    const Stream stream;
    const Handles handles;
    const Stopwatch stopwatch(stream, recorder);
    const Size operand = size.m * size.n * static_cast<Size>(size_of(size.type));
    const Size each = operand + size.n * size.n * static_cast<Size>(size_of(size.type));
    // Fewer problems than the largest slice would tell nothing of it.
    const Size problems = recorder.small() ? 40 : (Size{512} << 20) / each;
    const std::string name = std::string("slice.") + name_of(size.type) + "." +
                             std::to_string(size.m) + "x" + std::to_string(size.n);
    Rows rows(recorder);
    for (const Size mib : {8, 16, 32, 64, 128, 256, 512}) {
        if (!rows.next(name + "." + std::to_string(mib) + "MiB", 1)) {  // always the same work
            return;
        }
        const Size slice = recorder.small() ? std::min<Size>(problems, mib)
                                            : std::min(problems, (mib << 20) / each);
        handles.bind(stream.get());
        const Chain chain(size, problems, slice, handles, stream);
        const Measured all = measure(stopwatch, [&] { chain.run(); });
        stream.wait();
        recorder.add({name + "." + std::to_string(mib) + "MiB",
                      "gemm, potrfBatched, two trsmBatched",
                      std::to_string(problems) + " problems in slices of " + std::to_string(slice) +
                          ": " + all.text(),
                      {{"problems", problems},
                       {"slice", slice},
                       {"working_set_bytes", slice * each},
                       {"us", all.value()}}});
    }
}

}  // namespace

void add_slice_sweeps(std::vector<Part>& parts) {
    parts.push_back({"slice", Group::sweeps, 10, true, [](const Recorder& recorder) {
                         for (const ChainSize& size :
                              {ChainSize{Type::f32, 64, 16}, ChainSize{Type::f64, 64, 16},
                               ChainSize{Type::f32, 16, 4}}) {
                             sweep(recorder, size);
                         }
                     }});
}

}  // namespace matgrad::probe
