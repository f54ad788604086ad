#include "io/npy_reader.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <numeric>
#include <thread>

#include "io/files.hpp"

namespace matgrad::io_test {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

template <typename T>
std::string bytes_of(const std::vector<T>& data) {
    return {reinterpret_cast<const char*>(data.data()), data.size() * sizeof(T)};
}

/// 0, 1, 2, ... of the given shape.
template <typename T>
void write_counting_file(const std::string& path, const std::vector<std::int64_t>& shape) {
    const NpyType type = sizeof(T) == 4 ? NpyType::float32 : NpyType::float64;
    std::int64_t count = 1;
    for (const std::int64_t size : shape) {
        count *= size;
    }
    std::vector<T> data(static_cast<std::size_t>(count));
    std::iota(data.begin(), data.end(), T(0));
    write_text(path, make_npy_header(type, shape, path) + bytes_of(data));
}

std::string refusal(const std::string& path) {
    return message_of<FileError>([&] { const NpyReader reader(path); });
}

template <typename T>
class NpyReaderOf : public ::testing::Test {};
using BothTypes = ::testing::Types<float, double>;
TYPED_TEST_SUITE(NpyReaderOf, BothTypes);

TYPED_TEST(NpyReaderOf, ReadsAnyRangeOfElements) {
    const TemporaryFolder folder;
    const std::string path = folder.path("X.npy");
    write_counting_file<TypeParam>(path, {5, 3, 2});
    const NpyReader reader(path);
    EXPECT_EQ(reader.element(), (NpyElement{NpyKind::floating, sizeof(TypeParam), false}));
    EXPECT_THAT(reader.shape(), ElementsAre(5, 3, 2));
    EXPECT_EQ(reader.count(), 30);
    EXPECT_FALSE(reader.fortran_order());
    for (std::int64_t offset = 0; offset <= 30; ++offset) {
        for (std::int64_t count = 0; offset + count <= 30; ++count) {
            std::vector<TypeParam> data(static_cast<std::size_t>(count) + 1, TypeParam(-1));
            reader.read(offset, count, data.data());
            for (std::int64_t i = 0; i < count; ++i) {
                ASSERT_EQ(data[static_cast<std::size_t>(i)], static_cast<TypeParam>(offset + i));
            }
            ASSERT_EQ(data.back(), TypeParam(-1)) << "one element too many was written";
        }
    }
}

TEST(NpyReader, RefusesElementsTheArrayDoesNotHave) {
    const TemporaryFolder folder;
    const std::string path = folder.path("X.npy");
    write_counting_file<double>(path, {4});
    const NpyReader reader(path);
    double buffer[8] = {};
    EXPECT_THROW(reader.read(0, 5, buffer), std::out_of_range);
    EXPECT_THROW(reader.read(5, 0, buffer), std::out_of_range);
    EXPECT_THROW(reader.read(-1, 1, buffer), std::out_of_range);
    EXPECT_THROW(reader.read(1, -1, buffer), std::out_of_range);
    EXPECT_THROW(reader.read(1, INT64_MAX, buffer), std::out_of_range);
}

TEST(NpyReader, TellsTheOrderOnlyWhereItMatters) {
    const TemporaryFolder folder;
    const auto write = [&](const std::string& shape, std::size_t count) {
        write_text(
            folder.path("X.npy"),
            header_around("{'descr': '<f8', 'fortran_order': True, 'shape': " + shape + "}\n") +
                std::string(8 * count, '\0'));
    };
    write("(2, 3)", 6);
    EXPECT_TRUE(NpyReader(folder.path("X.npy")).fortran_order());
    write("(3,)", 3);
    EXPECT_FALSE(NpyReader(folder.path("X.npy")).fortran_order());
    write("()", 1);
    EXPECT_FALSE(NpyReader(folder.path("X.npy")).fortran_order());
}

TEST(NpyReader, ReadsEmptyArrays) {
    const TemporaryFolder folder;
    write_counting_file<double>(folder.path("X.npy"), {0, 4});
    const NpyReader reader(folder.path("X.npy"));
    EXPECT_EQ(reader.count(), 0);
    reader.read(0, 0, nullptr);
}

TEST(NpyReader, SaysWhatIsWrongWithThePath) {
    const TemporaryFolder folder;
    EXPECT_EQ(refusal(folder.path("none.npy")),
              folder.path("none.npy") + ": No such file or directory");
    EXPECT_THAT(refusal(folder.path("")), HasSubstr("is a directory"));
    EXPECT_THAT(refusal("/dev/null"), HasSubstr("is no regular file"));
    EXPECT_THAT(refusal(""), HasSubstr("No such file or directory"));
    write_text(folder.path("empty.npy"), "");
    EXPECT_THAT(refusal(folder.path("empty.npy")), HasSubstr("is empty"));
    EXPECT_THAT(refusal(folder.path("empty.npy/X.npy")), HasSubstr("Not a directory"));
    EXPECT_THAT(refusal(folder.path(std::string(300, 'x'))), HasSubstr("File name too long"));
}

TEST(NpyReader, DoesNotWaitForAPipe) {
    const TemporaryFolder folder;
    ASSERT_EQ(::mkfifo(folder.path("X.npy").c_str(), 0600), 0);
    EXPECT_THAT(refusal(folder.path("X.npy")), HasSubstr("is no regular file"));
}

TEST(NpyReader, SaysThatAFileMayNotBeRead) {
    const TemporaryFolder folder;
    const WithoutPrivileges permissions(folder);
    if (!permissions.hold()) {
        GTEST_SKIP() << "this root cannot give up its rights";
    }
    write_counting_file<double>(folder.path("X.npy"), {3});
    ASSERT_EQ(::chmod(folder.path("X.npy").c_str(), 0), 0);
    EXPECT_THAT(refusal(folder.path("X.npy")), HasSubstr("Permission denied"));
}

TEST(NpyReader, RefusesAFileThatIsTooShortOrTooLong) {
    const TemporaryFolder folder;
    const std::string path = folder.path("X.npy");
    const std::vector<std::int64_t> shape{50};
    const std::string header = make_npy_header(NpyType::float64, shape, path);
    write_text(path, header + std::string(100, '\0'));
    EXPECT_EQ(refusal(path), path + ": holds 100 bytes of data, its header says 400");
    write_text(path, header);
    EXPECT_EQ(refusal(path), path + ": holds 0 bytes of data, its header says 400");
    write_text(path, header + std::string(401, '\0'));
    EXPECT_EQ(refusal(path), path + ": holds 401 bytes of data, its header says 400");
    write_text(path, header.substr(0, 70));
    EXPECT_THAT(refusal(path), HasSubstr("truncated within its header"));
}

TEST(NpyReader, ReadsTheFirstOfSeveralArraysAndSaysThatThereAreMore) {
    const TemporaryFolder folder;
    const std::string path = folder.path("X.npy");
    write_counting_file<double>(path, {5});
    const std::string whole = read_text(path);
    write_text(path, whole + whole);
    const NpyReader reader(path);
    EXPECT_TRUE(reader.has_more());
    EXPECT_EQ(reader.count(), 5);
    std::vector<double> data(5);
    reader.read(0, 5, data.data());
    EXPECT_THAT(data, ElementsAre(0, 1, 2, 3, 4));
    write_text(path, whole);
    EXPECT_FALSE(NpyReader(path).has_more());
    write_text(path, whole + whole.substr(0, 5));  // too little to be told from anything else
    EXPECT_THAT(refusal(path), HasSubstr("holds 45 bytes of data, its header says 40"));
}

TEST(NpyReader, ConvertsAnyRangeOfElements) {
    const TemporaryFolder folder;
    const std::string path = folder.path("X.npy");
    constexpr std::int64_t kCount = 100000;  // several pieces
    std::string bytes;
    for (std::int64_t i = 0; i < kCount; ++i) {
        bytes += static_cast<char>((i % 30000) >> 8);
        bytes += static_cast<char>((i % 30000) & 0xff);
    }
    write_text(path, header_around("{'descr': '>i2', 'fortran_order': False, 'shape': (100000,)}") +
                         bytes);
    const NpyReader reader(path);
    const std::pair<std::int64_t, std::int64_t> ranges[] = {
        {0, kCount}, {1, 32768}, {7, 32769}, {kCount - 1, 1}, {kCount, 0}};
    for (const auto& [offset, count] : ranges) {
        std::vector<float> data(static_cast<std::size_t>(count) + 1, -1.0F);
        reader.read_as(offset, count, ScalarType::float32, data.data());
        for (std::int64_t i = 0; i < count; ++i) {
            ASSERT_EQ(data[static_cast<std::size_t>(i)], static_cast<float>((offset + i) % 30000));
        }
        EXPECT_EQ(data.back(), -1.0F) << "one element too many was written";
    }
}

TEST(NpyReader, NamesTheFileInEveryComplaintAboutItsHeader) {
    const TemporaryFolder folder;
    const std::string path = folder.path("X.npy");
    write_text(path, header_around("{'descr': '>c8', 'fortran_order': False, 'shape': (1,)}") +
                         std::string(8, '\0'));
    EXPECT_THAT(refusal(path), AllOf(HasSubstr(path), HasSubstr("'>c8'")));
}

TEST(NpyReader, NoticesAFileThatShrinksWhileItIsRead) {
    const TemporaryFolder folder;
    const std::string path = folder.path("X.npy");
    write_counting_file<double>(path, {1000});
    const NpyReader reader(path);
    std::vector<double> data(1000);
    reader.read(0, 500, data.data());
    ASSERT_EQ(::truncate(path.c_str(), 128 + 8 * 600), 0);
    reader.read(500, 100, data.data());
    EXPECT_EQ(data[99], 599);
    EXPECT_EQ(message_of<FileError>([&] { reader.read(500, 500, data.data()); }),
              path + ": shrank while it was read: holds 4800 bytes of data, its header says 8000");
    ASSERT_EQ(::truncate(path.c_str(), 0), 0);
    EXPECT_THAT(message_of<FileError>([&] { reader.read(0, 1, data.data()); }),
                HasSubstr("holds 0 bytes of data, its header says 8000"));
}

TEST(NpyReader, KeepsReadingAFileThatWasReplaced) {
    const TemporaryFolder folder;
    write_counting_file<double>(folder.path("X.npy"), {10});
    const NpyReader reader(folder.path("X.npy"));
    write_counting_file<double>(folder.path("Y.npy"), {2});
    std::filesystem::rename(folder.path("Y.npy"), folder.path("X.npy"));
    double last = 0;
    reader.read(9, 1, &last);
    EXPECT_EQ(last, 9);
}

// 5 GiB of zeros that take no room on a disk with sparse files, and a few numbers beyond 4 GiB.
TEST(NpyReader, ReadsBeyondFourGiB) {
    const TemporaryFolder folder;
    const std::string path = folder.path("X.npy");
    const std::vector<std::int64_t> shape{671088640};
    const std::string header = make_npy_header(NpyType::float64, shape, path);
    write_text(path, header);
    const auto data_offset = static_cast<off_t>(header.size());
    if (::truncate(path.c_str(), data_offset + 8 * shape[0]) != 0) {
        GTEST_SKIP() << "no room for a sparse file of 5 GiB: " << std::strerror(errno);
    }
    const std::vector<double> numbers{1.5, -2.5, 3.5};
    const std::int64_t position = 600000000;
    const int fd = ::open(path.c_str(), O_WRONLY);
    ASSERT_EQ(::pwrite(fd, numbers.data(), 24, data_offset + 8 * position), 24);
    ::close(fd);
    const NpyReader reader(path);
    EXPECT_EQ(reader.count(), shape[0]);
    std::vector<double> data(5);
    reader.read(position - 1, 5, data.data());
    EXPECT_THAT(data, ElementsAre(0, 1.5, -2.5, 3.5, 0));
    reader.read(shape[0] - 5, 5, data.data());
    EXPECT_THAT(data, ElementsAre(0, 0, 0, 0, 0));
}

ssize_t pread_in_pieces(int fd, void* buffer, std::size_t size, off_t offset) {
    static thread_local int calls = 0;
    if (++calls % 3 == 0) {
        errno = EINTR;
        return -1;
    }
    return ::pread(fd, buffer, std::min<std::size_t>(size, 7), offset);
}

TEST(NpyReader, EnduresShortReadsAndSignals) {
    const TemporaryFolder folder;
    write_counting_file<double>(folder.path("X.npy"), {100});
    FileCalls calls = system_calls();
    calls.pread = pread_in_pieces;
    const NpyReader reader(folder.path("X.npy"), calls);
    std::vector<double> data(100);
    reader.read(0, 100, data.data());
    for (std::size_t i = 0; i < data.size(); ++i) {
        ASSERT_EQ(data[i], static_cast<double>(i));
    }
}

ssize_t pread_of_a_broken_disk(int fd, void* buffer, std::size_t size, off_t offset) {
    if (offset > 0) {
        errno = EIO;
        return -1;
    }
    return ::pread(fd, buffer, size, offset);
}

TEST(NpyReader, CallsABrokenDiskTheMachinesFault) {
    const TemporaryFolder folder;
    const std::string path = folder.path("X.npy");
    write_counting_file<double>(path, {20000});
    FileCalls calls = system_calls();
    calls.pread = pread_of_a_broken_disk;
    const NpyReader reader(path, calls);
    double number = 0;
    EXPECT_EQ(message_of<MachineError>([&] { reader.read(19999, 1, &number); }),
              path + ": Input/output error");
}

TEST(NpyReader, MayBeReadFromSeveralThreads) {
    const TemporaryFolder folder;
    write_counting_file<double>(folder.path("X.npy"), {4000});
    const NpyReader reader(folder.path("X.npy"));
    std::vector<double> data(4000);
    std::vector<std::thread> threads;
    for (std::int64_t t = 0; t < 4; ++t) {
        threads.emplace_back([&, t] {
            for (std::int64_t i = 1000 * t; i < 1000 * (t + 1); i += 10) {
                reader.read(i, 10, data.data() + i);
            }
        });
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    for (std::size_t i = 0; i < data.size(); ++i) {
        ASSERT_EQ(data[i], static_cast<double>(i));
    }
}

}  // namespace
}  // namespace matgrad::io_test
