#pragma once
/// \file An entrywise expression, evaluated instruction by instruction over blocks of its domain.
///
/// A block is a few hundred numbers, so that the cost of interpretation vanishes and the registers
/// stay in the first-level cache. Its elements, each one number (plain) or kLanes (compact), are in
/// the order of rows. An operand that lies in memory as a block does is read where it is.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <new>
#include <type_traits>

#include "cpu/plain/transpose.hpp"
#include "cpu/scratch.hpp"
#include "cpu/vector_math.hpp"
#include "cpu/view.hpp"

namespace matgrad::detail {

/// Numbers in a block.
inline constexpr std::int64_t kBlockNumbers = 512;
/// Columns of a block where some operand lies by columns: it has as many rows or more, so that
/// whole cache lines are used of both.
inline constexpr std::int64_t kSquareCols = 32;

/// Rows [row, row + rows) and columns [col, col + cols).
struct Block {
    std::int64_t row = 0, col = 0, rows = 0, cols = 0;
    [[nodiscard]] std::int64_t count() const { return rows * cols; }
};

/// What an expression is evaluated over.
struct Domain {
    const MapBody* body = nullptr;
    const View* operands = nullptr;  ///< all of the domain's shape: broadcasts have strides 0
    std::int64_t rows = 0, cols = 0;
    int lanes = 1;
    bool diagonal = false;  ///< it is the diagonal of one, as a row

    [[nodiscard]] Block whole() const { return {0, 0, rows, cols}; }
};

/// `operands` as they are used by the body; the views of the domain are taken from scratch.
[[nodiscard]] Domain make_domain(const MapBody& body, const View* operands, std::int64_t rows,
                                 std::int64_t cols, int lanes, Scratch& scratch);
[[nodiscard]] std::int64_t domain_scratch_bytes(const MapBody& body);

/// The diagonal as a row.
[[nodiscard]] Domain diagonal_of(Domain domain, Scratch& scratch);
/// Rows joined to one, if all operands allow it and nothing depends on where a row ends; else the
/// same domain.
[[nodiscard]] bool is_flat(const Domain& domain);
[[nodiscard]] Domain joined(Domain domain, Scratch& scratch);
[[nodiscard]] View joined(View v);
/// The transposed domain, for what does not ask for an order and not for positions.
[[nodiscard]] Domain transposed(Domain domain, Scratch& scratch);
[[nodiscard]] bool knows_positions(const MapBody& body);

/// A coin for each place, the same for (row, col) and (col, row).
[[nodiscard]] constexpr bool place_sign(std::int64_t row, std::int64_t col, std::uint32_t seed) {
    const auto r = static_cast<std::uint32_t>(row);
    const auto c = static_cast<std::uint32_t>(col);
    std::uint32_t hash = ((r + c) * 0x9e3779b1U) ^ (r * c * 0x85ebca77U) ^ (seed * 0xc2b2ae3dU);
    hash = (hash ^ (hash >> 15)) * 0x2c1b3c6dU;
    hash = (hash ^ (hash >> 13)) * 0x297a2d39U;
    return hash >> 31 == 0;
}

/// The shape of the blocks, at most.
struct BlockShape {
    std::int64_t rows, cols;
};
[[nodiscard]] BlockShape block_shape(const Domain& domain);

/// Calls function(block) for every block of `range`, row by row of blocks.
template <typename Function>
void for_each_block(const Block& range, BlockShape shape, Function function) {
    for (std::int64_t r = 0; r < range.rows; r += shape.rows) {
        for (std::int64_t c = 0; c < range.cols; c += shape.cols) {
            function(Block{range.row + r, range.col + c, std::min(shape.rows, range.rows - r),
                           std::min(shape.cols, range.cols - c)});
        }
    }
}

/// Gives each instruction the register it writes; a register is used again when its last reader is
/// past, so that few are needed. The arrays have a place for each instruction. Returns the number of
/// registers.
int assign_registers(const MapBody& body, int* slots, int* last_reader, int* free_slots);

/// Scratch that an Interpreter takes.
[[nodiscard]] std::int64_t interpreter_scratch_bytes(const MapBody& body);
/// The same with room for 3 numbers for each instruction, where nothing may be allocated.
[[nodiscard]] std::int64_t interpreter_scratch_bytes(const MapBody& body, int* room);

template <typename T>
class Interpreter {
public:
    Interpreter(const Domain& domain, Scratch& scratch) : domain_(domain) {
        const auto size = static_cast<std::int64_t>(domain.body->code.size());
        slots_ = scratch.array<int>(size);
        int* last_reader = scratch.array<int>(size);
        int* free_slots = scratch.array<int>(size);
        const int registers = assign_registers(*domain.body, slots_, last_reader, free_slots);
        values_ = scratch.array<const T*>(size);
        staged_ = scratch.array<float>(kBlockNumbers);
        registers_ = scratch.array<T>(registers * kRegister);
    }

    /// The values over a block; valid until the next call. They are written to `target`, which may
    /// be one of the operands, if the last instruction computes and a `target` is given.
    const T* operator()(const Block& block, T* target = nullptr) {
        const auto size = static_cast<int>(domain_.body->code.size());
        for (int i = 0; i < size; ++i) {
            T* out =
                i + 1 == size && target != nullptr ? target : registers_ + slots_[i] * kRegister;
            values_[i] = execute(domain_.body->code[static_cast<std::size_t>(i)], block, out);
        }
        return values_[size - 1];
    }

private:
    static constexpr std::int64_t kRegister = kBlockNumbers + kStripRoom;
    static constexpr ScalarType kType =
        sizeof(T) == sizeof(float) ? ScalarType::float32 : ScalarType::float64;

    /// Where the result is: in the register, or in the operand itself.
    const T* execute(const MapInstruction& instruction, const Block& block, T* out) {
        const std::int64_t numbers = block.count() * domain_.lanes;
        if (instruction.op == MapOp::load) {
            return load(domain_.operands[instruction.a], block, out);
        }
        if (instruction.op == MapOp::constant) {
            std::fill_n(out, numbers, static_cast<T>(instruction.number));
            return out;
        }
        if (instruction.op == MapOp::is_diagonal) {
            return positions(block, out, 0, 1);
        }
        if (instruction.op == MapOp::is_lower) {
            return positions(block, out, -kFar, 1);
        }
        if (instruction.op == MapOp::is_upper) {
            return positions(block, out, 0, kFar);
        }
        if (instruction.op == MapOp::row_index || instruction.op == MapOp::col_index) {
            return indices(block, out, instruction.op == MapOp::row_index && !domain_.diagonal);
        }
        const T* a = values_[instruction.a];
        if (instruction.op == MapOp::perturb) {
            return perturbed(block, a, out, static_cast<std::uint32_t>(instruction.number));
        }
        const T* b = reads_b(instruction.op) ? values_[instruction.b] : a;
        apply_strip(instruction.op, out, a, b, instruction.number, numbers);
        return out;
    }

    static constexpr std::int64_t kFar = std::int64_t{1} << 62;

    /// 1 in columns [row + from, row + to) of each row, else 0.
    const T* positions(const Block& block, T* out, std::int64_t from, std::int64_t to) {
        const int lanes = domain_.lanes;
        if (domain_.diagonal) {
            std::fill_n(out, block.count() * lanes, T{1});
            return out;
        }
        T* at = out;
        for (std::int64_t r = 0; r < block.rows; ++r, at += block.cols * lanes) {
            const std::int64_t shift = block.row + r - block.col;
            const auto first = std::clamp<std::int64_t>(from + shift, 0, block.cols);
            const auto last = std::clamp<std::int64_t>(to + shift, first, block.cols);
            std::fill_n(at, first * lanes, T{0});
            std::fill_n(at + first * lanes, (last - first) * lanes, T{1});
            std::fill_n(at + last * lanes, (block.cols - last) * lanes, T{0});
        }
        return out;
    }

    /// The row or column of each entry. Of a diagonal both are the column.
    const T* indices(const Block& block, T* out, bool of_rows) {
        const int lanes = domain_.lanes;
        T* at = out;
        for (std::int64_t r = 0; r < block.rows; ++r) {
            for (std::int64_t c = 0; c < block.cols; ++c, at += lanes) {
                std::fill_n(at, lanes, static_cast<T>(of_rows ? block.row + r : block.col + c));
            }
        }
        return out;
    }

    /// a times 1 + eps or 1 - eps, by a hash of the place and of `seed`; where that is less, a and the smallest
    /// number there is.
    const T* perturbed(const Block& block, const T* a, T* out, std::uint32_t seed) {
        const int lanes = domain_.lanes;
        T* to = out;
        for (std::int64_t r = block.row; r < block.row + block.rows; ++r) {
            for (std::int64_t c = block.col; c < block.col + block.cols; ++c) {
                const std::int64_t row = domain_.diagonal ? c : r;
                const T sign = place_sign(row, c, seed) ? T{1} : T{-1};
                for (int lane = 0; lane < lanes; ++lane, ++a, ++to) {
                    const T change = std::max(std::numeric_limits<T>::epsilon() * std::abs(*a),
                                              std::numeric_limits<T>::denorm_min());
                    *to = *a == 0 ? *a : *a + sign * change;
                }
            }
        }
        return out;
    }

    const T* load(const View& v, const Block& block, T* out) {
        const View part = detail::block(v, block.row, block.col, block.rows, block.cols);
        // Registers are read to the end of a vector.
        const bool whole = part.count() * v.lanes % kStripRoom == 0;
        if (v.type == kType && v.lanes == domain_.lanes && whole && part.contiguous()) {
            return reinterpret_cast<const T*>(part.data);
        }
        if (v.type == ScalarType::float32) {
            fetch<float>(part, out);
        } else {
            fetch<double>(part, out);
        }
        return out;
    }

    /// Calls write(row, r, width) for each of the rows one after the other. A short row is written as a
    /// whole vector, a number of constant length: the next row overwrites what is too much.
    template <typename Write>
    static void write_rows(T* out, std::int64_t rows, std::int64_t width, Write write) {
        std::int64_t r = 0;
        if (width < kStripRoom) {
            for (; r * width + kStripRoom <= rows * width; ++r) {
                write(out + r * width, r, std::integral_constant<std::int64_t, kStripRoom>());
            }
        }
        for (; r < rows; ++r) {
            write(out + r * width, r, width);
        }
    }

    template <typename From>
    void fetch(const View& v, T* out) {
        const auto* from = reinterpret_cast<const From*>(v.data);
        if (v.lanes == domain_.lanes && v.contiguous()) {
            convert_strip(from, out, v.count() * v.lanes);
        } else if (v.row_stride == 0 && v.rows > 1) {
            const std::int64_t width = v.cols * domain_.lanes;
            T first[kStripRoom];
            fetch<From>(detail::block(v, 0, 0, 1, v.cols), out);
            std::copy_n(out, std::min(width, kStripRoom), first);
            write_rows(out, v.rows, width, [&](T* row, std::int64_t r, auto count) {
                if (r > 0) {
                    std::copy_n(width < kStripRoom ? first : out, std::int64_t{count}, row);
                }
            });
        } else if (domain_.lanes == 1) {
            fetch_plain(v, from, out);
        } else {
            fetch_lanes(v, from, out);
        }
    }

    template <typename From>
    void fetch_plain(const View& v, const From* from, T* out) {
        if (v.col_stride == 1) {
            for (std::int64_t r = 0; r < v.rows; ++r) {
                convert_strip(from + r * v.row_stride, out + r * v.cols, v.cols);
            }
        } else if (v.col_stride == 0) {
            write_rows(out, v.rows, v.cols, [&](T* row, std::int64_t r, auto width) {
                std::fill_n(row, std::int64_t{width}, static_cast<T>(from[r * v.row_stride]));
            });
        } else if (v.row_stride == 1 && v.type == kType) {
            transpose_copy(v,
                           row_major(reinterpret_cast<std::byte*>(out), v.type, v.rows, v.cols, 1));
        } else if (v.row_stride == 1 && v.type == ScalarType::float32) {
            transpose_copy(
                v, row_major(reinterpret_cast<std::byte*>(staged_), v.type, v.rows, v.cols, 1));
            convert_strip(staged_, out, v.count());
        } else {
            for (std::int64_t r = 0; r < v.rows; ++r) {
                for (std::int64_t c = 0; c < v.cols; ++c) {
                    *out++ = static_cast<T>(from[r * v.row_stride + c * v.col_stride]);
                }
            }
        }
    }

    template <typename From>
    void fetch_lanes(const View& v, const From* from, T* out) {
        for (std::int64_t r = 0; r < v.rows; ++r) {
            if (v.lanes == kLanes && v.col_stride == 1) {
                convert_strip(from + r * v.row_stride * kLanes, out, v.cols * kLanes);
                out += v.cols * kLanes;
                continue;
            }
            for (std::int64_t c = 0; c < v.cols; ++c, out += kLanes) {
                const From* element = from + (r * v.row_stride + c * v.col_stride) * v.lanes;
                if (v.lanes == 1) {
                    std::fill_n(out, kLanes, static_cast<T>(*element));
                } else {
                    convert_strip(element, out, kLanes);
                }
            }
        }
    }

    const Domain& domain_;
    int* slots_ = nullptr;        // by instruction
    const T** values_ = nullptr;  // by instruction
    float* staged_ = nullptr;     // a block on its way to a wider type
    T* registers_ = nullptr;
};

}  // namespace matgrad::detail
