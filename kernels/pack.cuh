#pragma once
/// \file Neighbouring entries that are read and written at once.

#include "device.cuh"

namespace matgrad::block {

/// The bytes that one access of a thread moves at most.
inline constexpr int kPackBytes = 16;

template <int kCount, typename T>
MATGRAD_DEVICE Pack<T, kCount> load_pack(const T* from) {
    static_assert(sizeof(Pack<T, kCount>) <= kPackBytes);
    return load(reinterpret_cast<const Pack<T, kCount>*>(from));
}

template <typename T, int kCount>
MATGRAD_DEVICE void store_pack(T* to, const Pack<T, kCount>& pack) {
    static_assert(sizeof(Pack<T, kCount>) <= kPackBytes);
    store(reinterpret_cast<Pack<T, kCount>*>(to), pack);
}

}  // namespace matgrad::block
