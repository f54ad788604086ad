// Files of NumPy itself: it writes what the reader reads, and reads what the writer writes.

#include <cmath>
#include <cstring>
#include <fstream>

#include "io/files.hpp"
#include "io/npy_reader.hpp"
#include "io/npy_writer.hpp"
#include "io/numpy_script.hpp"

namespace matgrad::io_test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// Equal bits, but for the payload of a NaN.
template <typename T>
void expect_same(const std::string& found, const std::string& expected, const std::string& what) {
    ASSERT_EQ(found.size(), expected.size()) << what;
    for (std::size_t at = 0; at < found.size(); at += sizeof(T)) {
        T a = 0;
        T b = 0;
        std::memcpy(&a, found.data() + at, sizeof a);
        std::memcpy(&b, expected.data() + at, sizeof b);
        const bool is_same = std::isnan(b) ? std::isnan(a) : std::memcmp(&a, &b, sizeof a) == 0;
        ASSERT_TRUE(is_same) << what << ", number " << at / sizeof(T) << ": " << a << " for " << b;
    }
}

class NpyAndNumPy : public NumPyScript {};

TEST_F(NpyAndNumPy, ReadsWhatNumPyWrites) {
    run(R"(
a = np.arange(24, dtype='<f8').reshape(2, 3, 4)
np.save('c.npy', a)
np.save('f.npy', np.asfortranarray(a))
np.save('single.npy', a.astype('<f4'))
np.save('vector.npy', a[0, 0])
np.save('scalar.npy', np.float64(2.5))
np.save('empty.npy', np.zeros((0, 4)))
for version in [(1, 0), (2, 0), (3, 0)]:
    with open('v%d.npy' % version[0], 'wb') as file:
        np.lib.format.write_array(file, a, version=version)
)");
    for (const char* name : {"c.npy", "v1.npy", "v2.npy", "v3.npy"}) {
        const NpyReader reader(folder_.path(name));
        EXPECT_EQ(reader.element(), (NpyElement{NpyKind::floating, 8, false}));
        EXPECT_THAT(reader.shape(), ElementsAre(2, 3, 4));
        EXPECT_FALSE(reader.fortran_order());
        std::vector<double> data(24);
        reader.read(0, 24, data.data());
        for (std::size_t i = 0; i < 24; ++i) {
            EXPECT_EQ(data[i], static_cast<double>(i)) << name;
        }
    }
    const NpyReader fortran(folder_.path("f.npy"));
    EXPECT_TRUE(fortran.fortran_order());
    EXPECT_THAT(fortran.shape(), ElementsAre(2, 3, 4));
    std::vector<double> data(24);
    fortran.read(0, 24, data.data());
    for (std::size_t b = 0; b < 2; ++b) {
        for (std::size_t i = 0; i < 3; ++i) {
            for (std::size_t j = 0; j < 4; ++j) {
                EXPECT_EQ(data[b + 2 * (i + 3 * j)], static_cast<double>(12 * b + 4 * i + j));
            }
        }
    }
    const NpyReader single(folder_.path("single.npy"));
    EXPECT_EQ(single.element(), (NpyElement{NpyKind::floating, 4, false}));
    float last = 0;
    single.read(23, 1, &last);
    EXPECT_EQ(last, 23);
    EXPECT_THAT(NpyReader(folder_.path("vector.npy")).shape(), ElementsAre(4));
    EXPECT_THAT(NpyReader(folder_.path("empty.npy")).shape(), ElementsAre(0, 4));
    const NpyReader scalar(folder_.path("scalar.npy"));
    EXPECT_TRUE(scalar.shape().empty());
    double value = 0;
    scalar.read(0, 1, &value);
    EXPECT_EQ(value, 2.5);
}

TEST_F(NpyAndNumPy, TakesTheDescrsThatAreRealNumbersForNumPy) {
    // What NumPy makes of a descr, and of twelve bytes of it.
    run(R"(
import itertools
codes = ['f2', 'f4', 'f8', 'f16', 'c8', 'i1', 'i2', 'i4', 'i8', 'u1', 'u2', 'u4', 'u8', 'b1', '?', 'b', 'B',
         'h', 'H', 'i', 'I', 'l', 'L', 'q', 'Q', 'p', 'P', 'e', 'f', 'd', 'g', 'F', 'D', 'O', 'S3', 'U2', 'M8[s]',
         'm8[s]', 'V1', 'V5', 'i3', 'f3', 'x', '']
names = ['float16', 'float32', 'float64', 'half', 'single', 'double', 'float', 'int8', 'int16', 'int32', 'int64',
         'int', 'intc', 'intp', 'longlong', 'short', 'byte', 'uint8', 'uint16', 'uint32', 'uint64', 'uint', 'uintc',
         'uintp', 'ulonglong', 'ushort', 'ubyte', 'bool', 'longdouble', 'complex64', 'complex', 'str', 'bytes',
         'object', 'void', 'datetime64[s]', 'f8,f8', '3f8', 'nonsense']
rng = np.random.default_rng(1)
table = open('table.txt', 'w')
for i, descr in enumerate([o + c for o, c in itertools.product(['', '<', '>', '=', '|'], codes)] + names):
    try:
        dtype = np.dtype(descr)
    except TypeError:
        dtype = None
    is_number = dtype is not None and dtype.kind in 'fiub' and dtype.itemsize <= 8
    size = dtype.itemsize if is_number else 1
    data = rng.integers(0, 2 if is_number and dtype.kind == 'b' else 256, 5 * size, dtype=np.uint8).tobytes()
    text = ("{'descr': %r, 'fortran_order': False, 'shape': (5,), }" % descr).encode()
    with open('d%d.npy' % i, 'wb') as file:
        file.write(b'\x93NUMPY\x01\x00' + len(text).to_bytes(2, 'little') + text + data)
    table.write('%d %d\n' % (i, is_number))
    if is_number:
        with np.errstate(all='ignore'):
            for type in ['float32', 'float64']:
                np.load('d%d.npy' % i).astype(type).tofile('d%d.%s' % (i, type))
)");
    std::ifstream table(folder_.path("table.txt"));
    int rows = 0;
    int numbers = 0;
    for (int i = 0, is_number = 0; table >> i >> is_number; ++rows) {
        const std::string path = folder_.path("d" + std::to_string(i) + ".npy");
        if (is_number == 0) {
            EXPECT_THAT(message_of<FileError>([&] { const NpyReader reader(path); }),
                        HasSubstr("expected"));
            continue;
        }
        ++numbers;
        const NpyReader reader(path);
        std::string single(5 * sizeof(float), ' ');
        std::string both(5 * sizeof(double), ' ');
        reader.read_as(0, 5, ScalarType::float32, single.data());
        reader.read_as(0, 5, ScalarType::float64, both.data());
        const std::string from = to_text(reader.element());
        expect_same<float>(single, read_text(folder_.path("d" + std::to_string(i) + ".float32")),
                           from);
        expect_same<double>(both, read_text(folder_.path("d" + std::to_string(i) + ".float64")),
                            from);
    }
    EXPECT_EQ(rows, 5 * 44 + 39);
    EXPECT_GT(numbers, 100);
}

TEST_F(NpyAndNumPy, RoundsAsAstypeDoes) {
    run(R"(
def save(name, array):
    np.save(name + '.npy', array)
    for type in ['float32', 'float64']:
        with np.errstate(all='ignore'):
            array.astype(type).tofile(name + '.' + type)
ends = lambda t: np.array([np.iinfo(t).min, np.iinfo(t).max, np.iinfo(t).max // 3, 2**24 + 1 if t.endswith('32')
                           else 2**53 + 1, 0], dtype=t)
for t in ['int32', 'uint32', 'int64', 'uint64']:
    save(t, ends(t))
save('half', np.arange(65536, dtype=np.uint16).view('<f2'))
save('big', np.arange(65536, dtype='<u2').byteswap().view('>f2'))
save('double', np.array([1 + 2**-24, 1e300, -1e-300, np.nan, np.inf, -0.0]))
save('bool', np.array([True, False, True]))
(np.arange(65536, dtype=np.uint32) << 16).view(np.float32).tofile('brain.float32')
with open('brain.npy', 'wb') as file:
    np.lib.format.write_array_header_1_0(file, {'descr': '<V2', 'fortran_order': False, 'shape': (65536,)})
    file.write(np.arange(65536, dtype='<u2').tobytes())
)");
    for (const char* name :
         {"int32", "uint32", "int64", "uint64", "half", "big", "double", "bool", "brain"}) {
        const NpyReader reader(folder_.path(std::string(name) + ".npy"));
        const auto count = static_cast<std::size_t>(reader.count());
        std::string single(count * sizeof(float), ' ');
        reader.read_as(0, reader.count(), ScalarType::float32, single.data());
        expect_same<float>(single, read_text(folder_.path(std::string(name) + ".float32")), name);
        if (std::string(name) != "brain") {
            std::string both(count * sizeof(double), ' ');
            reader.read_as(0, reader.count(), ScalarType::float64, both.data());
            expect_same<double>(both, read_text(folder_.path(std::string(name) + ".float64")),
                                name);
        }
    }
}

TEST_F(NpyAndNumPy, RefusesOtherTypesOfNumPy) {
    run(R"(
np.save('long.npy', np.arange(3, dtype=np.longdouble))
np.save('complex.npy', np.array([1j]))
np.save('text.npy', np.array(['a', 'bc']))
np.save('date.npy', np.array(['2026-11-27'], dtype='M8[D]'))
np.save('records.npy', np.zeros(3, dtype=[('x', 'f8'), ('y', 'f8')]))
np.save('object.npy', np.array([None]), allow_pickle=True)
np.savez('archive.npz', X=np.zeros(3), y=np.zeros(2))
)");
    const std::pair<const char*, const char*> cases[] = {
        {"long.npy", "long double"},       {"complex.npy", "complex"},
        {"text.npy", "text ('<U2')"},      {"date.npy", "dates"},
        {"records.npy", "records"},        {"object.npy", "Python objects"},
        {"archive.npz", "(.npz) of X, y"},
    };
    for (const auto& [name, expected] : cases) {
        const std::string path = folder_.path(name);
        EXPECT_THAT(message_of<FileError>([&] { const NpyReader reader(path); }),
                    HasSubstr(expected));
    }
}

TEST_F(NpyAndNumPy, WritesWhatNumPyReads) {
    std::vector<double> data(24);
    std::vector<float> single(24);
    std::vector<std::int32_t> status(24);
    for (std::size_t i = 0; i < 24; ++i) {
        data[i] = 0.5 * static_cast<double>(i);
        single[i] = 0.25f * static_cast<float>(i);
        status[i] = static_cast<std::int32_t>(i) - 3;
    }
    const auto write = [&](const char* name, NpyType type, std::vector<std::int64_t> shape,
                           const void* from) {
        NpyWriter writer(folder_.path(name), type, std::move(shape));
        writer.append(from, writer.count());
        writer.commit();
    };
    write("double.npy", NpyType::float64, {2, 3, 4}, data.data());
    write("single.npy", NpyType::float32, {4, 6}, single.data());
    write("status.npy", NpyType::int32, {24}, status.data());
    write("scalar.npy", NpyType::float64, {}, data.data() + 3);
    write("empty.npy", NpyType::float64, {0, 4}, nullptr);
    run(R"(
n = np.arange(24)
def check(name, dtype, shape, values):
    a = np.load(name)
    assert a.dtype == np.dtype(dtype) and a.shape == shape and a.flags.c_contiguous, name
    assert np.array_equal(a.ravel(), values), name
    mapped = np.load(name, mmap_mode='r') if a.size else a
    assert np.array_equal(mapped, a), name
check('double.npy', 'f8', (2, 3, 4), 0.5 * n)
check('single.npy', 'f4', (4, 6), 0.25 * n)
check('status.npy', 'i4', (24,), n - 3)
check('scalar.npy', 'f8', (), [1.5])
check('empty.npy', 'f8', (0, 4), [])
)");
}

}  // namespace
}  // namespace matgrad::io_test
