#include "api/overlap.hpp"

#include <algorithm>
#include <numeric>
#include <vector>

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

void append_term(std::vector<Term>& terms, std::int64_t stride, std::int64_t count) {
    if (count > 1) {
        terms.push_back({std::abs(stride), count - 1});
    }
}

std::vector<Term> terms_of(const Region& region) {
    std::vector<Term> terms;
    append_term(terms, region.row_stride, region.rows);
    append_term(terms, region.col_stride, region.cols);
    append_term(terms, region.batch_stride, region.batch);
    return terms;
}

/// Counts the solutions of sum step_i * x_i = target, up to a limit. Steps of nested views (each
/// larger than all that lies inside it) leave one or two candidates a level, so the search is short;
/// a budget ends the others.
class BoundedEquation {
public:
    explicit BoundedEquation(std::vector<Term> terms) : terms_(std::move(terms)) {
        std::sort(terms_.begin(), terms_.end(),
                  [](const Term& a, const Term& b) { return a.step > b.step; });
        rest_max_.resize(terms_.size() + 1);
        rest_gcd_.resize(terms_.size() + 1);
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
    static constexpr int kBudget = 200000;

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

    std::vector<Term> terms_;
    std::vector<Wide> rest_max_;
    std::vector<std::int64_t> rest_gcd_;
    int budget_ = 0;
};

}  // namespace

bool is_addressable(const Region& region) {
    if (region.empty()) {
        return true;
    }
    constexpr Wide kLimit = Wide(1) << 60;
    const Range range = range_of(region);
    return range.first >= 0 && range.last < kLimit && std::abs(region.row_stride) < kLimit &&
           std::abs(region.col_stride) < kLimit && std::abs(region.batch_stride) < kLimit;
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
    std::vector<Term> terms = terms_of(a);
    const std::vector<Term> others = terms_of(b);
    terms.insert(terms.end(), others.begin(), others.end());
    return BoundedEquation(std::move(terms)).has_solutions(range_b.last - range_a.first, 1);
}

bool repeats_an_address(const Region& a) {
    if (a.empty()) {
        return false;
    }
    // x and y with one address: sum step*(x - y + last) = sum step*last. x = y is one solution.
    std::vector<Term> terms = terms_of(a);
    Wide target = 0;
    for (Term& term : terms) {
        target += Wide(term.step) * term.last;
        if (term.step == 0) {
            return true;
        }
        term.last *= 2;
    }
    return BoundedEquation(std::move(terms)).has_solutions(target, 2);
}

}  // namespace matgrad::detail
