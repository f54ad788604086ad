#include "bench/inputs.hpp"

#include <string>

#include "bench/threads.hpp"

namespace matgrad::bench {
namespace {

using Eigen::MatrixXd;

MatrixXd uniform(const Stream& stream, std::int64_t rows, std::int64_t cols, std::int64_t problem) {
    MatrixXd m(rows, cols);
    auto k = static_cast<std::uint64_t>(problem * rows * cols);
    for (std::int64_t i = 0; i < rows; ++i) {
        for (std::int64_t j = 0; j < cols; ++j) {
            m(i, j) = stream.at(k++);
        }
    }
    return m;
}

MatrixXd kept_part(Structure structure, const MatrixXd& m) {
    switch (structure) {
        case Structure::diagonal:
            return m.diagonal().asDiagonal();
        case Structure::lower:
            return m.triangularView<Eigen::Lower>();
        case Structure::upper:
            return m.triangularView<Eigen::Upper>();
        default:
            return m;
    }
}

MatrixXd shaped(const Declaration& declaration, const MatrixXd& m) {
    const auto n = static_cast<double>(m.cols());
    const MatrixXd unit = MatrixXd::Identity(m.rows(), m.cols());
    switch (declaration.structure) {
        case Structure::symmetric:
            return (m + m.transpose()) / 2;
        case Structure::positive:
            return m * m.transpose() / n + unit;
        case Structure::diagonal:
        case Structure::lower:
        case Structure::upper:
            return kept_part(declaration.structure, m + 2 * unit);
        case Structure::orthogonal: {
            const Eigen::VectorXd v = m.col(0);
            return unit - 2 / v.squaredNorm() * v * v.transpose();
        }
        case Structure::general:
            break;
    }
    return declaration.shape.is_scalar() ? MatrixXd(m.array() + 2) : m;
}

bool is_plain(const Declaration& declaration) {
    return declaration.structure == Structure::general && !declaration.shape.is_scalar();
}

template <typename T>
void fill(const Declaration& declaration, std::int64_t rows, std::int64_t cols, std::int64_t count,
          T* to) {
    const Stream stream(declaration.name);
    const std::int64_t size = rows * cols;
    if (is_plain(declaration)) {
        in_parts(count * size, machine_threads(), [&](std::int64_t first, std::int64_t last) {
            for (std::int64_t k = first; k < last; ++k) {
                to[k] = static_cast<T>(stream.at(static_cast<std::uint64_t>(k)));
            }
        });
        return;
    }
    in_parts(count, machine_threads(), [&](std::int64_t first, std::int64_t last) {
        using Rows = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
        for (std::int64_t p = first; p < last; ++p) {
            Eigen::Map<Rows>(to + p * size, rows, cols) =
                shaped(declaration, uniform(stream, rows, cols, p)).template cast<T>();
        }
    });
}

}  // namespace

Stream::Stream(std::string_view name, std::uint64_t seed)
    : seed_(seed), hash_(0xcbf29ce484222325U) {
    for (const char c : name) {
        hash_ = (hash_ ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
    }
}

MatrixXd input(const Declaration& declaration, std::int64_t rows, std::int64_t cols,
               std::int64_t problem) {
    return shaped(declaration, uniform(Stream(declaration.name), rows, cols, problem));
}

MatrixXd direction(const Declaration& variable, std::int64_t rows, std::int64_t cols,
                   std::int64_t problem) {
    const MatrixXd m = uniform(Stream("d" + variable.name), rows, cols, problem);
    if (variable.structure == Structure::symmetric || variable.structure == Structure::positive) {
        return (m + m.transpose()) / 2;
    }
    return kept_part(variable.structure, m);
}

void fill_inputs(const Declaration& declaration, std::int64_t rows, std::int64_t cols,
                 std::int64_t count, ScalarType type, void* to) {
    type == ScalarType::float32 ? fill(declaration, rows, cols, count, static_cast<float*>(to))
                                : fill(declaration, rows, cols, count, static_cast<double*>(to));
}

}  // namespace matgrad::bench
