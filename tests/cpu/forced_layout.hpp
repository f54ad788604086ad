#pragma once
/// \file Tests decide the layout.

#include "cpu/layout_choice.hpp"

namespace matgrad::test {

/// Runs in this layout while it lives.
class ForcedLayout {
public:
    explicit ForcedLayout(detail::Layout layout) { detail::force_layout(layout); }
    ~ForcedLayout() { detail::force_layout({}); }
    ForcedLayout(const ForcedLayout&) = delete;
    ForcedLayout& operator=(const ForcedLayout&) = delete;
};

inline constexpr detail::Layout kLayouts[] = {detail::Layout::compact, detail::Layout::plain};

}  // namespace matgrad::test
