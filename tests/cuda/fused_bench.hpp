#pragma once
/// \file Kernels of a few calls of kernels/block/, written by hand and launched as fused ones are: matrices in device
/// memory are read to the chip, worked on and written.

#include <fmt/format.h>

#include <string>
#include <vector>

#include "cuda/fused/configuration.hpp"
#include "cuda/kernel_bench.hpp"
#include "program/round_up.hpp"

namespace matgrad::test {

struct ChipTeam {
    const char* name;  ///< in device code
    int threads;
    int block;
    [[nodiscard]] int teams() const { return block / threads; }
};
inline constexpr ChipTeam kChipTeams[] = {{"ThreadTeam", 1, 64},
                                          {"WarpTeam", 32, 128},
                                          {"BlockTeam<64>", 64, 64},
                                          {"BlockTeam<128>", 128, 128},
                                          {"BlockTeam<256>", 256, 256}};

inline const char* chip_type(ScalarType type) {
    return type == ScalarType::float32 ? "float" : "double";
}

/// The text of one kernel. Matrices of device memory are its arguments in the order in which they are read and written.
class ChipKernel {
public:
    explicit ChipKernel(const ChipTeam& team) : team_(team) {}

    /// Declares a matrix on chip: in block memory, or in an array of the thread that is alone.
    ChipKernel& matrix(const std::string& name, const std::string& type, std::int64_t rows,
                       std::int64_t cols) {
        const std::int64_t size = type == "double" ? 8 : 4;
        if (team_.threads == 1) {
            declarations_ +=
                fmt::format("{0} own_{1}[{2}];\nconst Own<{0}, {3}, {4}> {1}{{own_{1}}};\n", type,
                            name, std::max<std::int64_t>(1, rows * cols), rows, cols);
            return *this;
        }
        const std::int64_t line = gpu::chip_line(rows, cols);
        declarations_ += fmt::format(
            "const Tile<{0}, {2}, {3}, {4}> {1}{{reinterpret_cast<{0}*>(own + {5})}};\n", type,
            name, rows, cols, line, bytes_);
        bytes_ += round_up(std::max<std::int64_t>(1, rows * line * size), 16);
        return *this;
    }
    ChipKernel& load(const std::string& name, ScalarType from) {
        return call(fmt::format("load_matrix<Team, {}>(args.matrices[{}], problem, {})",
                                chip_type(from), matrices_++, name));
    }
    ChipKernel& store(const std::string& name, ScalarType to, bool lost = false) {
        return call(fmt::format("store_matrix<Team, {}>({}, args.matrices[{}], problem, {})",
                                chip_type(to), name, matrices_++, lost));
    }
    ChipKernel& sync() { return call("Team::sync()"); }
    ChipKernel& call(const std::string& text) {
        body_ += text + ";\n";
        return *this;
    }
    /// Of the next matrix of device memory, which it takes.
    int next_matrix() { return matrices_++; }
    [[nodiscard]] std::int64_t block_bytes() const { return bytes_ * team_.teams(); }

    [[nodiscard]] gpu::KernelId add_to(gpu::KernelSource& source) const {
        std::string text =
            fmt::format("MATGRAD_KERNEL(fused_#, FusedArgs<{}>, {}) {{\nusing Team = {};\n",
                        matrices_, team_.block, team_.name);
        if (bytes_ > 0) {
            text += fmt::format(
                "MATGRAD_BLOCK_MEMORY(memory, {});\n"
                "unsigned char* const own = memory + team_index<Team>() * {};\n",
                block_bytes(), bytes_);
        }
        text += declarations_;
        text += fmt::format(
            "for (long long problem = block_index() * {} + team_index<Team>(); problem < "
            "args.launch.batch; problem += args.at_once) {{\n{}Team::sync();\n}}\n}}\n",
            team_.teams(), body_);
        return source.add_fused(text, static_cast<std::size_t>(matrices_), team_.block,
                                team_.teams(), block_bytes());
    }

private:
    ChipTeam team_;
    std::string declarations_, body_;
    std::int64_t bytes_ = 0;  ///< of a team
    int matrices_ = 0;
};

/// With several orders in which threads go on.
class OnChip : public OnSimulatedGpu {
protected:
    static constexpr std::uint64_t kSeeds[] = {1, 2, 3};

    /// One launch; what it wrote is downloaded.
    simulated::Launch run(const gpu::Kernels& kernels, gpu::KernelId id,
                          const std::vector<OnDevice*>& matrices, std::int64_t batch,
                          std::uint64_t seed = 1) {
        simulated::set_schedule({seed, 0.25});
        std::vector<gpu::DeviceView> views;
        for (OnDevice* matrix : matrices) {
            views.push_back(matrix->upload());
        }
        return run_on(kernels, id, views, matrices, batch);
    }
    simulated::Launch run_on(const gpu::Kernels& kernels, gpu::KernelId id,
                             const std::vector<gpu::DeviceView>& views,
                             const std::vector<OnDevice*>& matrices, std::int64_t batch) {
        const std::vector<double> beta(views.size(), 0);
        kernels.fused(id, {views, beta}, batch, stream());
        const std::vector<simulated::Launch> all = finish();
        EXPECT_EQ(all.size(), 1U);
        for (OnDevice* matrix : matrices) {
            matrix->download();
        }
        return all.empty() ? simulated::Launch{} : all.back();
    }
};

}  // namespace matgrad::test
