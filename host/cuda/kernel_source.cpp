#include "cuda/kernel_source.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace matgrad::gpu {
namespace {

constexpr int kBlock = 256;

/// In place of a kernel's number, which is part of its names, until it has one.
constexpr const char* kNumber = "#";

const char* kind_name(KernelKind kind) {
    switch (kind) {
        case KernelKind::map:
            return "map";
        case KernelKind::reduce:
            return "reduce";
        case KernelKind::batch_sum:
            return "batch_sum";
        case KernelKind::count_failed:
            return "count_failed";
        case KernelKind::divide:
            return "divide";
        case KernelKind::fused:
            return "fused";
    }
    return "";
}

std::string size_text(std::int64_t rows, std::int64_t cols) {
    return fmt::format(
        "    static constexpr long long kRows = {};\n"
        "    static constexpr long long kCols = {};\n",
        rows, cols);
}

std::string constant_text(const char* name, std::int64_t value) {
    return fmt::format("    static constexpr {} {} = {};\n",
                       value > 0x7fffffff ? "long long" : "int", name, value);
}

/// So many entries of a thread that enough reads are under way, and no more than registers hold.
int map_items(const MapBody& body) {
    if (detail::is_heavy(body) || body.operands.size() > 4) {
        return 1;
    }
    return body.operands.size() > 2 ? 2 : 4;
}

/// Entries that are 16 bytes of the widest matrix; 0 where places matter, where a row or column is
/// spread, or where computing takes the time.
int map_group(const MapBody& body, std::span<const detail::Reading> readings,
              std::span<const ScalarType> operands, ScalarType out) {
    constexpr std::int64_t kPackBytes = 16;
    constexpr std::size_t kMostPacks = 8;
    if (detail::is_heavy(body) || detail::reads_position(body) || readings.size() > kMostPacks) {
        return 0;
    }
    std::int64_t widest = size_of(out);
    for (std::size_t i = 0; i < readings.size(); ++i) {
        if (readings[i] == detail::Reading::spread) {
            return 0;
        }
        if (readings[i] == detail::Reading::entries) {
            widest = std::max<std::int64_t>(widest, size_of(operands[i]));
        }
    }
    return static_cast<int>(kPackBytes / widest);
}

std::int64_t outputs_of(const Reduce& step) {
    switch (step.over) {
        case ReduceOver::rows:
            return step.rows.size;
        case ReduceOver::cols:
            return step.cols.size;
        default:
            return 1;
    }
}

/// Entries of the domain that make one result.
std::int64_t length_of(const Reduce& step) {
    switch (step.over) {
        case ReduceOver::all:
            return step.rows.size * step.cols.size;
        case ReduceOver::rows:
            return step.cols.size;
        case ReduceOver::cols:
            return step.rows.size;
        case ReduceOver::diagonal:
            return std::min(step.rows.size, step.cols.size);
    }
    return 0;
}

const char* over_name(ReduceOver over) {
    switch (over) {
        case ReduceOver::all:
            return "kOverAll";
        case ReduceOver::rows:
            return "kOverRows";
        case ReduceOver::cols:
            return "kOverCols";
        case ReduceOver::diagonal:
            return "kOverDiagonal";
    }
    return "";
}

const char* operation_name(ReduceOp op) {
    return op == ReduceOp::sum    ? "Sum"
           : op == ReduceOp::max  ? "Max"
           : op == ReduceOp::norm ? "Norm"
                                  : "Product";
}

/// A power of two of threads, each with eight entries or so.
int reduce_slices(std::int64_t length, std::int64_t outputs, ReduceOver over) {
    constexpr std::int64_t kEntriesEach = 8;
    // Of columns, at least eight are neighbours in a block, so that reads are of whole sectors.
    const int most = over == ReduceOver::cols && outputs >= 8 ? kBlock / 8 : kBlock;
    int slices = 1;
    while (slices < most && slices * kEntriesEach < length) {
        slices *= 2;
    }
    return slices;
}

/// Threads that share an entry of a batch's sum: all of a block between them have the entries.
int sum_slices(std::int64_t count) {
    int slices = kBlock;
    while (slices > 1 && kBlock / slices < count) {
        slices /= 2;
    }
    return slices;
}

/// A struct of constants, and the kernel that is called with it.
std::string kernel_text(KernelKind kind, const std::string& arguments, const std::string& members) {
    const char* name = kind_name(kind);
    return fmt::format(
        "struct {0}_body_{1} {{\n{2}}};\n"
        "MATGRAD_KERNEL({0}_{1}, {3}, {4}) {{\n"
        "    {0}<{0}_body_{1}>(args);\n"
        "}}\n",
        name, kNumber, members, arguments, kBlock);
}

}  // namespace

KernelId KernelSource::add(KernelInfo info, const std::string& body) {
    const auto same = std::find(bodies_.begin(), bodies_.end(), body);
    if (same != bodies_.end()) {
        return static_cast<KernelId>(same - bodies_.begin());
    }
    info.name = fmt::format("{}_{}", kind_name(info.kind), bodies_.size());
    bodies_.push_back(body);
    kernels_.push_back(std::move(info));
    return static_cast<KernelId>(kernels_.size() - 1);
}

KernelId KernelSource::add_map(const MapBody& body, std::int64_t rows, std::int64_t cols,
                               ScalarType type, std::span<const ScalarType> operands,
                               ScalarType out) {
    KernelInfo info{KernelKind::map, {}, static_cast<int>(operands.size()), rows, cols,
                    rows * cols};
    info.items = map_items(body);
    info.readings = detail::readings_of(body);
    info.group = map_group(body, info.readings, operands, out);
    // As many as keep enough reads under way.
    info.groups = info.group == 0 ? 0 : (info.operands > 2 ? 4 : 8) / info.group;
    std::string members = size_text(rows, cols) + constant_text("kThreads", kBlock) +
                          constant_text("kItems", info.items) +
                          constant_text("kGroup", info.group) +
                          constant_text("kGroups", info.groups) +
                          fmt::format("    using Out = {};\n", detail::type_name(out)) +
                          detail::body_text(body, type, operands);
    if (info.group > 0) {
        members += detail::packs_text(body, type, operands, info.group);
    }
    return add(info, kernel_text(info.kind, fmt::format("MapArgs<{}>", info.operands), members));
}

KernelId KernelSource::add_reduce(const Reduce& step, ScalarType type,
                                  std::span<const ScalarType> operands, ScalarType out) {
    constexpr int kChains = 4;
    const std::int64_t length = length_of(step);
    KernelInfo info{
        KernelKind::reduce, {}, static_cast<int>(operands.size()), step.rows.size, step.cols.size,
        outputs_of(step)};
    info.over = step.over;
    info.slices = reduce_slices(length, info.outputs, step.over);
    const bool chains = !detail::is_heavy(step.body) && length >= kChains * info.slices;
    const std::string scaled = step.scale == 1 ? "x" : detail::literal(step.scale, type) + " * x";
    const std::string members =
        size_text(info.rows, info.cols) +
        fmt::format("    static constexpr Over kOver = {};\n", over_name(step.over)) +
        constant_text("kOutputs", info.outputs) + constant_text("kLength", length) +
        constant_text("kThreads", kBlock) + constant_text("kSlices", info.slices) +
        constant_text("kChains", chains ? kChains : 1) +
        fmt::format("    static constexpr bool kSigned = {};\n",
                    step.op == ReduceOp::signed_product) +
        fmt::format("    using Operation = {};\n    using Out = {};\n", operation_name(step.op),
                    detail::type_name(out)) +
        detail::body_text(step.body, type, operands) +
        fmt::format("    MATGRAD_DEVICE static {0} scaled({0} x) {{\n        return {1};\n    }}\n",
                    detail::type_name(type), scaled);
    return add(info, kernel_text(info.kind, fmt::format("ReduceArgs<{}>", info.operands), members));
}

KernelId KernelSource::add_batch_sum(std::int64_t rows, std::int64_t cols, ScalarType from) {
    KernelInfo info{KernelKind::batch_sum, {}, 1, rows, cols, rows * cols};
    info.slices = sum_slices(info.outputs);
    const std::string members = size_text(rows, cols) + constant_text("kThreads", kBlock) +
                                constant_text("kSlices", info.slices) +
                                fmt::format("    using From = {};\n", detail::type_name(from));
    return add(info, kernel_text(info.kind, "BatchSumArgs", members));
}

KernelId KernelSource::add_count_failed() {
    KernelInfo info{KernelKind::count_failed, {}, 0, 1, 1, 1};
    info.items = 8;
    const std::string members =
        constant_text("kThreads", kBlock) + constant_text("kItems", info.items);
    return add(info, kernel_text(info.kind, "CountFailedArgs", members));
}

KernelId KernelSource::add_divide(std::int64_t rows, std::int64_t cols, ScalarType type) {
    KernelInfo info{KernelKind::divide, {}, 1, rows, cols, rows * cols};
    const std::string members = size_text(rows, cols) + constant_text("kThreads", kBlock) +
                                fmt::format("    using Type = {};\n", detail::type_name(type));
    return add(info, kernel_text(info.kind, "DivideArgs", members));
}

KernelId KernelSource::add_fused(const std::string& text, std::size_t matrices, int block,
                                 std::int64_t teams, std::int64_t shared_bytes) {
    KernelInfo info{KernelKind::fused, {}, static_cast<int>(matrices)};
    info.block = block;
    info.teams = teams;
    info.shared_bytes = shared_bytes;
    return add(info, text);
}

std::string KernelSource::text() const {
    if (bodies_.empty()) {
        return {};
    }
    const bool is_any_fused = std::any_of(kernels_.begin(), kernels_.end(), [](const auto& info) {
        return info.kind == KernelKind::fused;
    });
    std::string text = is_any_fused ? "#include \"fused.cuh\"\n" : "";
    text +=
        "#include \"batch_sum.cuh\"\n"
        "#include \"map.cuh\"\n"
        "#include \"reduce.cuh\"\n"
        "\n"
        "namespace matgrad::block {\n";
    for (std::size_t i = 0; i < bodies_.size(); ++i) {
        text += '\n';
        for (const char c : bodies_[i]) {
            if (c == *kNumber) {
                text += std::to_string(i);
            } else {
                text += c;
            }
        }
    }
    return text + "\n}  // namespace matgrad::block\n";
}

}  // namespace matgrad::gpu
