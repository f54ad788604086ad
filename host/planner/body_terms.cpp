#include "planner/body_terms.hpp"

#include <utility>

namespace matgrad {
namespace {

void collect(const MapBody& body, int reg, double factor, std::vector<LinearTerm>& terms) {
    const MapInstruction& c = body.code[static_cast<std::size_t>(reg)];
    if (c.op == MapOp::add || c.op == MapOp::sub) {
        collect(body, c.a, factor, terms);
        collect(body, c.b, c.op == MapOp::sub ? -factor : factor, terms);
    } else if (c.op == MapOp::scale) {
        collect(body, c.a, factor * c.number, terms);
    } else {
        terms.push_back({factor, reg});
    }
}

bool is_mask(MapOp op) {
    return op == MapOp::is_lower || op == MapOp::is_upper || op == MapOp::is_diagonal;
}

class ProductTerms {
public:
    ProductTerms(const MapBody& body, const std::vector<Dependence>& depends)
        : body_(body), depends_(depends) {
        for (const Dependence& d : depends) {
            all_.row = all_.row || d.row;
            all_.col = all_.col || d.col;
        }
    }

    /// `so_far`: what stands before the register.
    void collect(int reg, ProductTerm so_far) {
        const MapInstruction& c = code(reg);
        if (c.op == MapOp::add || c.op == MapOp::sub) {
            collect(c.a, so_far);
            so_far.coefficient *= c.op == MapOp::sub ? -1 : 1;
            return collect(c.b, std::move(so_far));
        }
        if (c.op == MapOp::scale) {
            so_far.coefficient *= c.number;
            return collect(c.a, std::move(so_far));
        }
        if (c.op == MapOp::mask && is_mask(code(c.b).op)) {
            so_far.masks.push_back(c.b);
            return collect(c.a, std::move(so_far));
        }
        if (c.op == MapOp::mul && (is_scalar(c.a) || is_scalar(c.b))) {
            const bool first = is_scalar(c.a);
            so_far.factors.push_back({first ? c.a : c.b, false});
            return collect(first ? c.b : c.a, std::move(so_far));
        }
        if (c.op == MapOp::div && is_scalar(c.b)) {
            so_far.factors.push_back({c.b, true});
            return collect(c.a, std::move(so_far));
        }
        append_factors(reg, false, so_far);
        terms.push_back(std::move(so_far));
    }

    std::vector<ProductTerm> terms;

private:
    [[nodiscard]] const MapInstruction& code(int reg) const {
        return body_.code[static_cast<std::size_t>(reg)];
    }
    [[nodiscard]] const Dependence& depends(int reg) const {
        return depends_[static_cast<std::size_t>(reg)];
    }
    [[nodiscard]] bool is_scalar(int reg) const { return depends(reg).is_scalar(); }

    void append_factors(int reg, bool reciprocal, ProductTerm& term) const {
        const MapInstruction& c = code(reg);
        const bool is_full = depends(reg).row == all_.row && depends(reg).col == all_.col;
        if (is_full && (c.op == MapOp::mul || c.op == MapOp::div)) {
            append_factors(c.a, reciprocal, term);
            append_factors(c.b, reciprocal != (c.op == MapOp::div), term);
        } else if (is_full && c.op == MapOp::scale && !reciprocal) {
            term.coefficient *= c.number;
            append_factors(c.a, reciprocal, term);
        } else {
            term.factors.push_back({reg, reciprocal});
        }
    }

    const MapBody& body_;
    const std::vector<Dependence>& depends_;
    Dependence all_;
};

}  // namespace

std::vector<LinearTerm> linear_terms(const MapBody& body) {
    std::vector<LinearTerm> terms;
    collect(body, static_cast<int>(body.code.size()) - 1, 1, terms);
    return terms;
}

std::vector<Dependence> dependences(const Program& program, const MapBody& body, std::int64_t rows,
                                    std::int64_t cols) {
    const Dependence everywhere{rows > 1, cols > 1, false};
    std::vector<Dependence> depends;
    for (const MapInstruction& c : body.code) {
        Dependence d;
        if (c.op == MapOp::load) {
            const MapOperand& operand = body.operands[static_cast<std::size_t>(c.a)];
            const Broadcast b = operand.broadcast;
            d.row = everywhere.row && (b == Broadcast::none || b == Broadcast::column);
            d.col = everywhere.col && (b == Broadcast::none || b == Broadcast::row);
            d.batch = program.value(operand.use.value).scope == Scope::problem;
        } else if (is_mask(c.op)) {
            d = everywhere;
        } else {
            for (const int reg : {c.a, c.b}) {
                if (reg >= 0) {
                    const Dependence& of = depends[static_cast<std::size_t>(reg)];
                    d = {d.row || of.row, d.col || of.col, d.batch || of.batch};
                }
            }
        }
        depends.push_back(d);
    }
    return depends;
}

std::vector<ProductTerm> product_terms(const MapBody& body,
                                       const std::vector<Dependence>& depends) {
    ProductTerms collector(body, depends);
    collector.collect(static_cast<int>(body.code.size()) - 1, {});
    return std::move(collector.terms);
}

}  // namespace matgrad
