#include "reference/random_problem.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "expression/dimension_sizes.hpp"

namespace matgrad {

namespace {

using Eigen::MatrixXd;

/// Standard-normal numbers by Box and Muller. The standard fixes the output of mt19937_64, but not
/// that of its distributions.
class NormalSource {
public:
    explicit NormalSource(std::uint64_t seed) : engine_(seed) {}

    double next() {
        if (has_spare_) {
            has_spare_ = false;
            return spare_;
        }
        constexpr double kTwoPi = 6.283185307179586476925286766559;
        const double radius = std::sqrt(-2 * std::log(uniform()));
        const double angle = kTwoPi * uniform();
        spare_ = radius * std::sin(angle);
        has_spare_ = true;
        return radius * std::cos(angle);
    }

    MatrixXd matrix(std::int64_t rows, std::int64_t cols) {
        MatrixXd result(rows, cols);
        for (std::int64_t i = 0; i < rows; ++i) {
            for (std::int64_t j = 0; j < cols; ++j) {
                result(i, j) = next();
            }
        }
        return result;
    }

private:
    /// In (0, 1]: its logarithm is finite.
    double uniform() { return static_cast<double>((engine_() >> 11) + 1) * 0x1p-53; }

    std::mt19937_64 engine_;
    double spare_ = 0;
    bool has_spare_ = false;
};

enum class Stream : std::uint64_t { values = 0, directions = 1 };

// Distinct streams for each matrix, so that adding an operand does not change the others' numbers
// before it. The constants are those of splitmix64, which scatters neighbouring seeds.
std::uint64_t stream_seed(std::uint64_t seed, Stream stream, std::uint64_t index) {
    std::uint64_t z =
        seed * 0x9e3779b97f4a7c15u + 2 * index + static_cast<std::uint64_t>(stream) + 1;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

MatrixXd kept_part(Structure structure, const MatrixXd& m) {
    switch (structure) {
        case Structure::symmetric:
        case Structure::positive:
            return 0.5 * (m + m.transpose());
        case Structure::diagonal: {
            MatrixXd result = MatrixXd::Zero(m.rows(), m.cols());
            result.diagonal() = m.diagonal();
            return result;
        }
        case Structure::lower:
            return m.triangularView<Eigen::Lower>();
        case Structure::upper:
            return m.triangularView<Eigen::Upper>();
        case Structure::general:
        case Structure::orthogonal:
            break;
    }
    return m;
}

MatrixXd orthonormal_columns(const MatrixXd& m) {
    if (m.size() == 0) {
        return m;
    }
    const Eigen::HouseholderQR<MatrixXd> qr(m);
    return qr.householderQ() * MatrixXd::Identity(m.rows(), m.cols());
}

MatrixXd form_value(Structure structure, const MatrixXd& m) {
    switch (structure) {
        case Structure::positive: {
            const auto n = static_cast<double>(m.rows());
            return m * m.transpose() / std::max(n, 1.0) + MatrixXd::Identity(m.rows(), m.rows());
        }
        case Structure::orthogonal:
            return orthonormal_columns(m);
        case Structure::diagonal:
        case Structure::lower:
        case Structure::upper: {
            MatrixXd result = kept_part(structure, m);
            result.diagonal() =
                result.diagonal().unaryExpr([](double d) { return d < 0 ? d - 1 : d + 1; });
            return result;
        }
        case Structure::general:
        case Structure::symmetric:
            break;
    }
    return kept_part(structure, m);
}

void require_shape(Structure structure, const std::string& name, std::int64_t rows,
                   std::int64_t cols) {
    const bool fits = structure == Structure::general || rows == cols ||
                      (structure == Structure::orthogonal && rows > cols);
    if (!fits) {
        throw ShapeError(fmt::format("{} is {}-by-{}: its structure needs {}", name, rows, cols,
                                     structure == Structure::orthogonal
                                         ? "at least as many rows as columns"
                                         : "a square matrix"));
    }
}

MatrixMap random_matrices(std::span<const Declaration> declarations,
                          const std::map<std::string, std::int64_t>& dims, std::uint64_t seed,
                          Stream stream) {
    const detail::DimensionSizes dimensions(dims);
    MatrixMap result;
    std::uint64_t index = 0;
    for (const Declaration& declaration : declarations) {
        const std::int64_t rows = dimensions.size(declaration.shape.rows, declaration.name);
        const std::int64_t cols = dimensions.size(declaration.shape.cols, declaration.name);
        require_shape(declaration.structure, declaration.name, rows, cols);
        const MatrixXd m = NormalSource(stream_seed(seed, stream, index++)).matrix(rows, cols);
        result[declaration.name] = stream == Stream::values ? form_value(declaration.structure, m)
                                                            : kept_part(declaration.structure, m);
    }
    return result;
}

}  // namespace

MatrixMap random_values(std::span<const Declaration> declarations,
                        const std::map<std::string, std::int64_t>& dims, std::uint64_t seed) {
    return random_matrices(declarations, dims, seed, Stream::values);
}

MatrixMap random_directions(std::span<const Declaration> declarations,
                            const std::map<std::string, std::int64_t>& dims, std::uint64_t seed) {
    return random_matrices(declarations, dims, seed, Stream::directions);
}

MatrixXd random_value(Structure structure, std::int64_t rows, std::int64_t cols,
                      std::uint64_t seed) {
    require_shape(structure, "random matrix", rows, cols);
    return form_value(structure,
                      NormalSource(stream_seed(seed, Stream::values, 0)).matrix(rows, cols));
}

MatrixXd random_direction(Structure structure, std::int64_t rows, std::int64_t cols,
                          std::uint64_t seed) {
    require_shape(structure, "random direction", rows, cols);
    return kept_part(structure,
                     NormalSource(stream_seed(seed, Stream::directions, 0)).matrix(rows, cols));
}

}  // namespace matgrad
