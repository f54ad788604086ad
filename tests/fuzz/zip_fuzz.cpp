// Any bytes as a .npz archive: either a directory whose members lie within the archive, or a FileError of one
// line that names the file.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <span>
#include <string>

#include "io/zip_directory.hpp"
#include "matgrad/error.hpp"

namespace {

void require(bool holds, const char* what) {
    if (!holds) {
        std::fprintf(stderr, "zip_fuzz: %s\n", what);
        std::abort();
    }
}

class Bytes final : public matgrad::ByteSource {
public:
    explicit Bytes(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}

    [[nodiscard]] std::int64_t size() const override {
        return static_cast<std::int64_t>(bytes_.size());
    }
    std::int64_t read(std::int64_t at, std::int64_t size, void* buffer) const override {
        require(at >= 0 && size >= 0, "it reads before the beginning");
        const std::int64_t length = std::min(size, std::max<std::int64_t>(this->size() - at, 0));
        if (length > 0) {
            std::memcpy(buffer, bytes_.data() + at, static_cast<std::size_t>(length));
        }
        return length;
    }

private:
    std::span<const std::uint8_t> bytes_;
};

void check_message(const std::string& message) {
    require(message.rfind("X.npz: ", 0) == 0, "the message does not name the file");
    require(message.size() < 3000, "the message is too long");
    for (const char c : message) {
        require(c >= ' ' && c <= '~', "the message holds what a terminal may not print");
    }
}

template <typename Function>
void expect_file_error_alone(Function&& function) {
    try {
        function();
    } catch (const matgrad::FileError& error) {
        check_message(error.what());
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const Bytes archive({data, size});
    expect_file_error_alone([&] {
        const std::vector<matgrad::ZipEntry> entries =
            matgrad::read_zip_directory(archive, "X.npz");
        check_message("X.npz: " + matgrad::zip_member_names(entries));
        expect_file_error_alone([&] { (void)matgrad::find_zip_entry(entries, "X", "X.npz"); });
        for (const matgrad::ZipEntry& entry : entries) {
            require(entry.bytes >= 0 && entry.compressed_bytes >= 0 && entry.header_at >= 0,
                    "a size is negative");
            expect_file_error_alone([&] {
                const std::int64_t at = matgrad::zip_data_offset(archive, entry, "X.npz");
                require(at > entry.header_at && at <= archive.size() &&
                            entry.compressed_bytes <= archive.size() - at,
                        "a member lies outside of the archive");
            });
        }
    });
    return 0;
}
