#include "bench/suite.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "bench/suite_fields.hpp"

namespace matgrad::bench {
namespace {

namespace fs = std::filesystem;

Json parse_json(std::string_view text, const std::string& source) {
    try {
        return Json::parse(text);
    } catch (const Json::parse_error& error) {
        const std::string_view before = text.substr(0, std::min(error.byte, text.size()));
        throw CallerError(fmt::format("suite {}: line {}: this is not JSON", source,
                                      1 + std::count(before.begin(), before.end(), '\n')));
    }
}

std::string read_file(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    if (!file || fs::is_directory(path)) {
        throw FileError(fmt::format("suite {}: the file cannot be read", path.string()));
    }
    return text.str();
}

}  // namespace

Suite parse_suite(std::string_view text, const std::string& source) {
    const Json json = parse_json(text, source);
    const std::string where = "suite " + source;
    if (!json.is_object() || !json.contains("cases") || !json["cases"].is_array()) {
        throw CallerError(where + ": expected an object with a list of cases");
    }
    check_keys(json, {"name", "about", "seconds", "cases"}, where);
    Suite suite;
    suite.name = text_field(json, "name", where);
    suite.about = json.contains("about") ? text_field(json, "about", where) : "";
    const Json seconds = json.value("seconds", Json(suite.seconds));
    if (!seconds.is_number() || !(seconds.get<double>() > 0)) {
        throw CallerError(
            fmt::format("{}: seconds: found {}, expected a number above 0", where, seconds.dump()));
    }
    suite.seconds = seconds.get<double>();
    std::set<std::string> names;
    std::size_t number = 0;
    for (const Json& fields : json["cases"]) {
        const std::string case_where = fmt::format("{}: case {}", where, ++number);
        if (!fields.is_object()) {
            throw CallerError(case_where + ": expected an object");
        }
        for (const Json& one : combinations(fields, case_where)) {
            suite.cases.push_back(case_of_fields(one, case_where));
            const std::string& name = suite.cases.back().name;
            if (!names.insert(name).second) {
                throw CallerError(fmt::format("{}: two rows are named {}", case_where, name));
            }
        }
    }
    return suite;
}

Suite load_suite(const std::string& name_or_path) {
    const bool is_path = name_or_path.find('/') != std::string::npos ||
                         fs::path(name_or_path).extension() == ".json";
    if (is_path) {
        return parse_suite(read_file(name_or_path), name_or_path);
    }
    std::string names;
    for (const EmbeddedSuite& suite : embedded_suites()) {
        if (suite.name == name_or_path) {
            return parse_suite(suite.text, name_or_path);
        }
        names += fmt::format("{}{}", names.empty() ? "" : ", ", suite.name);
    }
    throw FileError(fmt::format("suite {}: unknown, expected the path of a file or one of {}",
                                name_or_path, names));
}

}  // namespace matgrad::bench
