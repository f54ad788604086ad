#include "cuda/fused/configuration.hpp"

#include <algorithm>
#include <variant>

#include "cuda/fused/panel_configuration.hpp"
#include "program/gram_limits.hpp"
#include "program/round_up.hpp"
#include "program/uses.hpp"

namespace matgrad::gpu {
namespace {

constexpr int kWarp = 32;
constexpr std::int64_t kAlignment = 16;

std::size_t at(ValueId id) {
    return static_cast<std::size_t>(id);
}

/// The step from which on a value is there, and the last that reads it: numbers of what_.steps.
struct Life {
    std::int64_t first = -1, last = -1;
};

class Configure {
public:
    Configure(const Program& program, const FusedDescription& what)
        : program_(program),
          what_(what),
          lives_(program.values.size()),
          is_read_narrow_(program.values.size(), 0) {
        find_lives();
    }

    FusedConfiguration operator()(int threads, int teams) {
        FusedConfiguration c;
        c.threads = threads;
        c.teams = teams;
        c.places.resize(program_.values.size());
        for (const ValueId id : what_.shared_inputs) {
            ChipPlace& place = c.places[at(id)];
            place = shape_of(id, false);
            place.is_staged = true;
            place.offset = c.staged_bytes;
            place.bytes = bytes_of(id, place);
            c.staged_bytes += place.bytes;
        }
        place_all(c);
        if (threads == 1) {
            c.stage_bytes = stage_bytes(teams);
        }
        return c;
    }

    /// Bytes that are alive at once in the variables of a thread alone.
    [[nodiscard]] std::int64_t most_alive() const {
        std::int64_t most = 0;
        for (std::int64_t k = -1; k <= end(); ++k) {
            std::int64_t alive = 0;
            for (std::size_t i = 0; i < lives_.size(); ++i) {
                const Value& v = program_.values[i];
                if (is_placed(i) && lives_[i].first <= k && k <= lives_[i].last) {
                    alive += v.count() * size_of(v.type);
                }
            }
            most = std::max(most, alive);
        }
        return most;
    }

private:
    [[nodiscard]] std::int64_t end() const { return static_cast<std::int64_t>(what_.steps.size()); }
    [[nodiscard]] bool is_placed(std::size_t i) const {
        return lives_[i].last >= lives_[i].first && is_here_[i] != 0;
    }

    void find_lives() {
        is_here_.assign(program_.values.size(), 0);
        for (const ValueId id : what_.inputs) {
            is_here_[at(id)] = 1;
        }
        for (std::int64_t k = 0; k < end(); ++k) {
            const Step& step = *what_.steps[static_cast<std::size_t>(k)];
            for_each_use(step.operation, [&](const Use& use) {
                lives_[at(use.value)].last = k;
                if (step.type != ScalarType::float64) {
                    is_read_narrow_[at(use.value)] = 1;
                }
            });
            for (const ValueId out : {step.out, step.out2}) {
                if (out != kNoValue) {
                    is_here_[at(out)] = 1;
                    lives_[at(out)] = {k, k};
                }
            }
        }
        for (const std::size_t result : what_.results) {
            lives_[at(program_.outputs[result].value)].last = end();
        }
        for (const ValueId id : what_.kept) {
            lives_[at(id)].last = end();
        }
    }

    /// What double steps alone read is converted once; what nobody reads is rounded when it is written.
    [[nodiscard]] ScalarType type_of(ValueId id) const {
        const Value& v = program_.value(id);
        if (v.type == ScalarType::float64 || is_read_narrow_[at(id)] != 0) {
            return v.type;
        }
        const bool is_input = v.scope != Scope::problem || lives_[at(id)].first < 0;
        if (is_input) {
            return ScalarType::float64;
        }
        const Step& maker = *what_.steps[static_cast<std::size_t>(lives_[at(id)].first)];
        const bool is_read = is_read_by_steps(id);
        return is_read ? v.type : maker.type;
    }

    [[nodiscard]] bool is_read_by_steps(ValueId id) const {
        return std::any_of(what_.steps.begin(), what_.steps.end(), [id](const Step* step) {
            bool reads = false;
            for_each_use(step->operation,
                         [&](const Use& use) { reads = reads || use.value == id; });
            return reads;
        });
    }

    [[nodiscard]] ChipPlace shape_of(ValueId id, bool own) const {
        const Value& v = program_.value(id);
        ChipPlace place;
        place.is_own = own;
        place.type = type_of(id);
        place.is_int = is_pivots(what_, id);
        place.home = id;
        place.line = own ? v.cols.size : chip_line(v.rows.size, v.cols.size);
        return place;
    }

    [[nodiscard]] std::int64_t bytes_of(ValueId id, const ChipPlace& place) const {
        const std::int64_t entry = place.is_int ? 4 : size_of(place.type);
        return round_up(
            std::max<std::int64_t>(1, program_.value(id).rows.size * place.line * entry),
            kAlignment);
    }

    /// Room for one of the matrices that are read or written, of all problems of a block.
    [[nodiscard]] std::int64_t stage_bytes(std::int64_t problems) const {
        std::int64_t most = kAlignment;
        const auto add = [&](ValueId id, ScalarType type) {
            most = std::max(most, (problems + 1) * program_.value(id).count() * size_of(type));
        };
        for (const std::vector<ValueId>* ids : {&what_.inputs, &what_.kept}) {
            for (const ValueId id : *ids) {
                add(id, program_.value(id).type);
            }
        }
        for (const std::size_t result : what_.results) {
            add(program_.outputs[result].value, program_.type);
        }
        return round_up(most, kAlignment);
    }

    /// The value whose memory the step's result may take: it ends there, and each entry is read by the thread that
    /// writes it, or as the primitive allows.
    [[nodiscard]] ValueId overwritten(const FusedConfiguration& c, std::int64_t k,
                                      const ChipPlace& out) const {
        const Step& step = *what_.steps[static_cast<std::size_t>(k)];
        const Value& made = program_.value(step.out);
        const auto fits = [&](const Use& use) {
            if (!is_present(use) || !is_whole(use) || use.transposed) {
                return false;
            }
            const Value& v = program_.value(use.value);
            const ChipPlace& place = c.places[at(use.value)];
            int reads = 0;
            for_each_use(step.operation, [&](const Use& u) { reads += u.value == use.value; });
            return v.scope == Scope::problem && lives_[at(use.value)].last == k && reads == 1 &&
                   v.rows.size == made.rows.size && v.cols.size == made.cols.size &&
                   place.type == out.type && place.is_int == out.is_int && place.line == out.line;
        };
        if (const auto* trsm = std::get_if<Trsm>(&step.operation)) {
            return fits(trsm->b) ? trsm->b.value : kNoValue;
        }
        if (const auto* solve = std::get_if<Solve>(&step.operation)) {
            return fits(solve->b) ? solve->b.value : kNoValue;
        }
        if (const auto* potrf = std::get_if<Potrf>(&step.operation)) {
            return fits(potrf->a) ? potrf->a.value : kNoValue;
        }
        if (const auto* getrf = std::get_if<Getrf>(&step.operation)) {
            return fits(getrf->a) ? getrf->a.value : kNoValue;
        }
        if (const auto* gemm = std::get_if<Gemm>(&step.operation)) {
            return fits(gemm->c) ? gemm->c.value : kNoValue;
        }
        if (const auto* map = std::get_if<Map>(&step.operation)) {
            for (const MapOperand& operand : map->body.operands) {
                if (operand.broadcast == Broadcast::none && fits(operand.use)) {
                    return operand.use.value;
                }
            }
        }
        return kNoValue;
    }

    struct Piece {
        std::int64_t offset, bytes, last;
    };

    /// First fit by lifetime.
    void place_all(FusedConfiguration& c) const {
        std::vector<Piece> pieces;
        const auto find = [&](std::int64_t bytes, std::int64_t last) {
            std::sort(pieces.begin(), pieces.end(),
                      [](const Piece& x, const Piece& y) { return x.offset < y.offset; });
            std::int64_t offset = 0;
            for (const Piece& piece : pieces) {
                if (piece.offset - offset >= bytes) {
                    break;
                }
                offset = std::max(offset, piece.offset + piece.bytes);
            }
            pieces.push_back({offset, bytes, last});
            c.team_bytes = std::max(c.team_bytes, offset + bytes);
            return offset;
        };
        const auto place = [&](ValueId id) {
            ChipPlace& p = c.places[at(id)];
            p.bytes = bytes_of(id, p);
            p.offset = find(p.bytes, lives_[at(id)].last);
        };
        const bool own = c.threads == 1;
        for (const ValueId id : what_.inputs) {
            c.places[at(id)] = shape_of(id, own);
            if (!own) {
                place(id);
            }
        }
        for (std::int64_t k = 0; k < end(); ++k) {
            const Step& step = *what_.steps[static_cast<std::size_t>(k)];
            // What ended in a step before is free; what this one reads is not.
            pieces.erase(std::remove_if(pieces.begin(), pieces.end(),
                                        [k](const Piece& piece) { return piece.last < k; }),
                         pieces.end());
            for (const ValueId out : {step.out, step.out2}) {
                if (out == kNoValue) {
                    continue;
                }
                ChipPlace& p = c.places[at(out)];
                p = shape_of(out, own);
                const ValueId home = out == step.out ? overwritten(c, k, p) : kNoValue;
                if (home != kNoValue) {
                    p.home = c.places[at(home)].home;
                    p.offset = c.places[at(home)].offset;
                    p.bytes = c.places[at(home)].bytes;
                    for (Piece& piece : pieces) {
                        if (piece.offset == p.offset) {
                            piece.last = lives_[at(out)].last;
                        }
                    }
                } else if (!own) {
                    place(out);
                }
            }
            if (const std::int64_t bytes = own ? 0 : scratch_bytes(program_, step); bytes > 0) {
                c.places[at(step.out)].scratch = find(round_up(bytes, kAlignment), k);
            }
        }
        c.team_bytes = round_up(c.team_bytes, kAlignment);
    }

    const Program& program_;
    const FusedDescription& what_;
    std::vector<Life> lives_;
    std::vector<char> is_here_;
    std::vector<char> is_read_narrow_;  ///< by a step that computes in float
};

}  // namespace

std::int64_t chip_line(std::int64_t rows, std::int64_t cols) {
    return cols + (rows > 1 && cols > 1 && cols % 2 == 0 ? 1 : 0);
}

std::int64_t second_factor_rows(std::int64_t root_rows) {
    return std::min<std::int64_t>(root_rows, kWarp);
}

std::int64_t scratch_bytes(const Program& program, const Step& step) {
    const auto* potrf = std::get_if<Potrf>(&step.operation);
    if (potrf == nullptr || !matgrad::detail::is_with_care(program, step, *potrf) ||
        matgrad::detail::GramLimits(program.type).far == 0) {
        return 0;
    }
    const std::int64_t n = program.value(step.out).rows.size;
    const std::int64_t rows = n + second_factor_rows(rows_of(program, potrf->root).size);
    return rows * chip_line(n, n) * size_of(ScalarType::float64);
}

bool is_pivots(const FusedDescription& what, ValueId id) {
    return std::any_of(what.steps.begin(), what.steps.end(), [id](const Step* step) {
        const auto* solve = std::get_if<Solve>(&step->operation);
        const auto* reduce = std::get_if<Reduce>(&step->operation);
        return step->out2 == id || (solve != nullptr && solve->pivots.value == id) ||
               (reduce != nullptr && reduce->pivots.value == id);
    });
}

namespace {

/// Of what is factored or solved, the largest order.
std::int64_t most_order(const Program& program, const FusedDescription& what) {
    std::int64_t most = 0;
    for (const Step* step : what.steps) {
        if (is_factorization(step->operation)) {
            most = std::max(most, program.value(step->out).rows.size);
        }
    }
    return most;
}

std::int64_t most_entries(const Program& program, const FusedDescription& what) {
    std::int64_t most = 0;
    for (const Step* step : what.steps) {
        most = std::max(most, program.value(step->out).count());
    }
    return most;
}

double operations_of(const FusedDescription& what) {
    double sum = 0;
    for (const Step* step : what.steps) {
        sum += step->operations;
    }
    return sum;
}

/// So that several blocks share a multiprocessor.
constexpr std::int64_t kMostStageBytes = 40 << 10;
/// Teams of a thread alone, or of a warp, in a block.
constexpr int kThreadsAlone = 128;
/// What a thread alone can have: its text has every operation.
constexpr std::int64_t kMostOrderAlone = 16;
constexpr std::int64_t kMostBytesAlone = 4096;
constexpr int kWarps = 4;

}  // namespace

FusedConfiguration configure_fused(const Program& program, const FusedDescription& what,
                                   const Thresholds& thresholds, std::int64_t most_bytes) {
    Configure configure(program, what);
    if (const std::int64_t limit = thresholds[Limit::fused_block_bytes]; limit > 0) {
        most_bytes = std::min(most_bytes, limit);
    }
    const std::int64_t forced = thresholds[Limit::fused_threads];
    const std::int64_t order = most_order(program, what);
    const std::int64_t entries = most_entries(program, what);
    // `can`: the primitives do that; `suits`: the smallest team for which it does has the problem.
    const auto is_wanted = [&](int threads, bool can, bool suits) {
        return can && (forced == 0 ? suits : forced <= threads);
    };
    const std::int64_t alive = configure.most_alive();
    if (is_wanted(1, order <= kMostOrderAlone && alive <= kMostBytesAlone,
                  order <= thresholds[Limit::fused_thread_order] &&
                      alive <= thresholds[Limit::fused_thread_bytes] &&
                      operations_of(what) <=
                          static_cast<double>(thresholds[Limit::fused_thread_operations]))) {
        // Fewer problems to a block where it would have no room for their matrices.
        for (int problems = kThreadsAlone; problems >= kWarp; problems /= 2) {
            FusedConfiguration c = configure(1, problems);
            if (c.block_bytes() <= (problems == kWarp ? most_bytes : kMostStageBytes)) {
                return c;
            }
        }
    }
    if (is_wanted(kWarp, order <= kWarp, entries <= thresholds[Limit::fused_warp_entries])) {
        FusedConfiguration c = configure(kWarp, kWarps);
        if (c.block_bytes() <= most_bytes) {
            return c;
        }
    }
    const int threads = is_wanted(64, true, order <= 64 && entries <= 64 * 64)    ? 64
                        : is_wanted(128, true, order <= 96 && entries <= 96 * 96) ? 128
                                                                                  : 256;
    FusedConfiguration c = configure(threads, 1);
    return c.block_bytes() <= most_bytes
               ? c
               : configure_panels(program, what, threads, c.block_bytes(), most_bytes);
}

}  // namespace matgrad::gpu
