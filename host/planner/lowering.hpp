#pragma once
/// \file From expressions to steps: the state that lowering carries, in one class whose members are
/// grouped by file (lower_*.cpp). Used by make_program alone.
///
/// Every expression, every sub-chain of a product and every factorization is
/// lowered once and remembered with its transposed twin. What lowering writes is plain on purpose,
/// one map for each entrywise node; the passes on the Program fuse it.

#include <array>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "expression/build.hpp"
#include "expression/node.hpp"
#include "planner/chain_order.hpp"
#include "planner/edit.hpp"
#include "planner/find_in.hpp"
#include "planner/planner.hpp"
#include "planner/sizes.hpp"

namespace matgrad::detail {

/// One row and/or one column of an expression (-1: all of them).
struct Selection {
    std::int64_t row = -1;
    std::int64_t col = -1;
    [[nodiscard]] bool is_whole() const { return row < 0 && col < 0; }
    [[nodiscard]] Selection swapped() const { return {col, row}; }
};

/// 122 bits that stand for a run of links.
using ChainKey = std::array<std::uint64_t, 2>;
[[nodiscard]] ChainKey extended(const ChainKey& key, std::uint64_t word);
/// How many distinct product chains of the program, or chains closed to a ring by a trace, contain a
/// sub-chain.
using ChainCounts = std::map<ChainKey, int>;

/// One factor of a product, ready to be ordered and to be lowered.
struct Link {
    ChainLink weight;
    Expr expr;                ///< the factor; of an inverse or a diagonal what is inverted
    bool transposed = false;  ///< an inverse: of the transpose of `expr`; unit columns: theirs
    bool inverted = false;    ///< a diagonal: its reciprocal
    bool unit = false;        ///< a row or column of the identity
    Use ready;                ///< a part of a longer chain that was computed before, and
    std::string label;        ///< its text
    Selection selection;
    Extent rows, cols;
};
using Links = std::vector<Link>;
/// The longest trace whose cyclic orders are all tried.
inline constexpr int kLongestRing = 32;

/// The factors that solve with a matrix Y.
struct Factor {
    LinkKind kind = LinkKind::lu;
    Use factor;               ///< L, the LU factors, the triangular operand, or the diagonal
    Use pivots;               ///< LU alone
    bool lower = true;        ///< of the stored triangle
    bool transposed = false;  ///< what is factored is Y'
    std::uint64_t id = 0;
};

/// One of the ways to lower the same forms.
struct LoweringWay {
    /// If given, shared sub-chains are weighed by how many chains want them.
    const ChainCounts* counts = nullptr;
    /// The value is lowered after the other results, so that it finds what they have computed.
    bool value_last = false;
    /// norm2(P*Q)^2 may be a trace of Q'*P'*P*Q, which loses the square of |P|*|Q|/|P*Q|.
    bool squares_as_traces = false;
};

struct RingWay;

class Lowering {
public:
    Lowering(const PlanRequest& request, const Sizes& sizes, const LoweringWay& way);

    void lower_outputs();
    [[nodiscard]] Program take() { return std::move(program_); }

    /// Matrix operations of a product of these factors in its best order, per problem.
    [[nodiscard]] double product_operations(std::span<const Expr> factors);
    /// Counts every sub-chain that the forms of the request hold.
    [[nodiscard]] ChainCounts count_chains();

private:
    using Writer = std::function<int(BodyWriter&)>;

    // lower_node.cpp: one expression
    Use lower(const Expr& e, Selection s = {});
    Use lower_new(const Expr& e, Selection s);
    Use lower_matrix_function(const Expr& e, Selection s);
    /// Writes the entries of `e` as instructions over a domain of its (selected) shape.
    int write(BodyWriter& body, const Expr& e, Selection s, const Extent& rows, const Extent& cols);
    int write_function(BodyWriter& body, Entrywise function, const std::vector<Expr>& arguments,
                       Selection s, const Extent& r, const Extent& c);
    int write_sum(BodyWriter& body, const Expr& e, Selection s, const Extent& rows,
                  const Extent& cols);
    int write_product(BodyWriter& body, const Expr& e, Selection s, const Extent& rows,
                      const Extent& cols);
    int write_hadamard(BodyWriter& body, const Expr& e, Selection s, const Extent& rows,
                       const Extent& cols);
    int load(BodyWriter& body, const Use& use, const Extent& rows, const Extent& cols);
    Use lower_entrywise(const Expr& e, Selection s);

    // lower_chain.cpp: products
    void append_links(Links& links, const Expr& factor, Selection s = {});
    Links links_of(std::span<const Expr> factors, Selection s = {});
    Link dense_link(const Expr& e, Selection s);
    Link ones_link(const Extent& rows, const Extent& cols);
    Link unit_link(const Dim& n, std::int64_t index, bool row);
    Use lower_chain(const Links& links);
    Use lower_power(const Links& links, int period, int exponent);
    Use lower_long_chain(const Links& links);
    Link ready_link(const Links& part);
    Use lower_chain_part(const Links& links, const ChainOrder& order, int i, int j);
    Use join(const Links& links, const ChainOrder& order, int i, int j);
    Use leaf(const Link& link);
    Use multiply_dense(const Use& a, const Use& b, const std::string& text);
    Use diagonal_vector(const Link& link);
    ChainOrder order(const Links& links);

    // lower_parts.cpp: parts of matrices, and largest entries
    Use window(const Links& links, const ChainOrder& order, int i, int j, bool left);
    Use unit_columns(const Link& link);
    Use lower_row_max(const Expr& y);
    Use lower_is_row_max(const Expr& y);

    // lower_ring.cpp: traces of products
    Use lower_trace_of_chain(const Links& links);
    Use lower_squares_of_chain(const Expr& z);
    Use lower_ring(const Links& ring, const ChainOrder& ways, const RingWay& way,
                   const std::string& text);

    // lower_factor.cpp: inverses and determinants
    /// Systems are solved with it, or its logdet is taken.
    [[nodiscard]] bool is_factored(const Expr& y) const {
        return factored_.count(y) != 0 || factored_.count(transpose(y)) != 0;
    }
    const Factor& factor_of(const Expr& y);
    Factor make_factor(const Expr& y, bool solved);
    Factor factor_of(const Link& link);
    Use solve(const Link& link, Side side, const Use& b, const ChainKey& b_key,
              const std::string& text);
    Use half_solve(const Factor& f, Side side, const Use& b, const ChainKey& b_key,
                   const std::string& text);
    Use triangular_solve(Side side, const Factor& f, bool transposed, const Use& b,
                         const std::string& text, const std::string& why);
    Use explicit_inverse(const Link& link);
    Use inverse_of_factored(const Expr& y);
    Use lower_det(const Expr& y);
    Use lower_logdet(const Expr& y);
    Use lower_log_det(const Expr& y);
    Use lower_adjugate(const Expr& y);
    Use emit_cholesky(Use a, const std::string& name, const std::string& why);
    Use lower_cholesky(const Expr& y);
    Use lower_diagonal_cofactors(const Expr& y);
    Factor determinant_factor(const Expr& y);

    // lower_exponentials.cpp: one exponential for several functions
    /// What logsumexp(y) and its gradient are made of.
    struct ShiftedExp {
        Use shift, terms, total;
    };
    const ShiftedExp& shifted_exp(const Expr& y, ReduceOver over);
    Use lower_logsumexp(const Expr& y);
    Use lower_line_logsumexp(const Expr& y);
    Use log_of_shifted(const ShiftedExp& e, const std::string& text);
    std::optional<Use> lower_softmax(const Expr& e, Selection s);

    // lower_scalar.cpp: sums of all kinds
    Use lower_trace(const Expr& y);
    Use lower_dot(const Expr& a, const Expr& b);
    Use lower_sum(const Expr& y);
    Use lower_row_sum(const Expr& y, Selection s);
    Use lower_norm(const Expr& y, bool euclidean);
    Use largest_column_sum(const Use& a, const std::string& text);
    Use lower_diag_vector(const Expr& y, Selection s);
    Use sum_of_squares(const Use& a, const std::string& text, const std::string& why);
    Use sum_of_products(const Use& a, const Use& b, const std::string& text,
                        const std::string& why);
    Use scaled(double number, std::span<const Expr> scalars, const Use& a, const std::string& text);

    // emit.cpp: steps
    Use emit(Operation operation, const Extent& rows, const Extent& cols, const std::string& text,
             const std::string& why);
    Use map(const Extent& rows, const Extent& cols, const Writer& writer, const std::string& text,
            const std::string& why);
    Use reduce(ReduceOp op, ReduceOver over, const Extent& rows, const Extent& cols,
               const Writer& writer, const std::string& text, const std::string& why,
               double scale = 1);
    [[nodiscard]] Extent rows(const Use& u) const { return rows_of(program_, u); }
    [[nodiscard]] Extent cols(const Use& u) const { return cols_of(program_, u); }
    [[nodiscard]] Extent rows(const Expr& e, Selection s) const;
    [[nodiscard]] Extent cols(const Expr& e, Selection s) const;
    [[nodiscard]] bool is_shared(const Expr& e);
    [[nodiscard]] double batch() const;
    void add_output(const OutputRequest& output);
    void add_rcond();

    const PlanRequest& request_;
    const Sizes& sizes_;
    LoweringWay way_;
    Program program_;
    std::unordered_map<std::string, ValueId> operand_values_;
    std::unordered_set<Expr> factored_;

    using ExprKey = std::tuple<Fingerprint, std::int64_t, std::int64_t>;
    std::map<ExprKey, Use> lowered_;
    std::map<ChainKey, Use> chains_;
    std::map<ChainKey, Use> half_solves_;
    std::map<ExprKey, Use> diagonals_;
    std::map<std::pair<Fingerprint, ReduceOver>, ShiftedExp> shifted_;
    std::map<std::pair<Fingerprint, bool>, Factor> factors_;
    std::unordered_map<Expr, bool> shared_;
};

/// The key of links i..j read forward or, if that sorts first, backward as the transpose.
struct OrientedKey {
    ChainKey key;
    bool reversed = false;
};
[[nodiscard]] ChainKey key_of(const Links& links, int i, int j, bool transposed);
[[nodiscard]] OrientedKey oriented_key(const Links& links, int i, int j);
[[nodiscard]] std::string text_of(const Links& links, int i, int j);
[[nodiscard]] std::string text_of(const Expr& e);

}  // namespace matgrad::detail
