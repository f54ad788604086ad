// X A^-1 for many X with a factor of A: two solves, or the factor's inverse and products.
#include <algorithm>

#include "device_work.hpp"
#include "part.hpp"
#include "stopwatch.hpp"

namespace matgrad::probe {
namespace {

/// Row-major X, sides x n: by columns n x sides, and the triangle stands on the left of it.
class Solves {
public:
    Solves(Type type, Size n, Size sides, Size batch, const Handles& handles, const Stream& stream)
        : type_(type),
          n_(n),
          sides_(sides),
          batch_(batch),
          handles_(handles),
          stream_(stream),
          triangle_(bytes(n * n)),
          identity_(bytes(n * n)),
          inverse_(bytes(n * n)),
          square_(bytes(n * n)),
          x_(bytes(n * sides)),
          y_(bytes(n * sides)),
          z_(bytes(n * sides)),
          pt_(pointers_to(triangle_, n * n)),
          pi_(pointers_to(inverse_, n * n)),
          py_(pointers_to(y_, n * sides)) {
        fill(Kind::spd, type, triangle_.data(), n, n, batch, 1, stream.get());
        fill(Kind::uniform, type, x_.data(), n, sides, batch, 2, stream.get());
        // Any matrix does in the place of the identity: times do not depend on it.
        fill(Kind::spd, type, identity_.data(), n, n, batch, 3, stream.get());
    }

    void two_solves() const {
        copy(y_, x_, stream_.get());
        for (const auto op : {CUBLAS_OP_T, CUBLAS_OP_N}) {
            trsm_batched(handles_, shape(op, sides_), pt_.as<void*>(), py_.as<void*>());
        }
    }
    void inverse_and_two_products() const {
        invert();
        product(true, inverse_, x_, y_, sides_);
        product(false, inverse_, y_, z_, sides_);
    }
    /// A^-1 from the inverse of its factor, and one product with it.
    void square_and_one_product() const {
        invert();
        gemm(handles_, packed_gemm(type_, false, true, n_, n_, n_, batch_), inverse_.data(),
             inverse_.data(), square_.data());
        product(false, square_, x_, y_, sides_);
    }

private:
    [[nodiscard]] std::size_t bytes(Size entries) const {
        return static_cast<std::size_t>(entries * batch_) * size_of(type_);
    }
    [[nodiscard]] Buffer pointers_to(const Buffer& to, Size entries) const {
        Buffer pointers(static_cast<std::size_t>(batch_) * sizeof(void*));
        fill_pointers(pointers.as<void*>(), to.data(), entries * static_cast<Size>(size_of(type_)),
                      batch_, stream_.get());
        return pointers;
    }
    [[nodiscard]] TrsmShape shape(cublasOperation_t op, Size sides) const {
        return {type_, CUBLAS_SIDE_LEFT, CUBLAS_FILL_MODE_UPPER, op, n_, sides, batch_, 0};
    }
    void invert() const {
        copy(inverse_, identity_, stream_.get());
        trsm_batched(handles_, shape(CUBLAS_OP_N, n_), pt_.as<void*>(), pi_.as<void*>());
    }
    void product(bool transposed, const Buffer& a, const Buffer& b, const Buffer& c,
                 Size sides) const {
        gemm(handles_, packed_gemm(type_, transposed, false, n_, sides, n_, batch_), a.data(),
             b.data(), c.data());
    }

    Type type_;
    Size n_, sides_, batch_;
    const Handles& handles_;
    const Stream& stream_;
    Buffer triangle_, identity_, inverse_, square_, x_, y_, z_, pt_, pi_, py_;
};

void sweep(const Recorder& recorder, Type type) {
    const Stream stream;
    const Handles handles;
    const Stopwatch stopwatch(stream, recorder);
    Rows rows(recorder);
    for (const Size n :
         recorder.small() ? std::vector<Size>{4, 9} : std::vector<Size>{4, 8, 16, 32, 64, 128}) {
        for (const Size sides :
             recorder.small() ? std::vector<Size>{5} : std::vector<Size>{16, 64, 256}) {
            const Size bytes = n * std::max(sides, n) * static_cast<Size>(size_of(type));
            const Size batch =
                recorder.small() ? 3 : std::clamp<Size>((Size{64} << 20) / bytes, 1, 65536);
            const std::string name = std::string("solves.") + name_of(type) + "." +
                                     std::to_string(n) + "x" + std::to_string(sides);
            if (!rows.next(name, static_cast<double>(n * n * sides * batch))) {
                return;
            }
            handles.bind(stream.get());
            const Solves solves(type, n, sides, batch, handles, stream);
            const Measured two = measure(stopwatch, [&] { solves.two_solves(); });
            const Measured inverse = measure(stopwatch, [&] { solves.inverse_and_two_products(); });
            const Measured square = measure(stopwatch, [&] { solves.square_and_one_product(); });
            stream.wait();
            recorder.add({name,
                          "trsmBatched, cublasGemmStridedBatchedEx_64",
                          std::to_string(batch) + " problems: two solves " + two.text() +
                              ", inverse of the factor and two products " + inverse.text() +
                              ", inverse and one product " + square.text(),
                          {{"batch", batch},
                           {"two_solves_us", two.value()},
                           {"inverse_two_products_us", inverse.value()},
                           {"inverse_one_product_us", square.value()}}});
        }
    }
}

}  // namespace

void add_solve_sweeps(std::vector<Part>& parts) {
    for (const Type type : {Type::f32, Type::f64}) {
        parts.push_back({std::string("solves.") + name_of(type), Group::sweeps, 5, true,
                         [type](const Recorder& r) { sweep(r, type); }});
    }
}

}  // namespace matgrad::probe
