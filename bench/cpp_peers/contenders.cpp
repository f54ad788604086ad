#include "bench/cpp_peers/contenders.hpp"

#include <algorithm>
#include <optional>

#include "bench/cpp_peers/task.hpp"
#include "matgrad/catalogue.hpp"

namespace matgrad::bench {
namespace {

constexpr std::pair<const char*, Closed> kForms[] = {{"frobenius", Closed::frobenius},
                                                     {"least_squares", Closed::least_squares},
                                                     {"bilinear_trace", Closed::bilinear_trace},
                                                     {"log_det_gram", Closed::log_det_gram}};

std::optional<Closed> closed_form(const Case& c) {
    for (const auto& [name, form] : kForms) {
        const CatalogueEntry& entry = *find_in_catalogue(name);
        if (c.f == entry.text && c.wrt == entry.wrt) {
            return form;
        }
    }
    return std::nullopt;
}

std::size_t index_of(const Case& c, const char* name) {
    const auto at = std::find_if(c.declare.begin(), c.declare.end(),
                                 [&](const Declaration& d) { return d.name == name; });
    return static_cast<std::size_t>(at - c.declare.begin());
}

/// The sizes of a case; the data is filled in for each call.
PeerTask task_of(const Case& c, Closed form, int threads) {
    PeerTask task{};
    task.function = form;
    task.in_double = c.type == ScalarType::float64;
    task.batch = c.batch;
    task.threads = threads;
    const std::vector<Operand> operands = c.operands();
    const auto operand = [&](const char* name) { return operands[index_of(c, name)]; };
    if (form == Closed::least_squares) {
        task.m = operand("A").rows;
        task.n = operand("A").cols;
    } else {
        task.m = operand("X").rows;
        task.n = operand("X").cols;
    }
    if (form == Closed::frobenius || form == Closed::bilinear_trace) {
        task.p = operand("A").rows;
    }
    return task;
}

/// A call that fills in where everything lies; `peer` gives false if it has no kernel.
template <typename Peer>
Call call_of(const Case& c, int threads, Peer peer) {
    const Closed form = closed_form(c).value();
    const std::vector<Operand> operands = c.operands();
    return [task = task_of(c, form, threads), c, form, operands, peer](
               std::span<const ConstBatch> given, std::span<const Batch> results) {
        PeerTask now = task;
        const auto place = [&](const char* name) -> PeerOperand {
            const std::size_t i = index_of(c, name);
            return {given[i].data, operands[i].batched ? operands[i].rows * operands[i].cols : 0};
        };
        now.x = place(c.wrt.c_str());
        if (form != Closed::log_det_gram) {
            now.a = place("A");
        }
        if (form == Closed::least_squares || form == Closed::bilinear_trace) {
            now.b = place(form == Closed::least_squares ? "b" : "B");
        }
        now.value = c.outputs == Outputs::gradient ? nullptr : results.front().data;
        now.gradient = c.outputs == Outputs::value ? nullptr : results.back().data;
        if (!peer(now)) {
            throw MachineError("no kernel for these sizes");
        }
    };
}

}  // namespace

bool is_offered(const Case& c, const std::string& executor) {
    const std::optional<Closed> form = closed_form(c);
    const bool products_alone = executor == "libxsmm";
    return form &&
           (!products_alone || *form == Closed::frobenius || *form == Closed::bilinear_trace);
}

std::vector<Contender> cpp_peers() {
    std::vector<Contender> peers;
    peers.push_back({"eigen", [](const Case& c, int threads) {
                         return call_of(c, threads, [](const PeerTask& task) {
                             matgrad_eigen_peer(&task);
                             return true;
                         });
                     }});
#ifdef MATGRAD_HAS_LIBXSMM
    peers.push_back({"libxsmm", [](const Case& c, int threads) {
                         return call_of(c, threads, [](const PeerTask& task) {
                             return matgrad_libxsmm_peer(&task);
                         });
                     }});
#endif
    return peers;
}

}  // namespace matgrad::bench
