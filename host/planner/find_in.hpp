#pragma once
/// \file What a map holds under a key, if anything.

namespace matgrad::detail {

/// Null where the key is not there.
template <typename Map>
[[nodiscard]] const typename Map::mapped_type* find_in(const Map& map,
                                                       const typename Map::key_type& key) {
    const auto found = map.find(key);
    return found == map.end() ? nullptr : &found->second;
}

}  // namespace matgrad::detail
