#include "program/uses.hpp"

#include <algorithm>
#include <utility>

namespace matgrad {
namespace {

template <typename Visit>
struct UseVisitor {
    const Visit& visit;
    template <typename U>
    void one(U& use) const {
        if (use.value != kNoValue) {
            visit(use);
        }
    }
    template <typename Body>
    void body(Body& b) const {
        for (auto& operand : b.operands) {
            one(operand.use);
        }
    }
    /// By the names of its fields, so that a new kind of step needs nothing here.
    template <typename Op>
    void operator()(Op& op) const {
        if constexpr (requires { op.triangle; }) {
            one(op.triangle);
        }
        if constexpr (requires { op.lu; }) {
            one(op.lu);
        }
        if constexpr (requires { op.body; }) {
            body(op.body);
        }
        if constexpr (requires { op.pivots; }) {
            one(op.pivots);
        }
        if constexpr (requires { op.a; }) {
            one(op.a);
        }
        if constexpr (requires { op.b; }) {
            one(op.b);
        }
        if constexpr (requires { op.c; }) {
            one(op.c);
        }
        if constexpr (requires { op.root; }) {
            one(op.root);
        }
    }
};

}  // namespace

void for_each_use(Operation& operation, const std::function<void(Use&)>& visit) {
    std::visit(UseVisitor<std::function<void(Use&)>>{visit}, operation);
}

void for_each_use(const Operation& operation, const std::function<void(const Use&)>& visit) {
    std::visit(UseVisitor<std::function<void(const Use&)>>{visit}, operation);
}

Extent rows_of(const Program& program, const Use& use) {
    const Value& v = program.value(use.value);
    const Extent one{"1", 1};
    if (use.transposed) {
        return use.col >= 0 ? one : v.cols;
    }
    return use.row >= 0 ? one : v.rows;
}

Extent cols_of(const Program& program, const Use& use) {
    return rows_of(program, transposed(use));
}

Use transposed(Use use) {
    use.transposed = !use.transposed;
    return use;
}

Use sliced(Use use, std::int64_t row, std::int64_t col) {
    if (use.transposed) {
        std::swap(row, col);
    }
    if (use.row < 0) {
        use.row = row;
    }
    if (use.col < 0) {
        use.col = col;
    }
    return use;
}

const char* kind_name(const Operation& operation) {
    struct Name {
        const char* operator()(const Gemm&) const { return "gemm"; }
        const char* operator()(const Syrk&) const { return "syrk"; }
        const char* operator()(const Potrf&) const { return "potrf"; }
        const char* operator()(const Trsm&) const { return "trsm"; }
        const char* operator()(const Getrf&) const { return "getrf"; }
        const char* operator()(const Solve&) const { return "solve"; }
        const char* operator()(const Map&) const { return "map"; }
        const char* operator()(const Reduce&) const { return "reduce"; }
        const char* operator()(const BatchReduce&) const { return "batch_reduce"; }
        const char* operator()(const Copy&) const { return "copy"; }
        const char* operator()(const Window&) const { return "window"; }
    };
    return std::visit(Name{}, operation);
}

WindowBlock block_of(const Program& program, const Step& step, const Window& window) {
    const Value& out = program.value(step.out);
    // Along one side: `offset` into a, of which `from` is the size, as `to` that of the result.
    struct Side {
        std::int64_t count, first, place;
    };
    const auto side = [](std::int64_t offset, std::int64_t from, std::int64_t to) {
        const std::int64_t first = std::max<std::int64_t>(offset, 0);
        const std::int64_t last = std::min(offset + to, from);
        return Side{std::max<std::int64_t>(last - first, 0), first, first - offset};
    };
    const Side r = side(window.row, rows_of(program, window.a).size, out.rows.size);
    const Side c = side(window.col, cols_of(program, window.a).size, out.cols.size);
    return {r.count, c.count, r.first, c.first, r.place, c.place};
}

bool is_factorization(const Operation& operation) {
    return std::holds_alternative<Potrf>(operation) || std::holds_alternative<Getrf>(operation);
}

bool is_per_problem(const Program& program, const ProgramOutput& output) {
    return output.repeated || program.value(output.value).scope == Scope::problem;
}

std::vector<int> count_uses(const Program& program) {
    std::vector<int> uses(program.values.size(), 0);
    for (const Step& s : program.steps) {
        if (s.out == kNoValue) {
            continue;  // taken out, not yet erased
        }
        for_each_use(s.operation, [&](const Use& u) { ++uses[static_cast<std::size_t>(u.value)]; });
    }
    for (const ProgramOutput& o : program.outputs) {
        ++uses[static_cast<std::size_t>(o.value)];
    }
    return uses;
}

std::vector<int> find_producers(const Program& program) {
    std::vector<int> producers(program.values.size(), -1);
    for (std::size_t i = 0; i < program.steps.size(); ++i) {
        if (program.steps[i].out == kNoValue) {
            continue;  // taken out, not yet erased
        }
        producers[static_cast<std::size_t>(program.steps[i].out)] = static_cast<int>(i);
        if (program.steps[i].out2 != kNoValue) {
            producers[static_cast<std::size_t>(program.steps[i].out2)] = static_cast<int>(i);
        }
    }
    return producers;
}

}  // namespace matgrad
