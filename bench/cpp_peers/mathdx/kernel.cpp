#include "bench/cpp_peers/mathdx/kernel.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace matgrad::bench {
namespace {

struct KnownDevice {
    int capability;
    int shared_kib;  ///< that a block may have
};

/// Those that cuBLASDx knows by name; CUDA C++ Programming Guide, table of compute capabilities.
constexpr KnownDevice kDevices[] = {{80, 163},  {86, 99},   {87, 163}, {89, 99}, {90, 227},
                                    {100, 227}, {103, 227}, {120, 99}, {121, 99}};

/// Rows and columns of a problem that may fit.
constexpr std::int64_t kMostRows = 1 << 16;

/// As X (A'A) or (X A') A, whichever is less to compute for one problem.
block::PeerForm frobenius_form(const PeerTask& t) {
    const auto m = static_cast<double>(t.m);
    const auto n = static_cast<double>(t.n);
    const auto p = static_cast<double>(t.p);
    const double by_gram = p * n * n + m * n * n;
    const double by_products = m * n * p * (t.gradient == nullptr ? 1 : 2);
    return by_gram < by_products ? block::PeerForm::frobenius_by_gram
                                 : block::PeerForm::frobenius_by_products;
}

const char* scalar(const block::PeerShape& s) {
    return s.entry_bytes == 8 ? "double" : "float";
}

const char* form_name(block::PeerForm form) {
    switch (form) {
        case block::PeerForm::log_det_gram:
            return "log_det_gram";
        case block::PeerForm::frobenius_by_gram:
            return "frobenius_by_gram";
        case block::PeerForm::frobenius_by_products:
            return "frobenius_by_products";
    }
    return "";
}

std::string name_of(const block::PeerShape& s) {
    const std::string sizes = s.form == block::PeerForm::log_det_gram
                                  ? fmt::format("{}x{}", s.m, s.n)
                                  : fmt::format("{}x{}x{}", s.m, s.n, s.p);
    return fmt::format("{}_{}_{}", form_name(s.form), sizes, scalar(s));
}

}  // namespace

std::optional<MathdxKernel> mathdx_kernel(const PeerTask& task, int capability) {
    const auto* const device =
        std::find_if(std::begin(kDevices), std::end(kDevices),
                     [&](const KnownDevice& known) { return known.capability == capability; });
    const bool is_computed =
        task.function == Closed::frobenius || task.function == Closed::log_det_gram;
    if (device == std::end(kDevices) || !is_computed ||
        std::max({task.m, task.n, task.p}) > kMostRows || std::min({task.m, task.n, task.p}) < 1) {
        return std::nullopt;
    }
    const auto room = std::int64_t{device->shared_kib} << 10;
    const std::int64_t entry_bytes = task.in_double ? 8 : 4;
    // Before sizes are multiplied as int.
    if (std::max(task.m, task.p) * task.n * entry_bytes > room) {
        return std::nullopt;
    }
    const bool is_log_det = task.function == Closed::log_det_gram;
    const block::PeerShape shape{is_log_det ? block::PeerForm::log_det_gram : frobenius_form(task),
                                 static_cast<int>(task.m), static_cast<int>(task.n),
                                 is_log_det ? 1 : static_cast<int>(task.p),
                                 static_cast<int>(entry_bytes)};
    const auto bytes = std::int64_t{block::shared_entries(shape)} * entry_bytes;
    // The sums of the warps are beside it.
    constexpr std::int64_t kSums = 64;
    if (bytes + kSums > room) {
        return std::nullopt;
    }
    return MathdxKernel{shape, capability, block::block_threads(shape),
                        static_cast<std::size_t>(bytes), name_of(shape)};
}

std::string text_of(std::span<const MathdxKernel> kernels) {
    std::string text =
        "#include \"kernels.cuh\"\n\n"
        "namespace matgrad::block {\n";
    for (const MathdxKernel& kernel : kernels) {
        const block::PeerShape& s = kernel.shape;
        text += fmt::format(
            "\nstruct peer_{0} {{\n"
            "    using Scalar = {1};\n"
            "    static constexpr PeerForm kForm = PeerForm::{2};\n"
            "    static constexpr int kM = {3}, kN = {4}, kP = {5};\n"
            "    static constexpr int kThreads = {6}, kArchitecture = {7};\n"
            "}};\n"
            "MATGRAD_KERNEL({0}, PeerArgs, {6}) {{\n"
            "    run_peer<peer_{0}>(args);\n"
            "}}\n",
            kernel.name, scalar(s), form_name(s.form), s.m, s.n, s.p, kernel.threads,
            kernel.capability * 10);
    }
    return text + "\n}  // namespace matgrad::block\n";
}

}  // namespace matgrad::bench
