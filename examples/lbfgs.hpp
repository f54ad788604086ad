#pragma once
// L-BFGS: minimises a function of many variables from its value and gradient, with the last steps standing for
// the Hessian. After the constructor nothing is allocated.
//
// Source: Nocedal and Wright, Numerical Optimization (2nd ed. 2006), algorithms 7.4, 7.5 and 3.1.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <utility>
#include <vector>

/// An Objective has `double evaluate(x, gradient)`.
template <typename Objective>
class Lbfgs {
public:
    /// tolerance   it has converged when the gradient is that small a part of the one at the start
    Lbfgs(Objective& objective, std::vector<double> start, double tolerance)
        : objective_(objective),
          x_(std::move(start)),
          trial_(x_.size()),
          gradient_(x_.size()),
          trial_gradient_(x_.size()),
          direction_(x_.size()) {
        for (Pair& pair : pairs_) {
            pair.moved.resize(x_.size());
            pair.turned.resize(x_.size());
        }
        value_ = objective_.evaluate(x_, gradient_);
        goal_ = tolerance * norm(gradient_);
    }

    /// False if it has converged, or no step leads down.
    bool step() {
        if (norm(gradient_) <= goal_) {
            return false;
        }
        find_direction();
        const double slope = dot(gradient_, direction_);
        for (double length = num_pairs_ == 0 ? 1 / norm(gradient_) : 1; length > 1e-9;
             length /= 2) {
            for (std::size_t i = 0; i < x_.size(); ++i) {
                trial_[i] = x_[i] + length * direction_[i];
            }
            const double value = objective_.evaluate(trial_, trial_gradient_);
            if (value <= value_ + 1e-4 * length * slope + 1e-14 * std::abs(value_)) {
                remember();
                value_ = value;
                std::swap(x_, trial_);
                std::swap(gradient_, trial_gradient_);
                return true;
            }
        }
        return false;
    }

    [[nodiscard]] const std::vector<double>& solution() const { return x_; }
    [[nodiscard]] double value() const { return value_; }
    [[nodiscard]] bool has_converged() const { return norm(gradient_) <= goal_; }

private:
    static constexpr std::size_t kPairs = 20;
    struct Pair {
        std::vector<double> moved, turned;
        double curvature = 0;
        double weight = 0;
    };

    static double dot(const std::vector<double>& a, const std::vector<double>& b) {
        return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
    }
    static double norm(const std::vector<double>& a) { return std::sqrt(dot(a, a)); }
    static void add(double factor, const std::vector<double>& a, std::vector<double>& to) {
        for (std::size_t i = 0; i < a.size(); ++i) {
            to[i] += factor * a[i];
        }
    }
    /// The j-th of the pairs that are kept, the oldest first.
    Pair& pair(std::size_t j) { return pairs_[(next_ + kPairs - num_pairs_ + j) % kPairs]; }

    void find_direction() {
        for (std::size_t i = 0; i < x_.size(); ++i) {
            direction_[i] = -gradient_[i];
        }
        for (std::size_t j = num_pairs_; j-- > 0;) {
            Pair& p = pair(j);
            p.weight = dot(p.moved, direction_) / p.curvature;
            add(-p.weight, p.turned, direction_);
        }
        if (num_pairs_ > 0) {
            const Pair& last = pair(num_pairs_ - 1);
            const double scale = last.curvature / dot(last.turned, last.turned);
            for (double& d : direction_) {
                d *= scale;
            }
        }
        for (std::size_t j = 0; j < num_pairs_; ++j) {
            const Pair& p = pair(j);
            add(p.weight - dot(p.turned, direction_) / p.curvature, p.moved, direction_);
        }
    }

    void remember() {
        Pair& p = pairs_[next_];
        for (std::size_t i = 0; i < x_.size(); ++i) {
            p.moved[i] = trial_[i] - x_[i];
            p.turned[i] = trial_gradient_[i] - gradient_[i];
        }
        p.curvature = dot(p.moved, p.turned);
        if (p.curvature > 0) {
            next_ = (next_ + 1) % kPairs;
            num_pairs_ = std::min(num_pairs_ + 1, kPairs);
        } else {
            num_pairs_ = std::min(num_pairs_, kPairs - 1);  // the oldest is overwritten
        }
    }

    Objective& objective_;
    std::vector<double> x_, trial_, gradient_, trial_gradient_, direction_;
    std::array<Pair, kPairs> pairs_;
    std::size_t next_ = 0;
    std::size_t num_pairs_ = 0;
    double value_ = 0;
    double goal_ = 0;
};
