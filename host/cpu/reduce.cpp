#include <algorithm>
#include <optional>
#include <vector>

#include "cpu/dot.hpp"
#include "cpu/fold.hpp"
#include "cpu/interpreter.hpp"
#include "cpu/map.hpp"
#include "cpu/norm.hpp"
#include "cpu/parts.hpp"

namespace matgrad::detail {
namespace {

/// Result (row, col) of one lane each, from numbers of type T.
template <typename T>
void store(const T* from, const View& out, std::int64_t row, std::int64_t col) {
    with_type(out.type, [&](auto zero) {
        auto* to = reinterpret_cast<decltype(zero)*>(out.at(row, col));
        for (int l = 0; l < out.lanes; ++l) {
            to[l] = static_cast<decltype(zero)>(from[l]);
        }
    });
}

bool same(const View& a, const View& b) {
    return a.data == b.data && a.type == b.type && a.lanes == b.lanes &&
           a.row_stride == b.row_stride && a.col_stride == b.col_stride;
}

/// The terms that are added, if the body is one operand, its square or a product of two.
std::optional<Dot> terms_of(const Domain& domain, ReduceOp op, ScalarType type) {
    const std::vector<MapInstruction>& code = domain.body->code;
    const bool norm = op == ReduceOp::norm;
    if ((op != ReduceOp::sum && !norm) || code.size() > (norm ? 1 : 3) ||
        code[0].op != MapOp::load) {
        return {};
    }
    Dot dot{norm ? Terms::squares : Terms::entries, domain.operands[code[0].a], {}, type};
    const MapInstruction& last = code.back();
    if (code.size() == 2) {
        if (last.op != MapOp::mul && !(last.op == MapOp::pow && last.number == 2)) {
            return {};
        }
        dot.terms = Terms::squares;
    } else if (code.size() == 3) {
        const bool product =
            code[1].op == MapOp::load && last.op == MapOp::mul && last.a + last.b == 1;
        if (!product) {
            return {};
        }
        dot.b = domain.operands[code[1].a];
        dot.terms = same(dot.a, dot.b) ? Terms::squares : Terms::products;
    }
    if (!is_dot(dot, domain.lanes)) {
        return {};
    }
    return dot;
}

/// Reductions to one number per lane, in double: those of blocks are made in T.
template <typename T>
void reduce_part(const Domain& domain, const Block& part, ReduceOp of, NormScale scale,
                 double* folds, Scratch& scratch) {
    TermsOfBlocks<T> evaluate(domain, of, scale, scratch);
    const ReduceOp op = fold_of(of);
    const int lanes = domain.lanes;
    for_each_block(part, block_shape(domain), [&](const Block& block) {
        const T* values = evaluate(block);
        if (lanes == 1) {
            folds[0] =
                fold_two(op, folds[0], static_cast<double>(fold_strip(op, values, block.count())));
            return;
        }
        T of_block[kLanes + kStripRoom];
        std::fill_n(of_block, kLanes, identity_of<T>(op));
        fold_rows(op, of_block, values, block.count(), kLanes);
        for (int l = 0; l < kLanes; ++l) {
            folds[l] = fold_two(op, folds[l], static_cast<double>(of_block[l]));
        }
    });
}

/// The reduction of the whole domain to `folds`, one number per lane. `reduce(part, folds, scratch)`
/// does a part.
template <typename Work>
void fold_parts(const Domain& domain, ReduceOp op, const Threads& threads, double* folds,
                Scratch& scratch, Work reduce) {
    const DomainParts parts(domain);
    if (parts.count() == 1) {
        return reduce(parts[0], folds, scratch);
    }
    constexpr std::int64_t kSome = 512;
    double of_part[kSome];  // they have one lane
    for (std::int64_t first = 0; first < parts.count(); first += kSome) {
        const std::int64_t end = std::min(first + kSome, parts.count());
        for_some_parts(parts, first, end, *domain.body, scratch, threads,
                       [&](std::int64_t i, const Block& part, Scratch& room) {
                           reduce(part, of_part + (i - first), room);
                       });
        for (std::int64_t i = first; i < end; ++i) {
            folds[0] = i == 0 ? of_part[0] : fold_two(op, folds[0], of_part[i - first]);
        }
    }
}

void dot_part(Dot dot, const Block& part, int lanes, double* sums) {
    dot.a = block(dot.a, part.row, part.col, part.rows, part.cols);
    if (dot.terms == Terms::products) {
        dot.b = block(dot.b, part.row, part.col, part.rows, part.cols);
    }
    if (lanes == 1) {
        sums[0] = sum_of(dot);
    } else {
        sum_of_lanes(dot, sums);
    }
}

void reduce_by_blocks(const Reduce& step, Domain domain, ScalarType type, NormScale scale,
                      const Threads& threads, double* folds, Scratch& scratch) {
    if (is_flat(domain)) {
        domain = joined(domain, scratch);
    } else if (!knows_positions(step.body)) {
        const Domain turned = transposed(domain, scratch);
        if (is_flat(turned)) {
            domain = joined(turned, scratch);
        }
    }
    const ReduceOp op = fold_of(step.op);
    fold_parts(domain, op, threads, folds, scratch,
               [&](const Block& part, double* of_part, Scratch& room) {
                   std::fill_n(of_part, domain.lanes, identity_of<double>(op));
                   with_type(type, [&](auto zero) {
                       reduce_part<decltype(zero)>(domain, part, step.op, scale, of_part, room);
                   });
               });
}

/// Over all of the domain, to one number per lane: of a norm the sums of squares.
void fold_all(const Reduce& step, const Domain& domain, ScalarType type, NormScale scale,
              double* folds, Scratch& scratch, const Threads& threads) {
    const std::optional<Dot> dot =
        scale == NormScale::none ? terms_of(domain, step.op, type) : std::optional<Dot>{};
    if (dot) {
        fold_parts(domain, ReduceOp::sum, threads, folds, scratch,
                   [&](const Block& part, double* sums, Scratch&) {
                       dot_part(*dot, part, domain.lanes, sums);
                   });
    } else {
        reduce_by_blocks(step, domain, type, scale, threads, folds, scratch);
    }
}

/// The sums of squares as norms. Those out of range are added up once more, scaled.
template <typename T>
void norms_of(const Reduce& step, const Domain& domain, ScalarType type, double* folds,
              Scratch& scratch, const Threads& threads) {
    const int lanes = domain.lanes;
    NormScale scales[kLanes];
    bool any[3] = {};
    for (int l = 0; l < lanes; ++l) {
        scales[l] = scale_for<T>(folds[l]);
        any[static_cast<int>(scales[l])] = true;
    }
    for (const NormScale scale : {NormScale::down, NormScale::up}) {
        if (!any[static_cast<int>(scale)]) {
            continue;
        }
        double again[kLanes];
        Scratch rest = scratch;  // what the first time took is free
        fold_all(step, domain, type, scale, again, rest, threads);
        for (int l = 0; l < lanes; ++l) {
            folds[l] = scales[l] == scale ? again[l] : folds[l];
        }
    }
    for (int l = 0; l < lanes; ++l) {
        folds[l] = norm_of<T>(folds[l], scales[l]);
    }
}

/// Over all of the domain.
void reduce_all(const Reduce& step, const Domain& domain, ScalarType type, const View& out,
                Scratch& scratch, const Threads& threads) {
    double folds[kLanes];
    Scratch first = scratch;
    fold_all(step, domain, type, NormScale::none, folds, first, threads);
    if (step.op == ReduceOp::norm) {
        with_type(type, [&](auto zero) {
            norms_of<decltype(zero)>(step, domain, type, folds, scratch, threads);
        });
    }
    for (int l = 0; l < domain.lanes; ++l) {
        folds[l] *= step.scale;
    }
    store(folds, out, 0, 0);
}

/// One result for each row.
template <typename T>
void reduce_rows(const Reduce& step, const Domain& domain, const View& out, Scratch& scratch) {
    Interpreter<T> evaluate(domain, scratch);
    const BlockShape shape = block_shape(domain);
    const int lanes = domain.lanes;
    double folds[kBlockNumbers];
    for (std::int64_t r = 0; r < domain.rows; r += shape.rows) {
        const Block rows{r, 0, std::min(shape.rows, domain.rows - r), domain.cols};
        std::fill_n(folds, rows.rows * lanes, identity_of<double>(step.op));
        for_each_block(rows, shape, [&](const Block& block) {
            const T* values = evaluate(block);
            for (std::int64_t i = 0; i < block.rows; ++i, values += block.cols * lanes) {
                T of_row[kLanes + kStripRoom];
                if (lanes == 1) {
                    of_row[0] = fold_strip(step.op, values, block.cols);
                } else {
                    std::fill_n(of_row, kLanes, identity_of<T>(step.op));
                    fold_rows(step.op, of_row, values, block.cols, kLanes);
                }
                for (int l = 0; l < lanes; ++l) {
                    double& fold = folds[i * lanes + l];
                    fold = fold_two(step.op, fold, static_cast<double>(of_row[l]));
                }
            }
        });
        for (std::int64_t i = 0; i < rows.rows; ++i) {
            for (int l = 0; l < lanes; ++l) {
                folds[i * lanes + l] *= step.scale;
            }
            store(folds + i * lanes, out, r + i, 0);
        }
    }
}

/// The entries of the domain where they are numbers of T in memory, row by row, else null.
template <typename T>
const T* entries_in_memory(const Domain& domain) {
    const View& v = domain.operands[0];
    const bool typed = with_type(v.type, [](auto zero) { return sizeof(zero) == sizeof(T); });
    return domain.body->code.size() == 1 && typed && v.contiguous()
               ? reinterpret_cast<const T*>(v.data)
               : nullptr;
}

/// One result for each row of many that are alike and have one lane. Of a norm whose sum of squares is
/// out of range, the row alone is squared again.
template <typename T>
void fold_rows_of(const Reduce& step, const Domain& domain, const View& out, Scratch& scratch) {
    Scratch for_rows = scratch;
    TermsOfBlocks<T> evaluate(domain, step.op, NormScale::none, for_rows);
    const ReduceOp op = fold_of(step.op);
    BlockShape shape = block_shape(domain);
    // Folds of a part are exact for a maximum alone: then the part may be of any size.
    const T* entries = op == ReduceOp::max ? entries_in_memory<T>(domain) : nullptr;
    if (entries != nullptr) {
        shape = {kBlockNumbers, std::max<std::int64_t>(1, domain.cols)};
    }
    double folds[kBlockNumbers];
    T of_rows[kBlockNumbers];
    const auto fold = [&](const Block& rows, TermsOfBlocks<T>& terms, double* to) {
        std::fill_n(to, rows.rows, identity_of<double>(op));
        for_each_block(rows, shape, [&](const Block& block) {
            const T* values = entries != nullptr ? entries + block.row * domain.cols : terms(block);
            fold_each_row(op, values, block.rows, block.cols, of_rows);
            for (std::int64_t i = 0; i < block.rows; ++i) {
                to[i] = fold_two(op, to[i], static_cast<double>(of_rows[i]));
            }
        });
    };
    const auto norm_of_row = [&](std::int64_t row, double squares) {
        const NormScale scale = scale_for<T>(squares);
        if (scale != NormScale::none) {
            Scratch again = scratch;
            TermsOfBlocks<T> scaled(domain, step.op, scale, again);
            fold({row, 0, 1, domain.cols}, scaled, &squares);
        }
        return norm_of<T>(squares, scale);
    };
    for (std::int64_t r = 0; r < domain.rows; r += shape.rows) {
        const Block rows{r, 0, std::min(shape.rows, domain.rows - r), domain.cols};
        fold(rows, evaluate, folds);
        for (std::int64_t i = 0; i < rows.rows && step.op == ReduceOp::norm; ++i) {
            folds[i] = norm_of_row(r + i, folds[i]);
        }
        with_type(out.type, [&](auto zero) {
            auto* to = reinterpret_cast<decltype(zero)*>(out.data) + r;
            for (std::int64_t i = 0; i < rows.rows; ++i) {
                to[i] = static_cast<decltype(zero)>(folds[i] * step.scale);
            }
        });
    }
}

/// One result for each column.
template <typename T>
void reduce_cols(const Reduce& step, const Domain& domain, const View& out, Scratch& scratch) {
    Interpreter<T> evaluate(domain, scratch);
    const BlockShape shape = block_shape(domain);
    const int lanes = domain.lanes;
    T folds[kBlockNumbers + kStripRoom];
    for (std::int64_t c = 0; c < domain.cols; c += shape.cols) {
        const Block cols{0, c, domain.rows, std::min(shape.cols, domain.cols - c)};
        std::fill_n(folds, cols.cols * lanes, identity_of<T>(step.op));
        for_each_block(cols, shape, [&](const Block& block) {
            fold_rows(step.op, folds, evaluate(block), block.rows, block.cols * lanes);
        });
        apply_strip(MapOp::scale, folds, folds, folds, step.scale, cols.cols * lanes);
        for (std::int64_t i = 0; i < cols.cols; ++i) {
            // One number for each column, 1-by-n or as a column.
            store(folds + i * lanes, out, out.rows == 1 ? 0 : c + i, out.rows == 1 ? c + i : 0);
        }
    }
}

}  // namespace

void run_reduce(const Reduce& step, const View* operands, ScalarType type, const View& out,
                Scratch& scratch, const Threads& threads) {
    reduce_domain(
        step, step.over,
        make_domain(step.body, operands, step.rows.size, step.cols.size, out.lanes, scratch), type,
        out, scratch, threads);
}

void reduce_domain(const Reduce& step, ReduceOver over, const Domain& domain, ScalarType type,
                   const View& out, Scratch& scratch, const Threads& threads) {
    switch (over) {
        case ReduceOver::all:
            return reduce_all(step, domain, type, out, scratch, threads);
        case ReduceOver::diagonal:
            return reduce_all(step, diagonal_of(domain, scratch), type, out, scratch, threads);
        case ReduceOver::rows:
            return with_type(
                type, [&](auto zero) { reduce_rows<decltype(zero)>(step, domain, out, scratch); });
        case ReduceOver::cols:
            return with_type(
                type, [&](auto zero) { reduce_cols<decltype(zero)>(step, domain, out, scratch); });
    }
}

void reduce_each_row(const Reduce& step, const Domain& domain, ScalarType type, const View& out,
                     Scratch& scratch) {
    with_type(type, [&](auto zero) { fold_rows_of<decltype(zero)>(step, domain, out, scratch); });
}

}  // namespace matgrad::detail
