#pragma once
/// \file One call of a library with operands of its own: what is asked of every call in the same way.

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "device_work.hpp"
#include "library.hpp"

namespace matgrad::probe {

/// What a call writes, and how it was before.
struct Written {
    Buffer now, before;
    Type type = Type::f32;
    Size upper_of_order = 0;  ///< only this triangle of the matrices is a result; 0: all
};

/// Operands and a way to make the call. Nothing here waits unless it says so.
class Call {
public:
    std::vector<Buffer> read;
    std::vector<Written> written;
    std::vector<SolverScratch> scratch;
    std::function<void(const Handles&, Call&, cudaStream_t)> make_call;

    /// Operands become what they were before the call.
    void reset(cudaStream_t stream) const;
    /// Binds the handles to the stream as matgrad does, and makes the call.
    void make(const Handles& handles, cudaStream_t stream) { make(handles, stream, nullptr); }
    void make(const Handles& handles, cudaStream_t stream, const Buffer* workspace);
    /// Waits. All bytes of the results, what is no result as zeros.
    [[nodiscard]] std::vector<std::byte> results(const Stream& stream) const;

    /// A buffer for something the call reads.
    Buffer& add_read(std::size_t bytes);
    /// A buffer that the call writes, and its copy, which the caller fills.
    Written& add_written(std::size_t bytes, Type type, Size upper_of_order = 0);
    /// Pointers to `count` matrices in `to`.
    void** add_pointers(const Buffer& to, Size stride_bytes, Size count, cudaStream_t stream);
};

/// A call to ask about. Its operands are made on a stream, which is waited for.
struct CallKind {
    std::string name;      ///< potrf_batched.f32.64
    std::string function;  ///< cusolverDnSpotrfBatched
    std::string family;    ///< asked about in one process: triangles
    bool typical = false;  ///< asked about cold before others
    std::function<std::unique_ptr<Call>(const Handles&, const Stream&)> prepare;
};

/// All calls that matgrad makes. `small`: sizes are at most 72.
[[nodiscard]] std::vector<CallKind> all_calls(bool small);

// The calls themselves, of any size. Other seeds make other operands.
using CallPointer = std::unique_ptr<Call>;
[[nodiscard]] CallPointer gemm_call(const GemmShape& shape, const Stream& stream,
                                    std::uint64_t seed = 1);
/// All pointers of A are `a_offset` bytes past an aligned address.
[[nodiscard]] CallPointer gemm_pointers_call(const GemmShape& shape, Size a_offset,
                                             const Stream& stream);
[[nodiscard]] CallPointer syrk_call(Type type, Size n, Size k, const Stream& stream);
[[nodiscard]] CallPointer trsm_call(const TrsmShape& shape, const Stream& stream);
[[nodiscard]] CallPointer trsm_batched_call(const TrsmShape& shape, const Stream& stream,
                                            std::uint64_t seed = 1);
[[nodiscard]] CallPointer getrf_batched_call(Type type, Size n, Size batch, const Stream& stream,
                                             std::uint64_t seed = 1);
[[nodiscard]] CallPointer getrs_batched_call(const Handles& handles, Type type, Size n, Size sides,
                                             Size batch, const Stream& stream);
[[nodiscard]] CallPointer potrf_batched_call(Type type, Size n, Size batch, const Stream& stream,
                                             std::uint64_t seed = 1);
[[nodiscard]] CallPointer potrf_call(const Handles& handles, Type type, Size n,
                                     const Stream& stream, std::uint64_t seed = 1);
[[nodiscard]] CallPointer getrf_call(const Handles& handles, Type type, Size n,
                                     const Stream& stream);
[[nodiscard]] CallPointer getrs_call(const Handles& handles, Type type, Size n, Size sides,
                                     const Stream& stream);
[[nodiscard]] CallPointer thrust_call(Size count, const Stream& stream);

}  // namespace matgrad::probe
