#include "bench/gpu_graph.hpp"

#include <algorithm>
#include <utility>

#include "bench/timing.hpp"

namespace matgrad::bench {
namespace {

using Recordings = std::vector<std::unique_ptr<const gpu::Recording>>;

template <typename Views>
std::vector<typename Views::value_type> moved(const Views& views, std::size_t offset) {
    std::vector<typename Views::value_type> result(views.begin(), views.end());
    for (auto& view : result) {
        using Bytes =
            std::conditional_t<std::is_const_v<std::remove_pointer_t<decltype(view.data)>>,
                               const std::byte, std::byte>;
        view.data = static_cast<Bytes*>(view.data) + offset;
    }
    return result;
}

Recordings record_copies(const Call& call, const GpuPlace& place, double& seconds_of_one) {
    Recordings recordings;
    const Clock::time_point start = Clock::now();
    for (std::int64_t copy = 0; copy < place.copies; ++copy) {
        const std::size_t offset = static_cast<std::size_t>(copy) * place.copy_bytes;
        recordings.push_back(place.stopwatch.record(
            [&call, operands = moved(place.operands, offset),
             results = moved(place.results, offset)] { call(operands, results); }));
        if (copy == 0) {
            seconds_of_one = seconds_since(start);
        }
    }
    return recordings;
}

}  // namespace

GpuContender as_graphs(GpuContender contender) {
    GpuContender graphs;
    graphs.executor = contender.executor + ", graph";
    graphs.most_copies = std::min(contender.most_copies, kMostGraphs);
    graphs.offers = [offers = contender.offers](const Case& c) {
        return c.batch <= kMostProblemsOfAGraph && offers(c);
    };
    graphs.prepare = [inner = std::move(contender)](const Case& c,
                                                    const GpuPlace& place) -> Prepared {
        const Prepared prepared = inner.prepare(c, place);
        const auto call = std::make_shared<const Call>(prepared.call);
        // Libraries load their kernels at a first call, which need not be one that can be recorded.
        (*call)(place.operands, place.results);
        place.stopwatch.wait();
        double seconds = 0;
        const auto recordings =
            std::make_shared<const Recordings>(record_copies(*call, place, seconds));
        const auto* const first = static_cast<const std::byte*>(place.results.front().data);
        // What is recorded uses the memory of the call.
        return {[call, recordings, first, copy_bytes = place.copy_bytes](
                    std::span<const ConstStrided>, std::span<const Strided> results) {
                    const auto offset = static_cast<const std::byte*>(results.front().data) - first;
                    (*recordings)[static_cast<std::size_t>(offset) / copy_bytes]->replay();
                },
                prepared.plan_seconds + seconds};
    };
    return graphs;
}

}  // namespace matgrad::bench
