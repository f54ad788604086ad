/// The probe as a program, on the simulated GPU: its file is complete whatever happens to a part.

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <thread>

namespace matgrad::probe {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

/// A run of the program that has ended.
struct Ended {
    int status = -1;
    std::string out, err;
};

class GpuProbe : public ::testing::Test {
protected:
    GpuProbe() {
        const std::string test = ::testing::UnitTest::GetInstance()->current_test_info()->name();
        stem_ = ::testing::TempDir() + "gpu_probe." + test + "." + std::to_string(getpid());
    }
    ~GpuProbe() override {
        for (const char* end : {".json", ".out", ".err", ".json.part"}) {
            (void)std::remove((stem_ + end).c_str());
        }
    }
    [[nodiscard]] std::string path(const char* end) const { return stem_ + end; }

    [[nodiscard]] Ended run(const std::string& arguments, const std::string& before = "") const {
        const std::string command = before + " '" + MATGRAD_SIMULATED_PROBE + "' " + arguments +
                                    " >'" + path(".out") + "' 2>'" + path(".err") + "'";
        const int code = std::system(command.c_str());
        return {WIFEXITED(code) ? WEXITSTATUS(code) : -1, text_of(".out"), text_of(".err")};
    }
    [[nodiscard]] Ended run_small(const std::string& arguments) const {
        return run("--small --json '" + path(".json") + "' " + arguments);
    }
    [[nodiscard]] json report() const { return json::parse(text_of(".json")); }

    [[nodiscard]] std::string text_of(const char* end) const {
        std::ifstream file(path(end));
        return {std::istreambuf_iterator<char>(file), {}};
    }

private:
    std::string stem_;
};

std::map<std::string, json> by_name(const json& list) {
    std::map<std::string, json> all;
    for (const json& entry : list) {
        all[entry.at("name")] = entry;
    }
    return all;
}

std::map<std::string, json> all_facts(const json& report) {
    std::map<std::string, json> all;
    for (const json& part : report.at("parts")) {
        all.merge(by_name(part.at("facts")));
    }
    return all;
}

/// A line for each question of the audit, printed before the last line.
void expect_summary(const json& report, const std::string& out) {
    const std::vector<std::string> lines = report.at("summary");
    ASSERT_EQ(lines.size(), 8u) << report.at("summary");
    std::string printed;
    for (const std::string& line : lines) {
        EXPECT_LE(line.size(), 100u) << line;
        printed += line + "\n";
    }
    EXPECT_THAT(out, HasSubstr(printed + "gpu_probe: "));
    EXPECT_THAT(lines[0], ::testing::StartsWith("R1 one_handle: same bits in "));
    EXPECT_THAT(lines[0], HasSubstr("; serial/at once "));
    EXPECT_THAT(lines[1], ::testing::StartsWith("R2 MiB: cuBLAS "));
    EXPECT_THAT(lines[1], HasSubstr("; R9 host bytes "));
    EXPECT_THAT(lines[2], HasSubstr(", NOT xgetrf xgetrs xpotrf; cold "));
    EXPECT_THAT(lines[2], ::testing::EndsWith("; replays equal"));
    EXPECT_THAT(lines[3], ::testing::StartsWith("R5 later wait: none; later allocate: none; "));
    EXPECT_EQ(lines[4], "R7 misaligned works; R8 batches right to 103; lengths right to 1001");
    EXPECT_THAT(lines[5], HasSubstr("batch 1/4/16: f32 "));
    EXPECT_THAT(lines[6], HasSubstr("; P7 inverse/trsm "));
    EXPECT_THAT(lines[7], ::testing::StartsWith("P8 MiB f32.16x4 "));
}

TEST_F(GpuProbe, HasEveryFactOfEveryListedPart) {
    const Ended list = run("--list");
    ASSERT_EQ(list.status, 0) << list.err;
    std::istringstream lines(list.out);
    const Ended ended = run_small("");
    EXPECT_EQ(ended.status, 0) << ended.err << ended.out;
    const json report = this->report();
    EXPECT_EQ(report.at("simulated"), true);
    std::map<std::string, json> parts = by_name(report.at("parts"));
    std::string group;
    std::string name;
    while (lines >> group >> name) {
        ASSERT_EQ(parts.count(name), 1u) << name;
        EXPECT_EQ(parts[name].at("group"), group);
        EXPECT_EQ(parts[name].at("state"), "done") << parts[name];
        EXPECT_GE(parts[name].at("facts").size(), 1u) << name;
        parts.erase(name);
    }
    EXPECT_TRUE(parts.empty());

    // What the simulated GPU is known to do.
    const std::map<std::string, json> facts = all_facts(report);
    const auto value = [&](const std::string& fact, const char* key) {
        return facts.at(fact).at("values").at(key);
    };
    EXPECT_EQ(value("xpotrf.f32.capture.global", "captured"), false);
    EXPECT_EQ(value("cold_capture.thread_local.xgetrf.f64", "captured"), false);
    EXPECT_EQ(value("potrf_batched.f64.33.capture.thread_local", "same_bits_as_plain"), true);
    EXPECT_EQ(value("cold_capture.global.thrust", "same_bits_on_other_stream"), true);
    EXPECT_EQ(value("first_call.gemm.f32.nt.asynchronous", "first"), true);
    EXPECT_EQ(value("streams.potrf_batched.f32.one_handle", "differing"), 0);
    for (const char* spoiler : {"nan", "minus_one", "inf", "zero"}) {
        const std::string bad = std::string(spoiler) + "_first_bad";
        EXPECT_EQ(value("failed.potrf_batched.f32.40", bad.c_str()),
                  value("failed.potrf_batched.f32.40", "spoiled_column"));
    }
    EXPECT_EQ(value("failed.potrf_batched.f64.8", "minus_one_info"), 5);
    EXPECT_EQ(value("failed.getrf_batched.f64.8", "neighbours_keep_bits"), true);
    EXPECT_EQ(value("nan_sides.trsm.f64", "zero"), true);
    EXPECT_EQ(value("batch_limit.getrs_batched.f32.4", "103"), "right");
    EXPECT_EQ(value("length_limit.trsm_batched.rows.16", "1001"), "right");
    EXPECT_EQ(value("alignment.tf32.4", "works"), true);
    EXPECT_GT(value("ceilings.gemm.f64", "flop_per_second"), 0.0);
    EXPECT_GT(value("buffers.xpotrf.upper.f32", "host_512"), 0);
    EXPECT_EQ(facts.at("cold_capture.global.xpotrf.f32").at("verdict"), "surprising");
    EXPECT_EQ(facts.at("xpotrf.f32.capture.thread_local").at("verdict"), "surprising");
    EXPECT_EQ(facts.at("potrf_batched.f64.33.capture.global").at("verdict"), "ok");
    expect_summary(report, ended.out);
    // Every fact is a line as well.
    for (const auto& [fact, entry] : facts) {
        EXPECT_THAT(ended.out, HasSubstr(fact + ": " + entry.at("answer").get<std::string>()));
    }
}

TEST_F(GpuProbe, LosesOnlyThePartThatCrashesHangsOrPrintsGarbage) {
    const Ended ended = run_small(
        "--part device --part buffers --part handles --part failed --part times --part-seconds 2 "
        "--break device=crash --break handles=hang --break times=garbage");
    EXPECT_EQ(ended.status, 1);
    const std::map<std::string, json> parts = by_name(report().at("parts"));
    const auto expect_failed = [&](const char* part, const char* why) {
        EXPECT_EQ(parts.at(part).at("state"), "failed");
        EXPECT_THAT(parts.at(part).at("why").get<std::string>(), HasSubstr(why));
        // What it had found before is kept.
        EXPECT_EQ(parts.at(part).at("facts").at(0).at("name"), "broken");
        EXPECT_THAT(ended.out, HasSubstr(std::string(part) + ": failed: "));
    };
    expect_failed("device", "Aborted");
    expect_failed("handles", "out of time");
    expect_failed("times", "printed what is no fact: {\"name\": \"half a fact");
    for (const char* part : {"buffers", "failed"}) {
        EXPECT_EQ(parts.at(part).at("state"), "done") << parts.at(part);
    }
    EXPECT_EQ(parts.size(), 5u);
    EXPECT_THAT(ended.out, HasSubstr("5 parts: 2 done, 3 failed, 0 not run"));
}

TEST_F(GpuProbe, ListsWhatItHadNoTimeFor) {
    const Ended ended = run_small(
        "--part device --part handles --part buffers --seconds 3 --part-seconds 2.5 "
        "--break handles=hang");
    EXPECT_EQ(ended.status, 1);
    const std::map<std::string, json> parts = by_name(report().at("parts"));
    EXPECT_EQ(parts.at("device").at("state"), "done");
    EXPECT_EQ(parts.at("handles").at("why"), "out of time");
    EXPECT_EQ(parts.at("buffers").at("state"), "not run");
    EXPECT_EQ(parts.at("buffers").at("why"), "no time left");
    EXPECT_THAT(ended.out, HasSubstr("no time left for buffers"));
}

TEST_F(GpuProbe, TakesPartsThatHadNoTimeForNoFailure) {
    const Ended ended = run_small("--part device --part buffers --seconds 0.5");
    EXPECT_EQ(ended.status, 0) << ended.err;
    EXPECT_THAT(ended.out, HasSubstr("2 parts: 0 done, 0 failed, 2 not run"));
    // Nobody knows whether this one hangs: it had less than its own time.
    const Ended cut = run_small("--part handles --seconds 1.2 --break handles=hang");
    EXPECT_EQ(cut.status, 0) << cut.err;
    const json part = report().at("parts").at(0);
    EXPECT_EQ(part.at("state"), "not run");
    EXPECT_EQ(part.at("why"), "no time left: ended before it was done");
    EXPECT_EQ(part.at("facts").at(0).at("name"), "broken");
}

TEST_F(GpuProbe, EndsWithStatus1IfAFactIsWrong) {
    const Ended ended = run_small("--part device --break device=wrong");
    EXPECT_EQ(ended.status, 1);
    const json part = report().at("parts").at(0);
    EXPECT_EQ(part.at("state"), "done");
    EXPECT_EQ(part.at("facts").at(0).at("verdict"), "wrong");
    EXPECT_THAT(ended.out, HasSubstr("1 done, 0 failed, 0 not run; facts: 0 surprising, 1 wrong"));
}

TEST_F(GpuProbe, RunsOneProcessAtATimeWhereTheDeviceIsForOne) {
    const Ended ended = run("--small --part device --part buffers --part alignment",
                            "MATGRAD_SIMULATED_COMPUTE_MODE=3");
    EXPECT_EQ(ended.status, 0) << ended.err;
    EXPECT_THAT(ended.out, HasSubstr("one process at a time"));
}

TEST_F(GpuProbe, LeavesAWholeFileAndNoProcessWhenItIsKilled) {
    // Whoever runs holds the pipe's other end.
    int ends[2] = {-1, -1};
    ASSERT_EQ(pipe(ends), 0);
    const pid_t probe = fork();
    ASSERT_GE(probe, 0);
    if (probe == 0) {
        (void)close(ends[0]);
        const int nowhere = open("/dev/null", O_WRONLY);
        (void)dup2(nowhere, STDOUT_FILENO);
        (void)execl(MATGRAD_SIMULATED_PROBE, "gpu_probe", "--small", "--part", "device", "--part",
                    "handles", "--part", "buffers", "--break", "handles=hang", "--json",
                    path(".json").c_str(), nullptr);
        _exit(127);
    }
    (void)close(ends[1]);
    const auto has_first_part = [&] {
        const std::string text = text_of(".json");
        return !text.empty() && json::parse(text).at("parts").at(0).at("state") == "done";
    };
    for (int i = 0; i < 500 && !has_first_part(); ++i) {
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(100));  // the part that hangs has begun
    ASSERT_EQ(kill(probe, SIGKILL), 0);
    (void)waitpid(probe, nullptr, 0);
    const std::map<std::string, json> parts = by_name(report().at("parts"));
    EXPECT_EQ(parts.at("device").at("state"), "done");
    EXPECT_EQ(parts.at("buffers").at("state"), "not run");
    pollfd all_ended{ends[0], POLLIN, 0};
    EXPECT_EQ(poll(&all_ended, 1, 5000), 1);
    (void)close(ends[0]);
}

TEST_F(GpuProbe, SaysWhyThereIsNoGpu) {
    const Ended ended = run("", "MATGRAD_SIMULATED_DEVICES=0");
    EXPECT_EQ(ended.status, 3);
    EXPECT_EQ(ended.err, "gpu_probe: the NVIDIA driver finds no device\n");
    EXPECT_EQ(ended.out, "");
    EXPECT_EQ(run("--list", "MATGRAD_SIMULATED_DEVICES=0").status, 0);
}

TEST_F(GpuProbe, RefusesWrongArgumentsWithOneLine) {
    const Ended ended = run("--part nothing");
    EXPECT_EQ(ended.status, 2);
    EXPECT_EQ(ended.err, "gpu_probe: --part: found nothing, expected a name that --list prints\n");
}

}  // namespace
}  // namespace matgrad::probe
