// matgrad beside loops written by hand with Eigen, in one run: value and gradients as training calls them.
//
//     matgrad_training_peers [SECONDS]        of each comparison at most; 3
//
// Both sides take the same arrays and the same number of threads, in turn, in blocks of some 5 ms; the best
// block of each counts, so that what else a machine does shows least. Results are compared first: exit status 1 if
// they differ by more than rounding. By hand the better of one thread and all is taken where the loop is one
// product after the other, since Eigen's threads do not always pay.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <functional>
#include <limits>
#include <matgrad/matgrad.hpp>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "bench/threads.hpp"
#include "bench/timing.hpp"
#include "by_hand.hpp"

namespace {

using Call = std::function<void()>;

template <typename T>
std::vector<T> random_numbers(std::int64_t count, std::uint64_t seed) {
    std::mt19937_64 engine(seed);
    std::vector<T> numbers(static_cast<std::size_t>(count));
    for (T& x : numbers) {
        x = static_cast<T>(static_cast<double>(engine() >> 11) * 0x1p-52 - 1);
    }
    return numbers;
}

/// The best seconds of one call of each, measured in turn.
std::vector<double> best_of(const std::vector<Call>& calls, double seconds) {
    using namespace matgrad::bench;
    std::vector<std::int64_t> counts;
    std::vector<double> best(calls.size(), std::numeric_limits<double>::infinity());
    for (const Call& call : calls) {
        call();
        const auto start = Clock::now();
        call();
        counts.push_back(1 + static_cast<std::int64_t>(5e-3 / seconds_since(start)));
    }
    const auto begin = Clock::now();
    do {
        for (std::size_t i = 0; i < calls.size(); ++i) {
            const auto start = Clock::now();
            for (std::int64_t j = 0; j < counts[i]; ++j) {
                calls[i]();
            }
            best[i] = std::min(best[i], seconds_since(start) / static_cast<double>(counts[i]));
        }
    } while (seconds_since(begin) < seconds);
    return best;
}

/// max |a - b| / max |b|
template <typename T>
double difference(const std::vector<T>& a, const std::vector<T>& b) {
    double largest = 0;
    double scale = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        const double apart = std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i]));
        largest = apart <= largest ? largest : apart;
        scale = std::max(scale, std::abs(static_cast<double>(b[i])));
    }
    return largest / scale;
}

/// One comparison: calls of matgrad and by hand with a number of threads, and how far their results are apart.
struct Comparison {
    const char* name;
    std::function<Call(int threads)> ours;
    std::function<Call(int threads)> by_hand;
    std::function<double()> apart;
    double rounding;
    bool is_one_matrix;  ///< by hand: Eigen's own threads
};

bool compare(const Comparison& c, double seconds) {
    c.ours(1)();
    c.by_hand(1)();
    const double apart = c.apart();
    const bool agrees = apart <= c.rounding;
    std::vector<int> thread_counts{1};
    if (matgrad::bench::machine_threads() > 1) {
        thread_counts.push_back(matgrad::bench::machine_threads());
    }
    for (const int threads : thread_counts) {
        std::vector<Call> calls{c.ours(threads), c.by_hand(threads)};
        if (c.is_one_matrix && threads > 1) {
            calls.push_back(c.by_hand(1));
        }
        const std::vector<double> best = best_of(calls, seconds);
        const double by_hand = *std::min_element(best.begin() + 1, best.end());
        std::printf("%-52s %7d %10.1f %10.1f %7.2f %10.1e%s\n", c.name, threads, best[0] * 1e6,
                    by_hand * 1e6, by_hand / best[0], apart, agrees ? "" : "  FAIL");
        std::fflush(stdout);
    }
    return agrees;
}

bool gaussians(double seconds) {
    constexpr std::int64_t batch = 5000;
    std::vector<double> p = random_numbers<double>(64 * batch, 1);
    std::vector<double> s = random_numbers<double>(64 * batch, 2);
    for (std::size_t i = 0; i < p.size(); ++i) {  // symmetric, P diagonally dominant
        const std::size_t row = i % 64 / 8;
        const std::size_t col = i % 8;
        const std::size_t mirror = i - i % 64 + col * 8 + row;
        p[i] = row == col ? 9 : p[std::min(i, mirror)];
        s[i] = s[std::min(i, mirror)];
    }
    std::vector<double> value(batch), gradient(p.size()), own_value(batch), own_gradient(p.size());
    std::vector<std::int32_t> status(batch);
    const auto ours = [&](int threads) -> Call {
        const matgrad::Plan plan =
            matgrad::make_plan(matgrad::parse("-logdet(P) + tr(S*P)", {"P=n,n:spd", "S=n,n:sym"}),
                               {matgrad::batched("P", 8, 8), matgrad::batched("S", 8, 8)},
                               {.wrt = {"P"}, .threads = threads, .expected_batch = batch});
        return [&, plan] { plan.run({p, s}, {value, gradient}, status); };
    };
    const auto by_hand = [&](int threads) -> Call {
        return [&, threads] {
            by_hand_gaussians(threads, batch, p.data(), s.data(), own_value.data(),
                              own_gradient.data());
        };
    };
    const auto apart = [&] {
        return std::max(difference(value, own_value), difference(gradient, own_gradient));
    };
    return compare({"5,000 Gaussians 8x8, double", ours, by_hand, apart, 1e-13, false}, seconds);
}

bool logistic(double seconds) {
    constexpr std::int64_t batch = 500;
    constexpr std::int64_t m = 569;
    constexpr std::int64_t n = 31;
    const std::vector<double> x = random_numbers<double>(m * n, 1);
    const std::vector<double> w = random_numbers<double>(n * batch, 2);
    std::vector<double> s = random_numbers<double>(m, 3);
    std::vector<double> c = random_numbers<double>(m * batch, 4);
    for (double& sign : s) {
        sign = sign < 0 ? -1 : 1;
    }
    for (double& count : c) {
        count = std::floor(2 + 2 * count);
    }
    std::vector<double> value(batch), gradient(w.size()), own_value(batch), own_gradient(w.size());
    const auto ours = [&](int threads) -> Call {
        const matgrad::Plan plan =
            matgrad::make_plan(matgrad::parse("sum(c.*softplus(-s.*(X*w)))"),
                               {matgrad::batched("c", m), matgrad::shared("s", m),
                                matgrad::shared("X", m, n), matgrad::batched("w", n)},
                               {.wrt = {"w"}, .threads = threads, .expected_batch = batch});
        return [&, plan] {
            plan.run({{"c", c}, {"s", s}, {"X", x}, {"w", w}},
                     {{"value", value}, {"gradient w", gradient}});
        };
    };
    bool with_log1p = true;
    const auto by_hand = [&](int threads) -> Call {
        return [&, threads] {
            by_hand_logistic(threads, with_log1p, batch, m, n, c.data(), s.data(), x.data(),
                             w.data(), own_value.data(), own_gradient.data());
        };
    };
    const auto apart = [&] {
        return std::max(difference(value, own_value), difference(gradient, own_gradient));
    };
    const bool agree = compare(
        {"500 logistic regressions 569x31, double", ours, by_hand, apart, 1e-13, false}, seconds);
    with_log1p = false;
    return compare(
               {"the same, by hand log(1 + e) for log1p(e)", ours, by_hand, apart, 1e-13, false},
               seconds) &&
           agree;
}

bool components(double seconds) {
    constexpr std::int64_t batch = 256;
    constexpr std::int64_t d = 64;
    constexpr std::int64_t r = 8;
    const std::vector<float> x = random_numbers<float>(d * batch, 1);
    const std::vector<float> w = random_numbers<float>(d * r, 2);
    std::vector<float> value(1), gradient(w.size()), own_value(1), own_gradient(w.size());
    const auto ours = [&](int threads) -> Call {
        const matgrad::Plan plan =
            matgrad::make_plan(matgrad::parse("0.5*norm2(x - W*W'*x)^2"),
                               {matgrad::batched("x", d), matgrad::shared("W", d, r)},
                               {.type = matgrad::ScalarType::float32,
                                .reduction = matgrad::Reduction::sum,
                                .wrt = {"W"},
                                .threads = threads,
                                .expected_batch = batch});
        return [&, plan] {
            plan.run({{"x", x}, {"W", w}}, {{"value", value}, {"gradient W", gradient}});
        };
    };
    const auto by_hand = [&](int threads) -> Call {
        return [&, threads] {
            by_hand_components(threads, batch, d, r, x.data(), w.data(), own_value.data(),
                               own_gradient.data());
        };
    };
    const auto apart = [&] {
        return std::max(difference(value, own_value), difference(gradient, own_gradient));
    };
    return compare({"a step of components, 256 of 64, 8, float", ours, by_hand, apart, 1e-5, true},
                   seconds);
}

bool factorisation(double seconds) {
    constexpr std::int64_t batch = 1797;
    constexpr std::int64_t d = 64;
    constexpr std::int64_t r = 8;
    const std::vector<float> x = random_numbers<float>(d * batch, 1);
    const std::vector<float> v = random_numbers<float>(d * r, 2);
    const std::vector<float> u = random_numbers<float>(r * batch, 3);
    std::vector<float> value(1), dv(v.size()), du(u.size());
    std::vector<float> own_value(1), own_dv(v.size()), own_du(u.size());
    const auto ours = [&](int threads) -> Call {
        const matgrad::Plan plan = matgrad::make_plan(
            matgrad::parse("0.5*norm2(x - V*u)^2"),
            {matgrad::batched("x", d), matgrad::shared("V", d, r), matgrad::batched("u", r)},
            {.type = matgrad::ScalarType::float32,
             .reduction = matgrad::Reduction::sum,
             .wrt = {"V", "u"},
             .threads = threads,
             .expected_batch = batch});
        return [&, plan] {
            plan.run({{"x", x}, {"V", v}, {"u", u}},
                     {{"value", value}, {"gradient V", dv}, {"gradient u", du}});
        };
    };
    const auto by_hand = [&](int threads) -> Call {
        return [&, threads] {
            by_hand_factorisation(threads, batch, d, r, x.data(), v.data(), u.data(),
                                  own_value.data(), own_dv.data(), own_du.data());
        };
    };
    const auto apart = [&] {
        return std::max(
            {difference(value, own_value), difference(dv, own_dv), difference(du, own_du)});
    };
    return compare(
        {"factorisation, both gradients, 1,797 of 64, 8, float", ours, by_hand, apart, 1e-5, true},
        seconds);
}

}  // namespace

int main(int argc, char** argv) {
    try {
        const double seconds = argc > 1 ? std::atof(argv[1]) : 3;
        std::printf("%-52s %7s %10s %10s %7s %10s\n", "value and gradients", "threads",
                    "matgrad us", "by hand us", "ratio", "apart");
        bool agree = gaussians(seconds);
        agree = logistic(seconds) && agree;
        agree = components(seconds) && agree;
        agree = factorisation(seconds) && agree;
        return agree ? 0 : 1;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "matgrad_training_peers: %s\n", error.what());
        return 2;
    }
}
