#include "cpu/map.hpp"

#include "cpu/interpreter.hpp"
#include "cpu/parts.hpp"

namespace matgrad::detail {
namespace {

template <typename T, typename To>
void store_block(const T* from, const View& to) {
    auto* out = reinterpret_cast<To*>(to.data);
    if (to.contiguous()) {
        return convert_strip(from, out, to.count() * to.lanes);
    }
    const std::int64_t width = to.cols * to.lanes;
    for (std::int64_t r = 0; r < to.rows; ++r) {
        if (to.col_stride == 1) {
            convert_strip(from + r * width, out + r * to.row_stride * to.lanes, width);
            continue;
        }
        for (std::int64_t c = 0; c < to.cols; ++c) {
            convert_strip(from + r * width + c * to.lanes,
                          out + (r * to.row_stride + c * to.col_stride) * to.lanes, to.lanes);
        }
    }
}

template <typename T>
void map_part(const Domain& domain, const Block& part, const View& out, Scratch& scratch) {
    Interpreter<T> evaluate(domain, scratch);
    for_each_block(part, block_shape(domain), [&](const Block& b) {
        const View to = block(out, b.row, b.col, b.rows, b.cols);
        // What computes writes whole vectors.
        const bool direct = with_type(to.type, [](auto t) { return sizeof(t) == sizeof(T); }) &&
                            to.contiguous() && to.count() * to.lanes % kStripRoom == 0;
        T* target = direct ? reinterpret_cast<T*>(to.data) : nullptr;
        const T* values = evaluate(b, target);
        if (values == target) {
            return;
        }
        if (to.type == ScalarType::float32) {
            store_block<T, float>(values, to);
        } else {
            store_block<T, double>(values, to);
        }
    });
}

}  // namespace

std::int64_t map_scratch_bytes(const MapBody& body) {
    const auto views = static_cast<std::int64_t>(body.operands.size() * sizeof(View));
    return align_up(views) + domain_scratch_bytes(body) + interpreter_scratch_bytes(body);
}

void run_map(const MapBody& body, const View* operands, ScalarType type, const View& out,
             Scratch& scratch, const Threads& threads) {
    if (out.count() == 0) {
        return;
    }
    map_domain(make_domain(body, operands, out.rows, out.cols, out.lanes, scratch), type, out,
               scratch, threads);
}

void map_domain(Domain domain, ScalarType type, const View& out, Scratch& scratch,
                const Threads& threads) {
    View to = out;
    if (out.contiguous() && is_flat(domain)) {
        domain = joined(domain, scratch);
        to = joined(out);
    }
    for_each_part(
        DomainParts(domain), *domain.body, scratch, threads,
        [&](std::int64_t, const Block& part, Scratch& room) {
            with_type(type, [&](auto zero) { map_part<decltype(zero)>(domain, part, to, room); });
        });
}

}  // namespace matgrad::detail
