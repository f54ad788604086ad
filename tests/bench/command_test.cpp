// `matgrad bench` as a user runs it.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "bench/suite_fields.hpp"
#include "cli/command_runner.hpp"
#include "io/files.hpp"

namespace matgrad::bench {
namespace {

using cli_test::run;
using cli_test::RunOptions;
using cli_test::RunResult;
using ::testing::HasSubstr;
using ::testing::Not;

class BenchCommand : public ::testing::Test {
protected:
    BenchCommand() {
        options_.folder = folder_.path("");
        write("mine.json", R"({"name": "mine", "cases": [
            {"function": "log_det_gram", "sizes": {"m": 6, "n": 3}, "batch": 5,
             "for": {"type": ["float32", "float64"]}},
            {"function": "log_det_gram", "sizes": {"m": 6, "n": 3}, "threads": 4096}]})");
    }
    ~BenchCommand() override { unsetenv("MATGRAD_CUDA_MODULE"); }
    void write(const std::string& name, const std::string& text) const {
        std::ofstream(options_.folder + "/" + name) << text;
    }
    [[nodiscard]] std::string read(const std::string& name) const {
        std::ostringstream text;
        text << std::ifstream(options_.folder + "/" + name).rdbuf();
        return text.str();
    }
    /// bench --suite mine.json --seconds 0.01 ...
    [[nodiscard]] RunResult run_mine(std::vector<std::string> more) const {
        std::vector<std::string> words{"bench", "--suite", "mine.json", "--seconds", "0.01"};
        words.insert(words.end(), more.begin(), more.end());
        return run(words, options_);
    }

    io_test::TemporaryFolder folder_;
    RunOptions options_;
};

TEST_F(BenchCommand, MeasuresASuiteOfTheUsersOwn) {
    const RunResult result = run_mine({"--device", "cpu", "--json", "r.json", "--csv", "r.csv"});
    EXPECT_EQ(result.status, 0) << result.err;
    EXPECT_EQ(result.err, "");
    EXPECT_THAT(result.out, HasSubstr("suite mine on "));
    EXPECT_THAT(result.out, HasSubstr("1 row left out: more threads than"));
    EXPECT_THAT(result.out, Not(HasSubstr("FAIL")));
    const Json json = Json::parse(read("r.json"));
    EXPECT_EQ(
        json["command"],
        "matgrad bench --suite mine.json --seconds 0.01 --device cpu --json r.json --csv r.csv");
    EXPECT_EQ(json["suite"], "mine");
    ASSERT_EQ(json["rows"].size(), 2);
    EXPECT_EQ(json["rows"][0]["ok"], true);
    EXPECT_THAT(read("r.csv"), HasSubstr("log_det_gram/6x3/f64/b5/both,log_det_gram,m=6 n=3,5,"));
}

TEST_F(BenchCommand, LeavesOutAndListsRowsForWhichNoTimeIsLeft) {
    const RunResult result =
        run_mine({"--device", "cpu", "--budget", "0.000001", "--json", "r.json"});
    EXPECT_EQ(result.status, 0) << result.err;
    EXPECT_THAT(result.out, HasSubstr("2 rows left out, no time left: log_det_gram/6x3/f32/b5/both "
                                      "(cpu), log_det_gram/6x3/f64/b5/both (cpu)\n"));
    const Json json = Json::parse(read("r.json"));
    EXPECT_TRUE(json["rows"].empty());
    EXPECT_EQ(json["left_out"].size(), 2);
    const RunResult enough = run_mine({"--device", "cpu", "--budget", "600", "--json", "r.json"});
    EXPECT_THAT(enough.out, Not(HasSubstr("no time left")));
    EXPECT_EQ(Json::parse(read("r.json"))["rows"].size(), 2);
}

TEST_F(BenchCommand, LeavesTheRowsSoFarWhenItIsKilled) {
    // It is seen at the first row: measuring the second takes a second.
    cli_test::Command command({"bench", "--suite", "mine.json", "--seconds", "1", "--device", "cpu",
                               "--json", "r.json", "--csv", "r.csv"},
                              options_);
    const auto rows = [&] {
        const std::string text = read("r.json");
        return text.empty() ? std::size_t{0} : Json::parse(text)["rows"].size();
    };
    // Each file is replaced whole, one after the other: the row is there when both have it.
    const std::string row = "log_det_gram/6x3/f32/b5/both,";
    const auto is_written = [&] {
        return rows() > 0 && read("r.csv").find(row) != std::string::npos;
    };
    const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (!is_written() && std::chrono::steady_clock::now() < limit) {
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    command.send_signal(SIGKILL);
    EXPECT_EQ(command.wait().status, 128 + SIGKILL);
    EXPECT_EQ(rows(), 1);
    EXPECT_THAT(read("r.csv"), HasSubstr(row));
}

TEST_F(BenchCommand, KnowsItsSuitesWhereverItIsMoved) {
    const std::string moved = options_.folder + "/moved";
    std::filesystem::copy_file(MATGRAD_COMMAND, moved);
    const std::string out = options_.folder + "/out";
    EXPECT_NE(std::system((moved + " bench --suite nonsense 2> " + out).c_str()), 0);
    EXPECT_THAT(read("out"),
                HasSubstr("one of cookbook, core, four, gpu, scaling, smoke, training"));
}

TEST_F(BenchCommand, RefusesOneFileForTwoResults) {
    const RunResult result = run_mine({"--json", "r", "--csv", "./r", "--device", "cpu"});
    EXPECT_EQ(result.status, 2);
    EXPECT_THAT(result.err, HasSubstr("./r: two results go to this file (also r)"));
    EXPECT_EQ(read("r"), "");
}

TEST_F(BenchCommand, KnowsTheSuitesInsideIt) {
    const RunResult result = run({"bench", "--suite", "smoke", "--filter", "logistic", "--seconds",
                                  "0.01", "--device", "cpu", "--threads", "1"},
                                 options_);
    EXPECT_EQ(result.status, 0) << result.err;
    EXPECT_THAT(result.out, HasSubstr("suite smoke on "));
    EXPECT_THAT(result.out, HasSubstr(", 1 thread\n"));
    EXPECT_THAT(result.out, HasSubstr("logistic"));
    const RunResult unknown = run({"bench", "--suite", "smokee"}, options_);
    EXPECT_EQ(unknown.status, 2);
    EXPECT_THAT(unknown.err,
                HasSubstr("one of cookbook, core, four, gpu, scaling, smoke, training"));
}

TEST_F(BenchCommand, FailsWhereAnExecutorGivesWrongResults) {
    setenv("MATGRAD_CUDA_MODULE", WRONG_RESULTS_MODULE, 1);
    const RunResult result = run_mine({"--device", "cuda", "--json", "r.json"});
    EXPECT_EQ(result.status, 1) << result.err;
    EXPECT_THAT(result.out, HasSubstr("FAIL  residual"));
    EXPECT_THAT(result.err, HasSubstr("8 of 8 rows failed"));
    const Json json = Json::parse(read("r.json"));
    for (const Json& row : json["rows"]) {
        EXPECT_EQ(row["ok"], false);
        EXPECT_TRUE(row["seconds"].is_null());
        EXPECT_GT(row["residual"].get<double>(), row["residual_bound"].get<double>());
    }
}

TEST_F(BenchCommand, WritesWhatPeersAreHeldTo) {
    const RunResult result = run_mine({"--differentials", "d.json"});
    EXPECT_EQ(result.status, 0) << result.err;
    EXPECT_EQ(result.out, "");
    const Json json = Json::parse(read("d.json"));
    EXPECT_EQ(json["cases"].size(), 3);
    EXPECT_EQ(json["cases"]["log_det_gram/6x3/f64/b5/both"]["problems"].size(), 3);
}

TEST_F(BenchCommand, RefusesWhatCannotBe) {
    write("bad.json", "{\"name\": 3}");
    const std::pair<std::vector<std::string>, const char*> rows[] = {
        {{"--suite", "bad.json"}, "suite bad.json: expected an object with a list of cases"},
        {{"--suite", "none.json"}, "suite none.json: the file cannot be read"},
        {{"--filter", "nothing has this"}, "no row of suite mine has that in its name"},
        {{"--json", "no/such/folder/r.json"}, "no/such/folder/r.json: cannot be written"},
        {{"--seconds", "0"}, "--seconds: found '0'"},
        {{"--budget", "-1"}, "--budget: found '-1'"},
        {{"--threads", "x"}, "--threads: found 'x'"},
        {{"--device", "cuda:all"}, "expected one device"},
        {{"--device", "tpu"}, "tpu"},
        {{"--nonsense"}, "--nonsense"},
    };
    for (const auto& [words, part] : rows) {
        std::vector<std::string> all{"bench"};
        all.insert(all.end(), words.begin(), words.end());
        if (words[0] != "--suite") {
            all.insert(all.end(), {"--suite", "mine.json"});
        }
        const RunResult result = run(all, options_);
        EXPECT_EQ(result.status, 2) << part;
        EXPECT_THAT(result.err, HasSubstr(part));
        EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 1) << result.err;
    }
}

}  // namespace
}  // namespace matgrad::bench
