#include "executors/build_program.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace matgrad::test {

ValueId ProgramBuilder::operand(const std::string& name, std::int64_t rows, std::int64_t cols,
                                bool batched) {
    const ValueId id = value(rows, cols, batched ? Scope::problem : Scope::shared);
    program_.values.back().operand = static_cast<int>(program_.operands.size());
    program_.values.back().text = name;
    program_.operands.push_back({name, id, batched});
    return id;
}

ValueId ProgramBuilder::value(std::int64_t rows, std::int64_t cols, Scope scope,
                              std::optional<ScalarType> type) {
    Value value;
    value.rows = {"m", rows};
    value.cols = {"n", cols};
    value.scope = scope;
    value.type = type.value_or(program_.type);
    program_.values.push_back(value);
    return static_cast<ValueId>(program_.values.size() - 1);
}

Step& ProgramBuilder::step(Operation operation, ValueId out, std::optional<ScalarType> type,
                           ValueId out2) {
    Step step;
    step.operation = std::move(operation);
    step.out = out;
    step.out2 = out2;
    step.scope = program_.value(out).scope;
    step.type = type.value_or(program_.type);
    program_.steps.push_back(step);
    return program_.steps.back();
}

void ProgramBuilder::output(ValueId value, bool transposed) {
    program_.outputs.push_back({OutputKind::gradient, "X", value, transposed});
}

void ProgramBuilder::share_memory(ValueId value, ValueId other) {
    shared_memory_.emplace_back(value, other);
}

Program ProgramBuilder::finish() {
    for (std::size_t i = 0; i < program_.values.size(); ++i) {
        Value& value = program_.values[i];
        const auto result = std::find_if(program_.outputs.begin(), program_.outputs.end(),
                                         [i](const ProgramOutput& output) {
                                             return static_cast<std::size_t>(output.value) == i;
                                         });
        const bool is_result = result != program_.outputs.end();
        if (value.operand >= 0) {
            continue;
        }
        if (is_result && i % 2 == 1) {
            value.output = static_cast<int>(result - program_.outputs.begin());
            continue;
        }
        std::int64_t& end =
            value.scope == Scope::problem ? program_.problem_bytes : program_.shared_bytes;
        value.offset = end;
        end += (value.count() * size_of(value.type) + 7) / 8 * 8;
    }
    for (const auto& [value, other] : shared_memory_) {
        program_.value(value).offset = program_.value(other).offset;
    }
    return program_;
}

Use use(ValueId value) {
    Use result;
    result.value = value;
    return result;
}

Use use_transposed(ValueId value) {
    Use result = use(value);
    result.transposed = true;
    return result;
}

namespace {
constexpr double kGuard = 12345.0;
}

Matrices::Matrices(ScalarType type, std::int64_t batch, std::int64_t rows, std::int64_t cols,
                   Order order, bool reversed_batch)
    : type_(type), batch_(batch), rows_(rows), cols_(cols) {
    std::int64_t extent = 0;  // numbers that one problem spans
    switch (order) {
        case Order::rows:
            row_stride_ = cols;
            col_stride_ = 1;
            extent = rows * cols;
            break;
        case Order::columns:
            row_stride_ = 1;
            col_stride_ = rows;
            extent = rows * cols;
            break;
        case Order::padded_rows:
            row_stride_ = cols + 3;
            col_stride_ = 1;
            extent = rows * (cols + 3);
            break;
        case Order::reversed_rows:
            row_stride_ = -cols;
            col_stride_ = 1;
            origin_ = rows > 0 ? (rows - 1) * cols : 0;
            extent = rows * cols;
            break;
        case Order::reversed_both:
            row_stride_ = -1;
            col_stride_ = -(rows + 1);
            origin_ = rows * cols > 0 ? (rows - 1) + (cols - 1) * (rows + 1) : 0;
            extent = (rows + 1) * cols;
            break;
        case Order::strided:
            row_stride_ = 2 * cols + 1;
            col_stride_ = 2;
            extent = rows * (2 * cols + 1) + 1;
            break;
        case Order::spread:  // every row is the same memory
            row_stride_ = 0;
            col_stride_ = 1;
            extent = cols;
            break;
    }
    batch_stride_ = extent + 1;
    if (reversed_batch) {
        origin_ += (batch - 1) * batch_stride_;
        batch_stride_ = -batch_stride_;
    }
    const auto size = static_cast<std::size_t>(batch * (extent + 1) + 1);
    if (type_ == ScalarType::float32) {
        floats_.assign(size, static_cast<float>(kGuard));
    } else {
        doubles_.assign(size, kGuard);
    }
    inside_.assign(size, 0);
    for (std::int64_t p = 0; p < batch_; ++p) {
        for (std::int64_t r = 0; r < rows_; ++r) {
            for (std::int64_t c = 0; c < cols_; ++c) {
                inside_[index(p, r, c)] = 1;
            }
        }
    }
}

void Matrices::fill_random(std::uint32_t seed, double low, double high) {
    std::mt19937 engine(seed);
    std::uniform_real_distribution<double> draw(low, high);
    for (std::int64_t p = 0; p < batch_; ++p) {
        for (std::int64_t r = 0; r < rows_; ++r) {
            for (std::int64_t c = 0; c < cols_; ++c) {
                set(p, r, c, draw(engine));
            }
        }
    }
}

void Matrices::make_positive(std::uint32_t seed, double shift) {
    std::mt19937 engine(seed);
    std::uniform_real_distribution<double> draw(-1, 1);
    const std::int64_t n = rows_;
    std::vector<double> half(static_cast<std::size_t>(n * n));
    for (std::int64_t p = 0; p < batch_; ++p) {
        for (double& entry : half) {
            entry = draw(engine);
        }
        for (std::int64_t r = 0; r < n; ++r) {
            for (std::int64_t c = 0; c <= r; ++c) {
                double sum = r == c ? shift : 0;
                for (std::int64_t k = 0; k < n; ++k) {
                    sum += half[static_cast<std::size_t>(r * n + k)] *
                           half[static_cast<std::size_t>(c * n + k)];
                }
                set(p, r, c, sum);
                set(p, c, r, sum);
            }
        }
    }
}

ConstStrided Matrices::input() const {
    const void* data = type_ == ScalarType::float32
                           ? static_cast<const void*>(floats_.data() + origin_)
                           : static_cast<const void*>(doubles_.data() + origin_);
    return {data, row_stride_, col_stride_, batch_stride_};
}

Strided Matrices::output() {
    void* data = type_ == ScalarType::float32 ? static_cast<void*>(floats_.data() + origin_)
                                              : static_cast<void*>(doubles_.data() + origin_);
    return {data, row_stride_, col_stride_, batch_stride_};
}

std::span<std::byte> Matrices::memory() {
    return type_ == ScalarType::float32 ? std::as_writable_bytes(std::span(floats_))
                                        : std::as_writable_bytes(std::span(doubles_));
}

std::span<const std::byte> Matrices::memory() const {
    return type_ == ScalarType::float32 ? std::as_bytes(std::span(floats_))
                                        : std::as_bytes(std::span(doubles_));
}

bool Matrices::guards_intact() const {
    for (std::size_t i = 0; i < inside_.size(); ++i) {
        const double value =
            type_ == ScalarType::float32 ? static_cast<double>(floats_[i]) : doubles_[i];
        if (inside_[i] == 0 && value != kGuard) {
            return false;
        }
    }
    return true;
}

bool Matrices::same_bits(std::int64_t problem, const Matrices& other,
                         std::int64_t other_problem) const {
    for (std::int64_t r = 0; r < rows_; ++r) {
        for (std::int64_t c = 0; c < cols_; ++c) {
            const double a = get(problem, r, c);
            const double b = other.get(other_problem, r, c);
            if (std::memcmp(&a, &b, sizeof(double)) != 0) {
                return false;
            }
        }
    }
    return true;
}

}  // namespace matgrad::test
