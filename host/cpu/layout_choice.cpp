#include "cpu/layout_choice.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "cpu/plain/gemm.hpp"
#include "cpu/plain/gram.hpp"
#include "cpu/plain/triangle.hpp"
#include "cpu/step_parts.hpp"
#include "cpu/view.hpp"

namespace matgrad::detail {
namespace {

// Rates measured on one core with 512-bit vectors. Only their ratios matter, and only where the two
// layouts are close; other machines shift both sides alike.

/// Billions of float operations a second, each with everything in the second-level cache.
constexpr double kCompactRate = 115;
constexpr double kProductRate = 160;
constexpr double kGemvRate = 45;
constexpr double kCompactGemvRate = 40;
/// Triangular solves and symmetric products, in float and in double; Cholesky at half of it.
constexpr double kCompactSolveRate = 95;
constexpr double kCompactSolveRateDouble = 72;
constexpr double kCompactFactorRate = 35;  // LU
constexpr double kBlasRate = 130;
constexpr double kBlasFactorRate = 20;  // LU, and a few right-hand sides
constexpr double kPanelRate = 140;      // triangle.hpp and gram.hpp
/// Nanoseconds to gather or scatter one float of one problem.
constexpr double kCompactMove = 0.15;
constexpr double kPlainMove = 0.1;
/// Nanoseconds to transpose one float of a right operand.
constexpr double kTurned = 0.13;
/// Nanoseconds to take one float into a panel or out of it.
constexpr double kPanelMove = 0.21;
/// Nanoseconds of one call, whatever its size.
constexpr double kProductCall = 80;
constexpr double kBlasCall = 800;
constexpr double kPanelCall = 250;
constexpr double kCompactCall = 6;
/// Nanoseconds of an entrywise step, of each of its instructions, and of each entry of these.
constexpr double kMapCall = 50;
constexpr double kMapInstruction = 10;
constexpr double kMapEntry = 0.04;

/// A compact tile beyond this is read from the third-level cache or memory again and again.
constexpr std::int64_t kCachedTile = 1 << 20;
constexpr double kBeyondCache = 2;
constexpr double kBeyondCacheSolve = 1.15;
/// Beyond this the compact layout is out of the question.
constexpr std::int64_t kLargestTile = 8 << 20;

std::optional<Layout> g_forced;

/// What one problem keeps in a compact tile: its workspace, operands and results.
std::int64_t tile_bytes_per_problem(const Program& program) {
    std::int64_t bytes = program.problem_bytes;
    for (const Value& value : program.values) {
        if (value.scope == Scope::problem && value.offset < 0) {
            bytes += value.count() * size_of(value.type);
        }
    }
    return bytes;
}

class CostModel {
public:
    explicit CostModel(const Program& program) : program_(program) {}

    /// Nanoseconds per problem.
    [[nodiscard]] double plain() const {
        double time = moved_floats(false) * kPlainMove;
        for (const Step& step : program_.steps) {
            time += step.scope == Scope::problem ? plain_step(step) : 0;
        }
        return time;
    }
    [[nodiscard]] double compact() const {
        double time = moved_floats(true) * kCompactMove;
        const bool cached = tile_bytes_per_problem(program_) * kLanes <= kCachedTile;
        for (const Step& step : program_.steps) {
            time += step.scope == Scope::problem ? compact_step(step, cached) : 0;
        }
        return time;
    }

private:
    struct Work {
        double operations = 0;
        double entries = 0;       ///< of an entrywise domain
        double instructions = 0;  ///< of an entrywise expression
    };

    [[nodiscard]] const Value& value(ValueId id) const { return program_.value(id); }
    static double weight(ScalarType type) { return type == ScalarType::float32 ? 1 : 2; }

    [[nodiscard]] double moved_floats(bool operands_too) const {
        double floats = 0;
        for (const ProgramOutput& output : program_.outputs) {
            const Value& result = value(output.value);
            if (result.scope == Scope::problem) {
                floats += static_cast<double>(result.count()) * weight(program_.type);
            }
        }
        for (const Value& operand : program_.values) {
            if (operands_too && operand.operand >= 0 && operand.scope == Scope::problem) {
                floats += static_cast<double>(operand.count()) * weight(program_.type);
            }
        }
        return floats;
    }

    [[nodiscard]] Work work(const Step& step) const {
        const Value& out = value(step.out);
        const auto m = static_cast<double>(out.rows.size);
        const auto n = static_cast<double>(out.cols.size);
        const auto inner = [this](const Use& use) {
            const Value& v = value(use.value);
            const bool one = use.transposed ? use.row >= 0 : use.col >= 0;
            return one ? 1.0 : static_cast<double>(use.transposed ? v.rows.size : v.cols.size);
        };
        Work w;
        std::visit(
            Overloaded{
                [&](const Gemm& s) { w.operations = 2 * m * n * inner(s.a); },
                [&](const Syrk& s) { w.operations = m * n * inner(s.a); },
                [&](const Potrf&) { w.operations = n * n * n / 3; },
                [&](const Trsm& s) { w.operations = m * n * (s.side == Side::left ? m : n); },
                [&](const Getrf&) { w.operations = 2 * n * n * n / 3; },
                [&](const Solve& s) { w.operations = 2 * m * n * (s.side == Side::left ? m : n); },
                [&](const Reduce& s) {
                    w.entries = static_cast<double>(s.rows.size * s.cols.size);
                },
                [&](const auto&) { w.entries = m * n; }},
            step.operation);
        if (const MapBody* body = body_of(step)) {
            w.instructions = static_cast<double>(body->code.size()) + 1;
        } else if (w.operations == 0) {
            w.instructions = 1;
        }
        return w;
    }

    [[nodiscard]] bool gives_vector(const Step& step) const {
        return std::holds_alternative<Gemm>(step.operation) &&
               (value(step.out).rows.size == 1 || value(step.out).cols.size == 1);
    }

    [[nodiscard]] double compact_step(const Step& step, bool cached) const {
        const Work w = work(step);
        const double load = weight(step.type) * w.operations;
        // Solves and factorizations keep what they read again in registers: memory hurts them less.
        const bool potrf = std::holds_alternative<Potrf>(step.operation);
        if (potrf || std::holds_alternative<Syrk>(step.operation) ||
            std::holds_alternative<Trsm>(step.operation)) {
            const double rate =
                step.type == ScalarType::float32 ? kCompactSolveRate : kCompactSolveRateDouble;
            return kCompactCall + load / rate * (potrf ? 2 : 1) * (cached ? 1 : kBeyondCacheSolve);
        }
        const bool gemm = std::holds_alternative<Gemm>(step.operation);
        const double rate = gives_vector(step) ? kCompactGemvRate
                            : gemm             ? kCompactRate
                                               : kCompactFactorRate;
        const double time = kCompactCall +
                            w.instructions * (kMapInstruction / kLanes + kMapEntry * w.entries) +
                            load / rate;
        return time * (cached ? 1 : kBeyondCache);
    }

    /// Floats that the kernels of triangle.hpp and gram.hpp move into panels and out of them; none
    /// for a step that is not theirs.
    [[nodiscard]] double panel_floats(const Step& step) const {
        const Value& out = value(step.out);
        const auto m = static_cast<double>(out.rows.size);
        const auto n = static_cast<double>(out.cols.size);
        const double entries = std::visit(
            Overloaded{[&](const Syrk& s) {
                           return is_middle_gram(out.rows.size)
                                      ? static_cast<double>(value(s.a.value).count()) + m * n
                                      : 0;
                       },
                       [&](const Potrf&) { return n * n; },
                       [&](const Trsm& s) {
                           const double order = s.side == Side::left ? m : n;
                           const bool few = (s.side == Side::left ? n : m) < kFewSides;
                           return few ? 0 : 2 * m * n + order * order / 2;
                       },
                       [&](const Solve& s) {
                           const double order = s.side == Side::left ? m : n;
                           const bool few = (s.side == Side::left ? n : m) < kFewSides;
                           return few ? 0 : 4 * m * n + order * order;
                       },
                       [](const auto&) { return 0.0; }},
            step.operation);
        return weight(step.type) * entries;
    }

    [[nodiscard]] double plain_step(const Step& step) const {
        const Work w = work(step);
        const double load = weight(step.type) * w.operations;
        if (w.operations == 0) {
            return kMapCall + w.instructions * (kMapInstruction + kMapEntry * w.entries);
        }
        if (gives_vector(step)) {
            return kProductCall + load / kGemvRate;
        }
        const Value& out = value(step.out);
        if (const auto* gemm = std::get_if<Gemm>(&step.operation)) {
            const double right = w.operations / (2 * static_cast<double>(out.rows.size));
            return kProductCall + load / kProductRate +
                   (gemm->b.transposed ? kTurned * weight(step.type) * right : 0);
        }
        if (const auto* syrk = std::get_if<Syrk>(&step.operation)) {
            const double right = w.operations / static_cast<double>(out.rows.size);
            const auto inner = static_cast<std::int64_t>(right) / out.rows.size;
            if (syrk->mirror && is_small_gram(out.rows.size, inner)) {
                return kProductCall + 2 * load / kProductRate +
                       (syrk->a.transposed ? 0 : kTurned * weight(step.type) * right);
            }
        }
        if (const double floats = panel_floats(step); floats > 0) {
            return kPanelCall + floats * kPanelMove + load / kPanelRate;
        }
        return kBlasCall +
               load / (std::holds_alternative<Syrk>(step.operation) ? kBlasRate : kBlasFactorRate);
    }

    const Program& program_;
};

}  // namespace

LayoutChoice choose_layout(const Program& program) {
    const CostModel model(program);
    const bool fits = tile_bytes_per_problem(program) * kLanes <= kLargestTile;
    const bool faster = fits && model.compact() <= model.plain();
    const Layout layout = g_forced.value_or(faster ? Layout::compact : Layout::plain);
    if (g_forced) {
        return {layout, std::numeric_limits<double>::infinity()};
    }
    return {layout, layout == Layout::compact ? model.compact() : model.plain()};
}

std::string explain_layout(const Program& program) {
    const CostModel model(program);
    const std::int64_t bytes = tile_bytes_per_problem(program);
    if (choose_layout(program).layout == Layout::compact) {
        return fmt::format(
            "compact layout, one SIMD lane per problem: tiles of {} problems, {} KiB; predicted "
            "{:.2f} us per problem on one core, {:.2f} us in the plain layout",
            kLanes, (bytes * kLanes + 1023) / 1024, model.compact() / 1000, model.plain() / 1000);
    }
    return fmt::format(
        "plain layout, one problem at a time: {} KiB; predicted {:.2f} us per problem on one core, "
        "{:.2f} us in the compact layout",
        (bytes + 1023) / 1024, model.plain() / 1000, model.compact() / 1000);
}

void force_layout(std::optional<Layout> layout) {
    g_forced = layout;
}

}  // namespace matgrad::detail
