#include <algorithm>

#include "cuda/fused/panel_plan.hpp"
#include "program/round_up.hpp"
#include "program/uses.hpp"

namespace matgrad::gpu {
namespace {

constexpr std::int64_t kAlignment = 16;

class PlaceBuffers {
public:
    PlaceBuffers(const Program& program, const FusedDescription& what, PanelPlan& plan)
        : program_(program), what_(what), plan_(plan) {}

    void operator()() {
        for (PanelBuffer& b : plan_.buffers) {
            shape(b);
        }
        for (int k = 0; k < static_cast<int>(plan_.actions.size()); ++k) {
            PanelAction& action = plan_.actions[static_cast<std::size_t>(k)];
            // What ended in an action before is free; what this one reads is not.
            pieces_.erase(std::remove_if(pieces_.begin(), pieces_.end(),
                                         [k](const Piece& piece) { return piece.last < k; }),
                          pieces_.end());
            for (int i = 0; i < static_cast<int>(plan_.buffers.size()); ++i) {
                PanelBuffer& b = buffer(i);
                if (b.first == k && !(i == action.out && takes_over(action, k))) {
                    b.place.offset = find(b.place.bytes, b.last);
                }
            }
            if (action.scratch_bytes > 0) {
                action.scratch = find(round_up(action.scratch_bytes, kAlignment), k);
            }
        }
        plan_.bytes = round_up(plan_.bytes, kAlignment);
    }

private:
    struct Piece {
        std::int64_t offset, bytes;
        int last;
    };

    [[nodiscard]] PanelBuffer& buffer(int i) const {
        return plan_.buffers[static_cast<std::size_t>(i)];
    }

    /// Sums over panels have the type they are computed in; so has what is only stored, where it takes over memory.
    [[nodiscard]] ScalarType type_of(const PanelBuffer& b) const {
        const int index = static_cast<int>(&b - plan_.buffers.data());
        for (const PanelAction& action : plan_.actions) {
            if (action.out != index || action.step < 0 ||
                step_of(action).type != ScalarType::float64) {
                continue;
            }
            const bool is_sum = action.kind == ActionKind::initial;
            const bool is_panel = action.panel_step >= 0 && b.cut != Cut::whole;
            if (is_sum || (is_panel && !is_read(index) && may_take_double(action))) {
                return ScalarType::float64;
            }
        }
        return program_.value(b.value).type;
    }
    [[nodiscard]] bool is_read(int index) const {
        return std::any_of(plan_.actions.begin(), plan_.actions.end(),
                           [index](const PanelAction& action) {
                               return action.kind != ActionKind::store &&
                                      std::find(action.reads.begin(), action.reads.end(), index) !=
                                          action.reads.end();
                           });
    }
    [[nodiscard]] bool may_take_double(const PanelAction& action) const {
        bool may = false;
        for_each_use(step_of(action).operation, [&](const Use& use) {
            may = may || (is_overwritable(step_of(action), use) &&
                          program_.value(use.value).type == ScalarType::float64);
        });
        return may;
    }
    [[nodiscard]] const Step& step_of(const PanelAction& action) const {
        return program_.steps[static_cast<std::size_t>(action.step)];
    }

    void shape(PanelBuffer& b) const {
        const Value& v = program_.value(b.value);
        ChipPlace& place = b.place;
        place.is_int = is_pivots(what_, b.value);
        place.type = type_of(b);
        place.home = b.value;
        std::int64_t rows = v.rows.size;
        std::int64_t cols = v.cols.size;
        if (b.cut != Cut::whole) {
            const Pass& pass = plan_.regions.passes[static_cast<std::size_t>(b.pass)];
            (b.cut == Cut::rows ? rows : cols) = std::min(pass.panel, pass.dimension.size);
        }
        place.line = chip_line(rows, cols);
        const std::int64_t entry = place.is_int ? 4 : size_of(place.type);
        place.bytes = round_up(std::max<std::int64_t>(1, rows * place.line * entry), kAlignment);
    }

    /// First fit.
    std::int64_t find(std::int64_t bytes, int last) {
        std::sort(pieces_.begin(), pieces_.end(),
                  [](const Piece& x, const Piece& y) { return x.offset < y.offset; });
        std::int64_t offset = 0;
        for (const Piece& piece : pieces_) {
            if (piece.offset - offset >= bytes) {
                break;
            }
            offset = std::max(offset, piece.offset + piece.bytes);
        }
        pieces_.push_back({offset, bytes, last});
        plan_.bytes = std::max(plan_.bytes, offset + bytes);
        return offset;
    }

    /// The result takes the memory of what ends here, where the primitive reads each entry before it writes it.
    bool takes_over(const PanelAction& action, int k) {
        if (action.kind != ActionKind::step) {
            return false;
        }
        const Step& step = step_of(action);
        PanelBuffer& out = buffer(action.out);
        std::size_t u = 0;
        bool is_done = false;
        for_each_use(step.operation, [&](const Use& use) {
            const int from = action.reads[u++];
            if (!is_done && from >= 0 && may_take(step, use, action, from, k)) {
                out.place.offset = buffer(from).place.offset;
                for (Piece& piece : pieces_) {
                    if (piece.offset == out.place.offset) {
                        piece.last = out.last;
                    }
                }
                is_done = true;
            }
        });
        return is_done;
    }
    [[nodiscard]] bool may_take(const Step& step, const Use& use, const PanelAction& action,
                                int from, int k) const {
        const PanelBuffer& a = buffer(from);
        const PanelBuffer& out = buffer(action.out);
        const Value& v = program_.value(a.value);
        const Value& made = program_.value(out.value);
        return is_overwritable(step, use) && is_whole(use) && !use.transposed && a.last == k &&
               !a.place.is_staged && a.cut == out.cut && a.place.type == out.place.type &&
               a.place.is_int == out.place.is_int && a.place.line == out.place.line &&
               a.place.bytes == out.place.bytes && v.rows.size == made.rows.size &&
               v.cols.size == made.cols.size &&
               std::count(action.reads.begin(), action.reads.end(), from) == 1;
    }
    [[nodiscard]] static bool is_overwritable(const Step& step, const Use& use) {
        if (const auto* gemm = std::get_if<Gemm>(&step.operation)) {
            return &use == &gemm->c;
        }
        if (const auto* trsm = std::get_if<Trsm>(&step.operation)) {
            return &use == &trsm->b;
        }
        if (const auto* solve = std::get_if<Solve>(&step.operation)) {
            return &use == &solve->b;
        }
        if (const auto* map = std::get_if<Map>(&step.operation)) {
            return std::any_of(map->body.operands.begin(), map->body.operands.end(),
                               [&](const MapOperand& operand) {
                                   return &operand.use == &use &&
                                          operand.broadcast == Broadcast::none;
                               });
        }
        const auto* potrf = std::get_if<Potrf>(&step.operation);
        const auto* getrf = std::get_if<Getrf>(&step.operation);
        return (potrf != nullptr && &use == &potrf->a) || (getrf != nullptr && &use == &getrf->a);
    }

    const Program& program_;
    const FusedDescription& what_;
    PanelPlan& plan_;
    std::vector<Piece> pieces_;
};

}  // namespace

void place_buffers(const Program& program, const FusedDescription& what, PanelPlan& plan) {
    PlaceBuffers(program, what, plan)();
}

}  // namespace matgrad::gpu
