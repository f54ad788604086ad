#include "cpu/map.hpp"

#include <algorithm>
#include <limits>
#include <vector>

#include "cpu/vector_math.hpp"

namespace matgrad::detail {
namespace {

/// Numbers in one strip.
constexpr std::int64_t kStripNumbers = 512;

/// `count` elements from (row, col) on, each (down, right) from the one before.
struct Run {
    std::int64_t row, col, down, right, count;
};

bool reads_a(MapOp op) {
    return op != MapOp::load && op != MapOp::constant && op != MapOp::is_diagonal &&
           op != MapOp::is_lower && op != MapOp::is_upper;
}

bool reads_b(MapOp op) {
    return op == MapOp::add || op == MapOp::sub || op == MapOp::mul || op == MapOp::div ||
           op == MapOp::mask;
}

/// Gives each instruction the register it writes; a register is used again when its last reader is
/// past, so that few are needed and they stay in the first-level cache. The arrays have a place for
/// each instruction. Returns the number of registers.
int assign_registers(const MapBody& body, int* slots, int* last_reader, int* free_slots) {
    const int size = static_cast<int>(body.code.size());
    std::fill_n(last_reader, size, -1);
    for (int i = 0; i < size; ++i) {
        const MapInstruction& instruction = body.code[static_cast<std::size_t>(i)];
        if (reads_a(instruction.op)) {
            last_reader[instruction.a] = i;
        }
        if (reads_b(instruction.op)) {
            last_reader[instruction.b] = i;
        }
    }
    int registers = 0;
    int free_count = 0;
    for (int i = 0; i < size; ++i) {
        const MapInstruction& instruction = body.code[static_cast<std::size_t>(i)];
        const auto release = [&](int read) {
            if (last_reader[read] == i) {
                free_slots[free_count++] = slots[read];
                last_reader[read] = -1;  // a == b: only once
            }
        };
        if (reads_a(instruction.op)) {
            release(instruction.a);
        }
        if (reads_b(instruction.op)) {
            release(instruction.b);
        }
        slots[i] = free_count > 0 ? free_slots[--free_count] : registers++;
    }
    return registers;
}

template <typename T, typename From>
void load_elements(const View& v, int lanes, std::int64_t row, std::int64_t col, std::int64_t step,
                   std::int64_t count, T* to) {
    const auto* from = reinterpret_cast<const From*>(v.at(row, col));
    if (v.lanes != lanes) {
        for (std::int64_t i = 0; i < count; ++i) {
            std::fill_n(to + i * lanes, lanes, static_cast<T>(from[i * step]));
        }
    } else if (step == 1 || count == 1) {
        convert_strip(from, to, count * lanes);
    } else if (lanes == 1) {
        for (std::int64_t i = 0; i < count; ++i) {
            to[i] = static_cast<T>(from[i * step]);
        }
    } else {
        for (std::int64_t i = 0; i < count; ++i) {
            convert_strip(from + i * step * kLanes, to + i * kLanes, kLanes);
        }
    }
}

/// Evaluates a body strip by strip.
template <typename T>
class Interpreter {
public:
    Interpreter(const MapBody& body, const View* operands, int lanes, Scratch& scratch)
        : body_(body), operands_(operands), lanes_(lanes) {
        const auto size = static_cast<std::int64_t>(body.code.size());
        slots_ = scratch.array<int>(size);
        int* last_reader = scratch.array<int>(size);
        int* free_slots = scratch.array<int>(size);
        const int registers = assign_registers(body, slots_, last_reader, free_slots);
        values_ = scratch.array<const T*>(size);
        registers_ = scratch.array<T>(registers * (kStripNumbers + kStripRoom));
    }

    [[nodiscard]] std::int64_t elements() const { return kStripNumbers / lanes_; }

    /// The values over a run of at most elements(); valid until the next call.
    const T* operator()(const Run& run) {
        const auto size = static_cast<int>(body_.code.size());
        for (int i = 0; i < size; ++i) {
            values_[i] = execute(body_.code[static_cast<std::size_t>(i)], run, slot(i));
        }
        return values_[size - 1];
    }

private:
    T* slot(int instruction) {
        return registers_ + slots_[instruction] * (kStripNumbers + kStripRoom);
    }

    /// Where the result is: in the register, or in the operand itself.
    const T* execute(const MapInstruction& instruction, const Run& run, T* out) {
        switch (instruction.op) {
            case MapOp::load:
                return load(body_.operands[static_cast<std::size_t>(instruction.a)].broadcast,
                            operands_[instruction.a], run, out);
            case MapOp::constant:
                std::fill_n(out, run.count * lanes_, static_cast<T>(instruction.number));
                return out;
            case MapOp::is_diagonal:
                return positions(run, out, [](auto r, auto c) { return r == c; });
            case MapOp::is_lower:
                return positions(run, out, [](auto r, auto c) { return r >= c; });
            case MapOp::is_upper:
                return positions(run, out, [](auto r, auto c) { return r <= c; });
            default: {
                const T* a = values_[instruction.a];
                const T* b = reads_b(instruction.op) ? values_[instruction.b] : a;
                apply_strip(instruction.op, out, a, b, instruction.number, run.count * lanes_);
                return out;
            }
        }
    }

    template <typename Test>
    const T* positions(const Run& run, T* out, Test test) {
        for (std::int64_t i = 0; i < run.count; ++i) {
            const bool in = test(run.row + i * run.down, run.col + i * run.right);
            std::fill_n(out + i * lanes_, lanes_, in ? T{1} : T{0});
        }
        return out;
    }

    const T* load(Broadcast broadcast, const View& v, const Run& run, T* out) {
        std::int64_t row = run.row;
        std::int64_t col = run.col;
        std::int64_t step = run.down * v.row_stride + run.right * v.col_stride;
        if (broadcast == Broadcast::scalar) {
            row = col = step = 0;
        } else if (broadcast == Broadcast::column) {
            col = 0;
            step = run.down * v.row_stride;
        } else if (broadcast == Broadcast::row) {
            row = 0;
            step = run.right * v.col_stride;
        }
        if (v.type == kType && v.lanes == kLanes && step == 1) {
            return reinterpret_cast<const T*>(v.at(row, col));  // whole vectors, as in a register
        }
        if (v.type == ScalarType::float32) {
            load_elements<T, float>(v, lanes_, row, col, step, run.count, out);
        } else {
            load_elements<T, double>(v, lanes_, row, col, step, run.count, out);
        }
        return out;
    }

    static constexpr ScalarType kType =
        sizeof(T) == sizeof(float) ? ScalarType::float32 : ScalarType::float64;

    const MapBody& body_;
    const View* operands_;
    int lanes_;
    int* slots_ = nullptr;        // by instruction
    const T** values_ = nullptr;  // by instruction
    T* registers_ = nullptr;
};

template <typename T, typename To>
void store_elements(const T* from, const View& out, std::int64_t row, std::int64_t col,
                    std::int64_t step, std::int64_t count) {
    auto* to = reinterpret_cast<To*>(out.at(row, col));
    if (step == 1) {
        return convert_strip(from, to, count * out.lanes);
    }
    for (std::int64_t i = 0; i < count; ++i) {
        for (int l = 0; l < out.lanes; ++l) {
            to[i * step * out.lanes + l] = static_cast<To>(from[i * out.lanes + l]);
        }
    }
}

template <typename T>
void store_run(const T* from, const View& out, std::int64_t row, std::int64_t col,
               std::int64_t step, std::int64_t count) {
    if (out.type == ScalarType::float32) {
        store_elements<T, float>(from, out, row, col, step, count);
    } else {
        store_elements<T, double>(from, out, row, col, step, count);
    }
}

/// May rows be joined to one long run? Then nothing may depend on where a row ends.
bool is_flat(const MapBody& body, const View* operands, const View& out) {
    bool flat = out.contiguous();
    for (std::size_t i = 0; i < body.operands.size(); ++i) {
        const Broadcast broadcast = body.operands[i].broadcast;
        flat = flat && (broadcast == Broadcast::scalar ||
                        (broadcast == Broadcast::none && operands[i].contiguous()));
    }
    for (const MapInstruction& instruction : body.code) {
        flat = flat && instruction.op != MapOp::is_diagonal && instruction.op != MapOp::is_lower &&
               instruction.op != MapOp::is_upper;
    }
    return flat;
}

View joined(View v) {
    v.cols = v.rows * v.cols;
    v.rows = 1;
    v.row_stride = v.cols;
    v.col_stride = 1;
    return v;
}

template <typename T>
void map_typed(const MapBody& body, const View* operands, View out, Scratch& scratch) {
    if (is_flat(body, operands, out)) {
        out = joined(out);
        View* flat = scratch.array<View>(static_cast<std::int64_t>(body.operands.size()));
        for (std::size_t i = 0; i < body.operands.size(); ++i) {
            const bool whole = body.operands[i].broadcast == Broadcast::none;
            new (flat + i) View(whole ? joined(operands[i]) : operands[i]);
        }
        operands = flat;
    }
    Interpreter<T> evaluate(body, operands, out.lanes, scratch);
    for (std::int64_t r = 0; r < out.rows; ++r) {
        for (std::int64_t c = 0; c < out.cols; c += evaluate.elements()) {
            const std::int64_t count = std::min(evaluate.elements(), out.cols - c);
            store_run(evaluate({r, c, 0, 1, count}), out, r, c, out.col_stride, count);
        }
    }
}

template <typename T>
T identity(ReduceOp op) {
    switch (op) {
        case ReduceOp::sum:
            return T{0};
        case ReduceOp::max:
            return -std::numeric_limits<T>::infinity();
        default:
            return T{1};
    }
}

/// sums[i] = sums[i] (op) values[i]
template <typename T>
void gather(ReduceOp op, T* sums, const T* values, std::int64_t count) {
    switch (op) {
        case ReduceOp::sum:
            return apply_strip(MapOp::add, sums, sums, values, 0, count);
        case ReduceOp::max:
            return max_strip(sums, sums, values, count);
        default:
            return apply_strip(MapOp::mul, sums, sums, values, 0, count);
    }
}

/// Folds `count` elements to the first, by halves.
template <typename T>
void fold(ReduceOp op, T* sums, std::int64_t count, int lanes) {
    T upper[kStripNumbers + kStripRoom];
    while (count > 1) {
        const std::int64_t half = (count + 1) / 2;
        // Copied, because gather works on whole vectors and would overlap.
        std::copy_n(sums + half * lanes, (count - half) * lanes, upper);
        T rest[kStripRoom];
        const std::int64_t touched = (count - half) * lanes;
        const std::int64_t kept = std::min<std::int64_t>(kStripRoom, half * lanes - touched);
        std::copy_n(sums + touched, kept, rest);
        gather(op, sums, upper, touched);
        std::copy_n(rest, kept, sums + touched);
        count = half;
    }
}

template <typename T>
class Reducer {
public:
    Reducer(const Reduce& step, const View* operands, const View& out, Scratch& scratch)
        : step_(step), out_(out), evaluate_(step.body, operands, out.lanes, scratch) {}

    void run() {
        const std::int64_t rows = step_.rows.size;
        const std::int64_t cols = step_.cols.size;
        switch (step_.over) {
            case ReduceOver::all:
                clear();
                for (std::int64_t r = 0; r < rows; ++r) {
                    along({r, 0, 0, 1, cols});
                }
                return finish(0, 0);
            case ReduceOver::diagonal:
                clear();
                along({0, 0, 1, 1, std::min(rows, cols)});
                return finish(0, 0);
            case ReduceOver::rows:
                for (std::int64_t r = 0; r < rows; ++r) {
                    clear();
                    along({r, 0, 0, 1, cols});
                    finish(r, 0);
                }
                return;
            case ReduceOver::cols:
                return down_columns(rows, cols);
        }
    }

private:
    void clear() { std::fill_n(sums_, kStripNumbers + kStripRoom, identity<T>(step_.op)); }

    void along(const Run& run) {
        for (std::int64_t i = 0; i < run.count; i += evaluate_.elements()) {
            const std::int64_t count = std::min(evaluate_.elements(), run.count - i);
            const T* values = evaluate_(
                {run.row + i * run.down, run.col + i * run.right, run.down, run.right, count});
            gather_exactly(values, count * out_.lanes);
        }
    }

    void gather_exactly(const T* values, std::int64_t count) {
        // Numbers past the end belong to other elements of sums_: keep them.
        T rest[kStripRoom];
        std::copy_n(sums_ + count, kStripRoom, rest);
        gather(step_.op, sums_, values, count);
        std::copy_n(rest, kStripRoom, sums_ + count);
    }

    void down_columns(std::int64_t rows, std::int64_t cols) {
        for (std::int64_t c = 0; c < cols; c += evaluate_.elements()) {
            const std::int64_t count = std::min(evaluate_.elements(), cols - c);
            clear();
            for (std::int64_t r = 0; r < rows; ++r) {
                gather_exactly(evaluate_({r, c, 0, 1, count}), count * out_.lanes);
            }
            apply_strip(MapOp::scale, sums_, sums_, sums_, step_.scale, count * out_.lanes);
            // One number per column: 1-by-n.
            store_run(sums_, out_, 0, c, out_.rows == 1 ? out_.col_stride : out_.row_stride, count);
        }
    }

    void finish(std::int64_t row, std::int64_t col) {
        fold(step_.op, sums_, evaluate_.elements(), out_.lanes);
        apply_strip(MapOp::scale, sums_, sums_, sums_, step_.scale, out_.lanes);
        store_run(sums_, out_, row, col, 1, 1);
    }

    const Reduce& step_;
    const View& out_;
    Interpreter<T> evaluate_;
    T sums_[kStripNumbers + kStripRoom];
};

}  // namespace

std::int64_t map_scratch_bytes(const MapBody& body) {
    const auto size = static_cast<std::int64_t>(body.code.size());
    const auto views = static_cast<std::int64_t>(body.operands.size() * sizeof(View));
    std::vector<int> arrays(static_cast<std::size_t>(3 * size));
    const int registers =
        assign_registers(body, arrays.data(), arrays.data() + size, arrays.data() + 2 * size);
    return 2 * align_up(views) + 3 * align_up(size * static_cast<std::int64_t>(sizeof(int))) +
           align_up(size * static_cast<std::int64_t>(sizeof(void*))) +
           align_up(registers * (kStripNumbers + kStripRoom) * size_of(ScalarType::float64));
}

void run_map(const MapBody& body, const View* operands, ScalarType type, const View& out,
             Scratch& scratch) {
    if (out.count() == 0) {
        return;
    }
    with_type(type, [&](auto zero) { map_typed<decltype(zero)>(body, operands, out, scratch); });
}

void run_reduce(const Reduce& step, const View* operands, ScalarType type, const View& out,
                Scratch& scratch) {
    with_type(type,
              [&](auto zero) { Reducer<decltype(zero)>(step, operands, out, scratch).run(); });
}

}  // namespace matgrad::detail
