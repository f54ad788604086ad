/// Gram matrices in `robust`: the error of value and gradient is at most 20 times the change that a
/// perturbation of the root by one last place of its norm may make in them, up to conditions of 1e13 in double and 1e5 in
/// float, in every layout. What is singular by shape or by number fails.
///
/// The reference is a Householder QR of the root in long double, whose own roundings are 2000 times finer: it
/// never forms the Gram matrix.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "executors/executor_under_test.hpp"
#include "executors/naive.hpp"
#include "matgrad/status.hpp"
#include "support/plan_request.hpp"

namespace matgrad::test {
namespace {

/// R of a = Q R, n-by-n; a has at least as many rows as columns.
Naive qr_triangle(Naive a) {
    for (std::int64_t k = 0; k < a.cols; ++k) {
        long double square = 0;
        for (std::int64_t i = k; i < a.rows; ++i) {
            square += a(i, k) * a(i, k);
        }
        const long double target = a(k, k) > 0 ? -std::sqrt(square) : std::sqrt(square);
        std::vector<long double> v(static_cast<std::size_t>(a.rows));
        long double length = 0;
        for (std::int64_t i = k; i < a.rows; ++i) {
            v[static_cast<std::size_t>(i)] = a(i, k) - (i == k ? target : 0);
            length += v[static_cast<std::size_t>(i)] * v[static_cast<std::size_t>(i)];
        }
        for (std::int64_t j = k; j < a.cols && length > 0; ++j) {
            long double sum = 0;
            for (std::int64_t i = k; i < a.rows; ++i) {
                sum += v[static_cast<std::size_t>(i)] * a(i, j);
            }
            for (std::int64_t i = k; i < a.rows; ++i) {
                a(i, j) -= 2 * sum / length * v[static_cast<std::size_t>(i)];
            }
        }
    }
    Naive r(a.cols, a.cols);
    for (std::int64_t i = 0; i < a.cols; ++i) {
        for (std::int64_t j = i; j < a.cols; ++j) {
            r(i, j) = a(i, j);
        }
    }
    return r;
}

enum class Kind { logdet, logdet_of_multiple, trace_of_inverse };

struct Answer {
    long double value;
    Naive gradient;
};

/// logdet(X'X) and 2 X inv(X'X), the same for 7 X'X, or tr(inv(X'X)) and -2 X inv(X'X)^2, by X = Q R.
Answer reference(Kind kind, const Naive& x) {
    const Naive r = qr_triangle(x);
    const Naive inverse = inverse_of_triangle(r, false);
    const Naive first = multiply(multiply(x, inverse), transpose(inverse));
    if (kind != Kind::trace_of_inverse) {
        long double value =
            kind == Kind::logdet ? 0 : static_cast<long double>(x.cols) * std::log(7.0L);
        for (std::int64_t i = 0; i < r.rows; ++i) {
            value += 2 * std::log(std::abs(r(i, i)));
        }
        return {value, scaled(2, first)};
    }
    long double value = 0;
    for (const long double entry : inverse.data) {
        value += entry * entry;
    }
    return {value, scaled(-2, multiply(multiply(first, inverse), transpose(inverse)))};
}

long double distance(const Naive& a, const Naive& b) {
    long double sum = 0;
    for (std::size_t i = 0; i < a.data.size(); ++i) {
        sum += (a.data[i] - b.data[i]) * (a.data[i] - b.data[i]);
    }
    return std::sqrt(sum);
}

long double length(const Naive& a) {
    return distance(a, scaled(0, a));
}

/// u*v' of unit length with X*v = s*u and s the smallest singular value: the direction that X is most sensitive in.
Naive weakest_direction(const Naive& x) {
    const Naive inverse = inverse_of_triangle(qr_triangle(x), false);
    const Naive square = multiply(inverse, transpose(inverse));
    Naive v(x.cols, 1);
    for (std::size_t i = 0; i < v.data.size(); ++i) {
        v.data[i] = 1 + 0.1L * static_cast<long double>(i);
    }
    for (int step = 0; step < 30; ++step) {
        v = multiply(square, v);
        v = scaled(1 / length(v), v);
    }
    const Naive image = multiply(x, v);
    return multiply(scaled(1 / length(image), image), transpose(v));
}

struct Change {
    long double value, gradient;
};

/// By a perturbation of X of size eps*|X| in its weakest direction; not less than eps of the answer.
Change change(Kind kind, const Naive& x, const Answer& exact, long double eps) {
    const Answer moved = reference(kind, plus(x, scaled(eps * length(x), weakest_direction(x))));
    return {std::max(eps * std::abs(exact.value), std::abs(moved.value - exact.value)),
            std::max(eps * length(exact.gradient), distance(moved.gradient, exact.gradient))};
}

/// Columns that are orthogonal to rounding.
Naive orthogonal(std::int64_t m, std::int64_t n, std::mt19937& engine) {
    std::normal_distribution<double> normal;
    Naive a(m, n);
    for (long double& entry : a.data) {
        entry = normal(engine);
    }
    return multiply(a, inverse_of_triangle(qr_triangle(a), false));
}

/// Of singular values from 1 down to 1/condition, evenly spaced on a scale of logarithms.
Naive of_condition(std::int64_t m, std::int64_t n, double condition, std::mt19937& engine) {
    Naive left = orthogonal(m, n, engine);
    const Naive right = orthogonal(n, n, engine);
    for (std::int64_t c = 0; c < n; ++c) {
        const auto place =
            static_cast<double>(c) / static_cast<double>(std::max<std::int64_t>(1, n - 1));
        for (std::int64_t r = 0; r < m; ++r) {
            left(r, c) *= std::pow(condition, -place);
        }
    }
    return multiply(left, transpose(right));
}

Program program_of(Kind kind, std::int64_t m, std::int64_t n, ScalarType type) {
    const char* f = kind == Kind::logdet               ? "logdet(X'*X)"
                    : kind == Kind::logdet_of_multiple ? "logdet(7*X'*X)"
                                                       : "tr(inv(X'*X))";
    return make_program(
        value_and_gradient_request(f, "X", {{"X", m, n, true}}, type, Accuracy::robust, 1000));
}

struct Case {
    std::int64_t m, n;
};
constexpr Case kCases[] = {{2, 2}, {5, 5}, {8, 4}, {20, 5}, {24, 16}, {70, 66}, {300, 33}};

void check_condition(ScalarType type, Kind kind, const Case& size, double condition) {
    SCOPED_TRACE(testing::Message() << "X " << size.m << "x" << size.n << " condition " << condition
                                    << " kind " << static_cast<int>(kind));
    const bool is_large = size.n > 16;
    const std::int64_t batch = is_large ? 2 : 18;
    std::mt19937 engine(static_cast<unsigned>(size.m * 1000 + size.n));
    Matrices X(type, batch, size.m, size.n);
    for (std::int64_t p = 0; p < batch; ++p) {
        // One well-conditioned problem among the others.
        const Naive x = of_condition(size.m, size.n, p == 1 ? 2 : condition, engine);
        for (std::int64_t r = 0; r < size.m; ++r) {
            for (std::int64_t c = 0; c < size.n; ++c) {
                X.set(p, r, c, static_cast<double>(x(r, c)));
            }
        }
    }
    const Program program = program_of(kind, size.m, size.n, type);
    const std::int64_t tried = is_large ? 1 : 4;
    std::vector<Answer> exact;
    std::vector<Change> changes;
    for (std::int64_t p = 0; p < tried; ++p) {
        exact.push_back(reference(kind, matrix(X, p)));
        changes.push_back(change(kind, matrix(X, p), exact.back(), 2 * unit(type)));
    }
    for (const ExecutorUnderTest& executor : executors_under_test()) {
        if (executor.small_only && is_large) {
            continue;
        }
        SCOPED_TRACE(executor.name);
        Matrices value(type, batch, 1, 1);
        Matrices gradient(type, batch, size.m, size.n);
        const RunResult result = run(executor, program, batch, {&X}, {&value, &gradient}, 2);
        EXPECT_EQ(result.summary.failed, 0);
        for (std::int64_t p = 0; p < tried; ++p) {
            const auto i = static_cast<std::size_t>(p);
            EXPECT_LE(std::abs(value.get(p, 0, 0) - exact[i].value), 20 * changes[i].value)
                << "value of problem " << p;
            EXPECT_LE(distance(matrix(gradient, p), exact[i].gradient), 20 * changes[i].gradient)
                << "gradient of problem " << p;
        }
    }
}

TEST(GramCare, DoubleIsRightUpToACondition1e13) {
    for (const Case& size : kCases) {
        for (const double condition : {1., 3., 7., 12., 20., 1e2, 1e3, 1e5, 1e7, 1e8, 1e10, 1e13}) {
            check_condition(ScalarType::float64, Kind::logdet, size, condition);
            check_condition(ScalarType::float64, Kind::logdet_of_multiple, size, condition);
            if (size.n <= 16) {
                check_condition(ScalarType::float64, Kind::trace_of_inverse, size, condition);
            }
            ASSERT_FALSE(HasFailure());
        }
    }
}

TEST(GramCare, FloatIsRightUpToACondition1e5) {
    for (const Case& size : kCases) {
        for (const double condition : {1., 10., 1e3, 1e5}) {
            check_condition(ScalarType::float32, Kind::logdet, size, condition);
            ASSERT_FALSE(HasFailure());
        }
    }
}

TEST(GramCare, RootsWithDependentColumnsFailAndTheirNeighboursKeepEveryBit) {
    for (const ScalarType type : kTypes) {
        for (const Case& size : kCases) {
            constexpr std::int64_t kBatch = 20;
            Matrices good(type, kBatch, size.m, size.n);
            good.fill_random(5);
            Matrices X = good;
            const auto is_bad = [](std::int64_t p) { return p % 3 == 1; };
            for (std::int64_t p = 0; p < kBatch; ++p) {
                for (std::int64_t r = 0; r < size.m && is_bad(p); ++r) {
                    double sum = 0;  // the last column, of all the others
                    for (std::int64_t c = 0; c + 1 < size.n; ++c) {
                        sum += X.get(p, r, c);
                    }
                    X.set(p, r, size.n - 1, sum / 2);
                }
            }
            const Program program = program_of(Kind::logdet, size.m, size.n, type);
            for (const ExecutorUnderTest& executor : executors_under_test()) {
                SCOPED_TRACE(testing::Message() << executor.name << " X " << size.m << "x" << size.n
                                                << " type " << static_cast<int>(type));
                if (executor.small_only && size.n > 16) {
                    continue;
                }
                Matrices values[2] = {{type, kBatch, 1, 1}, {type, kBatch, 1, 1}};
                Matrices gradients[2] = {{type, kBatch, size.m, size.n},
                                         {type, kBatch, size.m, size.n}};
                run(executor, program, kBatch, {&good}, {values, gradients});
                const RunResult result =
                    run(executor, program, kBatch, {&X}, {values + 1, gradients + 1});
                for (std::int64_t p = 0; p < kBatch; ++p) {
                    const std::int32_t status = result.status[static_cast<std::size_t>(p)];
                    ASSERT_EQ(succeeded(status), !is_bad(p))
                        << to_text(status) << ", problem " << p;
                    if (is_bad(p)) {
                        EXPECT_TRUE(status_kind(status) == StatusKind::ill_conditioned ||
                                    status_kind(status) == StatusKind::not_positive);
                        EXPECT_TRUE(std::isnan(values[1].get(p, 0, 0)));
                    } else {
                        EXPECT_TRUE(gradients[0].same_bits(p, gradients[1], p)) << p;
                    }
                }
            }
        }
    }
}

}  // namespace
}  // namespace matgrad::test
