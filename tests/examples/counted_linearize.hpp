#pragma once
/// \file An objective of NewtonCG that tells what is allocated outside `linearize`, on all threads.

#include <cstdint>
#include <vector>

#include "support/allocation_count.hpp"

template <typename Objective>
class CountedLinearize {
public:
    explicit CountedLinearize(Objective& objective) : objective_(objective) {}

    void evaluate(const std::vector<double>& x, std::vector<double>& value,
                  std::vector<double>& gradient, std::vector<std::int32_t>& status) const {
        objective_.evaluate(x, value, gradient, status);
    }
    void linearize(const std::vector<double>& x) {
        const std::int64_t before = matgrad::test::allocation_count();
        objective_.linearize(x);
        within_ += matgrad::test::allocation_count() - before;
    }
    void multiply(const std::vector<double>& v, std::vector<double>& product) const {
        objective_.multiply(v, product);
    }

    /// Since the program began.
    [[nodiscard]] std::int64_t elsewhere() const {
        return matgrad::test::allocation_count() - within_;
    }

private:
    Objective& objective_;
    std::int64_t within_ = 0;
};
