#include "api/overlap.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <numeric>

namespace matgrad::detail {
namespace {

using Wide = __int128;

/// step * x with x in 0..last, step > 0.
struct Term {
    std::int64_t step;
    std::int64_t last;
};

struct Range {
    Wide first;
    Wide last;
};

Range range_of(const Region& region) {
    Range range{region.address, region.address};
    const auto widen = [&](std::int64_t stride, std::int64_t count) {
        const Wide reach = Wide(stride) * (count - 1);
        (reach < 0 ? range.first : range.last) += reach;
    };
    widen(region.row_stride, region.rows);
    widen(region.col_stride, region.cols);
    widen(region.batch_stride, region.batch);
    return range;
}

/// The terms of one region or of two, the largest step first; those of one step are one term, since
/// x + y takes every value from 0 to the sum of both ends. Every run asks for them: nothing is
/// allocated.
class StrideTerms {
public:
    void append(const Region& region) {
        append(region.row_stride, region.rows);
        append(region.col_stride, region.cols);
        append(region.batch_stride, region.batch);
    }
    [[nodiscard]] Term* begin() { return terms_.data(); }
    [[nodiscard]] Term* end() { return terms_.data() + size_; }
    [[nodiscard]] std::size_t size() const { return size_; }
    /// Did two strides of the regions have one size?
    [[nodiscard]] bool has_equal_steps() const { return has_equal_steps_; }
    [[nodiscard]] const Term& operator[](std::size_t i) const { return terms_[i]; }

    static constexpr std::size_t kMost = 6;

private:
    void append(std::int64_t stride, std::int64_t count) {
        if (count <= 1) {
            return;
        }
        const Term term{std::abs(stride), count - 1};
        for (Term& known : *this) {
            if (known.step == term.step) {
                known.last += term.last;
                has_equal_steps_ = true;
                return;
            }
        }
        std::size_t at = size_++;
        for (; at > 0 && terms_[at - 1].step < term.step; --at) {
            terms_[at] = terms_[at - 1];
        }
        terms_[at] = term;
    }

    std::array<Term, kMost> terms_{};
    std::size_t size_ = 0;
    bool has_equal_steps_ = false;
};

/// Does each step, by size, go past all that the smaller ones reach?
bool is_nested(const StrideTerms& terms) {
    Wide reach = 0;
    for (std::size_t i = terms.size(); i-- > 0;) {
        if (terms[i].step <= reach) {
            return false;
        }
        reach += Wide(terms[i].step) * terms[i].last;
    }
    return true;
}

/// Counts the solutions of sum step_i * x_i = target, up to a limit. Nested steps (each larger than
/// all that the smaller ones reach) leave one or two candidates a level, so the search is short; a
/// budget of some microseconds ends the others.
class BoundedEquation {
public:
    explicit BoundedEquation(const StrideTerms& terms) : terms_(terms) {
        for (std::size_t i = terms_.size(); i-- > 0;) {
            rest_max_[i] = rest_max_[i + 1] + Wide(terms_[i].step) * terms_[i].last;
            rest_gcd_[i] = std::gcd(rest_gcd_[i + 1], terms_[i].step);
        }
    }

    /// At least `limit` solutions, or the budget is spent.
    bool has_solutions(Wide target, int limit) {
        budget_ = kBudget;
        return count(0, target, limit) >= limit || budget_ <= 0;
    }

private:
    static constexpr int kBudget = 2000;

    int count(std::size_t i, Wide target, int limit) {
        if (--budget_ <= 0 || target < 0 || target > rest_max_[i]) {
            return 0;
        }
        if (i == terms_.size()) {
            return 1;  // target is 0
        }
        if (rest_gcd_[i] != 0 && target % rest_gcd_[i] != 0) {
            return 0;
        }
        const auto [step, last] = terms_[i];
        if (step == 0) {  // only zero steps are left, every x is a solution
            return limit;
        }
        const Wide missing = target - rest_max_[i + 1];
        const Wide low = missing > 0 ? (missing + step - 1) / step : 0;
        const Wide high = std::min<Wide>(target / step, last);
        int found = 0;
        for (Wide x = high; x >= low && found < limit && budget_ > 0; --x) {
            found += count(i + 1, target - x * step, limit - found);
        }
        return found;
    }

    StrideTerms terms_;
    std::array<Wide, StrideTerms::kMost + 1> rest_max_{};
    std::array<std::int64_t, StrideTerms::kMost + 1> rest_gcd_{};
    int budget_ = 0;
};

}  // namespace

std::optional<Bounds> bounds_of(const Region& region) {
    if (region.empty()) {
        return Bounds{};
    }
    constexpr Wide kLimit = Wide(1) << 60;
    const Range range = range_of(region);
    const bool fits =
        range.first >= 0 && range.last < kLimit && std::abs(region.row_stride) < kLimit &&
        std::abs(region.col_stride) < kLimit && std::abs(region.batch_stride) < kLimit;
    if (!fits) {
        return std::nullopt;
    }
    return Bounds{static_cast<std::int64_t>(range.first), static_cast<std::int64_t>(range.last)};
}

bool share_an_address(const Region& a, const Region& b) {
    if (a.empty() || b.empty()) {
        return false;
    }
    const Range range_a = range_of(a);
    const Range range_b = range_of(b);
    if (range_a.last < range_b.first || range_b.last < range_a.first) {
        return false;
    }
    // first_a + sum step*x = last_b - sum step*y: counted upward in a, downward in b.
    StrideTerms terms;
    terms.append(a);
    terms.append(b);
    return BoundedEquation(terms).has_solutions(range_b.last - range_a.first, 1);
}

bool repeats_an_address(const Region& a) {
    if (a.empty()) {
        return false;
    }
    StrideTerms terms;
    terms.append(a);
    if (terms.has_equal_steps()) {  // (0, 1) and (1, 0), or (0, 0) and (1, 1)
        return true;
    }
    if (is_nested(terms)) {
        return false;
    }
    // x and y with one address: sum step*(x - y + last) = sum step*last. x = y is one solution.
    Wide target = 0;
    for (Term& term : terms) {
        target += Wide(term.step) * term.last;
        if (term.step == 0) {
            return true;
        }
        term.last *= 2;
    }
    return BoundedEquation(terms).has_solutions(target, 2);
}

}  // namespace matgrad::detail
