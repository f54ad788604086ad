#include <fmt/format.h>

#include <algorithm>

#include "cli/command.hpp"
#include "matgrad/catalogue.hpp"

namespace matgrad {

int list_command() {
    std::size_t name_width = 0;
    std::size_t text_width = 0;
    for (const CatalogueEntry& entry : catalogue()) {
        name_width = std::max(name_width, entry.name.size() + 1);
        text_width = std::max(text_width, entry.text.size());
    }
    fmt::print("{:<{}}  {:<{}}  wrt  what it is (source)\n", "name", name_width, "function",
               text_width);
    for (const CatalogueEntry& entry : catalogue()) {
        fmt::print("{:<{}}  {:<{}}  {:<3}  {} ({})\n", fmt::format("@{}", entry.name), name_width,
                   entry.text, text_width, entry.wrt, entry.description, entry.source);
    }
    return kSuccess;
}

}  // namespace matgrad
