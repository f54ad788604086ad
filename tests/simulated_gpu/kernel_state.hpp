#pragma once
/// \file What a kernel compiled for the host and the simulated GPU tell each other. Kernels include it,
/// so it includes nothing.

namespace matgrad::simulated {

/// A piece of live device memory.
struct MemoryRange {
    const char* begin = nullptr;
    unsigned long size = 0;

    [[nodiscard]] bool contains(const char* p, unsigned long bytes) const {
        const auto offset = static_cast<unsigned long>(p - begin);
        return offset < size && size - offset >= bytes;
    }
};

/// The thread that runs now, and what it may call. One for the whole process: threads of kernels run
/// one at a time.
struct KernelState {
    static constexpr int kRanges = 6;
    /// Bytes behind each shared array that no thread may change.
    static constexpr unsigned long kSharedGuard = 64;

    int thread = 0;
    int block_size = 0;
    long long block = 0;
    unsigned long block_serial = 0;  ///< another for each block of each launch
    MemoryRange ranges[kRanges];     ///< found last
    long long loads = 0, stores = 0;
    long long load_bytes = 0, store_bytes = 0;

    /// An access outside `ranges` or misaligned. False: it is an error and must not happen.
    bool (*miss)(const void* address, unsigned long bytes, bool is_store) = nullptr;
    void (*barrier)(const char* file, int line) = nullptr;
    /// The first thread of a block passes the declaration of an array of `bytes`, guard not counted.
    void (*enter_shared)(void* data, unsigned long bytes, const char* name) = nullptr;

    [[nodiscard]] bool may_access(const void* address, unsigned long bytes, bool is_store) const {
        const auto* p = static_cast<const char*>(address);
        if (reinterpret_cast<unsigned long>(p) % bytes == 0) {
            for (const MemoryRange& range : ranges) {
                if (range.contains(p, bytes)) {
                    return true;
                }
            }
        }
        return miss(address, bytes, is_store);
    }
};

}  // namespace matgrad::simulated
