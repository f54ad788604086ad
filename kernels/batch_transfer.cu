// Compiled by nvcc for the module, and as plain C++ with Thrust's sequential device system for the
// simulated GPU, where an algorithm runs later than its call: functors own all that they need.
#include "batch_transfer.hpp"
#include "for_each.hpp"

namespace matgrad::gpu {
namespace {

/// Entry i of a batch, problem by problem and row by row.
struct Place {
    std::int64_t problem, row, col;
    MATGRAD_EITHER_SIDE Place(const Matrices& of, std::int64_t i)
        : problem(i / (of.rows * of.cols)),
          row(i / of.cols - problem * of.rows),
          col(i % of.cols) {}
    [[nodiscard]] MATGRAD_EITHER_SIDE std::int64_t in(const Matrices& m,
                                                      std::int64_t of_problem) const {
        return of_problem * m.batch_stride + row * m.row_stride + col * m.col_stride;
    }
};

template <typename T>
struct Gather {
    Matrices from, to;
    const std::int64_t* rows;
    MATGRAD_EITHER_SIDE void operator()(std::int64_t i) const {
        const Place at(to, i);
        static_cast<T*>(to.data)[at.in(to, at.problem)] =
            static_cast<const T*>(from.data)[at.in(from, rows[at.problem])];
    }
};

template <typename From, typename To>
struct Add {
    Matrices from, to;
    double beta;
    MeanOf mean;
    const std::int32_t* status;
    unsigned losing;
    MATGRAD_EITHER_SIDE void operator()(std::int64_t i) const {
        const Place at(to, i);
        if (status != nullptr && block::loses_results(status[at.problem], losing)) {
            return;
        }
        To computed = static_cast<To>(static_cast<const From*>(from.data)[at.in(from, at.problem)]);
        if (mean.failed != nullptr) {
            const std::int64_t count = mean.batch - *mean.failed;
            if (count == 0) {
                return;
            }
            computed /= static_cast<To>(count);
        }
        To& entry = static_cast<To*>(to.data)[at.in(to, at.problem)];
        entry = static_cast<To>(static_cast<double>(computed) + beta * static_cast<double>(entry));
    }
};

std::int64_t entries_of(const Matrices& m, std::int64_t batch) {
    return batch * m.rows * m.cols;
}

}  // namespace

void gather_problems(const Matrices& from, const Matrices& to, const std::int64_t* rows,
                     std::int64_t batch, cudaStream_t stream) {
    if (to.is_double) {
        run_for_each(stream, entries_of(to, batch), Gather<double>{from, to, rows});
    } else {
        run_for_each(stream, entries_of(to, batch), Gather<float>{from, to, rows});
    }
}

void add_results(const Matrices& from, double beta, const Matrices& to, const MeanOf& mean,
                 const std::int32_t* status, std::int64_t batch, cudaStream_t stream,
                 unsigned losing) {
    const std::int64_t count = entries_of(to, batch);
    if (from.is_double && to.is_double) {
        run_for_each(stream, count, Add<double, double>{from, to, beta, mean, status, losing});
    } else if (from.is_double) {
        run_for_each(stream, count, Add<double, float>{from, to, beta, mean, status, losing});
    } else if (to.is_double) {
        run_for_each(stream, count, Add<float, double>{from, to, beta, mean, status, losing});
    } else {
        run_for_each(stream, count, Add<float, float>{from, to, beta, mean, status, losing});
    }
}

}  // namespace matgrad::gpu
