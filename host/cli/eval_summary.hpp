#pragma once
/// \file What `eval` prints of results that go to no file: small ones whole, a batch as a table.

#include <cstdint>
#include <vector>

#include "cli/eval_stream.hpp"

namespace matgrad {

class EvalSummary {
public:
    /// `shown[i]`: result i is to be printed.
    EvalSummary(const EvalRequest& request, std::span<const OutputInfo> outputs,
                std::vector<bool> shown);

    /// Per-problem results.
    void add(const Piece& piece);
    /// Prints to stdout, after the last piece.
    void print(const StreamTotals& totals) const;

private:
    /// Of the magnitudes of one result over the problems that succeeded.
    struct Statistics {
        std::int64_t count = 0;
        double sum = 0, least = 0, most = 0;
        void add(double x);
        void divide_by(double count_of_mean);
    };
    template <typename T>
    void add_as(const Piece& piece);
    void print_matrix(const OutputInfo& output, const std::vector<double>& entries) const;

    const EvalRequest& request_;
    std::vector<OutputInfo> outputs_;
    std::vector<bool> shown_;
    std::vector<Statistics> statistics_;
    std::vector<std::vector<double>> single_;  ///< entries of results without a batch axis
};

}  // namespace matgrad
