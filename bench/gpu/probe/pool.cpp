#include "pool.hpp"

#include <algorithm>

#include "device.hpp"

namespace matgrad::probe {

Pool::Pool() {
    int supported = 0;
    MATGRAD_PROBE(cudaDeviceGetAttribute(&supported, cudaDevAttrMemoryPoolsSupported, 0));
    if (supported != 0) {
        MATGRAD_PROBE(cudaDeviceGetDefaultMemPool(&pool_, 0));
    }
}

void Pool::reset() {
    used_ = read(cudaMemPoolAttrUsedMemCurrent);
    reserved_ = read(cudaMemPoolAttrReservedMemCurrent);
    if (pool_ != nullptr) {
        for (const auto high : {cudaMemPoolAttrUsedMemHigh, cudaMemPoolAttrReservedMemHigh}) {
            std::uint64_t zero = 0;  // the only value that it may be set to
            MATGRAD_PROBE(cudaMemPoolSetAttribute(pool_, high, &zero));
        }
    }
}

std::int64_t Pool::most_used() const {
    return std::max<std::int64_t>(0, read(cudaMemPoolAttrUsedMemHigh) - used_);
}

std::int64_t Pool::most_reserved() const {
    return std::max<std::int64_t>(0, read(cudaMemPoolAttrReservedMemHigh) - reserved_);
}

std::int64_t Pool::read(cudaMemPoolAttr attribute) const {
    std::uint64_t bytes = 0;
    if (pool_ != nullptr) {
        MATGRAD_PROBE(cudaMemPoolGetAttribute(pool_, attribute, &bytes));
    }
    return static_cast<std::int64_t>(bytes);
}

}  // namespace matgrad::probe
