#pragma once
/// \file When buffers are used by a run of regions, and the bytes of those that are in use at once.

#include <algorithm>
#include <cstdint>
#include <map>
#include <utility>
#include <vector>

namespace matgrad::testing {

/// A buffer is in use from the first time it is touched to the last.
class Trace {
public:
    struct Buffer {
        std::int64_t bytes = 0;
        int first = 0, last = 0;
    };
    int time = 0;

    void touch(int v, std::int64_t bytes) {
        const auto [place, is_new] = open_.try_emplace(v, buffers_.size());
        if (is_new) {
            buffers_.push_back({bytes, time, time});
        }
        buffers_[place->second].last = time;
    }
    void close(int v) { open_.erase(v); }
    [[nodiscard]] bool is_open(int v) const { return open_.count(v) > 0; }
    void made_over(int out, const std::vector<int>& inputs) {
        std::vector<std::size_t> buffers;
        for (const int v : inputs) {
            if (is_open(v)) {
                buffers.push_back(open_.at(v));
            }
        }
        results_.push_back({open_.at(out), buffers});
    }
    [[nodiscard]] std::int64_t peak() {
        for (const auto& [out, inputs] : results_) {
            for (const std::size_t input : inputs) {
                if (buffers_[input].last == buffers_[out].first) {
                    ++buffers_[out].first;
                    break;
                }
            }
        }
        std::int64_t most = 0;
        for (int t = 0; t <= time; ++t) {
            std::int64_t sum = 0;
            for (const Buffer& b : buffers_) {
                sum += b.first <= t && t <= b.last ? b.bytes : 0;
            }
            most = std::max(most, sum);
        }
        return most;
    }
    /// At one time.
    [[nodiscard]] std::int64_t bytes_at(int t) const {
        std::int64_t sum = 0;
        for (const Buffer& b : buffers_) {
            sum += b.first <= t && t <= b.last ? b.bytes : 0;
        }
        return sum;
    }

private:
    std::vector<Buffer> buffers_;
    std::map<int, std::size_t> open_;
    std::vector<std::pair<std::size_t, std::vector<std::size_t>>> results_;
};

}  // namespace matgrad::testing
