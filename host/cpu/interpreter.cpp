#include "cpu/interpreter.hpp"

#include <vector>

namespace matgrad::detail {
namespace {

/// With so few instructions each has a register of its own.
constexpr int kFewInstructions = 4;

View spread(View v, Broadcast broadcast, std::int64_t rows, std::int64_t cols) {
    if (broadcast == Broadcast::scalar || broadcast == Broadcast::row) {
        v.row_stride = 0;
    }
    if (broadcast == Broadcast::scalar || broadcast == Broadcast::column) {
        v.col_stride = 0;
    }
    v.rows = rows;
    v.cols = cols;
    if (rows <= 1 && v.col_stride == 0) {
        v.row_stride = 0;
    }
    if (cols <= 1 && v.row_stride == 0) {
        v.col_stride = 0;
    }
    return v;
}

bool is_scalar(const View& v) {
    return v.row_stride == 0 && v.col_stride == 0;
}

/// A copy of the domain with each operand changed.
template <typename Change>
Domain changed(Domain domain, Scratch& scratch, Change change) {
    const std::size_t size = domain.body->operands.size();
    View* views = scratch.array<View>(static_cast<std::int64_t>(size));
    for (std::size_t i = 0; i < size; ++i) {
        new (views + i) View(change(domain.operands[i]));
    }
    domain.operands = views;
    return domain;
}

}  // namespace

int assign_registers(const MapBody& body, int* slots, int* last_reader, int* free_slots) {
    const int size = static_cast<int>(body.code.size());
    if (size <= kFewInstructions) {
        for (int i = 0; i < size; ++i) {
            slots[i] = i;
        }
        return size;
    }
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

std::int64_t interpreter_scratch_bytes(const MapBody& body) {
    std::vector<int> room(3 * body.code.size());
    return interpreter_scratch_bytes(body, room.data());
}

std::int64_t interpreter_scratch_bytes(const MapBody& body, int* room) {
    const auto size = static_cast<std::int64_t>(body.code.size());
    const int registers = assign_registers(body, room, room + size, room + 2 * size);
    return 3 * align_up(size * static_cast<std::int64_t>(sizeof(int))) +
           align_up(size * static_cast<std::int64_t>(sizeof(void*))) +
           align_up(kBlockNumbers * size_of(ScalarType::float32)) +
           align_up(registers * (kBlockNumbers + kStripRoom) * size_of(ScalarType::float64));
}

Domain make_domain(const MapBody& body, const View* operands, std::int64_t rows, std::int64_t cols,
                   int lanes, Scratch& scratch) {
    const std::size_t size = body.operands.size();
    View* views = scratch.array<View>(static_cast<std::int64_t>(size));
    for (std::size_t i = 0; i < size; ++i) {
        new (views + i) View(spread(operands[i], body.operands[i].broadcast, rows, cols));
    }
    return {&body, views, rows, cols, lanes, false};
}

std::int64_t domain_scratch_bytes(const MapBody& body) {
    const auto views = static_cast<std::int64_t>(body.operands.size() * sizeof(View));
    return 4 * align_up(views);  // made, a diagonal, transposed, joined
}

Domain diagonal_of(Domain domain, Scratch& scratch) {
    domain.cols = std::min(domain.rows, domain.cols);
    domain.rows = std::min<std::int64_t>(1, domain.cols);
    domain.diagonal = true;
    return changed(domain, scratch, [&domain](View v) {
        v.rows = domain.rows;
        v.cols = domain.cols;
        v.col_stride += v.row_stride;
        v.row_stride = v.col_stride;
        return v;
    });
}

View joined(View v) {
    v.cols = v.rows * v.cols;
    v.rows = 1;
    if (!is_scalar(v)) {
        v.row_stride = v.cols;
        v.col_stride = 1;
    }
    return v;
}

bool knows_positions(const MapBody& body) {
    return std::any_of(body.code.begin(), body.code.end(), [](const MapInstruction& instruction) {
        return knows_place(instruction.op);
    });
}

bool is_flat(const Domain& domain) {
    const View* end = domain.operands + domain.body->operands.size();
    return !knows_positions(*domain.body) && std::all_of(domain.operands, end, [](const View& v) {
        return is_scalar(v) || v.contiguous();
    });
}

Domain joined(Domain domain, Scratch& scratch) {
    domain.cols = domain.rows * domain.cols;
    domain.rows = 1;
    return changed(domain, scratch, [](const View& v) { return joined(v); });
}

Domain transposed(Domain domain, Scratch& scratch) {
    std::swap(domain.rows, domain.cols);
    return changed(domain, scratch, [](const View& v) { return transposed(v); });
}

BlockShape block_shape(const Domain& domain) {
    const View* end = domain.operands + domain.body->operands.size();
    const bool by_columns = domain.lanes == 1 && domain.rows > 1 &&
                            std::any_of(domain.operands, end, [](const View& v) {
                                return v.row_stride == 1 && v.col_stride != 1 && v.col_stride != 0;
                            });
    const std::int64_t most = kBlockNumbers / domain.lanes;
    const auto rows = std::max<std::int64_t>(1, domain.rows);
    const std::int64_t widest = by_columns ? std::max(kSquareCols, most / rows) : most;
    const std::int64_t cols = std::clamp<std::int64_t>(domain.cols, 1, widest);
    return {std::max<std::int64_t>(1, most / cols), cols};
}

}  // namespace matgrad::detail
