#include "cli/own_matrices.hpp"

namespace matgrad {
namespace {

template <typename T>
void store_as(const Eigen::MatrixXd& from, T* to) {
    for (Eigen::Index i = 0; i < from.rows(); ++i) {
        for (Eigen::Index j = 0; j < from.cols(); ++j) {
            *to++ = static_cast<T>(from(i, j));
        }
    }
}

}  // namespace

OwnMatrices::OwnMatrices(ScalarType type, std::int64_t rows, std::int64_t cols, std::int64_t count)
    : type_(type),
      rows_(rows),
      cols_(cols),
      memory_(static_cast<std::size_t>(rows * cols * count)) {}

void OwnMatrices::store(std::int64_t index, const Eigen::MatrixXd& matrix) {
    const std::int64_t first = index * rows_ * cols_;
    void* data = memory_.data();
    type_ == ScalarType::float32 ? store_as(matrix, static_cast<float*>(data) + first)
                                 : store_as(matrix, static_cast<double*>(data) + first);
}

View OwnMatrices::view() {
    return {memory_.data(), type_, rows_, cols_, cols_, 1};
}

ConstView OwnMatrices::view() const {
    return {memory_.data(), type_, rows_, cols_, cols_, 1};
}

OwnResults::OwnResults(const Plan& plan, ScalarType type, std::int64_t batch)
    : status_(static_cast<std::size_t>(batch)) {
    for (const OutputInfo& output : plan.outputs()) {
        matrices_.emplace_back(type, output.rows, output.cols, output.batched ? batch : 1);
        const View view = matrices_.back().view();  // a vector's memory stays when it is moved
        views_.emplace_back(output.batched ? view.batched(batch) : view);
    }
}

}  // namespace matgrad
