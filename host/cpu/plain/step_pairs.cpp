#include "cpu/plain/step_pairs.hpp"

#include <algorithm>

#include "cpu/plain/copy.hpp"
#include "cpu/plain/gemv.hpp"
#include "cpu/step_parts.hpp"
#include "executor/workers.hpp"

namespace matgrad::detail {
namespace {

/// A smaller matrix is still in the cache when it is read for the second time.
constexpr std::int64_t kLarge = 1 << 20;

const Value& value_of(const Program& program, ValueId id) {
    return program.value(id);
}

bool is_whole(const Use& use) {
    return use.row < 0 && use.col < 0;
}

/// A product that gives a column: by a whole matrix, all in one type.
const Gemm* vector_product(const Program& program, const Step& step) {
    const auto* gemm = std::get_if<Gemm>(&step.operation);
    if (gemm == nullptr || !is_whole(gemm->a) || gemm->alpha == 0) {
        return nullptr;
    }
    const Value& a = value_of(program, gemm->a.value);
    const Value& out = value_of(program, step.out);
    const bool fits = out.cols.size == 1 && a.rows.size > 1 && a.cols.size > 1 &&
                      a.type == step.type && out.type == step.type &&
                      a.count() * size_of(a.type) >= kLarge;
    return fits ? gemm : nullptr;
}

/// Do the places of two values in the workspace meet?
bool meet(const Program& program, ValueId a, ValueId b) {
    const Value& one = value_of(program, a);
    const Value& two = value_of(program, b);
    if (one.scope != two.scope || one.offset < 0 || two.offset < 0) {
        return a == b;
    }
    return one.offset < two.offset + two.count() * size_of(two.type) &&
           two.offset < one.offset + one.count() * size_of(one.type);
}

/// Does a step neither read nor write where that value is?
bool leaves_alone(const Program& program, const Step& step, ValueId id) {
    const std::vector<Use> uses = uses_of(step);
    return !meet(program, id, step.out) &&
           (step.out2 == kNoValue || !meet(program, id, step.out2)) &&
           std::none_of(uses.begin(), uses.end(),
                        [&](const Use& use) { return meet(program, id, use.value); });
}

/// May `late` run before `early`, which it follows?
bool may_overtake(const Program& program, const Step& early, const Step& late) {
    return leaves_alone(program, early, late.out) && leaves_alone(program, late, early.out) &&
           (early.out2 == kNoValue || leaves_alone(program, late, early.out2));
}

bool is_pair(const Program& program, const Step& first, const Step& second) {
    const Gemm* one = vector_product(program, first);
    const Gemm* two = vector_product(program, second);
    return one != nullptr && two != nullptr && one->a.value == two->a.value &&
           one->a.transposed != two->a.transposed && two->b.value == first.out &&
           is_whole(two->b) && !two->b.transposed && two->c.value != first.out &&
           leaves_alone(program, first, second.out);
}

View view_of(const Use& use, const std::vector<View>& values) {
    return use_of(use, values[static_cast<std::size_t>(use.value)]);
}

/// The column that the product is added to is put where the product goes.
void place_added(const Gemm& gemm, const View& out, const std::vector<View>& values) {
    if (gemm.c.value == kNoValue || gemm.beta == 0) {
        return;
    }
    const View from = view_of(gemm.c, values);
    if (from.data != out.data) {
        copy_matrix(from, out);
    }
}

double beta_of(const Gemm& gemm) {
    return gemm.c.value == kNoValue ? 0 : gemm.beta;
}

}  // namespace

std::vector<int> find_step_pairs(const Program& program, const std::vector<const Step*>& steps) {
    std::vector<int> partners(steps.size(), -1);
    for (std::size_t i = 0; i < steps.size(); ++i) {
        for (std::size_t j = i + 1; j < steps.size(); ++j) {
            bool found = is_pair(program, *steps[i], *steps[j]);
            for (std::size_t k = i + 1; k < j && found; ++k) {
                found = may_overtake(program, *steps[k], *steps[j]);
            }
            if (found) {
                partners[i] = static_cast<int>(j);
                break;
            }
        }
    }
    return partners;
}

bool can_run_pair(const Step& first, const Step& second, const std::vector<View>& values) {
    const View a = view_of(std::get<Gemm>(first.operation).a, values);
    const View x = view_of(std::get<Gemm>(first.operation).b, values);
    const View y = values[static_cast<std::size_t>(first.out)];
    const View z = values[static_cast<std::size_t>(second.out)];
    return a.col_stride == 1 && a.row_stride >= a.cols && a.type == first.type &&
           x.type == first.type && y.type == first.type && y.row_stride == 1 &&
           z.type == first.type;
}

void run_step_pair(const Step& first, const Step& second, const std::vector<View>& values,
                   Scratch& scratch, int threads) {
    const auto& one = std::get<Gemm>(first.operation);
    const auto& two = std::get<Gemm>(second.operation);
    const View y = values[static_cast<std::size_t>(first.out)];
    const View z = values[static_cast<std::size_t>(second.out)];
    scratch.begin_step();
    place_added(one, y, values);
    place_added(two, z, values);
    const VectorProduct down(two.alpha, view_of(two.a, values), y, beta_of(two), z, scratch);
    const VectorProduct across(one.alpha, view_of(one.a, values), view_of(one.b, values),
                               beta_of(one), y, scratch, down.rows_per_part());
    for_each_index(threads, down.parts(), [&](std::int64_t part) {
        across.compute(part);
        across.finish_rows(part);
        down.compute(part);
    });
    down.finish();
}

}  // namespace matgrad::detail
