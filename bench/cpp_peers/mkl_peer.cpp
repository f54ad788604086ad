/// \file What MKL's compact functions offer of the four: products and Cholesky factors of many small
/// matrices at once. Operands lie one problem after the other, so groups of problems are packed into
/// MKL's interleaved order and unpacked from it, in memory that stays in the cache; OpenMP shares the
/// groups.

#include <algorithm>
#include <cmath>
#include <string>

#include "mkl_calls.hpp"
#include "operands.hpp"
#include "task.hpp"

namespace {

using matgrad::bench::Closed;
using matgrad::bench::dot;
using matgrad::bench::PeerOperand;
using matgrad::bench::PeerTask;
using namespace matgrad::bench::compact;

/// Of one thread: a group of problems that begins at `first`.
template <typename T>
class Group {
public:
    Group(const PeerTask& task, std::int64_t first, std::int64_t count)
        : task_(task), first_(first), count_(count) {}

    [[nodiscard]] const T* at(const PeerOperand& operand, std::int64_t k) const {
        return matgrad::bench::at<T>(operand, first_ + k);
    }
    void load(const PeerOperand& operand, Packed<T>& to) const {
        std::vector<const T*> places(static_cast<std::size_t>(count_));
        for (std::int64_t k = 0; k < count_; ++k) {
            places[static_cast<std::size_t>(k)] = at(operand, k);
        }
        pack(places.data(), to);
    }
    /// To consecutive matrices.
    void store(const Packed<T>& from, T* to) const {
        std::vector<T*> places(static_cast<std::size_t>(count_));
        const std::int64_t each = std::int64_t{from.rows()} * from.cols();
        for (std::int64_t k = 0; k < count_; ++k) {
            places[static_cast<std::size_t>(k)] = to + k * each;
        }
        unpack(from, places.data());
    }
    /// Of this group, where the gradient of the task lies or, if there is none, in `room`.
    [[nodiscard]] T* gradient_or(std::vector<T>& room, std::int64_t each) const {
        room.resize(task_.gradient == nullptr ? static_cast<std::size_t>(each * count_) : 0);
        return task_.gradient == nullptr ? room.data()
                                         : static_cast<T*>(task_.gradient) + first_ * each;
    }
    void put_value(std::int64_t k, T value) const {
        static_cast<T*>(task_.value)[first_ + k] = value;
    }
    [[nodiscard]] std::int64_t count() const noexcept { return count_; }

private:
    const PeerTask& task_;
    std::int64_t first_, count_;
};

/// X (A'A).
template <typename T>
void frobenius(const PeerTask& t, const Group<T>& group, std::vector<T>& room) {
    Packed<T> x(t.m, t.n, group.count());
    Packed<T> a(t.p, t.n, group.count());
    Packed<T> gram(t.n, t.n, group.count());
    Packed<T> gradient(t.m, t.n, group.count());
    group.load(t.x, x);
    group.load(t.a, a);
    multiply(true, false, a, a, gram);
    multiply(false, false, x, gram, gradient);
    T* const to = group.gradient_or(room, t.m * t.n);
    group.store(gradient, to);
    for (std::int64_t k = 0; t.value != nullptr && k < group.count(); ++k) {
        group.put_value(k, dot(group.at(t.x, k), to + k * t.m * t.n, t.m * t.n) / 2);
    }
}

/// A'B', and the value from it.
template <typename T>
void bilinear_trace(const PeerTask& t, const Group<T>& group, std::vector<T>& room) {
    Packed<T> a(t.p, t.m, group.count());
    Packed<T> b(t.n, t.p, group.count());
    Packed<T> gradient(t.m, t.n, group.count());
    group.load(t.a, a);
    group.load(t.b, b);
    multiply(true, true, a, b, gradient);
    T* const to = group.gradient_or(room, t.m * t.n);
    group.store(gradient, to);
    for (std::int64_t k = 0; t.value != nullptr && k < group.count(); ++k) {
        group.put_value(k, dot(group.at(t.x, k), to + k * t.m * t.n, t.m * t.n));
    }
}

/// X'X = L L', 2 X inv(L)' inv(L).
template <typename T>
void log_det_gram(const PeerTask& t, const Group<T>& group, std::vector<T>& room) {
    Packed<T> x(t.m, t.n, group.count());
    Packed<T> gram(t.n, t.n, group.count());
    group.load(t.x, x);
    multiply(true, false, x, x, gram);
    factor(gram);
    if (t.value != nullptr) {
        room.resize(static_cast<std::size_t>(t.n * t.n * group.count()));
        group.store(gram, room.data());
        for (std::int64_t k = 0; k < group.count(); ++k) {
            T sum = 0;
            for (std::int64_t i = 0; i < t.n; ++i) {
                sum += std::log(room[static_cast<std::size_t>((k * t.n + i) * t.n + i)]);
            }
            group.put_value(k, 2 * sum);
        }
    }
    if (t.gradient != nullptr) {
        divide_right<T>(gram, true, 2, x);
        divide_right<T>(gram, false, 1, x);
        group.store(x, group.gradient_or(room, t.m * t.n));
    }
}

template <typename T>
void one(const PeerTask& t, const Group<T>& group, std::vector<T>& room) {
    switch (t.function) {
        case Closed::frobenius:
            return frobenius(t, group, room);
        case Closed::bilinear_trace:
            return bilinear_trace(t, group, room);
        case Closed::log_det_gram:
            return log_det_gram(t, group, room);
        case Closed::least_squares:
            return;  // refused below
    }
}

/// Whole vectors of problems, as many as stay in half a megabyte.
template <typename T>
std::int64_t group_size(const PeerTask& t) {
    constexpr std::int64_t kVector = 64 / sizeof(T);
    const auto each = static_cast<std::int64_t>(sizeof(T)) *
                      (2 * t.m * t.n + t.p * std::max(t.m, t.n) + t.n * std::max(t.n, t.p));
    constexpr std::int64_t kRoom = std::int64_t{1} << 19;
    return kVector * std::clamp<std::int64_t>(kRoom / (each * kVector), 1, 16);
}

template <typename T>
void all(const PeerTask& t) {
    const std::int64_t size = group_size<T>(t);
    const std::int64_t groups = (t.batch + size - 1) / size;
#pragma omp parallel num_threads(t.threads)
    {
        std::vector<T> room;
#pragma omp for schedule(static)
        for (std::int64_t g = 0; g < groups; ++g) {
            const std::int64_t first = g * size;
            one<T>(t, {t, first, std::min(size, t.batch - first)}, room);
        }
    }
}

}  // namespace

bool matgrad_mkl_peer(const PeerTask* task) {
    if (task->function == Closed::least_squares) {
        return false;
    }
    // Before any other call: the threads are OpenMP's of this file.
    [[maybe_unused]] static const int layer = mkl_set_threading_layer(MKL_THREADING_SEQUENTIAL);
    task->in_double ? all<double>(*task) : all<float>(*task);
    return true;
}

const char* matgrad_mkl_version() {
    static const std::string text = [] {
        MKLVersion version;
        mkl_get_version(&version);
        return std::to_string(version.MajorVersion) + "." + std::to_string(version.MinorVersion) +
               "." + std::to_string(version.UpdateVersion);
    }();
    return text.c_str();
}
