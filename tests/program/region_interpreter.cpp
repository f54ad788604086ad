#include "program/region_interpreter.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "program/aliasing.hpp"
#include "program/buffer_trace.hpp"
#include "program/uses.hpp"

namespace matgrad::testing {
namespace {

using Matrix = Eigen::MatrixXd;

std::int64_t bytes_of(const Program& program, ValueId v) {
    return program.value(v).count() * size_of(program.value(v).type);
}

/// Without the root of a potrf.
std::vector<Use> reads_of(const Step& step) {
    std::vector<Use> uses;
    const auto* potrf = std::get_if<Potrf>(&step.operation);
    for_each_use(step.operation, [&](const Use& use) {
        if (potrf == nullptr || &use != &potrf->root) {
            uses.push_back(use);
        }
    });
    return uses;
}

Matrix part_of(const Matrix& m, Cut cut, std::int64_t first, std::int64_t count) {
    return cut == Cut::rows   ? Matrix(m.middleRows(first, count))
           : cut == Cut::cols ? Matrix(m.middleCols(first, count))
                              : m;
}

double joined(Join join, double a, double b) {
    switch (join) {
        case Join::sum:
            return a + b;
        case Join::max:
            return std::isnan(b) || b > a ? b : a;
        case Join::product:
            return a * b;
        case Join::norm:
            return std::hypot(a, b);
    }
    return 0;
}

/// All of a value, its rows or its columns.
using Part = std::pair<ValueId, Cut>;

class Runner {
public:
    Runner(const Program& program, const Regions& regions, ValueMap memory)
        : program_(program), regions_(regions) {
        run_.memory = std::move(memory);
    }

    RegionRun run() {
        for (const Pass& pass : regions_.passes) {
            run_pass(pass);
            if (run_.status != 0) {
                return std::move(run_);
            }
        }
        run_.bytes = chip_trace_.peak();
        for (const auto& [time, panels] : panel_bytes_) {
            run_.bytes = std::max(run_.bytes, chip_trace_.bytes_at(time) + panels);
        }
        return std::move(run_);
    }

private:
    [[nodiscard]] const Step& step(int s) const {
        return program_.steps.at(static_cast<std::size_t>(s));
    }
    [[nodiscard]] bool is_kept(ValueId v) const {
        return std::count(regions_.kept.begin(), regions_.kept.end(), v) > 0;
    }
    const Matrix& on_chip(ValueId v) {
        const auto place = chip_.find(v);
        if (place == chip_.end()) {
            ADD_FAILURE() << "value " << v << " is not on chip\n" << to_text(program_, regions_);
            throw std::logic_error("a value is not on chip");
        }
        chip_trace_.touch(v, bytes_of(program_, v));
        return place->second;
    }
    void make(ValueId v, Matrix m) {
        chip_[v] = std::move(m);
        chip_trace_.touch(v, bytes_of(program_, v));
    }

    void run_pass(const Pass& pass) {
        pass_ = &pass;
        for (const Transfer& read : pass.reads) {
            if (read.cut == Cut::whole) {
                chip_[read.value] = run_.memory.at(read.value);
            }
            count(read.value, run_.bytes_read);
        }
        for (const int s : pass.before) {
            run_whole_step(s);
        }
        if (pass.dimension.size > 0) {
            run_panels();
        } else {
            EXPECT_TRUE(pass.steps.empty());
        }
        for (const int s : pass.after) {
            const auto contraction =
                std::find_if(pass.contractions.begin(), pass.contractions.end(),
                             [s](const Contraction& c) { return c.step == s; });
            if (contraction == pass.contractions.end()) {
                run_whole_step(s);
            } else {
                finish(*contraction);
            }
        }
        for (const Transfer& write : pass.writes) {
            if (write.cut == Cut::whole && run_.status == 0) {
                run_.memory[write.value] = chip_.at(write.value);
            }
            run_.bytes_written += bytes_of(program_, write.value);
        }
        for (const Transfer& read : pass.reads) {
            if (!is_kept(read.value)) {
                chip_.erase(read.value);
                chip_trace_.close(read.value);
            }
        }
    }
    void count(ValueId v, std::int64_t& bytes) const {
        bytes += program_.value(v).scope == Scope::shared ? 0 : bytes_of(program_, v);
    }

    void run_whole_step(int s) {
        if (run_.status != 0) {
            return;
        }
        StepRun run;
        for (const Use& use : reads_of(step(s))) {
            run.inputs.push_back(on_chip(use.value));
        }
        find_root(s);
        StepResult result = run_step(program_, s, run);
        run_.status = result.status;
        make(step(s).out, std::move(result.out));
        if (step(s).out2 != kNoValue) {
            make(step(s).out2, std::move(result.out2));
        }
        chip_trace_.made_over(step(s).out,
                              overwritable_inputs(program_, step(s), OperandsAre::copies));
        ++chip_trace_.time;
    }

    /// It is on chip, or in memory, or can be made again, panel by panel.
    void find_root(int s) {
        const auto* potrf = std::get_if<Potrf>(&step(s).operation);
        if (potrf == nullptr || !is_present(potrf->root) ||
            program_.value(step(s).out).rows.size <= 1 ||
            program_.value(step(s).out).type != ScalarType::float64 ||
            step(s).type != ScalarType::float64) {
            return;
        }
        const ValueId root = potrf->root.value;
        for (const RootAgain& again : pass_->roots) {
            if (again.step == s) {
                make_again(again, root);
                return;
            }
        }
        if (chip_.count(root) > 0) {
            (void)on_chip(root);
        } else {
            EXPECT_EQ(run_.memory.count(root), 1U) << to_text(program_, regions_);
        }
    }
    /// By the steps' own panels in the pass that made them first.
    void make_again(const RootAgain& again, ValueId root) {
        ++run_.roots_again;
        for (const Pass& pass : regions_.passes) {
            for (const PanelStep& made : pass.steps) {
                if (step(made.step).out != root || made.again) {
                    continue;
                }
                ValueMap panel;
                for (const int t : again.steps) {
                    const auto place =
                        std::find_if(pass.steps.begin(), pass.steps.end(),
                                     [t](const PanelStep& p) { return p.step == t; });
                    ASSERT_TRUE(place != pass.steps.end() || made.step == t);
                    const PanelStep& one = place == pass.steps.end() ? made : *place;
                    StepRun run{{}, one.domain, 0, std::min(pass.panel, pass.dimension.size)};
                    const std::vector<Use> reads = reads_of(step(t));
                    for (std::size_t u = 0; u < reads.size(); ++u) {
                        const ValueId v = reads[u].value;
                        if (panel.count(v) > 0) {
                            run.inputs.push_back(panel.at(v));
                        } else if (run_.memory.count(v) > 0) {
                            run.inputs.push_back(
                                part_of(run_.memory.at(v), one.uses[u], 0, run.count));
                        } else {
                            run.inputs.push_back(part_of(on_chip(v), one.uses[u], 0, run.count));
                        }
                    }
                    panel[step(t).out] = run_step(program_, t, run).out;
                }
                EXPECT_EQ(panel.count(root), 1U);
                return;
            }
        }
        ADD_FAILURE() << "no pass makes the root\n" << to_text(program_, regions_);
    }

    void run_panels() {
        const Pass& pass = *pass_;
        EXPECT_GT(pass.panel, 0);
        sums_.clear();
        for (std::int64_t first = 0; first < pass.dimension.size; first += pass.panel) {
            first_ = first;
            count_ = std::min(pass.panel, pass.dimension.size - first);
            panel_.clear();
            Trace trace;
            for (const PanelStep& one : pass.steps) {
                run_panel_step(one, trace);
                ++trace.time;
            }
            panel_bytes_.emplace_back(chip_trace_.time, trace.peak());
        }
        ++chip_trace_.time;
    }

    Matrix panel_input(ValueId v, Cut cut, Trace& trace) {
        const Part part{v, cut};
        const bool is_read = std::any_of(
            pass_->reads.begin(), pass_->reads.end(),
            [&](const Transfer& t) { return cut != Cut::whole && t.value == v && t.cut == cut; });
        if (panel_.count(part) == 0 && is_read) {
            panel_[part] = part_of(run_.memory.at(v), cut, first_, count_);
        }
        const bool is_here = panel_.count(part) > 0;
        EXPECT_EQ(is_here, is_panel(regions_, *pass_, program_, v, cut));
        if (!is_here) {
            return part_of(on_chip(v), cut, first_, count_);
        }
        touch(part, trace);
        return panel_.at(part);
    }
    void touch(const Part& part, Trace& trace) const {
        const Value& value = program_.value(part.first);
        const std::int64_t row =
            (part.second == Cut::rows ? value.cols.size : value.rows.size) * size_of(value.type);
        trace.touch(key(part), row * count_);
    }
    /// Rows and columns of a value are two buffers.
    static int key(const Part& part) { return 2 * part.first + (part.second == Cut::cols); }

    void run_panel_step(const PanelStep& one, Trace& trace) {
        const Step& s = step(one.step);
        const std::vector<Use> reads = reads_of(s);
        ASSERT_EQ(reads.size(), one.uses.size());
        const auto* gemm = std::get_if<Gemm>(&s.operation);
        StepRun run{{}, one.domain, first_, count_, one.contracts};
        for (std::size_t u = 0; u < reads.size(); ++u) {
            const bool is_late = one.contracts && gemm != nullptr && u == 2;
            run.inputs.push_back(is_late ? Matrix()
                                         : panel_input(reads[u].value, one.uses[u], trace));
        }
        Matrix out = run_step(program_, one.step, run).out;
        if (one.contracts) {
            const auto sum = std::find_if(pass_->contractions.begin(), pass_->contractions.end(),
                                          [&](const Contraction& c) { return c.step == one.step; });
            ASSERT_TRUE(sum != pass_->contractions.end());
            const auto [place, is_new] =
                sums_.try_emplace(s.out, Matrix::Constant(out.rows(), out.cols(), sum->initial));
            for (Eigen::Index i = 0; i < out.size(); ++i) {
                double& into = place->second.data()[i];
                into = joined(sum->join, into, out.data()[i]);
            }
            chip_trace_.touch(s.out, bytes_of(program_, s.out));
            return;
        }
        if (is_kept(s.out)) {
            put(chip_, one, out);
            chip_trace_.touch(s.out, bytes_of(program_, s.out));
        } else {
            const Part part{s.out, one.out};
            panel_[part] = out;
            touch(part, trace);
            std::vector<int> inputs;
            for (const ValueId v : overwritable_inputs(program_, s, OperandsAre::copies)) {
                inputs.push_back(key({v, one.out}));
            }
            trace.made_over(key(part), inputs);
        }
        for (const Transfer& write : pass_->writes) {
            if (write.value == s.out) {
                EXPECT_EQ(write.cut, one.out);
                put(run_.memory, one, out);
            }
        }
    }
    void put(ValueMap& values, const PanelStep& one, const Matrix& panel) {
        const Value& value = program_.value(step(one.step).out);
        Matrix& whole = values
                            .try_emplace(step(one.step).out,
                                         Matrix::Constant(value.rows.size, value.cols.size, NAN))
                            .first->second;
        if (one.out == Cut::rows) {
            whole.middleRows(first_, count_) = panel;
        } else {
            whole.middleCols(first_, count_) = panel;
        }
    }

    void finish(const Contraction& contraction) {
        const Step& s = step(contraction.step);
        Matrix result = sums_.at(s.out);
        if (const auto* gemm = std::get_if<Gemm>(&s.operation)) {
            result *= gemm->alpha;
            if (is_present(gemm->c)) {
                Matrix c = on_chip(gemm->c.value);
                c = gemm->c.row >= 0 ? Matrix(c.row(gemm->c.row)) : c;
                c = gemm->c.col >= 0 ? Matrix(c.col(gemm->c.col)) : c;
                result += gemm->beta * (gemm->c.transposed ? Matrix(c.transpose()) : c);
            }
        } else if (const auto* syrk = std::get_if<Syrk>(&s.operation)) {
            result *= syrk->alpha;
        } else if (const auto* reduce = std::get_if<Reduce>(&s.operation)) {
            result *= reduce->scale;
        }
        make(s.out, result);
        ++chip_trace_.time;
    }

    const Program& program_;
    const Regions& regions_;
    const Pass* pass_ = nullptr;
    RegionRun run_;
    ValueMap chip_, sums_;
    std::map<Part, Matrix> panel_;
    std::int64_t first_ = 0, count_ = 0;
    Trace chip_trace_;
    std::vector<std::pair<int, std::int64_t>> panel_bytes_;
};

}  // namespace

RegionRun run_regions(const Program& program, const Regions& regions, ValueMap memory) {
    return Runner(program, regions, std::move(memory)).run();
}

}  // namespace matgrad::testing
