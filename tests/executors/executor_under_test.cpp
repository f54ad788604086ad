#include "executors/executor_under_test.hpp"

namespace matgrad::test {
namespace {

/// FNV-1a, with its high bits brought down.
std::uint64_t hash(const std::string& text) {
    std::uint64_t result = 14695981039346656037ULL;
    for (const char c : text) {
        result = (result ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
    }
    return result ^ (result >> 32);
}

}  // namespace

void PrintTo(const ExecutorUnderTest& executor, std::ostream* out) {
    *out << executor.name;
}

std::vector<ExecutorUnderTest> executors_for(const std::string& case_text) {
    std::vector<ExecutorUnderTest> result;
    for (const ExecutorUnderTest& executor : executors_under_test()) {
        if (hash(case_text) % static_cast<std::uint64_t>(executor.sweep) == 0) {
            result.push_back(executor);
        }
    }
    return result;
}

}  // namespace matgrad::test
