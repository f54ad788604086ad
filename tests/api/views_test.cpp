// Views of whatever holds a matrix: each is read as its owner means it.

#include "matgrad/views.hpp"

#include <gtest/gtest.h>

#include <Eigen/Dense>
#include <array>
#include <concepts>
#include <span>
#include <vector>

#include "matgrad/matgrad.hpp"

namespace matgrad {
namespace {

/// What is made like std::mdspan, which this compiler does not have.
template <typename T, std::size_t Rank>
struct Mdspan {
    T* data;
    std::array<std::int64_t, Rank> extents;
    std::array<std::int64_t, Rank> strides;

    [[nodiscard]] T* data_handle() const { return data; }
    [[nodiscard]] std::int64_t extent(std::size_t i) const { return extents[i]; }
    [[nodiscard]] std::int64_t stride(std::size_t i) const { return strides[i]; }
    [[nodiscard]] static constexpr std::size_t rank() { return Rank; }
};

/// a'*X*b for a 2-by-3 X: of [1 2 3; 4 5 6] 1002003 + 10*4005006 in base 1000, every entry at its place.
double read(const ConstView& X) {
    static const Plan plan =
        make_plan(parse("a'*X*b"), {shared("a", 2), shared("X", 2, 3), shared("b", 3)});
    const std::array<double, 2> a{1, 10};
    const std::array<double, 3> b{1e6, 1e3, 1};
    double value = 0;
    plan.run({{"a", a}, {"X", X}, {"b", b}}, {{"value", value}});
    return value;
}
constexpr double kRight = 1'002'003 + 10 * 4'005'006.0;

TEST(Views, OfContainersAndPointersAreRowMajorOrAsTheySay) {
    std::vector<double> rows{1, 2, 3, 4, 5, 6};
    const std::vector<double> columns{1, 4, 2, 5, 3, 6};
    const double plain[] = {1, 2, 3, 4, 5, 6};
    EXPECT_EQ(read(rows), kRight);
    EXPECT_EQ(read(std::span(rows)), kRight);
    EXPECT_EQ(read(plain), kRight);
    EXPECT_EQ(read(row_major(rows, 2, 3)), kRight);
    EXPECT_EQ(read(row_major(rows.data(), 2, 3)), kRight);
    EXPECT_EQ(read(column_major(columns, 2, 3)), kRight);
    EXPECT_EQ(read(column_major(columns.data(), 2, 3)), kRight);
    EXPECT_EQ(read(strided(rows.data() + 5, 2, 3, -3, -1)), 6'005'004 + 10 * 3'002'001.0);
    EXPECT_EQ(read({rows.data(), ScalarType::float64, 2, 3, 3, 1}), kRight);
}

TEST(Views, OfEigenAreReadAsTheyLie) {
    Eigen::MatrixXd columns(2, 3);
    columns << 1, 2, 3, 4, 5, 6;
    const Eigen::Matrix<double, 2, 3, Eigen::RowMajor> rows = columns;
    Eigen::MatrixXd larger = Eigen::MatrixXd::Constant(5, 7, -1);
    larger.block(2, 3, 2, 3) = columns;
    const Eigen::MatrixXd transposed = columns.transpose();
    EXPECT_EQ(read(columns), kRight);
    EXPECT_EQ(read(rows), kRight);
    EXPECT_EQ(read(larger.block(2, 3, 2, 3)), kRight);
    EXPECT_EQ(read(transposed.transpose()), kRight);
    EXPECT_EQ(read(Eigen::Map<const Eigen::MatrixXd, 0, Eigen::OuterStride<>>(
                  columns.data(), 2, 3, Eigen::OuterStride<>(2))),
              kRight);
    // And written: the gradient of tr(A'*X) by X is A.
    const Plan plan = make_plan(parse("tr(A'*X)"), {shared("A", 2, 3), shared("X", 2, 3)},
                                {.value = false, .wrt = {"X"}});
    larger.setZero();
    plan.run({{"A", rows}, {"X", rows}}, {{"gradient X", larger.block(1, 1, 2, 3)}});
    EXPECT_EQ(larger.block(1, 1, 2, 3), columns);
    EXPECT_EQ(larger.sum(), columns.sum());
}

TEST(Views, OfMdspansHaveTheirExtentsAndStrides) {
    double data[] = {0, 1, 2, 3, 0, 4, 5, 6};
    EXPECT_EQ(read(Mdspan<double, 2>{data + 1, {2, 3}, {4, 1}}), kRight);
    EXPECT_EQ(read(Mdspan<const double, 2>{data + 1, {2, 3}, {4, 1}}), kRight);
    const ConstView column = Mdspan<float, 1>{nullptr, {7}, {2}};
    EXPECT_EQ(column.rows(), 7);
    EXPECT_EQ(column.cols(), 1);
    EXPECT_EQ(column.row_stride(), 2);
    EXPECT_EQ(column.type(), ScalarType::float32);
    const View batch = Mdspan<double, 3>{data, {5, 2, 3}, {6, 3, 1}};
    EXPECT_EQ(batch.batch(), 5);
    EXPECT_EQ(batch.batch_stride(), 6);
    EXPECT_EQ(batch.rows(), 2);
    EXPECT_EQ(batch.col_stride(), 1);
}

TEST(Views, OfAContainerMayHaveStridesBetweenProblems) {
    const Plan plan = make_plan(parse("norm2(x)^2"), {batched("x", 2)});
    std::vector<double> x{1, 2, 3, 4, 5, 6}, value(3);
    plan.run({ConstView(x).batched(3)}, {value});
    EXPECT_EQ(value, (std::vector<double>{5, 25, 61}));
    plan.run({ConstView(x).batched(3, 0)}, {value});
    EXPECT_EQ(value, (std::vector<double>{5, 5, 5}));
    plan.run({ConstView(x).batched(2, 4)}, {std::span(value).first(2)});
    EXPECT_EQ(value, (std::vector<double>{5, 61, 5}));
}

TEST(Views, OfEigenEndWithTheMatrix) {
    const Plan plan = make_plan(parse("norm2(X)^2"), {batched("X", 2, 2)});
    const Eigen::MatrixXd one = Eigen::MatrixXd::Ones(2, 2);
    std::vector<double> value(1000);
    try {
        plan.run({ConstView(one).batched(1000)}, {value});
        ADD_FAILURE() << "999 matrices are not there";
    } catch (const OperandError& error) {
        EXPECT_STREQ(error.what(),
                     "operand X reaches past its memory: found entries 0 to 3999 of 4");
    }
}

TEST(Views, KnowTheirBatchAndTheirEnd) {
    std::vector<float> data(100);
    const View v = column_major(data, 3, 4).batched(5, 20);
    EXPECT_EQ(v.batch(), 5);
    EXPECT_EQ(v.batch_stride(), 20);
    EXPECT_EQ(v.row_stride(), 1);
    EXPECT_EQ(v.col_stride(), 3);
    EXPECT_EQ(v.entries(), 100);
    EXPECT_EQ(v.batched(2).batch_stride(), 12);
    EXPECT_EQ(v.within(7).entries(), 7);
    const ConstView c = v;
    EXPECT_EQ(c.data(), v.data());
    EXPECT_EQ(c.batch_stride(), 20);
    EXPECT_EQ(column(data, 3).cols(), 1);
}

// What would be a wrong number, or memory that is gone, does not compile.
static_assert(!std::convertible_to<std::vector<int>&, ConstView>);
static_assert(!std::convertible_to<Eigen::MatrixXi&, ConstView>);
static_assert(!std::convertible_to<Eigen::MatrixXcd&, View>);
static_assert(!std::convertible_to<Mdspan<int, 2>&, ConstView>);
static_assert(!std::convertible_to<std::vector<double>, ConstView>, "its memory would be gone");
static_assert(!std::convertible_to<const std::vector<double>&, View>, "a result is written");
static_assert(!std::convertible_to<const double*, ConstView>, "a pointer has no sizes");
static_assert(!std::convertible_to<const Eigen::MatrixXd&, View>);
static_assert(!std::convertible_to<const double&, View>);
static_assert(!std::convertible_to<ConstView, View>);
static_assert(std::convertible_to<View, ConstView>);
static_assert(std::convertible_to<std::span<const float>, ConstView>);

}  // namespace
}  // namespace matgrad
