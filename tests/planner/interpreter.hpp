#pragma once
/// \file A naive interpreter of Programs: every step in double over the planned buffers, one
/// problem after the other. Shares nothing with the executors.
///
/// Buffers are laid out as pass 6 planned them and filled with NaN before each problem, so a value
/// that is read after its buffer was given away, or before it was written, spoils the result.

#include <Eigen/Dense>
#include <cstring>
#include <map>
#include <string>
#include <vector>

#include "program/program.hpp"

namespace matgrad::testing {

/// The operands of one problem, by name.
using Operands = std::map<std::string, Eigen::MatrixXd, std::less<>>;

struct RunResult {
    /// Per problem (or one, for outputs that are not of problem scope) and output.
    std::vector<std::vector<Eigen::MatrixXd>> outputs;
    std::vector<int> status;
    int succeeded = 0;
};

class Interpreter {
public:
    explicit Interpreter(const Program& program);
    /// `problems` holds the operands of each problem; shared ones are read from the first.
    RunResult run(const std::vector<Operands>& problems);

private:
    using Matrix = Eigen::MatrixXd;

    void run_step(const Step& step);
    int execute(const Step& step);
    [[nodiscard]] Matrix read(const Use& use) const;
    void write(ValueId id, const Matrix& m);
    [[nodiscard]] Matrix load(ValueId id) const;
    [[nodiscard]] double entry(const MapBody& body, std::int64_t i, std::int64_t j,
                               const std::vector<Matrix>& operands) const;
    [[nodiscard]] std::vector<Matrix> read_all(const MapBody& body) const;

    const Program& program_;
    std::vector<std::byte> shared_, problem_;
    const Operands* operands_ = nullptr;
    int status_ = 0;
};

}  // namespace matgrad::testing
