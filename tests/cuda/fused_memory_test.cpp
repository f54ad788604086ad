/// The memory of the values of fused kernels, and the syncs between their steps: looked through by rules of its own,
/// for many Programs. Nothing is compiled.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <set>
#include <sstream>

#include "cuda/fused/source.hpp"
#include "cuda/fused_programs.hpp"
#include "program/uses.hpp"
#include "support/environment.hpp"

namespace matgrad {
namespace {

using gpu::ChipPlace;

/// Of each value, by number of the fused steps: -1 is before the first.
struct Life {
    std::int64_t made = -2, last = -2;
    [[nodiscard]] bool is_any() const { return made > -2; }
};

class Look {
public:
    Look(const Program& program, const gpu::FusedDescription& what,
         const gpu::FusedConfiguration& c)
        : program_(program), what_(what), c_(c), lives_(program.values.size()) {
        for (const ValueId id : what.inputs) {
            life(id) = {-1, -1};
        }
        for (std::int64_t k = 0; k < count(); ++k) {
            for_each_use(step(k).operation, [&](const Use& use) {
                if (life(use.value).is_any()) {
                    life(use.value).last = k;
                }
            });
            for (const ValueId out : {step(k).out, step(k).out2}) {
                if (out != kNoValue) {
                    life(out) = {k, k};
                }
            }
        }
        for (const std::size_t result : what.results) {
            keep(program.outputs[result].value);
        }
        for (const ValueId id : what.kept) {
            keep(id);
        }
    }

    void expect_own_memory() const {
        for (std::size_t a = 0; a < lives_.size(); ++a) {
            for (std::size_t b = 0; b < lives_.size(); ++b) {
                const bool later = a != b && lives_[a].is_any() && lives_[b].is_any() &&
                                   lives_[a].made <= lives_[b].made && shares(a, b);
                if (later && lives_[a].last >= lives_[b].made) {
                    EXPECT_TRUE(lives_[a].last == lives_[b].made &&
                                lives_[a].made < lives_[b].made &&
                                may_overwrite(step(lives_[b].made), static_cast<ValueId>(a),
                                              static_cast<ValueId>(b)))
                        << "v" << a << " and v" << b << " in\n"
                        << to_text(program_);
                }
            }
            expect_no_scratch_of_others(a);
        }
    }

    /// In the text, each step is found, and between two that share memory, of which one writes there, a sync.
    void expect_syncs(const std::string& text) const {
        std::vector<Event> segment;
        std::istringstream lines(text.substr(text.find("first_status")));
        std::vector<std::string> body;
        for (std::string line; std::getline(lines, line);) {
            body.push_back(line);
        }
        std::int64_t found = 0;
        for (int round = 0; round < 2; ++round) {  // of two problems, one after the other
            std::int64_t next = 0;
            for (const std::string& line : body) {
                if (line == "        Team::sync();") {
                    segment.clear();
                    continue;
                }
                Event event;
                while (next < count() && program_.value(step(next).out).count() == 0) {
                    ++next;
                }
                if (next < count() && line == "        // " + to_text(program_, step(next))) {
                    event = event_of(step(next++));
                    ++found;
                } else if (line.rfind("        load_matrix<Team", 0) == 0) {
                    event.writes = {value_at_end(line)};
                } else if (line.rfind("        store_result<Team", 0) == 0) {
                    event.reads = {value_at_end(line)};
                } else {
                    continue;
                }
                for (const Event& before : segment) {
                    EXPECT_FALSE(meet(before.writes, event.reads) ||
                                 meet(before.writes, event.writes) ||
                                 meet(before.reads, event.writes))
                        << "no sync before " << line << " in\n"
                        << text;
                }
                segment.push_back(event);
            }
        }
        std::int64_t not_empty = 0;
        for (std::int64_t k = 0; k < count(); ++k) {
            not_empty += program_.value(step(k).out).count() > 0 ? 1 : 0;
        }
        EXPECT_EQ(found, 2 * not_empty);
    }

private:
    struct Event {
        std::vector<ValueId> reads, writes;
    };

    [[nodiscard]] std::int64_t count() const {
        return static_cast<std::int64_t>(what_.steps.size());
    }
    [[nodiscard]] const Step& step(std::int64_t k) const {
        return *what_.steps[static_cast<std::size_t>(k)];
    }
    Life& life(ValueId id) { return lives_[static_cast<std::size_t>(id)]; }
    void keep(ValueId id) {
        if (life(id).is_any()) {
            life(id).last = count();
        }
    }

    /// Of two values each, but those that are the same for all problems.
    [[nodiscard]] bool shares(std::size_t a, std::size_t b) const {
        const ChipPlace& p = c_.places[a];
        const ChipPlace& q = c_.places[b];
        if (p.is_own) {
            return p.home == q.home;
        }
        return !p.is_staged && !q.is_staged && overlap(p.offset, p.bytes, q.offset, q.bytes);
    }
    static bool overlap(std::int64_t a, std::int64_t a_bytes, std::int64_t b,
                        std::int64_t b_bytes) {
        return a < b + b_bytes && b < a + a_bytes;
    }

    /// `made` may take the memory of `read`, each entry of which is read by who writes it.
    [[nodiscard]] bool may_overwrite(const Step& step, ValueId read, ValueId made) const {
        const Value& a = program_.value(read);
        const Value& b = program_.value(made);
        int reads = 0;
        bool whole = true;
        for_each_use(step.operation, [&](const Use& use) {
            if (use.value == read) {
                ++reads;
                whole = whole && !use.transposed && use.row < 0 && use.col < 0;
            }
        });
        const auto is = [&](const Use& use) { return use.value == read; };
        bool at_its_place = false;
        if (const auto* map = std::get_if<Map>(&step.operation)) {
            for (const MapOperand& operand : map->body.operands) {
                at_its_place =
                    at_its_place || (is(operand.use) && operand.broadcast == Broadcast::none);
            }
        } else if (const auto* gemm = std::get_if<Gemm>(&step.operation)) {
            at_its_place = is(gemm->c);
        } else if (const auto* trsm = std::get_if<Trsm>(&step.operation)) {
            at_its_place = is(trsm->b);
        } else if (const auto* solve = std::get_if<Solve>(&step.operation)) {
            at_its_place = is(solve->b);
        } else if (const auto* potrf = std::get_if<Potrf>(&step.operation)) {
            at_its_place = is(potrf->a);
        } else if (const auto* getrf = std::get_if<Getrf>(&step.operation)) {
            at_its_place = is(getrf->a);
        }
        const ChipPlace& p = c_.places[static_cast<std::size_t>(read)];
        const ChipPlace& q = c_.places[static_cast<std::size_t>(made)];
        return at_its_place && reads == 1 && whole && a.rows.size == b.rows.size &&
               a.cols.size == b.cols.size && p.type == q.type && p.line == q.line;
    }

    /// What step k has beside its values is nobody's that lives then.
    void expect_no_scratch_of_others(std::size_t maker) const {
        const ChipPlace& place = c_.places[maker];
        if (place.scratch < 0 || place.is_own) {
            return;
        }
        const std::int64_t k = lives_[maker].made;
        const auto& potrf = std::get<Potrf>(step(k).operation);
        const std::int64_t n = program_.value(step(k).out).rows.size;
        const std::int64_t rows =
            n + std::min<std::int64_t>(32, rows_of(program_, potrf.root).size);
        const std::int64_t bytes = rows * n * 8;  // at least
        EXPECT_LE(place.scratch + bytes, c_.team_bytes);
        EXPECT_EQ(place.scratch % 8, 0);
        for (std::size_t i = 0; i < lives_.size(); ++i) {
            if (lives_[i].is_any() && lives_[i].made <= k && k <= lives_[i].last) {
                EXPECT_FALSE(overlap(place.scratch, bytes, c_.places[i].offset, c_.places[i].bytes))
                    << "v" << i << " and what v" << maker << " has beside it";
            }
        }
    }

    [[nodiscard]] static Event event_of(const Step& step) {
        Event event;
        for_each_use(step.operation, [&](const Use& use) { event.reads.push_back(use.value); });
        for (const ValueId out : {step.out, step.out2}) {
            if (out != kNoValue) {
                event.writes.push_back(out);
            }
        }
        return event;
    }
    /// "... v12);"
    [[nodiscard]] static ValueId value_at_end(const std::string& line) {
        return static_cast<ValueId>(std::stol(line.substr(line.rfind(" v") + 2)));
    }
    [[nodiscard]] bool meet(const std::vector<ValueId>& some,
                            const std::vector<ValueId>& others) const {
        for (const ValueId a : some) {
            for (const ValueId b : others) {
                if (a == b || shares(static_cast<std::size_t>(a), static_cast<std::size_t>(b))) {
                    return true;
                }
            }
        }
        return false;
    }

    const Program& program_;
    const gpu::FusedDescription& what_;
    const gpu::FusedConfiguration& c_;
    std::vector<Life> lives_;
};

/// Every place lies in the memory that the kernel asks for, and holds the value.
void expect_inside(const Program& program, const gpu::FusedDescription& what,
                   const gpu::FusedConfiguration& c) {
    for (const Step* step : what.steps) {
        const ChipPlace& p = c.places[static_cast<std::size_t>(step->out)];
        const Value& v = program.value(step->out);
        if (!p.is_own && v.count() > 0) {
            EXPECT_GE(p.offset, 0);
            EXPECT_LE(p.offset + p.bytes, c.team_bytes);
            EXPECT_GE(p.bytes, ((v.rows.size - 1) * p.line + v.cols.size) * size_of(p.type));
            EXPECT_GE(p.line, v.cols.size);
            // So that the threads of a warp that read a column meet no bank twice.
            EXPECT_TRUE(p.line % 2 == 1 || v.rows.size == 1 || v.cols.size == 1);
        }
    }
}

TEST(FusedMemory, IsSharedOneAfterTheOtherWithASyncBetween) {
    std::int64_t looked_at = 0;
    std::int64_t in_place = 0;
    for (const char* team : {"1", "32", "128"}) {
        const test::Environment environment({{"MATGRAD_GPU_FUSED_THREADS", team}});
        test::for_each_fused_program([&](const std::string& name, const Program& program) {
            SCOPED_TRACE(name + ", teams of " + team);
            gpu::FusedDescription what = gpu::describe_fused(program);
            if (!what.is_fused() || testing::Test::HasFailure()) {
                return;
            }
            const gpu::FusedConfiguration c =
                gpu::configure_fused(program, what, gpu::Thresholds::of(9), test::kMostBlockBytes);
            if (!c.reason.empty() || c.panels != nullptr) {
                return;
            }
            ++looked_at;
            expect_inside(program, what, c);
            const Look look(program, what, c);
            look.expect_own_memory();
            const std::string text = gpu::fused_text(program, what, c);
            if (c.threads > 1) {
                look.expect_syncs(text);
                EXPECT_EQ(what.shared_inputs.empty(),
                          text.find("    barrier();\n") == std::string::npos);
            }
            for (const Step* step : what.steps) {
                const ChipPlace& place = c.places[static_cast<std::size_t>(step->out)];
                in_place += place.home != step->out ? 1 : 0;
            }
        });
    }
    EXPECT_GT(looked_at, 500);
    EXPECT_GT(in_place, 500);
}

}  // namespace
}  // namespace matgrad
