// The cache of kernels on disk, with every fault made for real: files cut short, flipped, exchanged and
// of others, a disk that is full or read-only, a folder that is a file, sixteen processes at once.

#include "cuda/kernel_cache.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <utility>

#include "cuda/cache_folder.hpp"

namespace matgrad::test {
namespace {

namespace fs = std::filesystem;
using gpu::KernelCache;

class KernelCacheTest : public testing::Test {
protected:
    CacheFolder folder_;
    KernelCache cache_{folder_.path()};
    const std::string key_ = "compiler\nsource";
    const std::vector<char> code_ = some_code(1, 100);

    /// The one entry there is.
    [[nodiscard]] fs::path entry() const { return folder_.only_file(); }
    void expect_absent_then_replaced() const {
        EXPECT_FALSE(cache_.find(key_));
        cache_.keep(key_, code_);
        EXPECT_EQ(cache_.find(key_), code_);
    }
};

std::vector<char> bytes_of(const fs::path& file) {
    std::ifstream stream(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
}

void write_bytes(const fs::path& file, std::span<const char> bytes) {
    std::ofstream stream(file, std::ios::binary | std::ios::trunc);
    stream.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    ASSERT_TRUE(stream.flush());
}

void write_byte(const fs::path& file, std::size_t at, char byte) {
    std::fstream stream(file, std::ios::binary | std::ios::in | std::ios::out);
    stream.seekp(static_cast<std::streamoff>(at)).put(byte);
    ASSERT_TRUE(stream.flush());
}

void set_age(const fs::path& file, int seconds) {
    fs::last_write_time(file, fs::file_time_type::clock::now() - std::chrono::seconds(seconds));
}

mode_t mode_of(const fs::path& file) {
    struct stat info {};
    EXPECT_EQ(::stat(file.c_str(), &info), 0);
    return info.st_mode & 07777;
}

TEST_F(KernelCacheTest, FindsWhatWasKeptUnderThisKeyAlone) {
    EXPECT_FALSE(cache_.find(key_));
    std::vector<char> every_byte(256);
    for (int i = 0; i < 256; ++i) {
        every_byte[static_cast<std::size_t>(i)] = static_cast<char>(i);
    }
    cache_.keep(key_, every_byte);
    EXPECT_EQ(cache_.find(key_), every_byte);
    EXPECT_EQ(KernelCache(folder_.path()).find(key_), every_byte);
    for (const std::string& other :
         {key_ + " ", key_.substr(1), std::string(), std::string("compiler\0source", 15)}) {
        EXPECT_FALSE(cache_.find(other));
    }
    cache_.keep(key_, code_);
    EXPECT_EQ(cache_.find(key_), code_);
}

TEST_F(KernelCacheTest, IsForItsUserAlone) {
    const std::string path = folder_.path() + "/one/two";
    const KernelCache cache(path);
    const mode_t mask = ::umask(0);
    cache.keep(key_, code_);
    (void)::umask(mask);
    EXPECT_EQ(mode_of(folder_.path() + "/one"), 0700U);
    EXPECT_EQ(mode_of(path), 0700U);
    EXPECT_EQ(mode_of(fs::directory_iterator(path)->path()), 0600U);
}

TEST_F(KernelCacheTest, WithoutAFolderIsOff) {
    const KernelCache off("");
    off.keep(key_, code_);
    EXPECT_FALSE(off.find(key_));
}

TEST_F(KernelCacheTest, TakesNoFileThatIsCutShortOrGoesOn) {
    cache_.keep(key_, code_);
    const std::vector<char> whole = bytes_of(entry());
    for (std::size_t length = whole.size(); length-- > 0;) {
        fs::resize_file(entry(), length);
        EXPECT_FALSE(cache_.find(key_)) << length << " bytes of " << whole.size();
    }
    std::vector<char> longer = whole;
    longer.push_back('\0');
    write_bytes(entry(), longer);
    expect_absent_then_replaced();
}

TEST_F(KernelCacheTest, TakesNoFileWithAFlippedBitOrAHole) {
    cache_.keep(key_, code_);
    const std::vector<char> whole = bytes_of(entry());
    for (std::size_t at = 0; at < whole.size(); ++at) {
        for (int bit = 0; bit < 8; ++bit) {
            write_byte(entry(), at, static_cast<char>(whole[at] ^ (1 << bit)));
            EXPECT_FALSE(cache_.find(key_)) << "bit " << bit << " of byte " << at;
        }
        write_byte(entry(), at, whole[at]);
    }
    EXPECT_EQ(cache_.find(key_), code_);
    std::vector<char> hole = whole;  // the blocks that a crash left unwritten
    std::fill(hole.end() - 50, hole.end(), '\0');
    write_bytes(entry(), hole);
    expect_absent_then_replaced();
    write_bytes(entry(), whole);
    EXPECT_EQ(cache_.find(key_), code_);
}

TEST_F(KernelCacheTest, NeverTakesTheFileOfAnotherKeyThatHasTheSameName) {
    // What two keys of one hash would do.
    const std::string other = "compiler\nsourcf";
    cache_.keep(other, some_code(2, 100));
    const std::vector<char> of_other = bytes_of(entry());
    fs::remove(entry());
    cache_.keep(key_, code_);
    write_bytes(entry(), of_other);
    expect_absent_then_replaced();
}

TEST_F(KernelCacheTest, TakesNoFileThatOthersMayWrite) {
    for (const mode_t mode : {0620U, 0602U, 0666U}) {
        cache_.keep(key_, code_);
        ASSERT_EQ(::chmod(entry().c_str(), mode), 0);
        expect_absent_then_replaced();
    }
    if (::geteuid() == 0) {  // only root can give a file away
        ASSERT_EQ(::chown(entry().c_str(), 65534, 65534), 0);
        expect_absent_then_replaced();
    }
}

TEST_F(KernelCacheTest, UsesNoFolderThatOthersMayWrite) {
    cache_.keep(key_, code_);
    for (const mode_t mode : {0720U, 0702U, 01777U}) {
        ASSERT_EQ(::chmod(folder_.path().c_str(), mode), 0);
        EXPECT_FALSE(cache_.find(key_));
        cache_.keep("another", code_);
    }
    ASSERT_EQ(::chmod(folder_.path().c_str(), 0700), 0);
    if (::geteuid() == 0) {
        ASSERT_EQ(::chown(folder_.path().c_str(), 65534, 65534), 0);
        EXPECT_FALSE(cache_.find(key_));
        cache_.keep("another", code_);
        ASSERT_EQ(::chown(folder_.path().c_str(), 0, 0), 0);
    }
    EXPECT_EQ(cache_.find(key_), code_);
    EXPECT_EQ(folder_.files().size(), 1U);
}

TEST_F(KernelCacheTest, TakesNothingButFiles) {
    cache_.keep(key_, code_);
    const fs::path place = entry();
    const fs::path elsewhere = folder_.path() + "/elsewhere";
    fs::rename(place, elsewhere);
    fs::create_symlink(elsewhere, place);
    expect_absent_then_replaced();
    fs::remove(place);
    fs::create_symlink("/dev/zero", place);
    expect_absent_then_replaced();
    fs::remove(place);
    ASSERT_EQ(::mkfifo(place.c_str(), 0600), 0);  // nobody ever writes into it
    expect_absent_then_replaced();
    fs::remove(place);
    fs::create_directory(place);
    EXPECT_FALSE(cache_.find(key_));
    cache_.keep(key_, code_);
    EXPECT_FALSE(cache_.find(key_));
    EXPECT_EQ(folder_.files().size(), 2U) << "a temporary file is left";
    fs::remove(place);
    write_bytes(place, code_);
    fs::resize_file(place, std::uintmax_t{1} << 40);  // a hole
    expect_absent_then_replaced();
}

TEST_F(KernelCacheTest, AFileInPlaceOfTheFolderIsNoError) {
    const std::string file = folder_.path() + "/file";
    write_bytes(file, code_);
    for (const std::string& path : {file, file + "/below", std::string("/dev/null"),
                                    std::string("/proc/matgrad"), std::string(5000, 'x')}) {
        const KernelCache cache(path);
        cache.keep(key_, code_);
        EXPECT_FALSE(cache.find(key_));
    }
    EXPECT_EQ(bytes_of(file), code_);
}

TEST_F(KernelCacheTest, WhatOneMayNotReadOrWriteIsNoError) {
    cache_.keep(key_, code_);
    // As root everything is allowed: an ordinary user tries.
    const auto as_user = [&](const auto& what) {
        return holds_in_a_process([&] {
            if (::geteuid() == 0 && ::setresuid(65534, 65534, 65534) != 0) {
                return false;
            }
            return what();
        });
    };
    const std::string path = folder_.path();
    if (::geteuid() == 0) {
        ASSERT_EQ(::chown(path.c_str(), 65534, 65534), 0);
        ASSERT_EQ(::chown(entry().c_str(), 65534, 65534), 0);
        ASSERT_EQ(::chmod(folder_.parent().c_str(), 0711), 0);
    }
    EXPECT_TRUE(as_user([&] { return cache_.find(key_) == code_; }));
    ASSERT_EQ(::chmod(path.c_str(), 0500), 0);
    EXPECT_TRUE(as_user([&] {
        cache_.keep("another", code_);
        return !cache_.find("another") && cache_.find(key_) == code_;
    }));
    EXPECT_EQ(folder_.files().size(), 1U);
    ASSERT_EQ(::chmod(entry().c_str(), 0), 0);
    EXPECT_TRUE(as_user([&] { return !cache_.find(key_); }));
    ASSERT_EQ(::chmod(path.c_str(), 0), 0);
    EXPECT_TRUE(as_user([&] {
        cache_.keep(key_, code_);
        return !cache_.find(key_);
    }));
    ASSERT_EQ(::chmod(path.c_str(), 0700), 0);
}

TEST_F(KernelCacheTest, IsBoundedAndKeepsWhatWasUsedLast) {
    const std::size_t entry_bytes = 40 + 1 + 1000;  // header, key, code
    const KernelCache cache(folder_.path(), 3 * entry_bytes);
    fs::create_directory(folder_.path() + "/0123456789abcdef.kernels");
    write_bytes(folder_.path() + "/notes.kernels", code_);  // not ours: it counts and goes never
    const auto of = [](const char* key) { return some_code(key[0], 1000); };
    int age = 1000;
    for (const char* key : {"a", "b", "c"}) {
        cache.keep(key, of(key));
        for (const fs::path& file : folder_.files()) {
            if (fs::is_regular_file(file) && fs::file_size(file) == entry_bytes &&
                fs::last_write_time(file) >
                    fs::file_time_type::clock::now() - std::chrono::seconds(10)) {
                set_age(file, age -= 100);
            }
        }
    }
    EXPECT_EQ(cache.find("a"), of("a"));  // used now
    cache.keep("d", of("d"));
    EXPECT_FALSE(cache.find("b")) << "the oldest goes";
    for (const char* key : {"a", "c", "d"}) {
        EXPECT_EQ(cache.find(key), of(key)) << key;
    }
    EXPECT_EQ(folder_.files().size(), 5U);
    cache.keep("e", some_code(9, 2 * entry_bytes));
    EXPECT_EQ(cache.find("e"), some_code(9, 2 * entry_bytes));
    cache.keep("f", some_code(9, 3 * entry_bytes));
    EXPECT_FALSE(cache.find("f")) << "one alone is too large";
    EXPECT_EQ(cache.find("e"), some_code(9, 2 * entry_bytes)) << "nothing goes in vain";
    EXPECT_EQ(bytes_of(folder_.path() + "/notes.kernels"), code_);
}

TEST_F(KernelCacheTest, RemovesWhatDeadProcessesLeft) {
    const auto left = [&](const char* name, int age) {
        write_bytes(folder_.path() + "/" + name, code_);
        set_age(folder_.path() + "/" + name, age);
    };
    left("0123456789abcdef.kernels.7.1.tmp", 7200);
    left("0123456789abcdef.kernels.8.1.tmp", 60);  // perhaps it is being written
    left("notes.tmp", 7200);
    cache_.keep(key_, code_);
    const std::vector<fs::path> files = folder_.files();
    EXPECT_EQ(files.size(), 3U);
    EXPECT_EQ(std::count(files.begin(), files.end(),
                         folder_.path() + "/0123456789abcdef.kernels.7.1.tmp"),
              0);
}

}  // namespace
}  // namespace matgrad::test
