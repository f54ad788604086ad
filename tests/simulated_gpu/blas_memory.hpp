#pragma once
/// \file The matrices that a library call works on, looked at when it runs.
///
/// Column-major: entry (i, j) is `data[i + j * ld]`.

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace matgrad::simulated {

/// One matrix per problem: a base and a stride, or pointers that lie in device memory.
template <typename T>
struct Matrices {
    const char* name = "";
    std::int64_t rows = 0, cols = 0, ld = 1;
    T* base = nullptr;
    std::int64_t stride = 0;
    T* const* pointers = nullptr;  ///< null: base and stride

    [[nodiscard]] T* of(std::int64_t p) const {
        return pointers != nullptr ? pointers[p] : base + p * stride;
    }
};

/// What a task is about to read and to write. Everything has to be aligned memory of the device; what
/// it writes has to be apart from all else that it touches, be it of another problem.
class Footprint {
public:
    Footprint(int device, std::int64_t batch) : device_(device), batch_(batch) {}

    template <typename T>
    void reads(const Matrices<const T>& matrices) {
        add(matrices, false);
    }
    template <typename T>
    void writes(const Matrices<T>& matrices) {
        add(matrices, true);
    }
    /// An array of the call as a whole: pointers, info, a workspace.
    void reads(const char* name, const void* data, std::int64_t bytes, std::int64_t alignment);
    void writes(const char* name, const void* data, std::int64_t bytes, std::int64_t alignment);

    /// False if the task must not run; why is reported.
    [[nodiscard]] bool is_sound();

private:
    struct Piece {
        std::uintptr_t begin = 0, end = 0;
        const char* name = "";
        std::int64_t problem = -1;  ///< -1: of the call as a whole
    };
    struct Shape {
        std::int64_t rows, cols, ld, size;
    };

    template <typename T>
    void add(const Matrices<T>& m, bool written) {
        const std::int64_t size = sizeof(T);
        if (m.rows <= 0 || m.cols <= 0 || batch_ <= 0) {
            return;
        }
        if (m.pointers != nullptr) {
            reads(m.name, m.pointers, batch_ * std::int64_t{sizeof(void*)}, sizeof(void*));
            if (!sound_) {
                return;
            }
        }
        // What all problems share is looked at once.
        const bool one = m.pointers == nullptr && m.stride == 0 && !written;
        for (std::int64_t p = 0; p < (one ? 1 : batch_) && sound_; ++p) {
            add_matrix(m.name, p, m.of(p), {m.rows, m.cols, m.ld, size}, written);
        }
    }
    void add_matrix(const char* name, std::int64_t problem, const void* data, const Shape& shape,
                    bool written);
    void add_array(const char* name, const void* data, std::int64_t bytes, std::int64_t alignment,
                   bool written);
    void refuse(const std::string& why);

    int device_;
    std::int64_t batch_;
    bool sound_ = true;
    std::vector<Piece> read_, written_;
};

}  // namespace matgrad::simulated
