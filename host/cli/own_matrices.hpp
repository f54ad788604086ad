#pragma once
/// \file Batches of matrices in memory of their own: the operands and results of a run for a check.

#include <cstdint>
#include <span>
#include <vector>

#include "matgrad/plan.hpp"
#include "reference/reference.hpp"

namespace matgrad {

/// Row-major matrices of one size, one after the other.
class OwnMatrices {
public:
    OwnMatrices(ScalarType type, std::int64_t rows, std::int64_t cols, std::int64_t count);

    /// Rounds `matrix` to the type.
    void store(std::int64_t index, const Eigen::MatrixXd& matrix);
    /// The first matrix.
    [[nodiscard]] View view();
    [[nodiscard]] ConstView view() const;

private:
    ScalarType type_;
    std::int64_t rows_, cols_;
    std::vector<double> memory_;  // aligned for floats too
};

/// The results of a plan for a batch.
class OwnResults {
public:
    OwnResults(const Plan& plan, ScalarType type, std::int64_t batch);
    OwnResults(const OwnResults&) = delete;
    OwnResults& operator=(const OwnResults&) = delete;
    ~OwnResults() = default;

    [[nodiscard]] std::span<const ResultView> views() const noexcept { return views_; }
    [[nodiscard]] std::span<std::int32_t> status() noexcept { return status_; }

private:
    std::vector<OwnMatrices> matrices_;
    std::vector<ResultView> views_;
    std::vector<std::int32_t> status_;
};

}  // namespace matgrad
