#include <algorithm>
#include <numeric>

#include "program/region_parts.hpp"

namespace matgrad::detail {
namespace {

/// Indices of all steps as nodes, in groups that count the same rows.
///
/// Groups are joined by values that steps hand on, large ones first, and then by values in memory: a pass along two uses
/// of one reads it once. But no step has two indices in one group, for a panel of a matrix is rows or columns. A value
/// that joins no groups can be whole for one step and cut for another.
class Groups {
public:
    Groups(const Program& program, Dimensions& dimensions)
        : program_(program), dimensions_(dimensions) {
        for (const StepIndices& step : dimensions.steps) {
            first_.push_back(static_cast<int>(nodes_.size()));
            nodes_.insert(nodes_.end(), step.indices.begin(), step.indices.end());
        }
        parent_.resize(nodes_.size());
        std::iota(parent_.begin(), parent_.end(), 0);
        for (const int s : dimensions_.inside) {
            const int count = static_cast<int>(at(dimensions_.steps, s).indices.size());
            for (int a = 0; a < count; ++a) {
                for (int b = 0; b < a; ++b) {
                    apart_.emplace_back(node(s, a), node(s, b));
                }
            }
        }
    }

    void join_through_results() {
        for (const ValueId v : by_size(true)) {
            const int p = at(dimensions_.producers, v);
            const Sides made = out_of(p, v);
            for_each_read(v, [&](int s, const Sides& used) {
                join_side(node(p, made.rows), node(s, used.rows));
                join_side(node(p, made.cols), node(s, used.cols));
            });
        }
    }

    void join_through_memory() {
        for (const ValueId v : by_size(false)) {
            join_uses(v, &Sides::rows);
            join_uses(v, &Sides::cols);
        }
    }

    void join_by_name() {
        std::vector<int> roots;
        for (int n = 0; n < static_cast<int>(nodes_.size()); ++n) {
            if (root(n) == n) {
                roots.push_back(n);
            }
        }
        for (std::size_t a = 0; a < roots.size(); ++a) {
            for (std::size_t b = 0; b < a; ++b) {
                const Extent& extent = at(nodes_, roots[a]).extent;
                if (!extent.name.empty() && extent.name == at(nodes_, roots[b]).extent.name) {
                    join_if_free(roots[b], roots[a]);
                }
            }
        }
    }

    void number() {
        std::vector<int> numbers(nodes_.size(), kNone);
        std::vector<std::int64_t> bytes;
        dimensions_.of.resize(dimensions_.steps.size());
        for (const int s : dimensions_.inside) {
            const StepIndices& step = at(dimensions_.steps, s);
            for (int i = 0; i < static_cast<int>(step.indices.size()); ++i) {
                int& number = at(numbers, root(node(s, i)));
                if (number == kNone) {
                    number = static_cast<int>(dimensions_.extents.size());
                    dimensions_.extents.push_back(at(step.indices, i).extent);
                    bytes.push_back(0);
                    if (!at(nodes_, root(node(s, i))).blocked &&
                        at(step.indices, i).extent.size > kPanelStep) {
                        dimensions_.candidates.push_back(number);
                    }
                }
                at(dimensions_.of, s).push_back(number);
            }
            for (std::size_t u = 0; u < step.uses.size(); ++u) {
                const Value& v = program_.value(step.reads[u].value);
                for (const int i : {step.uses[u].rows, step.uses[u].cols}) {
                    if (i >= 0) {
                        at(bytes, at(at(dimensions_.of, s), i)) += v.count() * size_of(v.type);
                    }
                }
            }
        }
        std::stable_sort(dimensions_.candidates.begin(), dimensions_.candidates.end(),
                         [&](int a, int b) { return at(bytes, a) > at(bytes, b); });
    }

private:
    [[nodiscard]] int node(int step, int index) const {
        return index < 0 ? kNone : at(first_, step) + index;
    }
    /// Of the pivots of an LU too: they have its rows.
    [[nodiscard]] Sides out_of(int step, ValueId value) const {
        Sides sides = at(dimensions_.steps, step).out;
        if (at(program_.steps, step).out2 == value) {
            sides.cols = kNone;
        }
        return sides;
    }
    [[nodiscard]] int root(int node) {
        while (at(parent_, node) != node) {
            node = at(parent_, node) = at(parent_, at(parent_, node));
        }
        return node;
    }
    void block(int node) { at(nodes_, root(node)).blocked = true; }

    void join_side(int made, int used) {
        if (made < 0) {
            return;
        }
        if (used < 0) {
            block(made);  // one row of it, or the scalar that is spread
            return;
        }
        if (at(nodes_, root(made)).blocked || at(nodes_, root(used)).blocked) {
            block(made);
            block(used);
        }
        if (!are_apart(root(made), root(used))) {
            join(made, used);
        }
    }
    void join(int a, int b) {
        a = root(a);
        b = root(b);
        at(parent_, std::max(a, b)) = std::min(a, b);
    }
    void join_uses(ValueId value, int Sides::*side) {
        int first = kNone;
        for_each_read(value, [&](int s, const Sides& used) {
            const int n = node(s, used.*side);
            if (n < 0) {
                return;
            }
            if (first >= 0) {
                join_if_free(first, n);
            } else if (!at(nodes_, root(n)).blocked) {
                first = n;
            }
        });
    }
    /// Only groups that can be cut, into one that can.
    void join_if_free(int a, int b) {
        a = root(a);
        b = root(b);
        if (!at(nodes_, a).blocked && !at(nodes_, b).blocked &&
            at(nodes_, a).extent.size == at(nodes_, b).extent.size && !are_apart(a, b)) {
            join(a, b);
        }
    }
    [[nodiscard]] bool are_apart(int a, int b) {
        return a != b && std::any_of(apart_.begin(), apart_.end(), [&](const auto& pair) {
                   const int x = root(pair.first);
                   const int y = root(pair.second);
                   return (x == a && y == b) || (x == b && y == a);
               });
    }

    /// Results of steps inside, or values from memory; large ones first.
    [[nodiscard]] std::vector<ValueId> by_size(bool results) const {
        std::vector<ValueId> values;
        for (ValueId v = 0; v < static_cast<ValueId>(program_.values.size()); ++v) {
            if ((at(dimensions_.producers, v) >= 0) == results) {
                values.push_back(v);
            }
        }
        std::stable_sort(values.begin(), values.end(), [&](ValueId a, ValueId b) {
            return program_.value(a).count() > program_.value(b).count();
        });
        return values;
    }
    template <typename Visit>
    void for_each_read(ValueId value, const Visit& visit) const {
        for (const int s : dimensions_.inside) {
            const StepIndices& reader = at(dimensions_.steps, s);
            for (std::size_t u = 0; u < reader.uses.size(); ++u) {
                if (reader.reads[u].value == value) {
                    visit(s, reader.uses[u]);
                }
            }
        }
    }

    const Program& program_;
    Dimensions& dimensions_;
    std::vector<int> first_;                  ///< node of each step's first index
    std::vector<StepIndex> nodes_;            ///< `blocked` counts at the root of a group
    std::vector<int> parent_;                 ///< the root of a group is its least node
    std::vector<std::pair<int, int>> apart_;  ///< indices of one step
};

}  // namespace

int Dimensions::index_in(int step, int dimension) const {
    const std::vector<int>& found = at(of, step);
    const auto place = std::find(found.begin(), found.end(), dimension);
    return dimension < 0 || place == found.end() ? kNone : static_cast<int>(place - found.begin());
}

Cut Dimensions::cut(int step, const Sides& sides, int dimension) const {
    const int index = index_in(step, dimension);
    if (index < 0) {
        return Cut::whole;
    }
    return sides.rows == index ? Cut::rows : sides.cols == index ? Cut::cols : Cut::whole;
}

Dimensions find_dimensions(const Program& program) {
    Dimensions dimensions;
    dimensions.producers.assign(program.values.size(), kNone);
    dimensions.is_result.assign(program.values.size(), false);
    dimensions.steps.resize(program.steps.size());
    for (int s = 0; s < static_cast<int>(program.steps.size()); ++s) {
        const Step& step = at(program.steps, s);
        if (is_in_regions(step)) {
            dimensions.inside.push_back(s);
            at(dimensions.steps, s) = indices_of(program, step);
            at(dimensions.producers, step.out) = s;
            if (step.out2 != kNoValue) {
                at(dimensions.producers, step.out2) = s;
            }
        } else if (step.scope != Scope::shared) {
            for_each_use(step.operation,
                         [&](const Use& u) { at(dimensions.is_result, u.value) = true; });
        }
    }
    for (const ProgramOutput& output : program.outputs) {
        at(dimensions.is_result, output.value) = true;
    }
    for (std::size_t v = 0; v < program.values.size(); ++v) {
        dimensions.is_result[v] = dimensions.is_result[v] && dimensions.producers[v] >= 0;
    }
    Groups groups(program, dimensions);
    groups.join_through_results();
    groups.join_through_memory();
    groups.join_by_name();
    groups.number();
    return dimensions;
}

}  // namespace matgrad::detail
