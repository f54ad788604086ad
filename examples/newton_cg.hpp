#pragma once
// Newton's method with conjugate gradients, for many problems of one size side by side.
//
// Every call of the objective evaluates all problems at once; what follows from it is decided for each problem
// alone: when its conjugate gradients are good enough, how long its step is, when it has converged. A trial
// point where the objective does not exist (its status is not 0) is a step that is too long, like one from which
// the value does not fall. After the constructor nothing is allocated here.
//
// Source: Nocedal and Wright, Numerical Optimization (2nd ed. 2006), algorithms 7.1 and 3.1.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

/// An Objective has three functions. Problem k owns the k-th stretch of each array.
///
///     evaluate(x, value, gradient, status)   status: 0, or the objective does not exist there
///     linearize(x)                           before products with the Hessian at x
///     multiply(v, product)                   the Hessian times v
template <typename Objective>
class NewtonCG {
public:
    /// tolerance   a problem has converged when its gradient is that small a part of the one at the start
    NewtonCG(Objective& objective, std::vector<double> start, std::size_t num_problems,
             double tolerance)
        : objective_(objective),
          num_problems_(num_problems),
          size_(start.size() / num_problems),
          tolerance_(tolerance),
          x_(std::move(start)),
          trial_(x_.size()),
          gradient_(x_.size()),
          trial_gradient_(x_.size()),
          direction_(x_.size()),
          residual_(x_.size()),
          search_(x_.size()),
          product_(x_.size()),
          value_(num_problems),
          trial_value_(num_problems),
          length_(num_problems),
          start_norm_(num_problems),
          is_busy_(num_problems),
          is_stuck_(num_problems),
          status_(num_problems) {
        objective_.evaluate(x_, value_, gradient_, status_);
        for (std::size_t k = 0; k < num_problems_; ++k) {
            start_norm_[k] = norm(gradient_, k);
            is_stuck_[k] = status_[k] != 0 ? 1 : 0;
        }
    }

    /// One Newton step of each problem that has not converged; false if there is none that could take one.
    bool step() {
        std::size_t num_busy = 0;
        for (std::size_t k = 0; k < num_problems_; ++k) {
            is_busy_[k] = is_stuck_[k] == 0 && !has_converged(k) ? 1 : 0;
            num_busy += is_busy_[k];
        }
        if (num_busy == 0) {
            return false;
        }
        objective_.linearize(x_);
        find_directions();
        search_lines();
        return true;
    }

    [[nodiscard]] const std::vector<double>& solution() const { return x_; }
    [[nodiscard]] bool has_converged(std::size_t k) const {
        return norm(gradient_, k) <= tolerance_ * start_norm_[k];
    }
    [[nodiscard]] std::size_t num_converged() const {
        std::size_t count = 0;
        for (std::size_t k = 0; k < num_problems_; ++k) {
            count += has_converged(k) ? 1 : 0;
        }
        return count;
    }
    /// Batches of Hessian-vector products so far.
    [[nodiscard]] int num_products() const { return num_products_; }

private:
    [[nodiscard]] double dot(const std::vector<double>& a, const std::vector<double>& b,
                             std::size_t k) const {
        double sum = 0;
        for (std::size_t i = k * size_; i < (k + 1) * size_; ++i) {
            sum += a[i] * b[i];
        }
        return sum;
    }
    [[nodiscard]] double norm(const std::vector<double>& a, std::size_t k) const {
        return std::sqrt(dot(a, a, k));
    }

    /// direction = -inv(H)*gradient, by conjugate gradients until the residual is a part of the gradient that
    /// shrinks with it, so that the method converges faster than linearly.
    void find_directions() {
        std::fill(direction_.begin(), direction_.end(), 0.0);
        for (std::size_t i = 0; i < x_.size(); ++i) {
            residual_[i] = -gradient_[i];
        }
        // What a problem that is done leaves in `search` is multiplied too, and not used.
        search_ = residual_;
        bool any_left = true;
        for (std::size_t round = 0; any_left && round < 2 * size_; ++round) {
            objective_.multiply(search_, product_);
            ++num_products_;
            any_left = false;
            for (std::size_t k = 0; k < num_problems_; ++k) {
                any_left = conjugate_step(k) || any_left;
            }
        }
    }

    /// False if problem k needs no further step.
    bool conjugate_step(std::size_t k) {
        const double squares = dot(residual_, residual_, k);
        const double gradient_norm = norm(gradient_, k);
        const double part = std::min(0.1, std::sqrt(gradient_norm / start_norm_[k]));
        if (is_busy_[k] == 0 || std::sqrt(squares) <= part * gradient_norm) {
            return false;
        }
        const double along = squares / dot(search_, product_, k);
        if (!(along > 0) || !std::isfinite(along)) {
            return false;  // rounding has taken what was left of the curvature
        }
        for (std::size_t i = k * size_; i < (k + 1) * size_; ++i) {
            direction_[i] += along * search_[i];
            residual_[i] -= along * product_[i];
        }
        const double turn = dot(residual_, residual_, k) / squares;
        for (std::size_t i = k * size_; i < (k + 1) * size_; ++i) {
            search_[i] = residual_[i] + turn * search_[i];
        }
        return true;
    }

    /// Halves each problem's step until its value falls by a part of what the slope promises.
    void search_lines() {
        std::fill(length_.begin(), length_.end(), 1.0);
        for (std::size_t left = num_problems_; left > 0;) {
            for (std::size_t k = 0; k < num_problems_; ++k) {
                const double length = is_busy_[k] != 0 ? length_[k] : 0;
                for (std::size_t i = k * size_; i < (k + 1) * size_; ++i) {
                    trial_[i] = x_[i] + length * direction_[i];
                }
            }
            objective_.evaluate(trial_, trial_value_, trial_gradient_, status_);
            left = 0;
            for (std::size_t k = 0; k < num_problems_; ++k) {
                left += is_busy_[k] != 0 && !accept(k) ? 1 : 0;
            }
        }
    }

    /// Takes the trial of problem k, or shortens its step; true if problem k is done.
    bool accept(std::size_t k) {
        const double promised = 1e-4 * length_[k] * dot(gradient_, direction_, k);
        const double rounding = 1e-13 * std::abs(value_[k]);
        if (status_[k] == 0 && trial_value_[k] <= value_[k] + promised + rounding) {
            const auto first = static_cast<std::ptrdiff_t>(k * size_);
            std::copy_n(trial_.begin() + first, size_, x_.begin() + first);
            std::copy_n(trial_gradient_.begin() + first, size_, gradient_.begin() + first);
            value_[k] = trial_value_[k];
            is_busy_[k] = 0;
            return true;
        }
        length_[k] /= 2;
        is_stuck_[k] = length_[k] < 1e-9 ? 1 : 0;
        is_busy_[k] = is_stuck_[k] != 0 ? 0 : 1;
        return is_stuck_[k] != 0;
    }

    Objective& objective_;
    std::size_t num_problems_;
    std::size_t size_;
    double tolerance_;
    std::vector<double> x_, trial_, gradient_, trial_gradient_;
    std::vector<double> direction_, residual_, search_, product_;
    std::vector<double> value_, trial_value_, length_, start_norm_;
    std::vector<char> is_busy_, is_stuck_;
    std::vector<std::int32_t> status_;
    int num_products_ = 0;
};
