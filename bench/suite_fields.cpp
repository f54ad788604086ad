#include "bench/suite_fields.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <sstream>

#include "matgrad/catalogue.hpp"

namespace matgrad::bench {
namespace {

constexpr std::int64_t kMaxSize = std::int64_t{1} << 20;
constexpr std::int64_t kMaxBatch = std::int64_t{1} << 40;

[[noreturn]] void fail(const std::string& where, const std::string& message) {
    throw CallerError(fmt::format("{}: {}", where, message));
}

/// Compact and short enough for a line.
std::string shown(const Json& value) {
    constexpr std::size_t kLongest = 40;
    const std::string text = value.dump();
    return text.size() <= kLongest ? text : text.substr(0, kLongest) + "...";
}

std::int64_t integer(const Json& value, std::int64_t least, std::int64_t most, const char* key,
                     const std::string& where) {
    const bool fits = value.is_number_integer() &&
                      value.get<double>() >= static_cast<double>(least) &&
                      value.get<double>() <= static_cast<double>(most);
    if (!fits) {
        fail(where, fmt::format("{}: found {}, expected a whole number from {} to {}", key,
                                shown(value), least, most));
    }
    return value.get<std::int64_t>();
}

std::vector<std::string> texts(const Json& value, const char* key, const std::string& where) {
    std::vector<std::string> result;
    if (value.is_array()) {
        for (const Json& item : value) {
            if (item.is_string()) {
                result.push_back(item.get<std::string>());
            }
        }
    }
    if (!value.is_array() || result.size() != value.size()) {
        fail(where, fmt::format("{}: found {}, expected a list of texts", key, shown(value)));
    }
    return result;
}

template <typename T>
T choice(const Json& value, std::initializer_list<T> choices, const char* key,
         const std::string& where) {
    std::string known;
    for (const T choice : choices) {
        if (value == to_text(choice)) {
            return choice;
        }
        known += (known.empty() ? "" : ", ") + std::string(to_text(choice));
    }
    fail(where, fmt::format("{}: found {}, expected one of {}", key, shown(value), known));
}

/// Text, variable and declarations of f: those of the fields, else of the catalogue.
void read_function(const Json& fields, const std::string& where, Case& c) {
    std::vector<std::string> declare;
    c.function = text_field(fields, "function", where);
    if (fields.contains("f")) {
        c.f = text_field(fields, "f", where);
        if (!fields.contains("wrt")) {
            fail(where, "wrt is missing: expected the variable of f, such as [\"X\"]");
        }
    } else {
        const CatalogueEntry* entry = find_in_catalogue(c.function);
        if (entry == nullptr) {
            fail(where,
                 fmt::format("unknown function '{}': expected a name of `matgrad list`, or f",
                             c.function));
        }
        c.f = entry->text;
        c.wrt = entry->wrt;
        std::istringstream words{std::string(entry->declarations)};
        for (std::string word; words >> word;) {
            declare.push_back(word);
        }
    }
    if (fields.contains("wrt")) {
        const std::vector<std::string> names = texts(fields["wrt"], "wrt", where);
        if (names.size() != 1) {
            fail(where, fmt::format("wrt: found {} variables, expected one", names.size()));
        }
        c.wrt = names[0];
    }
    if (fields.contains("declare")) {
        declare = texts(fields["declare"], "declare", where);
    }
    std::vector<Declaration> declarations;
    try {
        for (const std::string& text : declare) {
            declarations.push_back(parse_declaration(text));
        }
        const Expr f = parse(c.f, declarations);
        if (!f.shape().is_scalar()) {
            fail(where, fmt::format("{} is {}: expected a scalar function", c.f, f.shape().text()));
        }
        c.declare = symbols(f);
    } catch (const ParseError& error) {
        fail(where, fmt::format("{} (at byte {})", error.what(), error.position()));
    } catch (const ShapeError& error) {
        fail(where, error.what());
    } catch (const NameError& error) {
        fail(where, error.what());
    }
}

void check_symbol(const Case& c, const std::string& name, const char* key,
                  const std::string& where) {
    std::vector<std::string> names;
    for (const Declaration& d : c.declare) {
        names.push_back(d.name);
    }
    if (std::count(names.begin(), names.end(), name) == 0) {
        fail(where, fmt::format("{}: {} is not in {}, which has {}", key, name, c.f,
                                fmt::join(names, ", ")));
    }
}

std::vector<std::string> dimension_names(const Case& c) {
    std::vector<std::string> names;
    for (const Declaration& d : c.declare) {
        for (const Dim& dim : {d.shape.rows, d.shape.cols}) {
            if (!dim.name.empty() && std::count(names.begin(), names.end(), dim.name) == 0) {
                names.push_back(dim.name);
            }
        }
    }
    return names;
}

void read_sizes(const Json& fields, const std::string& where, Case& c) {
    const std::vector<std::string> names = dimension_names(c);
    const Json sizes = fields.value("sizes", Json::object());
    if (!sizes.is_object()) {
        fail(where, fmt::format("sizes: found {}, expected sizes by name, such as {{\"m\": 64}}",
                                shown(sizes)));
    }
    for (const auto& [name, size] : sizes.items()) {
        if (std::count(names.begin(), names.end(), name) == 0) {
            fail(where, fmt::format("sizes: no dimension is named {}, expected {}", name,
                                    fmt::join(names, ", ")));
        }
        c.sizes.emplace_back(name, integer(size, 1, kMaxSize, name.c_str(), where + ": sizes"));
    }
    for (const std::string& name : names) {
        if (!sizes.contains(name)) {
            fail(where,
                 fmt::format("sizes: {} is missing, expected {}", name, fmt::join(names, ", ")));
        }
    }
}

void read_batch(const Json& fields, const std::string& where, Case& c) {
    if (fields.contains("batched")) {
        c.batched = texts(fields["batched"], "batched", where);
        for (const std::string& name : c.batched) {
            check_symbol(c, name, "batched", where);
        }
    } else {
        for (const Declaration& d : c.declare) {
            c.batched.push_back(d.name);
        }
    }
    const Json batch = fields.value("batch", Json(1));
    if (!batch.is_object()) {
        c.batch = integer(batch, 1, kMaxBatch, "batch", where);
        return;
    }
    check_keys(batch, {"bytes"}, where + ": batch");
    const Json bytes = batch.value("bytes", Json());
    if (!bytes.is_number() || !(bytes.get<double>() > 0) || bytes.get<double>() > 1e15) {
        fail(where,
             fmt::format("batch: bytes: found {}, expected a number of bytes", shown(bytes)));
    }
    const std::int64_t each = std::max<std::int64_t>(1, c.bytes_per_problem());
    c.batch = std::max<std::int64_t>(1, static_cast<std::int64_t>(bytes.get<double>()) / each);
}

std::string made_name(const Case& c) {
    std::string sizes;
    for (const auto& [name, size] : c.sizes) {
        sizes += fmt::format("{}{}", sizes.empty() ? "" : "x", size);
    }
    std::string name =
        fmt::format("{}/{}/{}/b{}/{}", c.function, sizes,
                    c.type == ScalarType::float32 ? "f32" : "f64", c.batch, to_text(c.outputs));
    name += c.accuracy == Accuracy::fast ? "/fast" : "";
    name += c.reduction == Reduction::sum ? "/sum" : "";
    for (const Declaration& d : c.declare) {
        if (std::count(c.batched.begin(), c.batched.end(), d.name) == 0) {
            name += "/shared-" + d.name;
        }
    }
    return name + (c.threads > 0 ? fmt::format("/t{}", c.threads) : "");
}

}  // namespace

void check_keys(const Json& object, std::initializer_list<const char*> known,
                const std::string& where) {
    for (const auto& [key, value] : object.items()) {
        if (std::count(known.begin(), known.end(), key) == 0) {
            fail(where, fmt::format("unknown key '{}', expected {}", key,
                                    fmt::join(known.begin(), known.end(), ", ")));
        }
    }
}

std::string text_field(const Json& object, const char* key, const std::string& where) {
    const Json value = object.value(key, Json());
    if (!value.is_string() || value.get<std::string>().empty()) {
        fail(where, fmt::format("{}: found {}, expected a text", key,
                                value.is_null() ? "nothing" : shown(value)));
    }
    return value.get<std::string>();
}

Case case_of_fields(const Json& fields, const std::string& where) {
    check_keys(fields,
               {"name", "function", "f", "wrt", "declare", "sizes", "batched", "batch", "type",
                "accuracy", "outputs", "reduce", "threads"},
               where);
    Case c;
    read_function(fields, where, c);
    check_symbol(c, c.wrt, "wrt", where);
    read_sizes(fields, where, c);
    c.type = choice(fields.value("type", Json("float64")),
                    {ScalarType::float32, ScalarType::float64}, "type", where);
    c.accuracy = choice(fields.value("accuracy", Json("robust")),
                        {Accuracy::robust, Accuracy::fast}, "accuracy", where);
    c.outputs = choice(fields.value("outputs", Json("both")),
                       {Outputs::value, Outputs::gradient, Outputs::both}, "outputs", where);
    if (fields.contains("threads")) {
        c.threads = static_cast<int>(integer(fields["threads"], 1, 4096, "threads", where));
    }
    c.reduction = choice(fields.value("reduce", Json("none")), {Reduction::none, Reduction::sum},
                         "reduce", where);
    read_batch(fields, where, c);
    if (c.reduction != Reduction::none &&
        std::count(c.batched.begin(), c.batched.end(), c.wrt) != 0) {
        fail(where, fmt::format("reduce: {} is batched, expected a shared variable", c.wrt));
    }
    c.name = fields.contains("name") ? text_field(fields, "name", where) : made_name(c);
    return c;
}

std::vector<Json> combinations(const Json& fields, const std::string& where) {
    Json rest = fields;
    rest.erase("for");
    std::vector<Json> result{rest};
    if (!fields.contains("for")) {
        return result;
    }
    const Json& lists = fields["for"];
    if (!lists.is_object()) {
        fail(where, fmt::format("for: found {}, expected lists by field", shown(lists)));
    }
    for (const auto& [key, values] : lists.items()) {
        if (!values.is_array() || values.empty()) {
            fail(where, fmt::format("for: {}: found {}, expected a list", key, shown(values)));
        }
        std::vector<Json> next;
        for (const Json& one : result) {
            for (const Json& value : values) {
                next.push_back(one);
                next.back()[key] = value;
            }
        }
        result = std::move(next);
    }
    return result;
}

Json to_json(const Case& c) {
    Json declare = Json::array();
    for (const Declaration& d : c.declare) {
        declare.push_back(matgrad::to_text(d));
    }
    Json sizes = Json::object();
    for (const auto& [name, size] : c.sizes) {
        sizes[name] = size;
    }
    Json result{{"name", c.name},
                {"function", c.function},
                {"f", c.f},
                {"wrt", {c.wrt}},
                {"declare", declare},
                {"sizes", sizes},
                {"batched", c.batched},
                {"batch", c.batch},
                {"type", to_text(c.type)},
                {"accuracy", to_text(c.accuracy)},
                {"outputs", to_text(c.outputs)}};
    if (c.reduction != Reduction::none) {
        result["reduce"] = to_text(c.reduction);
    }
    if (c.threads > 0) {
        result["threads"] = c.threads;
    }
    return result;
}

}  // namespace matgrad::bench
