// What a tile adds to the sums over the batch.

#include <algorithm>
#include <cmath>

#include "cpu/batch_sums.hpp"
#include "cpu/compact/kernels.hpp"
#include "cpu/dot.hpp"
#include "cpu/tile.hpp"
#include "matgrad/status.hpp"

namespace matgrad::detail {

namespace {

/// A strided matrix of one problem.
bool is_finite(const View& v) {
    bool finite = true;
    with_type(v.type, [&](auto zero) {
        for (std::int64_t r = 0; r < v.rows && finite; ++r) {
            for (std::int64_t c = 0; c < v.cols && finite; ++c) {
                finite = std::isfinite(*reinterpret_cast<decltype(zero)*>(v.at(r, c)));
            }
        }
    });
    return finite;
}

}  // namespace

void TileRunner::mark_not_finite(std::int64_t count) {
    for (const BatchSum& sum : plan_.sums) {
        if (sum.of_tile) {
            continue;
        }
        const View value = values_[sum.use.value];
        const bool is_single = plan_.value(sum.use.value).scope != Scope::problem;
        const std::int64_t matrices = is_single            ? 1
                                      : plan_.is_compact() ? value.lanes
                                      : plan_.is_runs()    ? count
                                                           : 1;
        if (value.contiguous() && all_finite(value.type, value.data, matrices * value.count())) {
            continue;
        }
        for (std::int64_t p = 0; p < count; ++p) {
            if (succeeded(status_[p]) && !is_finite(is_single ? value : of_problem(value, p))) {
                status_[p] = make_status(StatusKind::not_finite);
            }
        }
    }
}

std::int64_t TileRunner::add_sums(std::int64_t first, std::int64_t count, std::int64_t failed,
                                  double* sums) {
    const bool good = failed == 0 && are_tile_sums_finite();
    if (plan_.choice.runs.summed.empty() || good) {
        gather(count, failed, sums);
        return failed;
    }
    // The sums over the tile hold what they should not: the problems are done again, one by one.
    std::int32_t status[kMostProblems];
    std::copy(status_, status_ + count, status);
    for (std::int64_t p = 0; p < count; ++p) {
        if (!succeeded(status[p])) {
            continue;
        }
        if (count > 1) {
            run_steps(first + p, 1);
        }
        if (are_tile_sums_finite()) {
            gather(1, 0, sums);
        } else {
            status[p] = make_status(StatusKind::not_finite);
            ++failed;
        }
    }
    std::copy(status, status + count, status_);
    return failed;
}

bool TileRunner::are_tile_sums_finite() const {
    return std::all_of(plan_.choice.runs.summed.begin(), plan_.choice.runs.summed.end(),
                       [this](const SummedValue& summed) {
                           const View& v = values_[summed.value];
                           return all_finite(v.type, v.data, v.count());
                       });
}

void TileRunner::gather_run(const BatchSum& sum, std::int64_t count, std::int64_t failed,
                            double* to) const {
    const View first = values_[sum.use.value];
    const std::int64_t matrices = sum.of_tile ? 1 : count;
    const View seen = use_of(sum.use, first);
    const bool whole = seen.count() == first.count() && seen.contiguous();
    if (failed == 0 && first.count() == 1) {
        *to += sum_of({Terms::entries, row_major(first.data, first.type, 1, matrices, 1), {}});
        return;
    }
    if (whole && failed == 0) {
        return add_matrices(first.type, first.data, matrices, first.count(), to);
    }
    for (std::int64_t p = 0; p < matrices; ++p) {
        if (!succeeded(status_[p])) {
            continue;
        }
        View each = seen;
        each.data += p * first.count() * size_of(first.type);
        double* next = to;
        with_type(each.type, [&](auto zero) {
            for (std::int64_t r = 0; r < each.rows; ++r) {
                for (std::int64_t c = 0; c < each.cols; ++c) {
                    *next++ +=
                        static_cast<double>(*reinterpret_cast<decltype(zero)*>(each.at(r, c)));
                }
            }
        });
    }
}

void TileRunner::gather(std::int64_t count, std::int64_t failed, double* sums) const {
    for (const BatchSum& sum : plan_.sums) {
        const View from = use_of(sum.use, values_[sum.use.value]);
        double* to = sums + sum.first;
        if (plan_.is_runs() && plan_.value(sum.use.value).scope == Scope::problem) {
            gather_run(sum, count, failed, to);
            continue;
        }
        if (from.lanes == kLanes) {
            bool keep[kLanes];
            for (int l = 0; l < kLanes; ++l) {
                keep[l] = l < count && succeeded(status_[l]);
            }
            lane_sum(from, keep, to);
            continue;
        }
        const auto good = static_cast<double>(count - failed);
        if (good == 0) {
            continue;
        }
        with_type(from.type, [&](auto zero) {
            for (std::int64_t r = 0; r < from.rows; ++r) {
                for (std::int64_t c = 0; c < from.cols; ++c) {
                    *to++ += good *
                             static_cast<double>(*reinterpret_cast<decltype(zero)*>(from.at(r, c)));
                }
            }
        });
    }
}

}  // namespace matgrad::detail
