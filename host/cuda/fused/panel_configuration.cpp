#include "cuda/fused/panel_configuration.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "cuda/fused/panel_plan.hpp"
#include "program/round_up.hpp"

namespace matgrad::gpu {
namespace {

/// So that three blocks share a multiprocessor of Hopper.
constexpr std::int64_t kBytesOfThree = 72 << 10;

/// Panels of the same number, as equal as can be.
void even_out(Pass& pass) {
    if (pass.dimension.size > 0 && pass.panel < pass.dimension.size) {
        const std::int64_t panels = pass.panels();
        pass.panel =
            std::min(pass.panel, round_up((pass.dimension.size + panels - 1) / panels, kPanelStep));
    }
}

/// Shorter panels, where there are longer ones.
bool shorten(Regions& regions) {
    bool is_any = false;
    for (Pass& pass : regions.passes) {
        if (pass.dimension.size > 0 && pass.panel > kPanelStep) {
            const std::int64_t shorter = pass.panel * 7 / 8 / kPanelStep * kPanelStep;
            pass.panel = std::max(kPanelStep, shorter);
            is_any = true;
        }
    }
    return is_any;
}

class ConfigurePanels {
public:
    ConfigurePanels(const Program& program, const FusedDescription& what)
        : program_(program), what_(what) {}

    /// What fits into `bytes`, with the places that the analysis does not know of: odd lines, sums in double.
    std::optional<PanelPlan> within(std::int64_t bytes) {
        for (std::int64_t limit = bytes; limit > bytes / 3; limit -= bytes / 6) {
            const Regions regions = find_regions(program_, {limit});
            if (!regions.fits) {
                break;
            }
            for (const bool stages_shared : {true, false}) {
                if (std::optional<PanelPlan> plan = shortened(regions, stages_shared, bytes)) {
                    return plan;
                }
            }
        }
        return std::nullopt;
    }

    [[nodiscard]] const std::string& reason() const { return reason_; }

private:
    std::optional<PanelPlan> shortened(Regions regions, bool stages_shared, std::int64_t bytes) {
        do {
            std::for_each(regions.passes.begin(), regions.passes.end(), even_out);
            PanelPlan plan = list_actions(program_, what_, regions, stages_shared);
            if (!plan.reason.empty()) {
                reason_ = plan.reason;
                return std::nullopt;
            }
            place_buffers(program_, what_, plan);
            if (plan.bytes <= bytes) {
                return plan;
            }
        } while (shorten(regions));
        return std::nullopt;
    }

    const Program& program_;
    const FusedDescription& what_;
    std::string reason_;
};

std::int64_t traffic_of(const PanelPlan& plan) {
    return plan.regions.bytes_read + plan.regions.bytes_written;
}

}  // namespace

std::string panels_text(const PanelPlan& plan) {
    std::string passes;
    for (const Pass& pass : plan.regions.passes) {
        if (pass.dimension.size > 0) {
            passes += fmt::format("{}{} panel{} of {}", passes.empty() ? "" : ", ", pass.panels(),
                                  pass.panels() == 1 ? "" : "s", pass.dimension.name);
        }
    }
    return fmt::format("; passes over {}", passes);
}

FusedConfiguration configure_panels(const Program& program, const FusedDescription& what,
                                    int threads, std::int64_t whole_bytes,
                                    std::int64_t most_bytes) {
    ConfigurePanels configure(program, what);
    FusedConfiguration c;
    c.threads = threads;
    std::optional<PanelPlan> best = configure.within(most_bytes);
    if (best && best->bytes > kBytesOfThree) {
        std::optional<PanelPlan> smaller = configure.within(kBytesOfThree);
        if (smaller && traffic_of(*smaller) <= traffic_of(*best)) {
            best = std::move(smaller);
        }
    }
    if (!best) {
        c.reason = fmt::format(
            "a problem takes {} bytes on chip, of which a block has {}; {}", whole_bytes,
            most_bytes,
            configure.reason().empty() ? "no panels of it fit either" : configure.reason());
        return c;
    }
    c.team_bytes = best->bytes;
    c.places.resize(program.values.size());
    for (const PanelAction& action : best->actions) {
        if (action.scratch >= 0) {
            const ValueId out = program.steps[static_cast<std::size_t>(action.step)].out;
            c.places[static_cast<std::size_t>(out)].scratch = action.scratch;
        }
    }
    c.stored = best->stored;
    c.panels = std::make_shared<const PanelPlan>(std::move(*best));
    return c;
}

FusedDescription with_stored(FusedDescription what, const FusedConfiguration& configuration) {
    for (const ValueId id : configuration.stored) {
        what.is_on_chip[static_cast<std::size_t>(id)] = 0;
        if (std::find(what.kept.begin(), what.kept.end(), id) == what.kept.end()) {
            what.kept.push_back(id);
        }
    }
    return what;
}

}  // namespace matgrad::gpu
