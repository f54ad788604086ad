#include "program/cost.hpp"

#include <algorithm>
#include <utility>

#include "program/uses.hpp"

namespace matgrad {
namespace {

double real(std::int64_t n) {
    return static_cast<double>(n);
}

double arithmetic_of(const MapBody& body) {
    double count = 0;
    for (const MapInstruction& c : body.code) {
        count += reads_a(c.op) && c.op != MapOp::mask ? 1 : 0;
    }
    return count;
}

/// Operations of one step, by kind.
struct Counter {
    const Program& program;
    const Step& step;

    [[nodiscard]] const Value& out() const { return program.value(step.out); }
    [[nodiscard]] std::int64_t rows(const Use& u) const { return rows_of(program, u).size; }
    [[nodiscard]] std::int64_t cols(const Use& u) const { return cols_of(program, u).size; }

    double operator()(const Gemm& g) const {
        return gemm_operations(rows(g.a), cols(g.a), cols(g.b));
    }
    double operator()(const Syrk& s) const { return syrk_operations(rows(s.a), cols(s.a)); }
    double operator()(const Potrf& p) const { return potrf_operations(rows(p.a)); }
    double operator()(const Getrf& g) const { return getrf_operations(rows(g.a)); }
    double operator()(const Trsm& t) const {
        const std::int64_t n = rows(t.triangle);
        if (!is_present(t.b)) {
            return trsm_inverse_operations(n);
        }
        return trsm_operations(n, t.side == Side::left ? cols(t.b) : rows(t.b));
    }
    double operator()(const Solve& s) const {
        const std::int64_t n = rows(s.lu);
        if (!is_present(s.b)) {
            return solve_operations(n, n);
        }
        return solve_operations(n, s.side == Side::left ? cols(s.b) : rows(s.b));
    }
    double operator()(const Map& m) const { return arithmetic_of(m.body) * real(out().count()); }
    double operator()(const Reduce& r) const {
        const double domain = r.over == ReduceOver::diagonal
                                  ? real(std::min(r.rows.size, r.cols.size))
                                  : real(r.rows.size) * real(r.cols.size);
        const double fold = r.op == ReduceOp::norm ? 2 : 1;
        return (arithmetic_of(r.body) + fold) * domain;
    }
    double operator()(const BatchReduce&) const { return real(out().count()); }
    double operator()(const Copy&) const { return 0; }
    double operator()(const Window&) const { return 0; }
};

bool is_matrix_step(const Operation& op) {
    return std::holds_alternative<Gemm>(op) || std::holds_alternative<Syrk>(op) ||
           std::holds_alternative<Potrf>(op) || std::holds_alternative<Trsm>(op) ||
           std::holds_alternative<Getrf>(op) || std::holds_alternative<Solve>(op);
}

/// Operations of outer products in an entrywise body, and of adding them up: rank-one products that
/// share their pass over the result with other work.
double rank_one_operations(const MapBody& body) {
    const auto broadcast = [&](int reg) {
        const MapInstruction& c = body.code[static_cast<std::size_t>(reg)];
        return c.op == MapOp::load ? body.operands[static_cast<std::size_t>(c.a)].broadcast
                                   : Broadcast::none;
    };
    std::vector<bool> outer(body.code.size(), false);
    double count = 0;
    for (std::size_t i = 0; i < body.code.size(); ++i) {
        const MapInstruction& c = body.code[i];
        if (c.op == MapOp::mul) {
            const Broadcast a = broadcast(c.a);
            const Broadcast b = broadcast(c.b);
            outer[i] = (a == Broadcast::column && b == Broadcast::row) ||
                       (a == Broadcast::row && b == Broadcast::column);
            count += outer[i];
        } else if (c.op == MapOp::add || c.op == MapOp::sub) {
            count += outer[static_cast<std::size_t>(c.a)] || outer[static_cast<std::size_t>(c.b)];
        }
    }
    return count;
}

/// The part of a step's operations that is matrix work.
double matrix_operations(const Program& program, const Step& step) {
    if (is_matrix_step(step.operation)) {
        return step.operations;
    }
    const auto* map = std::get_if<Map>(&step.operation);
    return map == nullptr ? 0
                          : rank_one_operations(map->body) * real(program.value(step.out).count());
}

/// Sums over the batch read every problem; what is computed from the sums runs once.
double runs_of(const Program& program, const Step& step) {
    const bool per_problem =
        step.scope == Scope::problem || std::holds_alternative<BatchReduce>(step.operation);
    return per_problem ? real(std::max<std::int64_t>(program.batch, 1)) : 1;
}

}  // namespace

double gemm_operations(std::int64_t m, std::int64_t k, std::int64_t n) {
    return 2 * real(m) * real(k) * real(n);
}
double syrk_operations(std::int64_t n, std::int64_t k) {
    return real(n) * real(n + 1) * real(k);
}
double potrf_operations(std::int64_t n) {
    return real(n) * real(n) * real(n) / 3;
}
double getrf_operations(std::int64_t n) {
    return 2 * real(n) * real(n) * real(n) / 3;
}
double trsm_operations(std::int64_t n, std::int64_t k) {
    return real(n) * real(n) * real(k);
}
double trsm_inverse_operations(std::int64_t n) {
    return real(n) * real(n) * real(n) / 3;
}

double solve_operations(std::int64_t n, std::int64_t k) {
    return 2 * trsm_operations(n, k);
}

void count_costs(Program& program) {
    const auto bytes_of = [&](const Use& u) {
        const Value& v = program.value(u.value);
        return real(rows_of(program, u).size) * real(cols_of(program, u).size) *
               real(size_of(v.type));
    };
    for (Step& s : program.steps) {
        s.operations = std::visit(Counter{program, s}, s.operation);
        s.bytes = bytes_of({s.out});
        if (s.out2 != kNoValue) {
            s.bytes += bytes_of({s.out2});
        }
        for_each_use(std::as_const(s.operation), [&](const Use& u) { s.bytes += bytes_of(u); });
        if (const auto* potrf = std::get_if<Potrf>(&s.operation);
            potrf != nullptr && is_present(potrf->root)) {
            s.bytes -= bytes_of(potrf->root);  // read by the few problems that need it
        }
    }
}

OperationCount count_operations(const Program& program) {
    OperationCount count;
    for (const Step& s : program.steps) {
        const double matrix = matrix_operations(program, s);
        count.matrix += runs_of(program, s) * matrix;
        count.entrywise += runs_of(program, s) * (s.operations - matrix);
    }
    return count;
}

double total_operations(const Program& program) {
    const OperationCount count = count_operations(program);
    return count.matrix + count.entrywise;
}

double total_bytes(const Program& program) {
    double bytes = 0;
    for (const Step& s : program.steps) {
        bytes += runs_of(program, s) * s.bytes;
    }
    return bytes;
}

double predicted_seconds(const Program& program, const DeviceRates& rates) {
    double seconds = 0;
    for (const Step& s : program.steps) {
        const double speed = (is_matrix_step(s.operation) ? rates.matrix : rates.entrywise) *
                             (s.type == ScalarType::float32 ? 2 : 1);
        seconds += runs_of(program, s) *
                   (rates.per_step + std::max(s.operations / speed, s.bytes / rates.bytes));
    }
    return seconds;
}

}  // namespace matgrad
