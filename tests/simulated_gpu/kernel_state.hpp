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

/// A place in the text of a kernel: what __builtin_source_location gives.
struct CallSite {
    const char* file;
    const char* function;
    unsigned line, column;
};

/// What threads wait for at a barrier: those of the block, those of the warp, or those of the warp to
/// exchange numbers (a shuffle has two of these).
enum class Barrier { block, warp, exchange };

/// The thread that runs now, and what it may call. One for the whole process: threads of kernels run
/// one at a time.
struct KernelState {
    static constexpr int kRanges = 6;
    static constexpr int kWarp = 32;
    /// Bytes behind each shared array that no thread may change.
    static constexpr unsigned long kSharedGuard = 64;

    int thread = 0;
    int block_size = 0;
    long long block = 0;
    unsigned long block_serial = 0;  ///< another for each block of each launch
    MemoryRange ranges[kRanges];     ///< found last
    long long loads = 0, stores = 0;
    long long load_bytes = 0, store_bytes = 0;
    MemoryRange shared_ranges[kRanges];  ///< of the arrays of this block
    long long shared_loads = 0, shared_stores = 0;
    long long shared_load_bytes = 0, shared_store_bytes = 0;
    /// MATGRAD_BLOCK_MEMORY, once a thread of this block has passed its declaration of so many bytes.
    unsigned char* block_memory = nullptr;
    unsigned long block_memory_bytes = 0;

    /// An access outside `ranges` or misaligned. False: it is an error and must not happen. In a block
    /// that is profiled there are no ranges, so that this sees all accesses.
    bool (*miss)(const void* address, unsigned long bytes, bool is_store,
                 const CallSite* site) = nullptr;
    bool (*shared_miss)(const void* address, unsigned long bytes, bool is_store,
                        const CallSite* site) = nullptr;
    void (*barrier)(Barrier kind, const char* file, int line) = nullptr;
    /// The first thread of a block passes the declaration of an array of `bytes`, guard not counted.
    void (*enter_shared)(void* data, unsigned long bytes, const char* name) = nullptr;
    /// A thread passes the declaration of MATGRAD_BLOCK_MEMORY, the first of its block or with other
    /// bytes: sets `block_memory`.
    void (*enter_block_memory)(unsigned long bytes, const char* name) = nullptr;

    [[nodiscard]] bool may_access(const void* address, unsigned long bytes, bool is_store,
                                  const void* site) const {
        return is_within(ranges, address, bytes) ||
               miss(address, bytes, is_store, static_cast<const CallSite*>(site));
    }
    [[nodiscard]] bool may_access_shared(const void* address, unsigned long bytes, bool is_store,
                                         const void* site) const {
        return is_within(shared_ranges, address, bytes) ||
               shared_miss(address, bytes, is_store, static_cast<const CallSite*>(site));
    }

private:
    [[nodiscard]] static bool is_within(const MemoryRange (&all)[kRanges], const void* address,
                                        unsigned long bytes) {
        const auto* p = static_cast<const char*>(address);
        if (reinterpret_cast<unsigned long>(p) % bytes == 0) {
            for (const MemoryRange& range : all) {
                if (range.contains(p, bytes)) {
                    return true;
                }
            }
        }
        return false;
    }
};

}  // namespace matgrad::simulated
