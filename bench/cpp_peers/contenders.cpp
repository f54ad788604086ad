#include "bench/cpp_peers/contenders.hpp"

#include <algorithm>
#include <memory>
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

/// One of the four functions as a peer is asked for it.
class PeerCase {
public:
    PeerCase(const Case& c, int threads) {
        const Closed form = closed_form(c).value();
        const std::vector<Operand> operands = c.operands();
        const auto find = [&](const char* name) -> Place {
            const std::size_t i = index_of(c, name);
            const Operand& operand = operands[i];
            return {i, operand.rows, operand.cols,
                    operand.batched ? operand.rows * operand.cols : 0};
        };
        x_ = find(c.wrt.c_str());
        a_ = form == Closed::log_det_gram ? x_ : find("A");
        b_ = form == Closed::least_squares    ? find("b")
             : form == Closed::bilinear_trace ? find("B")
                                              : x_;
        const Place& sizes = form == Closed::least_squares ? a_ : x_;
        task_.function = form;
        task_.in_double = c.type == ScalarType::float64;
        task_.m = sizes.rows;
        task_.n = sizes.cols;
        task_.p = a_.rows;
        // Problems that have nothing of their own have one result.
        task_.batch = c.batched.empty() ? 1 : c.batch;
        task_.threads = threads;
        with_value_ = c.outputs != Outputs::gradient;
        with_gradient_ = c.outputs != Outputs::value;
    }

    /// The task on operands (null: where they lie is not known yet) and results.
    [[nodiscard]] PeerTask on(std::span<const ConstStrided> operands,
                              std::span<const Strided> results) const {
        const auto lie = [&](const Place& place) -> PeerOperand {
            return {operands.empty() ? nullptr : operands[place.index].data, place.stride};
        };
        PeerTask task = task_;
        task.x = lie(x_);
        task.a = lie(a_);
        task.b = lie(b_);
        task.value = with_value_ ? results.front().data : nullptr;
        task.gradient = with_gradient_ ? results.back().data : nullptr;
        return task;
    }

private:
    struct Place {
        std::size_t index = 0;
        std::int64_t rows = 0, cols = 0, stride = 0;
    };
    PeerTask task_{};
    Place x_, a_, b_;
    bool with_value_ = false, with_gradient_ = false;
};

/// `peer` gives false if it has no kernel.
template <typename Peer>
Prepared call_of(const Case& c, int threads, Peer peer) {
    return Call([peer_case = PeerCase(c, threads), peer](std::span<const ConstStrided> operands,
                                                         std::span<const Strided> results) {
        if (!peer(peer_case.on(operands, results))) {
            throw MachineError("no kernel for these sizes");
        }
    });
}

/// Many small matrices, what MKL's compact functions are for.
bool is_small(const Case& c) {
    constexpr std::int64_t kLargest = 64;
    const std::vector<Operand> operands = c.operands();
    return c.batch > 1 && !c.batched.empty() &&
           std::all_of(operands.begin(), operands.end(),
                       [](const Operand& o) { return std::max(o.rows, o.cols) <= kLargest; });
}

std::function<bool(const Case&)> offer_of(const char* executor) {
    return [executor](const Case& c) { return is_offered(c, executor); };
}

GpuContender on_gpu(const char* executor, GpuPeerEntry make,
                    std::function<bool(const Case&)> offers) {
    GpuContender contender;
    contender.executor = executor;
    contender.offers = std::move(offers);
    contender.prepare = [make](const Case& c, const GpuPlace& place) -> Prepared {
        const PeerCase peer_case(c, 1);
        const PeerTask task = peer_case.on({}, place.results);
        const PeerPlace where{place.device.index, place.device.multiprocessors,
                              &place.stopwatch,   task.gradient,
                              place.copies,       place.copy_bytes};
        const std::shared_ptr<GpuPeer> peer(make(task, where));
        return Call([peer_case, peer](std::span<const ConstStrided> operands,
                                      std::span<const Strided> results) {
            peer->enqueue(peer_case.on(operands, results));
        });
    };
    return contender;
}

}  // namespace

bool is_offered(const Case& c, const std::string& executor) {
    const std::optional<Closed> form = closed_form(c);
    if (!form || c.reduction != Reduction::none) {
        return false;
    }
    const bool is_product = *form == Closed::frobenius || *form == Closed::bilinear_trace;
    if (executor == "libxsmm") {
        return is_product;
    }
    return executor != "mkl" || ((is_product || *form == Closed::log_det_gram) && is_small(c));
}

std::vector<Contender> cpp_peers() {
    std::vector<Contender> peers;
    peers.push_back({"eigen",
                     [](const Case& c, int threads) {
                         return call_of(c, threads, [](const PeerTask& task) {
                             matgrad_eigen_peer(&task);
                             return true;
                         });
                     },
                     offer_of("eigen")});
#ifdef MATGRAD_HAS_LIBXSMM
    peers.push_back({"libxsmm",
                     [](const Case& c, int threads) {
                         return call_of(c, threads, [](const PeerTask& task) {
                             return matgrad_libxsmm_peer(&task);
                         });
                     },
                     offer_of("libxsmm")});
#endif
    return peers;
}

Contender mkl_peer(const MklEntries& entries) {
    return {"mkl",
            [run = entries.run](const Case& c, int threads) {
                return call_of(c, threads, [run](const PeerTask& task) { return run(&task); });
            },
            offer_of("mkl")};
}

std::optional<PeerTask> peer_task(const Case& c) {
    if (!closed_form(c) || c.reduction != Reduction::none) {
        return std::nullopt;
    }
    static std::byte nowhere{};
    const Strided result{&nowhere, 0, 0, 0};
    const Strided results[] = {result, result};
    return PeerCase(c, 1).on({}, results);
}

GpuContender cublas_peer(GpuPeerEntry make) {
    return on_gpu("cublas", make, offer_of("cublas"));
}

GpuContender mathdx_peer(const MathdxEntries& entries, int capability) {
    return on_gpu("mathdx", entries.make, [offers = entries.offers, capability](const Case& c) {
        const std::optional<PeerTask> task = peer_task(c);
        return task && offers(*task, capability);
    });
}

}  // namespace matgrad::bench
