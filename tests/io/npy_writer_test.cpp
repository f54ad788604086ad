#include "io/npy_writer.hpp"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <optional>
#include <thread>

#include "io/arrays.hpp"
#include "io/files.hpp"
#include "io/named_files.hpp"

namespace matgrad::io_test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string refusal(const std::string& path) {
    return message_of<FileError>([&] { const NpyWriter writer(path, NpyType::float64, {3}); });
}

/// Those of a file system that cannot exchange two names.
FileCalls calls_without_exchange() {
    FileCalls calls = system_calls();
    calls.rename = [](const char* from, const char* to, unsigned flags) {
        return flags == 0 ? std::rename(from, to) : (errno = EINVAL, -1);
    };
    return calls;
}

TEST(NpyWriter, WritesWhatIsReadBack) {
    const TemporaryFolder folder;
    const std::vector<double> data = counting(24);
    NpyWriter writer(folder.path("G.npy"), NpyType::float64, {4, 3, 2});
    EXPECT_EQ(writer.count(), 24);
    writer.append(data.data(), 10);
    writer.append(data.data() + 10, 0);
    writer.append(data.data() + 10, 14);
    writer.commit();
    EXPECT_EQ(read_all(folder.path("G.npy")), data);
    EXPECT_THAT(NpyReader(folder.path("G.npy")).shape(), ElementsAre(4, 3, 2));
    EXPECT_EQ(folder.num_entries(), 1u);
}

TEST(NpyWriter, WritesPiecesInAnyOrderFromSeveralThreads) {
    const TemporaryFolder folder;
    const std::vector<double> data = counting(4000);
    NpyWriter writer(folder.path("G.npy"), NpyType::float64, {4000});
    std::vector<std::thread> threads;
    for (std::int64_t t = 0; t < 4; ++t) {
        threads.emplace_back([&, t] {
            for (std::int64_t i = 990; i >= 0; i -= 10) {
                writer.write_at(1000 * t + i, data.data() + 1000 * t + i, 10);
            }
        });
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    writer.commit();
    EXPECT_EQ(read_all(folder.path("G.npy")), data);
}

TEST(NpyWriter, WritesEmptyAndRankZeroArrays) {
    const TemporaryFolder folder;
    NpyWriter(folder.path("E.npy"), NpyType::float32, {0, 4}).commit();
    EXPECT_EQ(NpyReader(folder.path("E.npy")).count(), 0);
    NpyWriter scalar(folder.path("V.npy"), NpyType::float64, {});
    const double value = 2.5;
    scalar.append(&value, 1);
    scalar.commit();
    EXPECT_THAT(read_all(folder.path("V.npy")), ElementsAre(2.5));
}

TEST(NpyWriter, TouchesTheTargetOnlyAtCommit) {
    const TemporaryFolder folder;
    const std::string path = folder.path("G.npy");
    write_text(path, "the old result");
    const std::vector<double> data = counting(3);
    NpyWriter writer(path, NpyType::float64, {3});
    writer.append(data.data(), 3);
    writer.finish();
    EXPECT_EQ(read_text(path), "the old result");
    writer.commit();
    EXPECT_EQ(read_all(path), data);
    EXPECT_EQ(folder.num_entries(), 1u);
}

TEST(NpyWriter, LeavesNothingBehindWithoutACommit) {
    const TemporaryFolder folder;
    const std::string path = folder.path("G.npy");
    write_text(path, "the old result");
    for (const bool named : {false, true}) {
        const std::vector<double> data = counting(3);
        const FileCalls calls = named ? calls_with_names() : system_calls();
        NpyWriter writer(path, NpyType::float64, {3}, calls);
        writer.append(data.data(), 3);
        writer.finish();
        // Whatever ends a process, a file without a name does not outlive it.
        EXPECT_EQ(folder.num_entries(), named ? 2u : 1u);
    }
    EXPECT_EQ(folder.num_entries(), 1u);
    EXPECT_EQ(read_text(path), "the old result");
}

TEST(NpyWriter, ReplacesAFileHoweverTheSystemCan) {
    for (FileCalls calls : {system_calls(), calls_with_names(), calls_without_exchange()}) {
        const TemporaryFolder folder;
        const std::string path = folder.path("G.npy");
        const std::vector<double> data = counting(3);
        for (int round = 0; round < 2; ++round) {  // a new file, then an old one
            NpyWriter writer(path, NpyType::float64, {3}, calls);
            writer.append(data.data(), 3);
            writer.commit();
            EXPECT_EQ(read_all(path), data);
            EXPECT_EQ(folder.num_entries(), 1u);
        }
    }
}

/// Commits A, B and C over old files A and C, after `spoil` did something to the folder.
template <typename Spoil>
void commit_three(const FileCalls& calls, const TemporaryFolder& folder, const Spoil& spoil) {
    write_text(folder.path("A.npy"), "the old A");
    write_text(folder.path("C.npy"), "the old C");
    std::vector<std::unique_ptr<NpyWriter>> writers;
    std::vector<NpyWriter*> all;
    for (const char* name : {"A.npy", "B.npy", "C.npy"}) {
        writers.push_back(std::make_unique<NpyWriter>(folder.path(name), NpyType::float64,
                                                      std::vector<std::int64_t>{0}, calls));
        all.push_back(writers.back().get());
    }
    spoil();
    NpyWriter::commit_together(all);
}

TEST(NpyWriter, PutsBackTheOthersWhereOneCannotBePutInPlace) {
    for (FileCalls calls : {system_calls(), calls_with_names(), calls_without_exchange()}) {
        const TemporaryFolder folder;
        const auto make_folder = [&] {
            std::filesystem::remove(folder.path("C.npy"));
            std::filesystem::create_directory(folder.path("C.npy"));
        };
        EXPECT_EQ(message_of<FileError>([&] { commit_three(calls, folder, make_folder); }),
                  folder.path("C.npy") + ": cannot be written: Is a directory");
        EXPECT_EQ(read_text(folder.path("A.npy")), "the old A");
        EXPECT_FALSE(std::filesystem::exists(folder.path("B.npy")));
        EXPECT_TRUE(std::filesystem::is_directory(folder.path("C.npy")));
        EXPECT_EQ(folder.num_entries(), 2u);
    }
}

TEST(NpyWriter, NeverPutsTwoResultsOfASetInOnePlace) {
    for (FileCalls calls : {system_calls(), calls_with_names(), calls_without_exchange()}) {
        const TemporaryFolder folder;
        NpyWriter a(folder.path("G.npy"), NpyType::float64, {0}, calls);
        NpyWriter b(folder.path("./G.npy"), NpyType::float64, {0}, calls);
        NpyWriter* const both[] = {&a, &b};
        EXPECT_THAT(message_of<FileError>([&] { NpyWriter::commit_together(both); }),
                    HasSubstr("two results go to this file"));
        EXPECT_FALSE(std::filesystem::exists(folder.path("G.npy")));
    }
}

TEST(NpyWriter, WritesInTheCurrentFolderToo) {
    const TemporaryFolder folder;
    const std::filesystem::path before = std::filesystem::current_path();
    std::filesystem::current_path(folder.path(""));
    NpyWriter(std::string("E.npy"), NpyType::float64, {0}).commit();
    std::filesystem::current_path(before);
    EXPECT_TRUE(std::filesystem::exists(folder.path("E.npy")));
}

TEST(NpyWriter, GivesTheFileThePermissionsOfTheUmask) {
    const TemporaryFolder folder;
    const mode_t before = ::umask(0027);
    NpyWriter(folder.path("E.npy"), NpyType::float64, {0}).commit();
    ::umask(before);
    struct stat status {};
    ASSERT_EQ(::stat(folder.path("E.npy").c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0640u);
}

TEST(NpyWriter, FollowsASymbolicLink) {
    const TemporaryFolder folder;
    std::filesystem::create_directory(folder.path("real"));
    write_text(folder.path("real/G.npy"), "the old result");
    std::filesystem::create_symlink("real/G.npy", folder.path("link.npy"));
    NpyWriter(folder.path("link.npy"), NpyType::float64, {0}).commit();
    EXPECT_TRUE(std::filesystem::is_symlink(folder.path("link.npy")));
    EXPECT_EQ(NpyReader(folder.path("real/G.npy")).count(), 0);
    std::filesystem::create_symlink("nowhere", folder.path("dangling.npy"));
    EXPECT_THAT(refusal(folder.path("dangling.npy")), HasSubstr("No such file or directory"));
}

TEST(NpyWriter, AcceptsTheLongestNameOfAFile) {
    const TemporaryFolder folder;
    const std::string path = folder.path(std::string(251, 'x') + ".npy");
    NpyWriter(path, NpyType::float64, {0}).commit();
    EXPECT_TRUE(std::filesystem::exists(path));
    EXPECT_THAT(refusal(folder.path(std::string(300, 'x'))), HasSubstr("File name too long"));
}

TEST(NpyWriter, RefusesAPathItCannotWriteBeforeAnyWork) {
    const TemporaryFolder folder;
    EXPECT_THAT(refusal(folder.path("none/G.npy")),
                HasSubstr("none/G.npy: cannot be written: No such file or directory"));
    std::filesystem::create_directory(folder.path("folder"));
    EXPECT_THAT(refusal(folder.path("folder")), HasSubstr("cannot be written: Is a directory"));
    EXPECT_THAT(refusal(folder.path("folder/")), HasSubstr("not the name of a file"));
    EXPECT_THAT(refusal(""), HasSubstr("not the name of a file"));
    EXPECT_THAT(refusal("/dev/null"), HasSubstr("cannot be written: is no regular file"));
    write_text(folder.path("file"), "x");
    EXPECT_THAT(refusal(folder.path("file/G.npy")), HasSubstr("Not a directory"));
    EXPECT_EQ(folder.num_entries(), 2u);
    EXPECT_THROW(NpyWriter(folder.path("G.npy"), NpyType::float64, {1L << 40, 1L << 40}),
                 ShapeError);
    EXPECT_EQ(folder.num_entries(), 2u);
}

TEST(NpyWriter, RefusesWhatItMayNotWrite) {
    const TemporaryFolder folder;
    const WithoutPrivileges permissions(folder);
    if (!permissions.hold()) {
        GTEST_SKIP() << "this root cannot give up its rights";
    }
    std::filesystem::create_directory(folder.path("closed"));
    ASSERT_EQ(::chmod(folder.path("closed").c_str(), 0555), 0);
    EXPECT_THAT(refusal(folder.path("closed/G.npy")), HasSubstr("Permission denied"));
    ASSERT_EQ(::chmod(folder.path("closed").c_str(), 0755), 0);
    write_text(folder.path("G.npy"), "protected");
    ASSERT_EQ(::chmod(folder.path("G.npy").c_str(), 0444), 0);
    EXPECT_THAT(refusal(folder.path("G.npy")), HasSubstr("Permission denied"));
}

TEST(NpyWriter, RefusesElementsTheArrayDoesNotHave) {
    const TemporaryFolder folder;
    const std::vector<double> data = counting(4);
    NpyWriter writer(folder.path("G.npy"), NpyType::float64, {3});
    EXPECT_THROW(writer.append(data.data(), 4), std::out_of_range);
    EXPECT_THROW(writer.write_at(3, data.data(), 1), std::out_of_range);
    EXPECT_THROW(writer.write_at(-1, data.data(), 1), std::out_of_range);
    writer.append(data.data(), 2);
    EXPECT_THROW(writer.commit(), std::logic_error);  // one element is missing
    writer.append(data.data() + 2, 1);
    writer.commit();
    EXPECT_THROW(writer.commit(), std::logic_error);
    EXPECT_THROW(writer.write_at(0, data.data(), 1), std::logic_error);
    EXPECT_EQ(read_all(folder.path("G.npy")), counting(3));
}

/// A disk that takes the header and 8000 bytes of data.
ssize_t pwrite_to_a_full_disk(int fd, const void* buffer, std::size_t size, off_t offset) {
    constexpr off_t kRoom = 128 + 8000;
    if (offset >= kRoom) {
        errno = ENOSPC;
        return -1;
    }
    return ::pwrite(fd, buffer, std::min(size, static_cast<std::size_t>(kRoom - offset)), offset);
}

/// What the kernel itself says of a full device.
ssize_t pwrite_to_dev_full(int, const void* buffer, std::size_t size, off_t offset) {
    const int fd = ::open("/dev/full", O_WRONLY);
    const ssize_t result = ::pwrite(fd, buffer, size, offset);
    const int error = errno;
    ::close(fd);
    errno = error;
    return result;
}

template <int kError>
int fail_with(int) {
    errno = kError;
    return -1;
}

template <int kError>
int close_and_fail_with(int fd) {
    ::close(fd);
    errno = kError;
    return -1;
}

/// Writes 2000 numbers over an old file through `calls`: that has to fail, and to leave the old
/// file alone in its folder. Returns the message without the path.
template <typename Thrown = MachineError>
std::string failure_of_a_write(const FileCalls& calls) {
    const TemporaryFolder folder;
    const std::string path = folder.path("V.npy");
    write_text(path, "the old result");
    const std::string message = message_of<Thrown>([&] {
        const std::vector<double> data = counting(2000);
        NpyWriter writer(path, NpyType::float64, {2000}, calls);
        writer.append(data.data(), 500);
        writer.append(data.data() + 500, 1500);
        writer.commit();
    });
    EXPECT_EQ(read_text(path), "the old result");
    EXPECT_EQ(folder.num_entries(), 1u);
    EXPECT_EQ(message.substr(0, path.size()), path);
    return message.substr(std::min(path.size(), message.size()));
}

TEST(NpyWriter, CallsAFullDiskTheMachinesFault) {
    FileCalls calls = system_calls();
    calls.pwrite = pwrite_to_a_full_disk;
    EXPECT_EQ(failure_of_a_write(calls), ": No space left on device");
    calls.pwrite = pwrite_to_dev_full;
    EXPECT_EQ(failure_of_a_write(calls), ": No space left on device");
}

TEST(NpyWriter, BelievesFsyncAndClose) {
    FileCalls calls = system_calls();
    calls.fsync = fail_with<ENOSPC>;
    EXPECT_EQ(failure_of_a_write(calls), ": No space left on device");
    calls.fsync = fail_with<EIO>;
    EXPECT_EQ(failure_of_a_write(calls), ": Input/output error");
    calls = system_calls();
    calls.close = close_and_fail_with<EDQUOT>;
    EXPECT_EQ(failure_of_a_write(calls), ": Disk quota exceeded");
}

TEST(NpyWriter, GetsByWhereThereIsNoFsync) {
    FileCalls calls = system_calls();
    calls.fsync = fail_with<EINVAL>;
    const TemporaryFolder folder;
    NpyWriter(folder.path("E.npy"), NpyType::float64, {0}, calls).commit();
    EXPECT_EQ(NpyReader(folder.path("E.npy")).count(), 0);
}

TEST(NpyWriter, SaysThatTheTargetCannotBeReplaced) {
    FileCalls calls = system_calls();
    calls.rename = [](const char*, const char*, unsigned) { return fail_with<EACCES>(0); };
    EXPECT_EQ(failure_of_a_write<FileError>(calls), ": cannot be written: Permission denied");
    calls.rename = [](const char*, const char*, unsigned) { return fail_with<ENOSPC>(0); };
    EXPECT_EQ(failure_of_a_write(calls), ": No space left on device");
}

/// The kernel's own limit on the size of a file, which signals as it refuses.
class FileSizeLimit {
public:
    explicit FileSizeLimit(rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
        ::getrlimit(RLIMIT_FSIZE, &before_);
        const rlimit limit{bytes, before_.rlim_max};
        ::setrlimit(RLIMIT_FSIZE, &limit);
    }
    FileSizeLimit(const FileSizeLimit&) = delete;
    FileSizeLimit& operator=(const FileSizeLimit&) = delete;
    ~FileSizeLimit() {
        ::setrlimit(RLIMIT_FSIZE, &before_);
        std::signal(SIGXFSZ, handler_);
    }

private:
    rlimit before_{};
    void (*handler_)(int);
};

TEST(NpyWriter, FailsCleanlyAtALimitOfTheKernel) {
    const TemporaryFolder folder;
    const std::string path = folder.path("V.npy");
    const std::vector<double> data = counting(1 << 18);
    const std::string message = message_of<MachineError>([&] {
        const FileSizeLimit limit(1 << 20);
        NpyWriter writer(path, NpyType::float64, {1 << 18});
        writer.append(data.data(), 1 << 17);  // its end is beyond the limit by the header
        writer.append(data.data() + (1 << 17), 1 << 17);
        writer.commit();
    });
    EXPECT_EQ(message, path + ": File too large");
    EXPECT_EQ(folder.num_entries(), 0u);
}

ssize_t pwrite_in_pieces(int fd, const void* buffer, std::size_t size, off_t offset) {
    static thread_local int calls = 0;
    if (++calls % 3 == 0) {
        errno = EINTR;
        return -1;
    }
    return ::pwrite(fd, buffer, std::min<std::size_t>(size, 7), offset);
}

TEST(NpyWriter, EnduresShortWritesAndSignals) {
    const TemporaryFolder folder;
    FileCalls calls = system_calls();
    calls.pwrite = pwrite_in_pieces;
    const std::vector<double> data = counting(100);
    NpyWriter writer(folder.path("G.npy"), NpyType::float64, {100}, calls);
    writer.append(data.data(), 100);
    writer.commit();
    EXPECT_EQ(read_all(folder.path("G.npy")), data);
}

TEST(NpyWriter, GivesUpOnAWriteThatDoesNothing) {
    FileCalls calls = system_calls();
    calls.pwrite = [](int, const void*, std::size_t, off_t) -> ssize_t { return 0; };
    EXPECT_EQ(failure_of_a_write(calls), ": Input/output error");
}

TEST(NpyWriter, WritesBeyondFourGiB) {
    const TemporaryFolder folder;
    const std::string path = folder.path("G.npy");
    const std::int64_t count = 671088640;  // 5 GiB, all but two numbers a hole
    const FileCalls calls = calls_with_names();
    static constexpr std::int64_t kBegin = 600000000;
    std::optional<NpyWriter> writer(std::in_place, path, NpyType::float64,
                                    std::vector<std::int64_t>{count}, calls);
    const double numbers[] = {1.5, 2.5};
    writer->write_at(kBegin, numbers, 2);
    std::int64_t size = 0;
    for (const auto& entry : std::filesystem::directory_iterator(folder.path(""))) {
        size = static_cast<std::int64_t>(entry.file_size());
        std::ifstream file(entry.path(), std::ios::binary);
        file.seekg(128 + 8 * kBegin);
        double got[2] = {};
        file.read(reinterpret_cast<char*>(got), sizeof got);
        EXPECT_THAT(got, ElementsAre(1.5, 2.5));
    }
    EXPECT_EQ(size, 128 + 8 * (kBegin + 2));
    writer.reset();
    EXPECT_EQ(folder.num_entries(), 0u);
}

}  // namespace
}  // namespace matgrad::io_test
