#include "bench/machine.hpp"

#include <cblas.h>
#include <fmt/format.h>
#include <unistd.h>

#include <Eigen/Core>
#include <ctime>

#include "bench/threads.hpp"
#include "cpu/plain/blas_core.hpp"
#include "cpu/processor.hpp"

namespace matgrad::bench {

std::size_t physical_memory_bytes() {
    return static_cast<std::size_t>(::sysconf(_SC_PHYS_PAGES)) *
           static_cast<std::size_t>(::sysconf(_SC_PAGE_SIZE));
}

std::string cpu_text() {
    const int cores = machine_threads();
    return fmt::format("{}, {} core{}, {}", processor_name(), cores, cores == 1 ? "" : "s",
                       vector_instructions());
}

std::vector<std::pair<std::string, std::string>> build_versions() {
    detail::choose_blas_core();  // what the rows run on
    return {{"matgrad", MATGRAD_VERSION},
            {"compiler", MATGRAD_COMPILER},
            {"OpenBLAS", fmt::format("{}, {}", openblas_get_config(), openblas_get_corename())},
            {"Eigen", fmt::format("{}.{}.{}", EIGEN_WORLD_VERSION, EIGEN_MAJOR_VERSION,
                                  EIGEN_MINOR_VERSION)}};
}

std::string now_text() {
    const std::time_t now = std::time(nullptr);
    std::tm utc{};
    (void)::gmtime_r(&now, &utc);
    char text[32];
    const std::size_t length = std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc);
    return {text, length};
}

}  // namespace matgrad::bench
