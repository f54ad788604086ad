// `matgrad eval`: the files that people have, of other types, shapes and places.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "cli/command_runner.hpp"
#include "cli/npy_files.hpp"
#include "io/numpy_script.hpp"

namespace matgrad::cli_test {
namespace {

using ::testing::HasSubstr;

/// A file of a descr and shape, written as text, around bytes.
void write_raw(const std::string& path, const std::string& descr, const std::string& shape,
               const std::string& bytes, bool fortran_order = false) {
    io_test::write_text(
        path, io_test::header_around("{'descr': '" + descr +
                                     "', 'fortran_order': " + (fortran_order ? "True" : "False") +
                                     ", 'shape': " + shape + ", }\n") +
                  bytes);
}

class EvalFiles : public ::testing::Test {
protected:
    EvalFiles() { options_.folder = folder_.path(""); }

    [[nodiscard]] std::string path(const std::string& name) const { return folder_.path(name); }
    [[nodiscard]] RunResult eval(std::vector<std::string> words) const {
        words.insert(words.begin(), "eval");
        return run(words, options_);
    }

    io_test::TemporaryFolder folder_;
    RunOptions options_;
};

TEST_F(EvalFiles, ConvertsIntegersAndSaysSoOnce) {
    write_raw(path("C.npy"), "|u1", "(2, 3)", "\x01\x02\x03\x04\x05\xff");
    write_npy(path("X.npy"), {4, 2, 3}, numbers(24, 1));
    write_npy(path("Y.npy"), {4, 2, 3}, numbers<float>(24, 1));
    const std::vector<double> expected{1, 2, 3, 4, 5, 255};
    RunResult result =
        eval({"dot(C,X)", "--wrt", "X", "C=C.npy", "X=X.npy", "--grad", "g.npy", "--memory", "1"});
    EXPECT_EQ(result.status, 0);
    EXPECT_EQ(result.err, "matgrad: operand C: C.npy is uint8, converted to float64\n");
    auto g = read_npy<double>(path("g.npy"), {4, 2, 3});
    ASSERT_EQ(g.size(), 24u);
    EXPECT_TRUE(std::equal(expected.begin(), expected.end(), g.begin() + 18));
    result = eval({"dot(C,X)", "--wrt", "X", "C=C.npy", "X=Y.npy", "--grad", "g.npy"});
    EXPECT_EQ(result.err, "matgrad: operand C: C.npy is uint8, converted to float32\n");
    EXPECT_EQ(read_npy<float>(path("g.npy"), {4, 2, 3}).size(), 24u);
}

TEST_F(EvalFiles, ConvertsABatchPieceByPiece) {
    std::string bytes;
    std::vector<double> values;
    for (int i = 0; i < 3000; ++i) {  // 1000 problems of three, big endian
        bytes += static_cast<char>(i >> 8);
        bytes += static_cast<char>(i & 0xff);
        values.push_back(i);
    }
    write_raw(path("x.npy"), ">i2", "(1000, 3)", bytes);
    for (const char* memory : {"1", "1K", "1G"}) {
        const RunResult result =
            eval({"norm2(x)^2", "--wrt", "x", "x=x.npy", "--grad", "g.npy", "--memory", memory});
        EXPECT_EQ(result.status, 0) << result.err;
        const auto g = read_npy<double>(path("g.npy"), {1000, 3});
        ASSERT_EQ(g.size(), values.size());
        for (std::size_t i = 0; i < g.size(); ++i) {
            ASSERT_EQ(g[i], 2 * values[i]) << memory;
        }
    }
}

TEST_F(EvalFiles, SaysNothingOfAnotherOrderOfBytes) {
    write_raw(path("x.npy"), ">f8", "(2,)",
              std::string("\x40\x08\0\0\0\0\0\0\xbf\xf0\0\0\0\0\0\0", 16));
    const RunResult result = eval({"sum(x)", "x=x.npy", "--value", "v.npy"});
    EXPECT_EQ(result.err, "");
    EXPECT_EQ(read_npy<double>(path("v.npy"), {}), std::vector<double>{2});
}

TEST_F(EvalFiles, ComputesInTheTypeThatIsAskedFor) {
    write_npy(path("x.npy"), {3}, std::vector<double>{0.1, 0.2, 0.3});
    write_npy(path("y.npy"), {3}, std::vector<float>{1, 2, 4});
    const std::vector<std::string> words{"dot(x,y)", "--wrt",  "y",     "x=x.npy",
                                         "y=y.npy",  "--grad", "g.npy", "--type"};
    auto with = words;
    with.emplace_back("float64");
    EXPECT_EQ(eval(with).err, "");
    EXPECT_EQ(read_npy<double>(path("g.npy"), {3}), (std::vector<double>{0.1, 0.2, 0.3}));
    with.back() = "float32";
    EXPECT_EQ(eval(with).err, "");
    EXPECT_EQ(read_npy<float>(path("g.npy"), {3}), (std::vector<float>{0.1F, 0.2F, 0.3F}));
    with.back() = "float16";
    const RunResult refused = eval(with);
    EXPECT_EQ(refused.status, 2);
    EXPECT_THAT(refused.err,
                HasSubstr("--type: found 'float16', expected one of float32, float64"));
}

TEST_F(EvalFiles, LetsOneScalarFollowTheTypeOfTheOthers) {
    write_npy(path("t.npy"), {}, std::vector<double>{0.1});
    write_npy(path("s.npy"), {1, 1}, std::vector<float>{0.5F});
    write_npy(path("x.npy"), {2}, std::vector<float>{1, 2});
    write_npy(path("y.npy"), {2}, std::vector<double>{1, 2});
    RunResult result = eval(
        {"t*sum(x)", "--declare", "t=1", "--wrt", "x", "t=t.npy", "x=x.npy", "--grad", "g.npy"});
    EXPECT_EQ(result.status, 0);
    EXPECT_EQ(result.err, "matgrad: operand t: t.npy is float64, converted to float32\n");
    EXPECT_EQ(read_npy<float>(path("g.npy"), {2}), (std::vector<float>{0.1F, 0.1F}));
    result = eval(
        {"t*sum(x)", "--declare", "t=1", "--wrt", "x", "t=s.npy", "x=y.npy", "--grad", "g.npy"});
    EXPECT_EQ(result.status, 0);
    EXPECT_EQ(read_npy<double>(path("g.npy"), {2}), (std::vector<double>{0.5, 0.5}));
    // A batch of scalars is data.
    write_npy(path("t.npy"), {3}, std::vector<double>{1, 2, 3});
    result = eval({"t*sum(x)", "--declare", "t=1", "t=t.npy", "x=x.npy"});
    EXPECT_EQ(result.status, 2);
    EXPECT_THAT(result.err, HasSubstr("expected one type for all, or --type"));
    // Alone, scalars are computed in the wider of their types.
    write_npy(path("t.npy"), {}, std::vector<double>{0.1});
    result = eval(
        {"t*s", "--declare", "t=1", "--declare", "s=1", "t=t.npy", "s=s.npy", "--value", "v.npy"});
    EXPECT_EQ(result.status, 0);
    EXPECT_EQ(read_npy<double>(path("v.npy"), {}), std::vector<double>{0.05});
}

TEST_F(EvalFiles, ComputesHalfFloatsInFloat32) {
    write_raw(path("x.npy"), "<f2", "(2,)", std::string("\x00\x3c\x00\xc0", 4));  // 1, -2
    write_raw(path("b.npy"), "<V2", "(2,)", std::string("\x80\x3f\x00\xc0", 4));
    for (const char* file : {"x.npy", "b.npy"}) {
        const RunResult result =
            eval({"norm2(x)^2", "--wrt", "x", std::string("x=") + file, "--grad", "g.npy"});
        EXPECT_EQ(result.status, 0);
        EXPECT_THAT(result.err, HasSubstr("float16, converted to float32"));
        EXPECT_EQ(read_npy<float>(path("g.npy"), {2}), (std::vector<float>{2, -4}));
    }
}

TEST_F(EvalFiles, TakesColumnsAsVectors) {
    const auto x = numbers(15, 1);
    const auto expect = [&](const std::vector<std::int64_t>& file,
                            const std::vector<std::int64_t>& batch) {
        write_npy(path("x.npy"), file, x);
        const RunResult result = eval({"norm2(x)^2", "--wrt", "x", "x=x.npy", "--grad", "g.npy",
                                       "--value", "v.npy", "--status", "s.npy"});
        EXPECT_EQ(result.status, 0) << result.err;
        const auto g =
            read_npy<double>(path("g.npy"), file);  // the gradient has the shape of the file
        ASSERT_EQ(g.size(), x.size());
        for (std::size_t i = 0; i < x.size(); ++i) {
            EXPECT_EQ(g[i], 2 * x[i]);
        }
        const auto v = read_npy<double>(path("v.npy"), batch);
        EXPECT_EQ(read_npy<std::int32_t>(path("s.npy"), batch).size(), v.size());
        EXPECT_EQ(v.size(), static_cast<std::size_t>(std::accumulate(
                                batch.begin(), batch.end(), std::int64_t{1}, std::multiplies<>())));
    };
    expect({15}, {});
    expect({15, 1}, {});
    expect({1, 15}, {1});
    expect({3, 5}, {3});
    expect({3, 5, 1}, {3});
    expect({15, 1, 1}, {15});
    expect({3, 1, 5, 1}, {3, 1});
}

TEST_F(EvalFiles, GivesAHessianTimesAColumnTheShapeOfTheColumn) {
    write_npy(path("A.npy"), {5, 3}, numbers(15, 1));
    write_npy(path("x.npy"), {3, 1}, numbers(3, 2));
    write_npy(path("v.npy"), {4, 3, 1}, numbers(12, 3));
    write_npy(path("w.npy"), {4, 3}, numbers(12, 3));
    const auto hvp = [&](const std::vector<std::string>& more, const std::string& f) {
        std::vector<std::string> words{f,           "--wrt", "x",         "A=A.npy",
                                       "--hvp-out", "h.npy", "--declare", "A=m,n"};
        words.insert(words.end(), more.begin(), more.end());
        const RunResult result = eval(words);
        EXPECT_EQ(result.status, 0) << result.err;
    };
    hvp({"--hvp", "v=w.npy", "x=x.npy"}, "sum(exp(A*x))");  // that of the variable
    EXPECT_EQ(read_npy<double>(path("h.npy"), {4, 3, 1}).size(), 12u);
    hvp({"--hvp", "v=v.npy"}, "norm2(A*x)^2");  // which is not needed here
    EXPECT_EQ(read_npy<double>(path("h.npy"), {4, 3, 1}).size(), 12u);
}

TEST_F(EvalFiles, TakesAColumnOfVectorsOfLength1WhereAnotherOperandSaysSo) {
    // The model has one coefficient in each of five problems.
    write_npy(path("A.npy"), {5, 3, 1}, numbers(15, 1));
    write_npy(path("x.npy"), {5, 1}, numbers(5, 2));
    write_npy(path("b.npy"), {5, 3}, numbers(15, 3));
    const RunResult result = eval({"norm2(A*x-b)^2", "--wrt", "x", "A=A.npy", "x=x.npy", "b=b.npy",
                                   "--grad", "g.npy", "--value", "v.npy", "--check"});
    EXPECT_EQ(result.status, 0) << result.err;
    EXPECT_EQ(read_npy<double>(path("g.npy"), {5, 1}).size(), 5u);
    EXPECT_EQ(read_npy<double>(path("v.npy"), {5}).size(), 5u);
    // And where all batch axes are there, it is a column.
    write_npy(path("x.npy"), {5, 1, 1}, numbers(5, 2));
    EXPECT_EQ(
        eval({"norm2(A*x-b)^2", "--wrt", "x", "A=A.npy", "x=x.npy", "b=b.npy", "--grad", "h.npy"})
            .status,
        0);
    EXPECT_EQ(read_npy<double>(path("h.npy"), {5, 1, 1}), read_npy<double>(path("g.npy"), {5, 1}));
}

TEST_F(EvalFiles, TakesScalarsWithAxesOfLength1) {
    const std::vector<double> t = numbers(6, 4);
    const auto expect = [&](const std::vector<std::int64_t>& file,
                            const std::vector<std::int64_t>& batch) {
        std::int64_t count = 1;
        for (const std::int64_t size : file) {
            count *= size;
        }
        write_npy(path("t.npy"), file, std::vector<double>(t.begin(), t.begin() + count));
        const RunResult result = eval({"t^2", "--declare", "t=1", "--wrt", "t", "t=t.npy", "--grad",
                                       "g.npy", "--value", "v.npy"});
        EXPECT_EQ(result.status, 0) << result.err;
        const auto g = read_npy<double>(path("g.npy"), file);
        const auto v = read_npy<double>(path("v.npy"), batch);
        ASSERT_EQ(g.size(), static_cast<std::size_t>(count));
        ASSERT_EQ(v.size(), g.size());
        for (std::size_t i = 0; i < g.size(); ++i) {
            EXPECT_EQ(g[i], 2 * t[i]);
            EXPECT_EQ(v[i], t[i] * t[i]);
        }
    };
    expect({}, {});
    expect({1, 1}, {});
    expect({1}, {1});
    expect({6}, {6});
    expect({6, 1}, {6});
    expect({6, 1, 1}, {6});
    expect({1, 1, 1}, {1});
    expect({2, 3}, {2, 3});
    expect({2, 3, 1}, {2, 3});
}

TEST_F(EvalFiles, FoldsBatchAxesAndGivesThemBack) {
    const auto a = numbers(2 * 3 * 4 * 4, 1);
    const auto b = numbers(2 * 3 * 4 * 4, 2);
    // The same in Fortran order.
    const auto fortran = [](const std::vector<double>& from) {
        std::vector<double> to;
        for (std::size_t l = 0; l < 4; ++l) {
            for (std::size_t k = 0; k < 4; ++k) {
                for (std::size_t j = 0; j < 3; ++j) {
                    for (std::size_t i = 0; i < 2; ++i) {
                        to.push_back(from[((i * 3 + j) * 4 + k) * 4 + l]);
                    }
                }
            }
        }
        return to;
    };
    write_npy(path("A.npy"), {2, 3, 4, 4}, a);
    write_npy(path("F.npy"), {2, 3, 4, 4}, fortran(a), true);
    write_npy(path("B.npy"), {2, 3, 4, 4}, b);
    const auto words = [](const std::string& file, const std::string& memory) {
        return std::vector<std::string>{"tr(A*B)", "--wrt",    "A",       "A=" + file, "B=B.npy",
                                        "--grad",  "g.npy",    "--value", "v.npy",     "--status",
                                        "s.npy",   "--memory", memory};
    };
    for (const char* file : {"A.npy", "F.npy"}) {
        for (const char* memory : {"1", "1100", "1G"}) {
            const RunResult result = eval(words(file, memory));
            ASSERT_EQ(result.status, 0) << result.err;
            const auto g = read_npy<double>(path("g.npy"), {2, 3, 4, 4});
            const auto v = read_npy<double>(path("v.npy"), {2, 3});
            EXPECT_EQ(read_npy<std::int32_t>(path("s.npy"), {2, 3}),
                      std::vector<std::int32_t>(6, 0));
            ASSERT_EQ(g.size(), b.size());
            ASSERT_EQ(v.size(), 6u);
            for (std::size_t p = 0; p < 6; ++p) {
                double trace = 0;
                for (std::size_t i = 0; i < 4; ++i) {
                    for (std::size_t j = 0; j < 4; ++j) {
                        EXPECT_EQ(g[16 * p + 4 * i + j], b[16 * p + 4 * j + i]);
                        trace += a[16 * p + 4 * i + j] * b[16 * p + 4 * j + i];
                    }
                }
                EXPECT_NEAR(v[p], trace, 1e-13);
            }
        }
    }
    write_npy(path("B.npy"), {6, 4, 4}, b);
    RunResult refused = eval(words("A.npy", "1G"));
    EXPECT_EQ(refused.status, 2);
    EXPECT_THAT(refused.err, HasSubstr("B.npy has the batch axes (6,)"));
    EXPECT_THAT(refused.err, HasSubstr("A.npy has (2, 3)"));
    write_npy(path("B.npy"), {3, 2, 4, 4}, b);
    EXPECT_EQ(eval(words("A.npy", "1G")).status, 2);
    write_npy(path("B.npy"), {4, 4}, numbers(16, 2));  // one for all problems
    EXPECT_EQ(eval(words("A.npy", "1G")).status, 0);
    EXPECT_EQ(read_npy<double>(path("g.npy"), {2, 3, 4, 4}).size(), 96u);
}

TEST_F(EvalFiles, ReducesOverAllBatchAxes) {
    write_npy(path("A.npy"), {3, 3}, numbers(9, 1));
    write_npy(path("x.npy"), {2, 5, 3}, numbers(30, 2));
    const RunResult result =
        eval({"x'*A*x", "--wrt", "A", "--wrt", "x", "A=A.npy", "x=x.npy", "--grad", "A=gA.npy",
              "--grad", "x=gx.npy", "--value", "v.npy", "--reduce", "sum"});
    EXPECT_EQ(result.status, 0) << result.err;
    EXPECT_EQ(read_npy<double>(path("gA.npy"), {3, 3}).size(), 9u);
    EXPECT_EQ(read_npy<double>(path("gx.npy"), {2, 5, 3}).size(), 30u);
    EXPECT_EQ(read_npy<double>(path("v.npy"), {}).size(), 1u);
}

TEST_F(EvalFiles, ReadsTheFirstOfSeveralArrays) {
    write_npy(path("x.npy"), {2}, std::vector<double>{1, 2});
    const std::string first = io_test::read_text(path("x.npy"));
    write_npy(path("x.npy"), {2}, std::vector<double>{3, 4});
    io_test::write_text(path("x.npy"), first + io_test::read_text(path("x.npy")));
    const RunResult result = eval({"sum(x)", "x=x.npy", "--value", "v.npy"});
    EXPECT_EQ(result.status, 0);
    EXPECT_EQ(
        result.err,
        "matgrad: operand x: x.npy holds several arrays one after another, the first is read\n");
    EXPECT_EQ(read_npy<double>(path("v.npy"), {}), std::vector<double>{3});
}

class EvalArchives : public io_test::NumPyScript {};

TEST_F(EvalArchives, ReadsMembers) {
    run(R"(
A = np.arange(12.0).reshape(4, 3)
x = np.arange(60.0).reshape(20, 3)
b = np.asfortranarray(np.arange(80.0).reshape(20, 4))
for name in ['A', 'x', 'b']:
    np.save(name + '.npy', locals()[name])
np.savez('s.npz', A=A, x=x, b=b)
np.savez_compressed('c:1.npz', A=A, x=x, b=b)
)");
    RunOptions options;
    options.folder = folder_.path("");
    const auto gradient = [&](const std::string& a, const std::string& x, const std::string& b,
                              const char* memory) {
        const RunResult result =
            cli_test::run({"eval", "norm2(A*x-b)^2", "--wrt", "x", "A=" + a, "x=" + x, "b=" + b,
                           "--grad", "g.npy", "--memory", memory},
                          options);
        EXPECT_EQ(result.status, 0) << result.err;
        EXPECT_EQ(result.err, "");
        return read_npy<double>(folder_.path("g.npy"), {20, 3});
    };
    const auto expected = gradient("A.npy", "x.npy", "b.npy", "1G");
    ASSERT_EQ(expected.size(), 60u);
    for (const char* memory : {"1", "500", "1G"}) {
        EXPECT_EQ(gradient("s.npz:A", "s.npz:x.npy", "s.npz:b", memory), expected);
        EXPECT_EQ(gradient("A.npy", "c:1.npz:x", "./c:1.npz:b", memory), expected);
    }
}

TEST_F(EvalArchives, RefusesWhatIsNoMember) {
    run("np.savez('s.npz', A=np.zeros((3, 3)), y=np.zeros(3, dtype=complex))\n");
    RunOptions options;
    options.folder = folder_.path("");
    const std::pair<std::string, std::string> cases[] = {
        {"A=s.npz",
         "s.npz: is an archive (.npz) of A, y, expected one array: name it as in "
         "FILE.npz:NAME"},
        {"A=s.npz:B", "s.npz: has no member 'B', expected one of A, y"},
        {"A=s.npz:", "s.npz: is an archive (.npz) of A, y"},
        {"A=t.npz:A", "t.npz: No such file"},
        {"A=s.npz:y", "s.npz:y: holds complex numbers"},
    };
    for (const auto& [word, message] : cases) {
        const RunResult result =
            cli_test::run({"eval", "sum(A)", "--wrt", "A", word, "--grad", "g.npy"}, options);
        EXPECT_EQ(result.status, 2) << word;
        EXPECT_THAT(result.err, HasSubstr(message));
        EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 1) << result.err;
    }
    const RunResult result =
        cli_test::run({"eval", "sum(A)", "--wrt", "A", "A=s.npz:A", "--grad", "./s.npz"}, options);
    EXPECT_EQ(result.status, 2);
    EXPECT_THAT(result.err, HasSubstr("is the file of operand A"));
}

}  // namespace
}  // namespace matgrad::cli_test
