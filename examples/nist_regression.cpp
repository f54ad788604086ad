// The gradient of norm2(A*x - b)^2 at the certified coefficients of NIST's linear regressions.
//
//     nist_regression [DIRECTORY of *.dat]
//
// At the least-squares solution the gradient 2 A'(A x - b) vanishes. NIST prints its solutions, found
// in 500-digit arithmetic, with 15 digits, so in double each entry of the gradient is at most
// 2.2e-15 of the same sum taken over magnitudes, 2 |A|'(|A| |x| + |b|): however badly conditioned A is
// (Filip: 1.8e15), a gradient is a product and loses nothing. Exit status 1 if one is larger.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <fstream>
#include <matgrad/matgrad.hpp>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

constexpr double kBound = 2.2e-15;

/// y = A x + noise with A row-major, `num_rows` by x.size(), and x certified.
struct Regression {
    std::int64_t num_rows = 0;
    std::vector<double> a;
    std::vector<double> x;
    std::vector<double> b;
};

/// How the columns of A come from the predictors of the file.
enum class Model { polynomial, intercept_and_predictors, predictors };

/// Lines `first` to `last`, counted from 1, that the header announces after `what`.
std::vector<std::string> announced_lines(const std::vector<std::string>& lines,
                                         const std::string& what) {
    for (const std::string& line : lines) {
        const std::size_t at = line.find("(lines");
        std::size_t first = 0;
        std::size_t last = 0;
        if (line.find(what) < at && at != std::string::npos &&
            std::sscanf(line.c_str() + at, "(lines %zu to %zu)", &first, &last) == 2 &&
            1 <= first && first <= last && last <= lines.size()) {
            return {lines.begin() + static_cast<std::ptrdiff_t>(first) - 1,
                    lines.begin() + static_cast<std::ptrdiff_t>(last)};
        }
    }
    throw std::runtime_error("no lines announced for " + what);
}

Regression read_regression(const std::string& path, Model model) {
    std::ifstream file(path);
    if (!file) {
        throw std::runtime_error("cannot read " + path);
    }
    std::vector<std::string> lines;
    for (std::string line; std::getline(file, line);) {
        lines.push_back(line);
    }

    Regression regression;
    for (const std::string& line : announced_lines(lines, "Certified Values")) {
        std::istringstream words(line);
        std::string name;
        double estimate = 0;
        if (words >> name >> estimate && name.size() <= 3 && name[0] == 'B') {
            regression.x.push_back(estimate);
        }
    }
    const std::size_t num_cols = regression.x.size();
    for (const std::string& line : announced_lines(lines, "Data")) {
        std::istringstream words(line);
        double y = 0;
        if (!(words >> y)) {
            continue;
        }
        regression.b.push_back(y);
        std::vector<double> row;
        if (model != Model::predictors) {
            row.push_back(1);
        }
        for (double predictor = 0; words >> predictor;) {
            row.push_back(predictor);
        }
        while (model == Model::polynomial && row.size() < num_cols) {
            row.push_back(row.back() * row.at(1));
        }
        if (row.size() != num_cols) {
            throw std::runtime_error(path + ": a row of data does not fit the coefficients");
        }
        regression.a.insert(regression.a.end(), row.begin(), row.end());
        ++regression.num_rows;
    }
    return regression;
}

/// The gradient of norm2(A*x - b)^2 with respect to x.
std::vector<double> gradient(const Regression& r) {
    const auto n = static_cast<std::int64_t>(r.x.size());
    const matgrad::Expr f = matgrad::parse("norm2(A*x - b)^2");
    const matgrad::Plan plan =
        matgrad::make_plan(f,
                           {matgrad::shared("A", r.num_rows, n), matgrad::shared("x", n),
                            matgrad::shared("b", r.num_rows)},
                           {.value = false, .wrt = {"x"}});

    std::vector<double> g(r.x.size());
    plan.run({{"A", r.a}, {"x", r.x}, {"b", r.b}}, {{"gradient x", g}});
    return g;
}

/// 2 |A|'(|A| |x| + |b|): what the entries of the gradient would be if nothing cancelled.
std::vector<double> magnitudes(const Regression& r) {
    const std::size_t n = r.x.size();
    std::vector<double> sums(n, 0.0);
    for (std::size_t i = 0; i < r.b.size(); ++i) {
        double residual = std::abs(r.b[i]);
        for (std::size_t j = 0; j < n; ++j) {
            residual += std::abs(r.a[i * n + j] * r.x[j]);
        }
        for (std::size_t j = 0; j < n; ++j) {
            sums[j] += 2 * std::abs(r.a[i * n + j]) * residual;
        }
    }
    return sums;
}

int run(const std::string& directory) {
    const struct {
        const char* name;
        Model model;
    } files[] = {{"Norris", Model::polynomial},
                 {"NoInt1", Model::predictors},
                 {"Longley", Model::intercept_and_predictors},
                 {"Wampler1", Model::polynomial},
                 {"Wampler5", Model::polynomial},
                 {"Filip", Model::polynomial}};
    std::printf("%-10s %6s %6s   largest |gradient| / magnitude\n", "data", "rows", "cols");
    int failures = 0;
    for (const auto& file : files) {
        const Regression r = read_regression(directory + "/" + file.name + ".dat", file.model);
        const std::vector<double> g = gradient(r);
        const std::vector<double> scale = magnitudes(r);
        double largest = 0;
        bool vanishes = true;
        for (std::size_t j = 0; j < g.size(); ++j) {
            const double ratio = std::abs(g[j]) / scale[j];
            largest = std::max(largest, ratio);
            vanishes = vanishes && ratio <= kBound;  // not so for a NaN
        }
        std::printf("%-10s %6lld %6zu   %.2e %s\n", file.name, static_cast<long long>(r.num_rows),
                    r.x.size(), largest, vanishes ? "vanishes" : "FAIL: more than 2.2e-15");
        failures += vanishes ? 0 : 1;
    }
    return failures == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
    try {
        return run(argc > 1 ? argv[1] : MATGRAD_EXAMPLE_DATA "/nist");
    } catch (const std::exception& error) {
        std::fprintf(stderr, "nist_regression: %s\n", error.what());
        return 2;
    }
}
