// Files of NumPy itself: it writes what the reader reads, and reads what the writer writes.

#include <cstdlib>
#include <iostream>

#include "io/files.hpp"
#include "io/npy_reader.hpp"
#include "io/npy_writer.hpp"

namespace matgrad::io_test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// A Python that has NumPy, or empty.
std::string python_with_numpy() {
    for (const char* python : {"/usr/bin/python3", "python3"}) {
        const std::string test = std::string(python) + " -c 'import numpy' 2> /dev/null";
        if (std::system(test.c_str()) == 0) {
            return python;
        }
    }
    return {};
}

class NpyAndNumPy : public ::testing::Test {
protected:
    void SetUp() override {
        static const std::string found = python_with_numpy();
        if (found.empty()) {
            std::cerr << "NO PYTHON WITH NUMPY: files are not compared with NumPy's own\n";
            GTEST_SKIP() << "no Python with NumPy on this machine";
        }
        python_ = found;
    }

    void run(const std::string& script) {
        write_text(folder_.path("script.py"), "import numpy as np\n" + script);
        const std::string command =
            "cd '" + folder_.path("") + "' && " + python_ + " script.py > python.log 2>&1";
        ASSERT_EQ(std::system(command.c_str()), 0) << read_text(folder_.path("python.log"));
    }

    TemporaryFolder folder_;
    std::string python_;
};

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
        EXPECT_EQ(reader.type(), ScalarType::float64);
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
    EXPECT_EQ(single.type(), ScalarType::float32);
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

TEST_F(NpyAndNumPy, RefusesOtherTypesOfNumPy) {
    run(R"(
np.save('int.npy', np.arange(3))
np.save('big.npy', np.arange(3, dtype='>f8'))
np.save('half.npy', np.arange(3, dtype='f2'))
np.save('bool.npy', np.array([True]))
np.save('complex.npy', np.array([1j]))
np.save('records.npy', np.zeros(3, dtype=[('x', 'f8'), ('y', 'f8')]))
np.save('object.npy', np.array([None]), allow_pickle=True)
np.save('rank4.npy', np.zeros((1, 1, 1, 1)))
np.savez('archive.npz', np.zeros(3))
)");
    const std::pair<const char*, const char*> cases[] = {
        {"int.npy", "'<i8'"},   {"big.npy", "'>f8' (big endian)"}, {"half.npy", "'<f2'"},
        {"bool.npy", "'|b1'"},  {"complex.npy", "'<c16'"},         {"records.npy", "records"},
        {"object.npy", "'|O'"}, {"rank4.npy", "rank 4"},           {"archive.npz", "no .npy file"},
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
