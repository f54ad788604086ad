#include "cpu/highway_targets.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cpu/plain/transpose.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "cpu/compact/squares-inl.hpp"
#include "cpu/plain/transpose.hpp"

HWY_BEFORE_NAMESPACE();
namespace matgrad::detail::HWY_NAMESPACE {

void transpose_all(const View& from, const View& to) {
    with_type(to.type, [&](auto zero) { transpose_matrix<decltype(zero)>(from, to); });
}

void stream_all(const std::byte* from, std::int64_t bytes, ScalarType type, std::byte* to) {
    with_type(type, [&](auto zero) {
        using T = decltype(zero);
        stream_out<T>(reinterpret_cast<const T*>(from),
                      bytes / static_cast<std::int64_t>(sizeof(T)), reinterpret_cast<T*>(to));
    });
}

}  // namespace matgrad::detail::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace matgrad::detail {
HWY_EXPORT(transpose_all);
HWY_EXPORT(stream_all);

void transpose_copy(const View& from, const View& to) {
    HWY_DYNAMIC_DISPATCH(transpose_all)(from, to);
}
void stream_copy(const std::byte* from, std::int64_t bytes, ScalarType type, std::byte* to) {
    HWY_DYNAMIC_DISPATCH(stream_all)(from, bytes, type, to);
}
}  // namespace matgrad::detail
#endif
