#include <fmt/format.h>

#include <algorithm>

#include "bench/row.hpp"
#include "bench/row_json.hpp"

namespace matgrad::bench {
namespace {

Json to_json(const Rates& rates) {
    Json json{{"copy_bytes_per_s", rates.copy_bytes_per_s},
              {"multiply_add_flops_per_s", rates.multiply_add_flops_per_s}};
    if (rates.read_bytes_per_s > 0) {  // of a processor
        json["read_bytes_per_s"] = rates.read_bytes_per_s;
        json["memcpy_bytes_per_s"] = rates.memcpy_bytes_per_s;
    }
    return json;
}

/// In quotes where it has to be.
std::string cell(const std::string& text) {
    if (text.find_first_of(",\"\n") == std::string::npos) {
        return text;
    }
    std::string quoted = "\"";
    for (const char c : text) {
        quoted += c == '"' ? "\"\"" : std::string(1, c);
    }
    return quoted + "\"";
}

/// Empty for what is null.
std::string cell(const Json& value) {
    return value.is_string() ? cell(value.get<std::string>())
           : value.is_null() || (value.is_number_float() && value.dump() == "null") ? ""
                                                                                    : value.dump();
}

std::string sizes_cell(const Case& c) {
    std::string text;
    for (const auto& [name, size] : c.sizes) {
        text += fmt::format("{}{}={}", text.empty() ? "" : " ", name, size);
    }
    return text;
}

}  // namespace

Json to_json(const Row& row) {
    return {{"case", to_json(row.c)},
            {"executor", row.executor},
            {"ok", row.ok},
            {"error", row.error.empty() ? Json() : Json(row.error)},
            {"seconds", row.timing.seconds},
            {"low", row.timing.low},
            {"high", row.timing.high},
            {"repeats", row.timing.repeats},
            {"copies", row.copies},
            {"enqueue_seconds", row.timing.enqueue_seconds},
            {"plan_seconds", row.plan_seconds},
            {"bytes", row.work.bytes()},
            {"bytes_read", row.work.bytes_read},
            {"operations", row.work.operations()},
            {"double_operations", row.work.double_operations},
            {"gb_per_s", row.gb_per_s()},
            {"gflop_per_s", row.gflop_per_s()},
            {"bound_seconds", row.bound_seconds},
            {"percent_of_bound", row.percent_of_bound()},
            {"residual", row.residual.residual},
            {"residual_bound", row.residual.bound}};
}

Json to_json(const Ceilings& ceilings) {
    return {{"float32", to_json(ceilings.float32)}, {"float64", to_json(ceilings.float64)}};
}

std::string to_json_text(const Report& report) {
    Json versions = Json::object();
    for (const auto& [name, number] : report.versions) {
        versions[name] = number;
    }
    Json rows = Json::array();
    for (const Row& row : report.rows) {
        rows.push_back(to_json(row));
    }
    const Json json{{"tool", report.tool},
                    {"device", report.device},
                    {"versions", versions},
                    {"commit", report.commit},
                    {"command", report.command},
                    {"date", report.date},
                    {"threads", report.threads},
                    {"suite", report.suite},
                    {"ceilings", to_json(report.ceilings)},
                    {"rows", rows},
                    {"left_out", report.left_out}};
    return json.dump(1) + "\n";
}

std::string to_csv(const std::vector<Row>& rows) {
    std::string head = "name,function,sizes,batch,type,accuracy,outputs,threads";
    std::string body;
    for (const Row& row : rows) {
        const Json fields = to_json(row);
        body += fmt::format("{},{},{},{},{},{},{},{}", cell(row.c.name), cell(row.c.function),
                            cell(sizes_cell(row.c)), row.c.batch, to_text(row.c.type),
                            to_text(row.c.accuracy), to_text(row.c.outputs),
                            row.c.threads > 0 ? std::to_string(row.c.threads) : "");
        for (const auto& [key, value] : fields.items()) {
            if (key != "case") {
                body += "," + cell(value);
                head += &row == rows.data() ? "," + key : "";
            }
        }
        body += "\n";
    }
    return head + "\n" + body;
}

}  // namespace matgrad::bench
