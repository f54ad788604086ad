#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "bench/row.hpp"
#include "bench/suite.hpp"
#include "bench/suite_fields.hpp"

namespace matgrad::bench {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

Report report_of_two_rows() {
    Report report;
    report.device = "a \"quoted\" device";
    report.versions = {{"matgrad", "0.1"}};
    report.commit = "abc";
    report.threads = 3;
    report.suite = "s";
    report.ceilings = {{1e10, 2e11, 8e9, 7e9}, {1e10, 1e11, 8e9, 7e9}};
    const Suite suite = parse_suite(
        R"({"name": "s", "cases": [{"function": "log_det_gram", "sizes": {"m": 8, "n": 4},
            "for": {"batch": [1, 20]}}]})",
        "s");
    Row good;
    good.c = suite.cases[0];
    good.executor = "cpu";
    good.ok = true;
    good.timing = {1.25e-3, 1e-3, 2e-3, 17, kNone};
    good.copies = 4;
    good.plan_seconds = 0.0125;
    good.work = {2e6, 0.5e6, 4e6, 1e6};
    good.bound_seconds = 2.5e-4;
    good.residual = {1e-16, 1e-12};
    Row bad;
    bad.c = suite.cases[1];
    bad.executor = "cuda library";
    bad.error = "residual 1, which is \"far\" too much";
    bad.residual = {1, 1e-12};
    report.rows = {good, bad};
    report.left_out = {"c/8x4 (cpu)"};
    return report;
}

/// Cells of a line of CSV.
std::vector<std::string> cells_of(const std::string& line) {
    std::vector<std::string> cells(1);
    bool quoted = false;
    for (std::size_t i = 0; i < line.size(); ++i) {
        if (line[i] == '"' && quoted && i + 1 < line.size() && line[i + 1] == '"') {
            cells.back() += line[++i];
        } else if (line[i] == '"') {
            quoted = !quoted;
        } else if (line[i] == ',' && !quoted) {
            cells.emplace_back();
        } else {
            cells.back() += line[i];
        }
    }
    return cells;
}

TEST(ResultsJson, ReadsBackAsWhatWasWritten) {
    const Report report = report_of_two_rows();
    const Json json = Json::parse(to_json_text(report));
    EXPECT_EQ(json["tool"], "matgrad");
    EXPECT_EQ(json["device"], report.device);
    EXPECT_EQ(json["versions"]["matgrad"], "0.1");
    EXPECT_EQ(json["threads"], 3);
    EXPECT_EQ(json["ceilings"]["float32"]["multiply_add_flops_per_s"], 2e11);
    EXPECT_EQ(json["ceilings"]["float64"]["copy_bytes_per_s"], 1e10);
    EXPECT_EQ(json["ceilings"]["float64"]["read_bytes_per_s"], 8e9);
    EXPECT_EQ(json["ceilings"]["float64"]["memcpy_bytes_per_s"], 7e9);
    ASSERT_EQ(json["rows"].size(), 2);
    const Json& good = json["rows"][0];
    EXPECT_EQ(good["case"], to_json(report.rows[0].c));
    EXPECT_EQ(good["ok"], true);
    EXPECT_TRUE(good["error"].is_null());
    EXPECT_EQ(good["seconds"], 1.25e-3);
    EXPECT_EQ(good["low"], 1e-3);
    EXPECT_EQ(good["high"], 2e-3);
    EXPECT_EQ(good["repeats"], 17);
    EXPECT_TRUE(good["enqueue_seconds"].is_null());
    EXPECT_EQ(good["plan_seconds"], 0.0125);
    EXPECT_EQ(json["left_out"], Json({"c/8x4 (cpu)"}));
    EXPECT_EQ(good["bytes"], 2.5e6);
    EXPECT_EQ(good["bytes_read"], 2e6);
    EXPECT_EQ(good["operations"], 5e6);
    EXPECT_EQ(good["double_operations"], 1e6);
    EXPECT_DOUBLE_EQ(good["gb_per_s"].get<double>(), 2);
    EXPECT_DOUBLE_EQ(good["gflop_per_s"].get<double>(), 4);
    EXPECT_DOUBLE_EQ(good["percent_of_bound"].get<double>(), 20);
    EXPECT_EQ(good["residual_bound"], 1e-12);
    const Json& bad = json["rows"][1];
    EXPECT_EQ(bad["ok"], false);
    EXPECT_EQ(bad["error"], report.rows[1].error);
    EXPECT_TRUE(bad["seconds"].is_null());
    EXPECT_TRUE(bad["plan_seconds"].is_null());
    EXPECT_EQ(bad["residual"], 1);
}

TEST(ResultsCsv, HasTheNumbersOfTheJson) {
    const Report report = report_of_two_rows();
    const Json json = Json::parse(to_json_text(report));
    std::istringstream text(to_csv(report.rows));
    std::string line;
    std::getline(text, line);
    const std::vector<std::string> head = cells_of(line);
    for (const Json& row : json["rows"]) {
        ASSERT_TRUE(std::getline(text, line));
        const std::vector<std::string> cells = cells_of(line);
        ASSERT_EQ(cells.size(), head.size());
        for (std::size_t i = 0; i < head.size(); ++i) {
            if (head[i] == "sizes" || head[i] == "threads") {
                continue;
            }
            const Json& value = row.contains(head[i]) ? row[head[i]] : row["case"][head[i]];
            if (value.is_null()) {
                EXPECT_EQ(cells[i], "") << head[i];
            } else if (value.is_number()) {
                EXPECT_EQ(std::stod(cells[i]), value.get<double>()) << head[i];
            } else {
                EXPECT_EQ(cells[i], value.is_string() ? value.get<std::string>() : value.dump());
            }
        }
    }
    EXPECT_FALSE(std::getline(text, line));
}

TEST(ResultsTable, ShowsFailInPlaceOfATime) {
    const Report report = report_of_two_rows();
    EXPECT_THAT(table_head(report), HasSubstr("copy 10.0 GB/s, read 8.0 GB/s, memcpy 7.0 GB/s, "
                                              "multiply-add float32 200 GFLOP/s, float64 100"));
    EXPECT_THAT(table_head(Report{}), Not(HasSubstr(", read ")));  // on a GPU
    const std::string good = table_line(report.rows[0]);
    EXPECT_THAT(good, HasSubstr("1.25 ms"));
    EXPECT_THAT(good, HasSubstr("80.0%! "));  // (2 - 1) ms of 1.25 ms, which is much
    EXPECT_THAT(good, HasSubstr("1.0e-16 of 1.0e-12"));
    EXPECT_THAT(good, HasSubstr("20.0%"));
    EXPECT_THAT(good, HasSubstr(" 12.5 "));  // ms of the plan
    EXPECT_THAT(good, Not(HasSubstr("nan")));
    Row steady = report.rows[0];
    steady.timing.low = steady.timing.high = steady.timing.seconds;
    EXPECT_THAT(table_line(steady), HasSubstr(" 0.0%  "));
    Row on_a_gpu = report.rows[0];
    on_a_gpu.timing.enqueue_seconds = 3.5e-6;
    EXPECT_THAT(table_line(on_a_gpu), HasSubstr(" 3.5 us "));
    EXPECT_EQ(table_line(on_a_gpu).size(), good.size());
    const std::string bad = table_line(report.rows[1]);
    EXPECT_THAT(bad, HasSubstr("FAIL  residual 1, which"));
}

}  // namespace
}  // namespace matgrad::bench
