#pragma once
/// \file Compiled kernels kept on disk, so that the next process need not compile them.
///
/// An entry is a file named by a hash of its key. It holds the whole key, and a read compares it byte
/// by byte: two keys of one hash take turns, but neither ever gets the other's code. A hash of the
/// code finds what is torn or damaged. It does not guard against malice: a GPU runs what the files
/// say, so a folder or a file that another user owns or that others may write is not used.
///
/// Nothing here is an error: what cannot be read is absent, what cannot be written is not kept. Any
/// number of threads and processes may share a folder.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace matgrad::gpu {

class KernelCache {
public:
    static constexpr std::uint64_t kMostBytes = std::uint64_t{256} << 20;

    /// `folder` is made at the first `keep`; empty: nothing is found and nothing kept. Its entries
    /// take at most `most_bytes`; those used last stay.
    explicit KernelCache(std::string folder, std::uint64_t most_bytes = kMostBytes)
        : folder_(std::move(folder)), most_bytes_(most_bytes) {}

    /// The code kept under exactly this key.
    [[nodiscard]] std::optional<std::vector<char>> find(std::string_view key) const;
    /// Replaces what was kept under this key, in one step for every reader.
    void keep(std::string_view key, std::span<const char> code) const;

private:
    std::string folder_;
    std::uint64_t most_bytes_;
};

/// Where this process keeps its kernels: MATGRAD_CACHE; where it is not set, `matgrad` in
/// XDG_CACHE_HOME or in ~/.cache. Empty: nowhere.
[[nodiscard]] std::string kernel_cache_folder();

}  // namespace matgrad::gpu
