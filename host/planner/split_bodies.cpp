#include <algorithm>
#include <utility>

#include "planner/edit.hpp"
#include "planner/split.hpp"
#include "program/cost.hpp"

namespace matgrad {
namespace {

/// A stored value has to be so much cheaper than computing it again.
constexpr double kWorthKeeping = 0.8;
/// Operations of an executor that works on vectors, per second.
constexpr double kEntrywise = 5e9;

/// In additions.
double weight_of(MapOp op) {
    if (op == MapOp::load || op == MapOp::constant || is_position(op)) {
        return 0;
    }
    if (op == MapOp::pow) {
        return 16;
    }
    if (entrywise_of(op)) {
        return 8;
    }
    return op == MapOp::div ? 4 : 1;
}

bool same_use(const Use& a, const Use& b) {
    return a.value == b.value && a.transposed == b.transposed && a.row == b.row && a.col == b.col;
}

bool same_body(const MapBody& a, const MapBody& b) {
    const auto same_operand = [](const MapOperand& x, const MapOperand& y) {
        return same_use(x.use, y.use) && x.broadcast == y.broadcast;
    };
    const auto same_instruction = [](const MapInstruction& x, const MapInstruction& y) {
        return x.op == y.op && x.a == y.a && x.b == y.b && x.number == y.number;
    };
    return std::equal(a.operands.begin(), a.operands.end(), b.operands.begin(), b.operands.end(),
                      same_operand) &&
           std::equal(a.code.begin(), a.code.end(), b.code.begin(), b.code.end(), same_instruction);
}

/// The body of one step, taken apart.
class BodySplitter {
public:
    /// New steps go to `added`, new values to the end of the program.
    BodySplitter(Program& program, std::vector<bool>& is_late, std::vector<Step>& added)
        : program_(program), is_late_(is_late), added_(added) {}

    void split(const Step& step, MapBody& body, const Extent& rows, const Extent& cols) {
        step_ = &step;
        body_ = body;
        rows_ = rows;
        cols_ = cols;
        find_late_registers();
        copied_.assign(body_.code.size(), -1);
        MapBody result;
        BodyWriter writer(result);
        writer_ = &writer;
        writer.finish(copy(static_cast<int>(body_.code.size()) - 1));
        if (result.code.size() <= kMaxBodyCode && result.operands.size() <= kMaxBodyOperands) {
            body = std::move(result);
        }
    }

private:
    /// coefficient * the product of registers, or of one over them.
    struct Factor {
        int reg = -1;
        bool reciprocal = false;
    };
    struct Product {
        double coefficient = 1;
        std::vector<Factor> factors;
    };

    [[nodiscard]] const MapInstruction& code(int reg) const {
        return body_.code[static_cast<std::size_t>(reg)];
    }
    [[nodiscard]] bool late(int reg) const { return late_[static_cast<std::size_t>(reg)]; }
    [[nodiscard]] const MapOperand& operand(const MapInstruction& load) const {
        return body_.operands[static_cast<std::size_t>(load.a)];
    }

    void find_late_registers() {
        late_.assign(body_.code.size(), false);
        uses_.assign(body_.code.size(), 0);
        for (std::size_t i = 0; i < body_.code.size(); ++i) {
            const MapInstruction& c = body_.code[i];
            if (c.op == MapOp::load) {
                late_[i] = is_late_[static_cast<std::size_t>(operand(c).use.value)];
            }
            for (const int reg : {reads_a(c.op) ? c.a : -1, reads_b(c.op) ? c.b : -1}) {
                if (reg >= 0) {
                    late_[i] = late_[i] || late(reg);
                    ++uses_[static_cast<std::size_t>(reg)];
                }
            }
        }
    }

    int copy(int reg) {
        int& done = copied_[static_cast<std::size_t>(reg)];
        if (done < 0) {
            const int result = copy_new(reg);
            copied_[static_cast<std::size_t>(reg)] = result;
            return result;
        }
        return done;
    }

    int copy_new(int reg) {
        const MapInstruction& c = code(reg);
        if (!late(reg)) {
            return place({1, {{reg, false}}});
        }
        if (c.op == MapOp::load) {
            return writer_->load(operand(c).use, operand(c).broadcast);
        }
        if (is_product(c.op)) {
            return copy_product(reg);
        }
        const int a = copy(c.a);
        const int b = reads_b(c.op) ? copy(c.b) : -1;
        return writer_->emit({c.op, a, b, c.number});
    }

    static bool is_product(MapOp op) {
        return op == MapOp::mul || op == MapOp::div || op == MapOp::scale;
    }

    int copy_product(int reg) {
        Product all;
        gather(reg, false, true, all);
        Product early{all.coefficient, {}};
        std::vector<Factor> rest;
        for (const Factor& factor : all.factors) {
            (late(factor.reg) ? rest : early.factors).push_back(factor);
        }
        int result = -1;
        if (!early.factors.empty()) {
            result = place(early);
        }
        for (const bool reciprocal : {false, true}) {
            for (const Factor& factor : rest) {
                if (factor.reciprocal != reciprocal) {
                    continue;
                }
                const int next = copy(factor.reg);
                if (reciprocal) {
                    const int over = result < 0 ? writer_->constant(1) : result;
                    result = writer_->binary(MapOp::div, over, next);
                } else {
                    result = result < 0 ? next : writer_->binary(MapOp::mul, result, next);
                }
            }
        }
        return early.factors.empty() ? writer_->scale(all.coefficient, result) : result;
    }

    /// Products within products, where nobody else reads them.
    void gather(int reg, bool reciprocal, bool is_top, Product& product) {
        const MapInstruction& c = code(reg);
        const bool opens =
            is_product(c.op) && late(reg) && (is_top || uses_[static_cast<std::size_t>(reg)] == 1);
        if (!opens) {
            product.factors.push_back({reg, reciprocal});
            return;
        }
        gather(c.a, reciprocal, false, product);
        if (c.op == MapOp::scale) {
            product.coefficient *= reciprocal ? 1 / c.number : c.number;
        } else {
            gather(c.b, reciprocal != (c.op == MapOp::div), false, product);
        }
    }

    /// A product that depends on nothing late, in the new body or as a value of its own.
    int place(const Product& product) {
        MapBody own;
        BodyWriter writer(own);
        writer.finish(write(writer, product));
        if (!is_worth_keeping(own)) {
            return write(*writer_, product);
        }
        const Shape shape = shape_of(own);
        const Use kept = value_of(own, shape);
        return writer_->load(kept, shape.rows && shape.cols ? Broadcast::none
                                   : shape.rows             ? Broadcast::column
                                   : shape.cols             ? Broadcast::row
                                                            : Broadcast::scalar);
    }

    int write(BodyWriter& writer, const Product& product) const {
        std::vector<int> copied(body_.code.size(), -1);
        int result = -1;
        for (const bool reciprocal : {false, true}) {
            for (const Factor& factor : product.factors) {
                if (factor.reciprocal != reciprocal) {
                    continue;
                }
                const int next = write(writer, factor.reg, copied);
                if (reciprocal) {
                    result =
                        writer.binary(MapOp::div, result < 0 ? writer.constant(1) : result, next);
                } else {
                    result = result < 0 ? next : writer.binary(MapOp::mul, result, next);
                }
            }
        }
        return writer.scale(product.coefficient, result);
    }

    int write(BodyWriter& writer, int reg, std::vector<int>& copied) const {
        if (copied[static_cast<std::size_t>(reg)] >= 0) {
            return copied[static_cast<std::size_t>(reg)];
        }
        const MapInstruction& c = code(reg);
        int result = -1;
        if (c.op == MapOp::load) {
            result = writer.load(operand(c).use, operand(c).broadcast);
        } else {
            const int a = reads_a(c.op) ? write(writer, c.a, copied) : -1;
            const int b = reads_b(c.op) ? write(writer, c.b, copied) : -1;
            result = writer.emit({c.op, a, b, c.number});
        }
        copied[static_cast<std::size_t>(reg)] = result;
        return result;
    }

    /// Which sides of the domain an expression runs over.
    struct Shape {
        bool rows = false, cols = false;
    };
    static Shape shape_of(const MapBody& body) {
        Shape shape;
        for (const MapOperand& o : body.operands) {
            const bool is_whole = o.broadcast == Broadcast::none;
            shape.rows = shape.rows || is_whole || o.broadcast == Broadcast::column;
            shape.cols = shape.cols || is_whole || o.broadcast == Broadcast::row;
        }
        for (const MapInstruction& c : body.code) {
            shape.rows = shape.rows || is_position(c.op);
            shape.cols = shape.cols || is_position(c.op);
        }
        return shape;
    }
    [[nodiscard]] double count_of(const Shape& shape) const {
        return static_cast<double>((shape.rows ? rows_.size : 1) * (shape.cols ? cols_.size : 1));
    }

    /// Is the value quicker to read than to compute? What all problems share costs no reading.
    [[nodiscard]] bool is_worth_keeping(const MapBody& body) const {
        const DeviceRates rates;
        double operations = 0;
        for (const MapInstruction& c : body.code) {
            operations += weight_of(c.op);
        }
        if (operations == 0 || body.operands.empty()) {
            return false;
        }
        double loaded = 0;
        bool is_shared = true;
        for (const MapOperand& o : body.operands) {
            const Value& value = program_.value(o.use.value);
            if (value.scope == Scope::problem) {
                is_shared = false;
                loaded += is_read_elsewhere(o) ? 0
                                               : static_cast<double>(rows_of(program_, o.use).size *
                                                                     cols_of(program_, o.use).size *
                                                                     size_of(value.type));
            }
        }
        const double domain = static_cast<double>(rows_.size * cols_.size);
        const double computing = operations * domain / kEntrywise + loaded / rates.bytes;
        const double reading = is_shared
                                   ? 0
                                   : count_of(shape_of(body)) *
                                         static_cast<double>(size_of(type_of(body))) / rates.bytes;
        return reading < kWorthKeeping * computing;
    }

    /// By something that depends on what is late.
    [[nodiscard]] bool is_read_elsewhere(const MapOperand& operand_read) const {
        for (std::size_t i = 0; i < body_.code.size(); ++i) {
            const MapInstruction& c = body_.code[i];
            if (!late_[i] || c.op == MapOp::load || is_product(c.op)) {
                continue;
            }
            for (const int reg : {reads_a(c.op) ? c.a : -1, reads_b(c.op) ? c.b : -1}) {
                if (reg >= 0 && code(reg).op == MapOp::load &&
                    same_use(operand(code(reg)).use, operand_read.use)) {
                    return true;
                }
            }
        }
        return false;
    }

    /// That of its operands, double if one of them is.
    [[nodiscard]] ScalarType type_of(const MapBody& body) const {
        ScalarType type = program_.type;
        for (const MapOperand& o : body.operands) {
            if (program_.value(o.use.value).type == ScalarType::float64) {
                type = ScalarType::float64;
            }
        }
        return type;
    }

    Use value_of(const MapBody& body, const Shape& shape) {
        const Extent one{"1", 1};
        Value value;
        value.rows = shape.rows ? rows_ : one;
        value.cols = shape.cols ? cols_ : one;
        value.type = type_of(body);
        value.scope = Scope::shared;
        MapBody own = body;
        for (MapOperand& o : own.operands) {
            value.scope = std::max(value.scope, program_.value(o.use.value).scope);
            o.broadcast = broadcast_in(o.broadcast, shape);
        }
        for (const Step& step : added_) {
            const Value& out = program_.value(step.out);
            if (same_body(std::get<Map>(step.operation).body, own) && step.type == step_->type &&
                out.rows.size == value.rows.size && out.cols.size == value.cols.size) {
                return {step.out};
            }
        }
        value.text = "a part of " + program_.value(step_->out).text;
        Step step;
        step.operation = Map{std::move(own)};
        step.out = static_cast<ValueId>(program_.values.size());
        step.scope = value.scope;
        step.type = step_->type;
        step.why = "does not depend on the late operands";
        program_.values.push_back(std::move(value));
        is_late_.push_back(false);
        added_.push_back(std::move(step));
        return {added_.back().out};
    }

    /// A column over a domain of one column is the whole of it.
    static Broadcast broadcast_in(Broadcast broadcast, const Shape& shape) {
        if (broadcast == Broadcast::column && !shape.cols) {
            return Broadcast::none;
        }
        if (broadcast == Broadcast::row && !shape.rows) {
            return Broadcast::none;
        }
        if (broadcast == Broadcast::scalar && !shape.rows && !shape.cols) {
            return Broadcast::none;
        }
        return broadcast;
    }

    Program& program_;
    std::vector<bool>& is_late_;
    std::vector<Step>& added_;
    const Step* step_ = nullptr;
    MapBody body_;
    Extent rows_, cols_;
    std::vector<bool> late_;
    std::vector<int> uses_;
    std::vector<int> copied_;
    BodyWriter* writer_ = nullptr;
};

}  // namespace

void split_bodies(Program& program, std::vector<bool>& is_late) {
    std::vector<Step> steps;
    std::vector<Step> added;
    for (Step step : std::exchange(program.steps, {})) {
        if (is_late[static_cast<std::size_t>(step.out)]) {
            const std::size_t before = added.size();
            BodySplitter splitter(program, is_late, added);
            if (auto* map = std::get_if<Map>(&step.operation)) {
                const Value out = program.value(step.out);
                splitter.split(step, map->body, out.rows, out.cols);
            } else if (auto* reduce = std::get_if<Reduce>(&step.operation);
                       reduce != nullptr && reduce->over != ReduceOver::diagonal) {
                splitter.split(step, reduce->body, reduce->rows, reduce->cols);
            }
            steps.insert(steps.end(), added.begin() + static_cast<std::ptrdiff_t>(before),
                         added.end());
        }
        steps.push_back(std::move(step));
    }
    program.steps = std::move(steps);
}

}  // namespace matgrad
