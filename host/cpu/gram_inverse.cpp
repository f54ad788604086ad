#include "cpu/gram_inverse.hpp"

#include <utility>
#include <vector>

#include "program/cost.hpp"
#include "program/gram_limits.hpp"
#include "program/uses.hpp"

namespace matgrad::detail {
namespace {

/// The largest order: beyond it solves run at the rate of products too.
constexpr std::int64_t kLargestOrder = 48;

bool same(const Use& a, const Use& b) {
    return a.value == b.value && a.transposed == b.transposed && a.row == b.row && a.col == b.col;
}

class GramInverses {
public:
    explicit GramInverses(Program program)
        : program_(std::move(program)),
          uses_(count_uses(program_)),
          producers_(find_producers(program_)) {}

    Program operator()() {
        for (std::size_t i = 0; i < program_.steps.size(); ++i) {
            const int second = second_solve(i);
            if (second >= 0) {
                replace(i, static_cast<std::size_t>(second));
                uses_ = count_uses(program_);
                producers_ = find_producers(program_);
                count_costs(program_);
            }
        }
        return std::move(program_);
    }

private:
    template <typename Operation>
    [[nodiscard]] const Operation* maker(ValueId id) const {
        const int step = id == kNoValue ? -1 : producers_[static_cast<std::size_t>(id)];
        return step < 0 ? nullptr
                        : std::get_if<Operation>(
                              &program_.steps[static_cast<std::size_t>(step)].operation);
    }

    /// Is b, with the triangle on its side, what the factored matrix is the square of?
    [[nodiscard]] bool is_root(const Trsm& solve) const {
        const auto* potrf = maker<Potrf>(solve.triangle.value);
        const auto* syrk = potrf == nullptr ? nullptr : maker<Syrk>(potrf->a.value);
        if (syrk == nullptr || !is_present(solve.b)) {
            return false;
        }
        return same(solve.b, solve.side == Side::right ? transposed(syrk->a) : syrk->a);
    }

    [[nodiscard]] bool loses_nothing(const Trsm& solve) const {
        const int i = producers_[static_cast<std::size_t>(solve.triangle.value)];
        const Step& factor = program_.steps[static_cast<std::size_t>(i)];
        return !(program_.type == ScalarType::float64 &&
                 is_with_care(program_, factor, std::get<Potrf>(factor.operation)));
    }

    /// op(T) as the solve uses it is L, not L'.
    static bool is_lower_solve(const Trsm& solve) {
        return solve.transposed == solve.triangle.transposed;
    }

    /// The step that completes the solve that step `first` begins, or -1.
    [[nodiscard]] int second_solve(std::size_t first) const {
        const Step& step = program_.steps[first];
        const auto* a = std::get_if<Trsm>(&step.operation);
        if (a == nullptr || step.scope != Scope::problem || !a->lower || !is_root(*a) ||
            !is_whole(a->triangle) || !loses_nothing(*a) ||
            uses_[static_cast<std::size_t>(step.out)] != 1) {
            return -1;
        }
        const std::int64_t order = program_.value(a->triangle.value).rows.size;
        const Value& out = program_.value(step.out);
        const bool left = a->side == Side::left;
        if (order > kLargestOrder || (left ? out.cols.size : out.rows.size) < order ||
            is_lower_solve(*a) != left) {
            return -1;
        }
        for (std::size_t j = first + 1; j < program_.steps.size(); ++j) {
            const auto* b = std::get_if<Trsm>(&program_.steps[j].operation);
            if (b != nullptr && b->b.value == step.out && is_whole(b->b) && !b->b.transposed &&
                b->side == a->side && b->lower && b->triangle.value == a->triangle.value &&
                is_whole(b->triangle) && is_lower_solve(*b) != left &&
                program_.steps[j].type == step.type) {
                return static_cast<int>(j);
            }
        }
        return -1;
    }

    /// The first solve becomes inv(L) and S, the second one the product.
    void replace(std::size_t first, std::size_t second) {
        const Trsm a = std::get<Trsm>(program_.steps[first].operation);
        const Trsm b = std::get<Trsm>(program_.steps[second].operation);
        const ScalarType type = program_.steps[first].type;
        const Value factor = program_.value(a.triangle.value);
        const ValueId s = program_.steps[first].out;
        const auto w = static_cast<ValueId>(program_.values.size());
        Value of_inverse;
        of_inverse.rows = of_inverse.cols = factor.rows;
        of_inverse.type = type;
        of_inverse.structure = Structure::lower;
        of_inverse.text = "inv(" + factor.text + ")";
        program_.values.push_back(std::move(of_inverse));
        Value& square = program_.value(s);
        const auto* potrf = maker<Potrf>(a.triangle.value);
        square.text = "inv(" + program_.value(potrf->a.value).text + ")";
        square.rows = square.cols = factor.rows;
        square.type = type;
        square.structure = Structure::symmetric;
        // Where the planner placed them they may overlap by now.
        square.offset = program_.value(program_.steps[second].out).offset = -1;
        program_.value(a.b.value).offset = -1;

        const Use inverse{w};
        Step made = program_.steps[first];
        made.why = "from the inverse of its factor";
        program_.steps[first].why = "the inverse of a factor, which is small";
        program_.steps[second].why =
            "one product in place of two solves: nothing is lost by it here";
        made.operation = Syrk{transposed(inverse), 1, true};
        const Use root = a.b;
        Gemm product{root, Use{s}, a.alpha * b.alpha, 0, {}};
        if (a.side == Side::left) {
            std::swap(product.a, product.b);
        }
        program_.steps[second].operation = product;
        program_.steps[first].operation =
            Trsm{Side::left, true, false, Use{a.triangle.value}, {}, 1};
        program_.steps[first].out = w;
        program_.steps.insert(program_.steps.begin() + static_cast<std::ptrdiff_t>(first) + 1,
                              std::move(made));
    }

    Program program_;
    std::vector<int> uses_;
    std::vector<int> producers_;
};

}  // namespace

Program with_gram_inverses(Program program) {
    return GramInverses(std::move(program))();
}

}  // namespace matgrad::detail
