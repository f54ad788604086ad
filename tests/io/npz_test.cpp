// Members of .npz archives, as NumPy writes them, and archives that are damaged.

#include <cstring>
#include <thread>

#include "io/arrays.hpp"
#include "io/files.hpp"
#include "io/numpy_script.hpp"
#include "io/zip_member.hpp"

namespace matgrad::io_test {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string u16(std::uint64_t value) {
    return {static_cast<char>(value & 0xff), static_cast<char>(value >> 8 & 0xff)};
}

std::string u32(std::uint64_t value) {
    return u16(value & 0xffff) + u16(value >> 16 & 0xffff);
}

/// An archive of one stored member, whose checksum is that of `data`.
struct Archive {
    std::string name = "X.npy";
    std::string data = "123456789";
    std::uint64_t checksum = 0xcbf43926;  // the check value of CRC-32
    std::uint64_t flags = 0;
    std::uint64_t method = 0;
    std::uint64_t bytes = 9;
    std::uint64_t compressed_bytes = 9;
    std::uint64_t header_at = 0;
    std::string comment;

    [[nodiscard]] std::string text() const {
        const std::string sizes = u32(checksum) + u32(compressed_bytes) + u32(bytes);
        const std::string kind =
            u16(20) + u16(flags) + u16(method) + u32(0) + sizes + u16(name.size()) + u16(0);
        const std::string local = "PK\x03\x04" + kind + name + data;
        const std::string entry = "PK\x01\x02" + u16(20) + kind + u16(0) + u16(0) + u16(0) +
                                  u32(0) + u32(header_at) + name;
        return local + entry + "PK\x05\x06" + u32(0) + u16(1) + u16(1) + u32(entry.size()) +
               u32(local.size()) + u16(comment.size()) + comment;
    }
};

class Npz : public ::testing::Test {
protected:
    TemporaryFolder folder_;
    std::string path_ = folder_.path("a.npz");

    [[nodiscard]] std::string refusal(const std::string& text) const {
        write_text(path_, text);
        return message_of<FileError>([&] {
            const ZipMember member(path_, "X", "a.npz:X");
            std::string bytes(static_cast<std::size_t>(member.size()), ' ');
            member.read(0, member.size(), bytes.data());
        });
    }
};

TEST_F(Npz, ReadsAStoredMember) {
    Archive archive;
    for (const char* comment : {"", "PK\x05\x06 is how the end begins"}) {
        archive.comment = comment;
        write_text(path_, archive.text());
        for (const char* name : {"X", "X.npy"}) {
            const ZipMember member(path_, name, "a.npz:X");
            ASSERT_EQ(member.size(), 9);
            std::string bytes(9, ' ');
            EXPECT_EQ(member.read(3, 100, bytes.data()), 6);
            EXPECT_EQ(bytes, "456789   ");
            EXPECT_EQ(member.read(0, 9, bytes.data()), 9);
            EXPECT_EQ(bytes, "123456789");
        }
    }
}

TEST_F(Npz, RefusesAnArchiveThatContradictsItself) {
    const std::string whole = Archive().text();
    EXPECT_THAT(refusal("short"), HasSubstr("too short"));
    EXPECT_THAT(refusal(whole + "tail"), HasSubstr("no directory at its end"));
    for (std::size_t size = 0; size < whole.size(); ++size) {
        EXPECT_THAT(refusal(whole.substr(0, size)), HasSubstr("is no intact .npz archive"));
    }
    const auto with = [&](auto change) {
        Archive archive;
        change(archive);
        return refusal(archive.text());
    };
    EXPECT_THAT(with([](Archive& a) { a.checksum ^= 1; }),
                HasSubstr("a.npz:X: is damaged: its checksum"));
    EXPECT_THAT(with([](Archive& a) { a.data[4] = 'x'; }),
                HasSubstr("a.npz:X: is damaged: its checksum"));
    EXPECT_THAT(with([](Archive& a) { a.flags = 1; }), HasSubstr("encrypted"));
    EXPECT_THAT(with([](Archive& a) { a.method = 12; }), HasSubstr("compressed by method 12"));
    EXPECT_THAT(with([](Archive& a) { a.bytes = 10; }), HasSubstr("two sizes"));
    EXPECT_THAT(with([](Archive& a) { a.header_at = 5; }), HasSubstr("points at no member"));
    EXPECT_THAT(with([](Archive& a) { a.header_at = 50000; }), HasSubstr("points outside"));
    EXPECT_THAT(with([](Archive& a) { a.bytes = a.compressed_bytes = 4000; }),
                HasSubstr("points outside"));
    EXPECT_THAT(with([](Archive& a) { a.method = 8; }), HasSubstr("no deflated stream"));
    EXPECT_THAT(with([](Archive& a) { a.name = "Y.npy"; }),
                AllOf(HasSubstr("has no member 'X'"), HasSubstr("expected one of Y")));
    EXPECT_THAT(with([](Archive& a) { a.name = "\x1b[31m"; }), HasSubstr("\\x1b[31m"));
}

class NpzOfNumPy : public NumPyScript {};

TEST_F(NpzOfNumPy, ReadsWhatNumPySaves) {
    run(R"(
a = np.arange(60.0).reshape(3, 4, 5)
many = {'m%d' % i: np.arange(i) for i in range(300)}
for save, name in [(np.savez, 's.npz'), (np.savez_compressed, 'c.npz')]:
    save(name, a, X=a, f=np.asfortranarray(a), half=a.astype('f2'), empty=np.zeros((0, 3)), **many)
)");
    for (const char* name : {"s.npz", "c.npz"}) {
        const std::string path = folder_.path(name);
        for (const char* member : {"X", "X.npy", "arr_0"}) {
            const NpyReader reader(path, member);
            EXPECT_EQ(reader.path(), path + ":" + member);
            EXPECT_THAT(reader.shape(), ElementsAre(3, 4, 5));
            std::vector<double> data(60);
            reader.read(0, 60, data.data());
            EXPECT_EQ(data, counting(60));
            reader.read(20, 3, data.data());  // backward
            EXPECT_EQ(data[2], 22);
            reader.read(50, 3, data.data());
            EXPECT_EQ(data[0], 50);
        }
        EXPECT_TRUE(NpyReader(path, "f").fortran_order());
        EXPECT_EQ(NpyReader(path, "empty").count(), 0);
        EXPECT_EQ(NpyReader(path, "m299").count(), 299);
        std::vector<double> data(60);
        NpyReader(path, "half").read_as(0, 60, ScalarType::float64, data.data());
        EXPECT_EQ(data, counting(60));
        EXPECT_THAT(message_of<FileError>([&] { const NpyReader reader(path, "Y"); }),
                    AllOf(HasSubstr("has no member 'Y'"), HasSubstr("expected one of X, f, half"),
                          HasSubstr(", ...")));
    }
}

TEST_F(NpzOfNumPy, ReadsLargeMembersInPiecesFromSeveralThreads) {
    run(R"(
a = np.arange(300000.0)
np.savez('s.npz', a=a)
np.savez_compressed('c.npz', a=a)
)");
    for (const char* name : {"s.npz", "c.npz"}) {
        const NpyReader reader(folder_.path(name), "a");
        std::vector<std::thread> threads;
        std::vector<int> wrong(3);
        for (std::size_t t = 0; t < wrong.size(); ++t) {
            threads.emplace_back([&, t] {
                std::vector<double> data(1000);
                for (std::int64_t at = 0; at + 1000 <= 300000; at += 37000) {
                    reader.read(at, 1000, data.data());
                    for (std::size_t i = 0; i < data.size(); ++i) {
                        wrong[t] +=
                            data[i] == static_cast<double>(at) + static_cast<double>(i) ? 0 : 1;
                    }
                }
            });
        }
        for (std::thread& thread : threads) {
            thread.join();
        }
        EXPECT_THAT(wrong, ElementsAre(0, 0, 0)) << name;
    }
}

TEST_F(NpzOfNumPy, NoticesADamagedByteOfAMemberThatIsReadToItsEnd) {
    run(R"(
import zipfile
a = np.arange(100000.0)
for save, name in [(np.savez, 's.npz'), (np.savez_compressed, 'c.npz')]:
    save(name, a=a)
    bytes = bytearray(open(name, 'rb').read())
    bytes[len(bytes) // 2] ^= 4
    open(name, 'wb').write(bytes)
    try:
        np.load(name)['a']
        raise AssertionError('NumPy reads it')
    except (zipfile.BadZipFile, OSError, __import__('zlib').error):
        pass
)");
    for (const char* name : {"s.npz", "c.npz"}) {
        const std::string message = message_of<FileError>([&] {
            const NpyReader reader(folder_.path(name), "a");
            std::vector<double> data(1000);
            for (std::int64_t at = 0; at < 100000; at += 1000) {
                reader.read(at, 1000, data.data());
            }
        });
        EXPECT_THAT(message, HasSubstr(":a: is damaged: "));
    }
}

TEST_F(NpzOfNumPy, RefusesOtherCompressions) {
    run(R"(
import io, zipfile
file = io.BytesIO()
np.save(file, np.arange(100.0))
for method in ['BZIP2', 'LZMA']:
    with zipfile.ZipFile(method + '.npz', 'w', getattr(zipfile, 'ZIP_' + method)) as archive:
        archive.writestr('a.npy', file.getvalue())
with zipfile.ZipFile('text.npz', 'w') as archive:
    archive.writestr('a', 'no array')
)");
    EXPECT_THAT(message_of<FileError>([&] { const NpyReader r(folder_.path("BZIP2.npz"), "a"); }),
                HasSubstr("compressed by method 12"));
    EXPECT_THAT(message_of<FileError>([&] { const NpyReader r(folder_.path("LZMA.npz"), "a"); }),
                HasSubstr("compressed by method 14"));
    EXPECT_THAT(message_of<FileError>([&] { const NpyReader r(folder_.path("text.npz"), "a"); }),
                HasSubstr("text.npz:a: is no .npy file"));
}

}  // namespace
}  // namespace matgrad::io_test
