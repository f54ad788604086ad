// A contender in another process: prepared, measured and released by requests, a line each.

#include "bench/serving.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "bench/answers_json.hpp"
#include "bench/suite.hpp"

namespace matgrad::bench {
namespace {

using ::testing::HasSubstr;

constexpr const char* kSuite = R"({"name": "s", "cases": [
    {"function": "least_squares", "sizes": {"m": 3, "n": 2}, "batch": 2, "name": "a"},
    {"function": "least_squares", "sizes": {"m": 3, "n": 2}, "batch": 2, "name": "few threads",
     "threads": 4096}]})";

class Serving : public ::testing::Test {
protected:
    /// The answers to some requests.
    std::vector<Json> answers(const std::vector<std::string>& requests) {
        std::string text;
        for (const std::string& request : requests) {
            text += request + "\n";
        }
        std::istringstream in(text);
        std::ostringstream out;
        Contender contender = matgrad_on_cpu();
        contender.most_copies = 2;
        const auto runner = make_cpu_runner(contender, 1);
        serve(in, out, about_, suite_, *runner);
        std::vector<Json> all;
        std::istringstream lines(out.str());
        for (std::string line; std::getline(lines, line);) {
            all.push_back(Json::parse(line));
        }
        EXPECT_EQ(all.size(), requests.size());
        return all;
    }

    const Suite suite_ = parse_suite(kSuite, "s");
    Report about_;
};

constexpr const char* kPrepare = R"({"do": "prepare", "case": "a"})";
constexpr const char* kMeasure = R"({"do": "measure", "executor": "cpu", "seconds": 0.002})";

TEST_F(Serving, ARowIsMeasuredAsOftenAsItIsAskedFor) {
    const auto all = answers({kPrepare, kMeasure, kMeasure});
    ASSERT_EQ(all[0]["rows"].size(), 1);
    const Json& row = all[0]["rows"][0];
    EXPECT_EQ(row["executor"], "cpu");
    EXPECT_EQ(row["ok"], true);
    EXPECT_TRUE(row["seconds"].is_null());
    EXPECT_GT(row["bound_seconds"], 0);
    EXPECT_EQ(row["copies"], 2);
    EXPECT_EQ(all[0]["problems"].size(), 2);
    for (const Json& time : {all[1], all[2]}) {
        EXPECT_GT(time["seconds"], 0);
        EXPECT_LE(time["low"], time["seconds"]);
        EXPECT_GE(time["high"], time["seconds"]);
    }
}

TEST_F(Serving, AnswersOfOthersAreWhatARowIsHeldTo) {
    const Json problems = answers({kPrepare})[0]["problems"];
    const auto prepared_by = [&](const Json& known) {
        const Json request{{"do", "prepare"}, {"case", "a"}, {"problems", known}};
        return answers({request.dump(), kMeasure});
    };
    EXPECT_EQ(prepared_by(problems)[0]["rows"][0]["ok"], true);
    EXPECT_EQ(prepared_by(problems)[0]["problems"], problems);
    Json other = problems;
    other[1]["f"] = other[1]["f"].get<double>() + 1;
    const auto refused = prepared_by(other);
    EXPECT_EQ(refused[0]["rows"][0]["ok"], false);
    EXPECT_THAT(refused[0]["rows"][0]["error"], HasSubstr("exceeds its bound"));
    EXPECT_EQ(refused[1]["error"], "cpu is not ready");
    EXPECT_THAT(prepared_by(Json::parse(R"([{"problem": 0}])"))[0]["error"],
                HasSubstr("answers: "));
}

TEST_F(Serving, WhatIsNotFiniteIsNullAndComesBackAsNotANumber) {
    std::vector<Answer> known(1);
    known[0].expected = {kNone, 1, 2, 3};
    const Json list = to_json(known);
    EXPECT_TRUE(Json::parse(list.dump())[0]["f"].is_null());
    const auto back = answers_of_json(suite_.cases[0], Json::parse(list.dump()));
    EXPECT_TRUE(std::isnan(back.at(0).expected.f));
    EXPECT_EQ(back.at(0).expected.df_bound, 3);
    EXPECT_EQ(back.at(0).direction.rows(), 2);
}

TEST_F(Serving, AfterAReleaseNothingIsReady) {
    const auto all = answers({kPrepare, R"({"do": "release"})", kMeasure});
    EXPECT_EQ(all[1], Json::object());
    EXPECT_EQ(all[2]["error"], "cpu is not ready");
}

TEST_F(Serving, SaysWhatItIsAndGoesOnAfterAMistake) {
    about_.tool = "matgrad";
    about_.commit = "abc";
    const auto all = answers({"no JSON", R"({"do": "dance"})", R"({"do": "prepare", "case": "z"})",
                              R"({"do": "about"})"});
    EXPECT_THAT(all[0]["error"], HasSubstr("parse error"));
    EXPECT_THAT(all[1]["error"], HasSubstr("found dance, expected about, ceilings"));
    EXPECT_EQ(all[2]["error"], "suite s has no row z");
    EXPECT_EQ(all[3]["commit"], "abc");
    EXPECT_EQ(all[3]["rows"].size(), 0);
    EXPECT_EQ(all[3]["cases"], Json({"a", "few threads"}));
}

TEST_F(Serving, ARowOfMoreThreadsThanThereAreIsNotOffered) {
    const auto all = answers({R"({"do": "prepare", "case": "few threads"})"});
    EXPECT_EQ(all[0]["rows"].size(), 0);
}

TEST_F(Serving, CeilingsAreMeasuredWhenTheyAreAskedFor) {
    const auto all = answers({R"({"do": "ceilings"})", R"({"do": "ceilings"})"});
    for (const Json& ceilings : all) {
        EXPECT_GT(ceilings["float32"]["read_bytes_per_s"], 1e6);
    }
    EXPECT_NE(all[0], all[1]);  // two measurements, not one that was kept
}

}  // namespace
}  // namespace matgrad::bench
