#include "planner/interpreter.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>

#include "reference/special.hpp"

namespace matgrad::testing {
namespace {

const double kInfinity = std::numeric_limits<double>::infinity();
const double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kEpsilon = std::numeric_limits<double>::epsilon();

double bounded(bool holds, double yes, double no) {
    return holds ? yes : no;
}

double apply(const MapInstruction& c, double a, double b) {
    switch (c.op) {
        case MapOp::add:
            return a + b;
        case MapOp::sub:
            return a - b;
        case MapOp::mul:
            return a * b;
        case MapOp::div:
            return a / b;
        case MapOp::mask:
            return b != 0 ? a : 0;
        case MapOp::scale:
            return c.number * a;
        case MapOp::offset:
            return c.number + a;
        case MapOp::pow:
            return std::pow(a, c.number);
        case MapOp::exp:
            return std::exp(a);
        case MapOp::log:
            return std::log(a);
        case MapOp::sqrt:
            return std::sqrt(a);
        case MapOp::abs:
            return std::abs(a);
        case MapOp::sign:
            return bounded(a > 0, 1, bounded(a < 0, -1, a));
        case MapOp::step:
            return bounded(a > 0, 1, 0);
        case MapOp::sin:
            return std::sin(a);
        case MapOp::cos:
            return std::cos(a);
        case MapOp::tanh:
            return std::tanh(a);
        case MapOp::sigmoid:
            return 1 / (1 + std::exp(-a));
        case MapOp::softplus:
            return std::max(a, 0.0) + std::log1p(std::exp(-std::abs(a)));
        case MapOp::relu:
            return bounded(a > 0, a, bounded(a <= 0, 0, a));
        case MapOp::tan:
            return std::tan(a);
        case MapOp::atan:
            return std::atan(a);
        case MapOp::log1p:
            return std::log1p(a);
        case MapOp::expm1:
            return std::expm1(a);
        case MapOp::cosh:
            return std::cosh(a);
        case MapOp::sinh:
            return std::sinh(a);
        case MapOp::erf:
            return std::erf(a);
        case MapOp::max:
            return std::max(a, b);
        case MapOp::min:
            return std::min(a, b);
        case MapOp::asinh:
            return std::asinh(a);
        case MapOp::acosh:
            return std::acosh(a);
        case MapOp::atanh:
            return std::atanh(a);
        case MapOp::normcdf:
            return detail::normcdf(a);
        case MapOp::lognormcdf:
            return detail::lognormcdf(a);
        case MapOp::normhazard:
            return detail::normhazard(a);
        case MapOp::normexcess:
            return detail::normexcess(a);
        case MapOp::lgamma:
            return std::lgamma(a);
        case MapOp::digamma:
            return detail::digamma_derivative(0, a);
        case MapOp::trigamma:
            return detail::digamma_derivative(1, a);
        case MapOp::polygamma:
            return detail::digamma_derivative(static_cast<int>(a), b);
        case MapOp::xlogy:
            return a == 0 && !std::isnan(b) ? 0 : a * std::log(b);
        case MapOp::entry_power:
            return std::pow(a, b);
        case MapOp::less:
            return bounded(a < b, 1, 0);
        case MapOp::less_equal:
            return bounded(a <= b, 1, 0);
        case MapOp::unmask:
            return b == 0 ? a : 0;
        default:
            throw std::logic_error("no arithmetic instruction");
    }
}

bool overlaps(const Value& a, const Value& b) {
    if (a.operand >= 0 || b.operand >= 0 || a.count() == 0 || b.count() == 0 ||
        (a.scope == Scope::problem) != (b.scope == Scope::problem)) {
        return false;
    }
    return a.offset < b.offset + b.count() * size_of(b.type) &&
           b.offset < a.offset + a.count() * size_of(a.type);
}

}  // namespace

Interpreter::Interpreter(const Program& program)
    : program_(program),
      shared_(static_cast<std::size_t>(program.shared_bytes)),
      problem_(static_cast<std::size_t>(program.problem_bytes)) {}

Eigen::MatrixXd Interpreter::load(ValueId id) const {
    const Value& v = program_.values.at(static_cast<std::size_t>(id));
    if (v.operand >= 0) {
        const Matrix& m =
            operands_->at(program_.operands.at(static_cast<std::size_t>(v.operand)).name);
        EXPECT_EQ(m.rows(), v.rows.size);
        EXPECT_EQ(m.cols(), v.cols.size);
        return m;
    }
    const auto& buffer = v.scope == Scope::problem ? problem_ : shared_;
    EXPECT_GE(v.offset, 0) << v.text;
    EXPECT_EQ(v.offset % 8, 0) << v.text;
    EXPECT_LE(v.offset + v.count() * size_of(v.type), static_cast<std::int64_t>(buffer.size()))
        << v.text;
    Matrix m(v.rows.size, v.cols.size);
    for (std::int64_t i = 0; i < v.rows.size; ++i) {
        for (std::int64_t j = 0; j < v.cols.size; ++j) {
            const std::byte* at =
                buffer.data() + v.offset + (i * v.cols.size + j) * size_of(v.type);
            if (v.type == ScalarType::float32) {
                float x;
                std::memcpy(&x, at, sizeof x);
                m(i, j) = static_cast<double>(x);
            } else {
                std::memcpy(&m(i, j), at, sizeof(double));
            }
        }
    }
    return m;
}

void Interpreter::write(ValueId id, const Matrix& m) {
    const Value& v = program_.values.at(static_cast<std::size_t>(id));
    EXPECT_LT(v.operand, 0);
    ASSERT_EQ(m.rows(), v.rows.size) << v.text;
    ASSERT_EQ(m.cols(), v.cols.size) << v.text;
    auto& buffer = v.scope == Scope::problem ? problem_ : shared_;
    ASSERT_GE(v.offset, 0) << v.text;
    ASSERT_LE(v.offset + v.count() * size_of(v.type), static_cast<std::int64_t>(buffer.size()))
        << v.text;
    for (std::int64_t i = 0; i < v.rows.size; ++i) {
        for (std::int64_t j = 0; j < v.cols.size; ++j) {
            std::byte* at = buffer.data() + v.offset + (i * v.cols.size + j) * size_of(v.type);
            if (v.type == ScalarType::float32) {
                const auto x = static_cast<float>(m(i, j));
                std::memcpy(at, &x, sizeof x);
            } else {
                std::memcpy(at, &m(i, j), sizeof(double));
            }
        }
    }
}

Eigen::MatrixXd Interpreter::read(const Use& use) const {
    Matrix m = load(use.value);
    if (use.row >= 0) {
        m = Matrix(m.row(use.row));
    }
    if (use.col >= 0) {
        m = Matrix(m.col(use.col));
    }
    if (use.transposed) {
        m = Matrix(m.transpose());
    }
    return m;
}

std::vector<Eigen::MatrixXd> Interpreter::read_all(const MapBody& body) const {
    std::vector<Matrix> operands;
    for (const MapOperand& o : body.operands) {
        operands.push_back(read(o.use));
    }
    return operands;
}

double Interpreter::entry(const MapBody& body, std::int64_t i, std::int64_t j,
                          const std::vector<Matrix>& operands) const {
    std::vector<double> r;
    for (const MapInstruction& c : body.code) {
        const auto at = [&](int k) { return r.at(static_cast<std::size_t>(k)); };
        switch (c.op) {
            case MapOp::load: {
                const Matrix& m = operands.at(static_cast<std::size_t>(c.a));
                const Broadcast b = body.operands[static_cast<std::size_t>(c.a)].broadcast;
                const bool one_row = b == Broadcast::row || b == Broadcast::scalar;
                const bool one_col = b == Broadcast::column || b == Broadcast::scalar;
                EXPECT_TRUE(!one_row || m.rows() == 1);
                EXPECT_TRUE(!one_col || m.cols() == 1);
                const std::int64_t row = one_row ? 0 : i;
                const std::int64_t col = one_col ? 0 : j;
                if (row >= m.rows() || col >= m.cols()) {
                    throw std::logic_error("a map reads outside its operand");
                }
                r.push_back(m(row, col));
                break;
            }
            case MapOp::constant:
                r.push_back(c.number);
                break;
            case MapOp::is_diagonal:
                r.push_back(i == j ? 1 : 0);
                break;
            case MapOp::is_lower:
                r.push_back(i >= j ? 1 : 0);
                break;
            case MapOp::is_upper:
                r.push_back(i <= j ? 1 : 0);
                break;
            case MapOp::row_index:
                r.push_back(static_cast<double>(i));
                break;
            case MapOp::col_index:
                r.push_back(static_cast<double>(j));
                break;
            case MapOp::perturb: {
                const auto coin = static_cast<std::int64_t>(c.number) + i * j + 3 * (i + j);
                r.push_back(at(c.a) * (1 + (coin % 2 == 0 ? kEpsilon : -kEpsilon)));
                break;
            }
            default:
                r.push_back(apply(c, at(c.a), c.b >= 0 ? at(c.b) : 0));
        }
    }
    return r.back();
}

namespace {

using Matrix = Eigen::MatrixXd;

/// Lower Cholesky factor, zeros above; sets `status` at a bad pivot.
Matrix cholesky(const Matrix& a, int& status) {
    const Eigen::Index n = a.rows();
    Matrix l = Matrix::Zero(n, n);
    for (Eigen::Index k = 0; k < n; ++k) {
        const double pivot = a(k, k) - l.row(k).head(k).squaredNorm();
        if (!(pivot > 0 && pivot < kInfinity)) {
            status = static_cast<int>(k) + 1;
            return l;
        }
        l(k, k) = std::sqrt(pivot);
        for (Eigen::Index i = k + 1; i < n; ++i) {
            l(i, k) = (a(i, k) - l.row(i).head(k).dot(l.row(k).head(k))) / l(k, k);
        }
    }
    return l;
}

void eliminate(Matrix& a, Matrix& pivots, bool zero_fails, int& status) {
    const Eigen::Index n = a.rows();
    pivots = Matrix::Zero(n, 1);
    for (Eigen::Index k = 0; k < n; ++k) {
        Eigen::Index best = k;
        for (Eigen::Index i = k + 1; i < n; ++i) {
            if (std::abs(a(i, k)) > std::abs(a(best, k))) {
                best = i;
            }
        }
        a.row(k).swap(a.row(best));
        pivots(k, 0) = static_cast<double>(best);
        const double pivot = a(k, k);
        if (!std::isfinite(pivot) || (zero_fails && pivot == 0)) {
            status = static_cast<int>(k) + 1;
            return;
        }
        for (Eigen::Index i = k + 1; i < n && pivot != 0; ++i) {
            a(i, k) /= pivot;
            a.row(i).tail(n - k - 1) -= a(i, k) * a.row(k).tail(n - k - 1);
        }
    }
}

/// op(A) from its factors, multiplied back.
Matrix rebuilt(const Matrix& lu, const Matrix& pivots) {
    const Eigen::Index n = lu.rows();
    Matrix l = lu.triangularView<Eigen::UnitLower>();
    const Matrix u = lu.triangularView<Eigen::Upper>();
    Matrix a = l * u;
    for (Eigen::Index k = n; k-- > 0;) {
        a.row(k).swap(a.row(static_cast<Eigen::Index>(pivots(k, 0))));
    }
    return a;
}

Matrix solved(const Matrix& a, const Matrix& b, Side side) {
    if (a.rows() == 0) {
        return b;
    }
    if (side == Side::left) {
        return a.fullPivLu().solve(b);
    }
    return a.transpose().fullPivLu().solve(b.transpose()).transpose();
}

}  // namespace

/// The first overlap rule: a result may lie over an input only where program.hpp allows it.
static void check_aliasing(const Program& program, const Step& step) {
    const auto value = [&](ValueId id) -> const Value& {
        return program.values.at(static_cast<std::size_t>(id));
    };
    const auto never = [&](const Use& u) {
        if (u.value == kNoValue) {
            return;
        }
        EXPECT_FALSE(overlaps(value(step.out), value(u.value))) << to_text(program, step);
        if (step.out2 != kNoValue) {
            EXPECT_FALSE(overlaps(value(step.out2), value(u.value))) << to_text(program, step);
        }
    };
    const auto in_place = [&](const Use& u) {
        if (u.value == kNoValue || !overlaps(value(step.out), value(u.value))) {
            return;
        }
        const Value& a = value(step.out);
        const Value& b = value(u.value);
        EXPECT_TRUE(a.offset == b.offset && a.type == b.type && a.rows.size == b.rows.size &&
                    a.cols.size == b.cols.size && !u.transposed && u.row < 0 && u.col < 0)
            << to_text(program, step);
    };
    if (const auto* g = std::get_if<Gemm>(&step.operation)) {
        never(g->a);
        never(g->b);
        in_place(g->c);
    } else if (const auto* s = std::get_if<Syrk>(&step.operation)) {
        never(s->a);
    } else if (const auto* p = std::get_if<Potrf>(&step.operation)) {
        in_place(p->a);
    } else if (const auto* f = std::get_if<Getrf>(&step.operation)) {
        in_place(f->a);
    } else if (const auto* t = std::get_if<Trsm>(&step.operation)) {
        never(t->triangle);
        in_place(t->b);
    } else if (const auto* v = std::get_if<Solve>(&step.operation)) {
        never(v->lu);
        never(v->pivots);
        in_place(v->b);
    } else if (const auto* m = std::get_if<Map>(&step.operation)) {
        for (const MapOperand& o : m->body.operands) {
            if (o.broadcast == Broadcast::none) {
                in_place(o.use);
            } else {
                never(o.use);
            }
        }
    } else if (const auto* r = std::get_if<Reduce>(&step.operation)) {
        for (const MapOperand& o : r->body.operands) {
            never(o.use);
        }
    }
}

int Interpreter::execute(const Step& step) {
    check_aliasing(program_, step);
    const Value& out = program_.values.at(static_cast<std::size_t>(step.out));
    int status = 0;
    if (const auto* g = std::get_if<Gemm>(&step.operation)) {
        Matrix r = g->alpha * (read(g->a) * read(g->b));
        if (g->c.value != kNoValue) {
            r += g->beta * read(g->c);
        }
        write(step.out, r);
    } else if (const auto* s = std::get_if<Syrk>(&step.operation)) {
        const Matrix a = read(s->a);
        Matrix r = s->alpha * (a * a.transpose());
        if (!s->mirror) {
            r.triangularView<Eigen::StrictlyUpper>().setConstant(kNaN);
        }
        write(step.out, r);
    } else if (const auto* p = std::get_if<Potrf>(&step.operation)) {
        EXPECT_FALSE(p->a.transposed);
        Matrix l = cholesky(read(p->a), status);
        l.triangularView<Eigen::StrictlyUpper>().setConstant(kNaN);
        write(step.out, l);
    } else if (const auto* f = std::get_if<Getrf>(&step.operation)) {
        Matrix a = read(f->a);
        Matrix pivots;
        eliminate(a, pivots, f->zero_pivot_fails, status);
        write(step.out, a);
        write(step.out2, pivots);
    } else if (const auto* t = std::get_if<Trsm>(&step.operation)) {
        EXPECT_FALSE(t->triangle.transposed);
        const Matrix stored = read(t->triangle);
        Matrix a = t->lower ? Matrix(stored.triangularView<Eigen::Lower>())
                            : Matrix(stored.triangularView<Eigen::Upper>());
        if (t->transposed) {
            a = Matrix(a.transpose());
        }
        const Matrix b =
            t->b.value == kNoValue ? Matrix::Identity(a.rows(), a.rows()).eval() : read(t->b);
        write(step.out, t->alpha * solved(a, b, t->side));
    } else if (const auto* v = std::get_if<Solve>(&step.operation)) {
        EXPECT_FALSE(v->lu.transposed);
        Matrix a = rebuilt(read(v->lu), read(v->pivots));
        if (v->transposed) {
            a = Matrix(a.transpose());
        }
        const Matrix b =
            v->b.value == kNoValue ? Matrix::Identity(a.rows(), a.rows()).eval() : read(v->b);
        write(step.out, solved(a, b, v->side));
    } else if (const auto* m = std::get_if<Map>(&step.operation)) {
        const std::vector<Matrix> operands = read_all(m->body);
        Matrix r(out.rows.size, out.cols.size);
        for (std::int64_t i = 0; i < r.rows(); ++i) {
            for (std::int64_t j = 0; j < r.cols(); ++j) {
                r(i, j) = entry(m->body, i, j, operands);
            }
        }
        write(step.out, r);
    } else if (const auto* d = std::get_if<Reduce>(&step.operation)) {
        const std::vector<Matrix> operands = read_all(d->body);
        const double start = d->op == ReduceOp::sum || d->op == ReduceOp::norm ? 0
                             : d->op == ReduceOp::max                          ? -kInfinity
                                                                               : 1;
        Matrix r = Matrix::Constant(out.rows.size, out.cols.size, start);
        for (std::int64_t i = 0; i < d->rows.size; ++i) {
            for (std::int64_t j = 0; j < d->cols.size; ++j) {
                if (d->over == ReduceOver::diagonal && i != j) {
                    continue;
                }
                const double x = entry(d->body, i, j, operands);
                double& into =
                    r(d->over == ReduceOver::rows ? i : 0, d->over == ReduceOver::cols ? j : 0);
                if (d->op == ReduceOp::sum) {
                    into += x;
                } else if (d->op == ReduceOp::max) {
                    into = std::isnan(x) || x > into ? x : into;
                } else if (d->op == ReduceOp::norm) {
                    into = std::hypot(into, x);
                } else {
                    into *= x;
                }
            }
        }
        if (d->op == ReduceOp::signed_product) {
            const Matrix pivots = read(d->pivots);
            for (Eigen::Index k = 0; k < pivots.rows(); ++k) {
                if (pivots(k, 0) != static_cast<double>(k)) {
                    r = Matrix(-r);
                }
            }
        }
        write(step.out, d->scale * r);
    } else if (const auto* c = std::get_if<Copy>(&step.operation)) {
        const Matrix a = read(c->a);
        write(step.out,
              a.size() == 1 ? Matrix::Constant(out.rows.size, out.cols.size, a(0, 0)) : a);
    } else if (const auto* w = std::get_if<Window>(&step.operation)) {
        const Matrix a = read(w->a);
        Matrix r = Matrix::Zero(out.rows.size, out.cols.size);
        for (Eigen::Index i = 0; i < r.rows(); ++i) {
            for (Eigen::Index j = 0; j < r.cols(); ++j) {
                const Eigen::Index row = i + w->row;
                const Eigen::Index col = j + w->col;
                const bool has = row >= 0 && row < a.rows() && col >= 0 && col < a.cols();
                r(i, j) = has ? a(row, col) : 0;
            }
        }
        write(step.out, r);
    } else {
        throw std::logic_error("batch_reduce is no step of one problem");
    }
    return status;
}

void Interpreter::run_step(const Step& step) {
    if (status_ == 0) {
        status_ = execute(step);
    }
}

RunResult Interpreter::run(const std::vector<Operands>& problems) {
    RunResult result;
    std::fill(shared_.begin(), shared_.end(), std::byte{0xff});
    operands_ = problems.empty() ? nullptr : &problems.front();
    status_ = 0;
    bool problems_started = false;
    for (const Step& s : program_.steps) {
        if (s.scope == Scope::shared) {
            EXPECT_FALSE(problems_started) << "shared steps come first";
            run_step(s);
        } else {
            problems_started = true;
            if (s.scope == Scope::reduced) {
                const Value& v = program_.values.at(static_cast<std::size_t>(s.out));
                write(s.out, Matrix::Zero(v.rows.size, v.cols.size));
            }
        }
    }
    const int shared_status = status_;
    for (const Operands& problem : problems) {
        operands_ = &problem;
        status_ = shared_status;
        std::fill(problem_.begin(), problem_.end(), std::byte{0xff});
        for (const Step& s : program_.steps) {
            if (s.scope == Scope::problem) {
                run_step(s);
            }
        }
        result.status.push_back(status_);
        if (status_ == 0) {
            ++result.succeeded;
            for (const Step& s : program_.steps) {
                if (const auto* sum = std::get_if<BatchReduce>(&s.operation)) {
                    write(s.out, load(s.out) + read(sum->a));
                }
            }
        }
        for (const Step& s : program_.steps) {  // of the sums so far
            if (s.scope == Scope::reduced && !std::holds_alternative<BatchReduce>(s.operation)) {
                (void)execute(s);
            }
        }
        std::vector<Matrix> outputs;
        for (const ProgramOutput& o : program_.outputs) {
            Matrix m = load(o.value);
            if (o.transposed) {
                m = Matrix(m.transpose());
            }
            if (status_ != 0) {
                m.setConstant(kNaN);
            }
            outputs.push_back(std::move(m));
        }
        result.outputs.push_back(std::move(outputs));
    }
    return result;
}

}  // namespace matgrad::testing
