#pragma once
/// \file The data of one member of a ZIP archive, stored or deflated.

#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "io/byte_source.hpp"
#include "io/zip_directory.hpp"

namespace matgrad {

/// Stored data is read at its place. Deflated data is inflated from its beginning on: to read forward costs
/// what lies between, to read backward begins again. What is read from beginning to end is held against the
/// member's checksum.
class ZipMember final : public ByteSource {
public:
    /// `member` as NumPy names it, with .npy behind it or without.
    /// Errors   FileError, naming `name` for what is wrong with the member: those of RegularFile and of the
    ///          directory; a member that is not there, encrypted or compressed in another way.
    ZipMember(const std::string& path, std::string_view member, std::string name,
              const FileCalls& calls = system_calls());
    ~ZipMember() override;

    [[nodiscard]] std::int64_t size() const override { return entry_.bytes; }
    std::int64_t read(std::int64_t at, std::int64_t size, void* buffer) const override;

private:
    class Inflater;

    void read_archive(std::int64_t at, std::int64_t size, void* buffer) const;
    void read_stored(std::int64_t at, std::int64_t size, void* buffer) const;
    void count(std::int64_t at, std::int64_t size, const void* bytes) const;
    [[noreturn]] void damaged(const char* what) const;

    std::string name_;
    RegularFile archive_;
    ZipEntry entry_;
    std::int64_t data_at_ = 0;

    mutable std::mutex mutex_;  ///< of all below
    mutable std::unique_ptr<Inflater> inflater_;
    mutable std::int64_t counted_ = 0;  ///< so many bytes from the beginning are in the checksum
    mutable std::uint32_t checksum_ = 0;
};

}  // namespace matgrad
