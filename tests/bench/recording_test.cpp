// Rows are in the files as soon as they are measured, and no later than the budget.

#include "bench/recording.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "bench/suite.hpp"
#include "bench/suite_fields.hpp"
#include "io/files.hpp"

namespace matgrad::bench {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string text_of(const std::string& path) {
    std::ostringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
}

std::size_t entries_of(const std::string& folder) {
    return static_cast<std::size_t>(
        std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
}

TEST(WriteWhole, ReplacesAFileAndLeavesNothingBesideIt) {
    const io_test::TemporaryFolder folder;
    const std::string path = folder.path("r.json");
    write_whole(path, "a long text\n");
    write_whole(path, "short");
    EXPECT_EQ(text_of(path), "short");
    EXPECT_EQ(entries_of(folder.path("")), 1);
}

TEST(WriteWhole, NeverEmptiesWhatIsThere) {
    // Who has opened the old file still reads all of it.
    const io_test::TemporaryFolder folder;
    const std::string path = folder.path("r.json");
    write_whole(path, "old");
    std::ifstream reader(path);
    write_whole(path, "new");
    std::string seen;
    reader >> seen;
    EXPECT_EQ(seen, "old");
}

TEST(WriteWhole, GoesThroughLinksAndIntoWhatIsNoFile) {
    const io_test::TemporaryFolder folder;
    fs::create_directory(folder.path("there"));
    fs::create_symlink(folder.path("there/r.json"), folder.path("link"));
    write_whole(folder.path("link"), "text");
    write_whole(folder.path("link"), "new");
    EXPECT_TRUE(fs::is_symlink(folder.path("link")));
    EXPECT_EQ(text_of(folder.path("there/r.json")), "new");
    EXPECT_EQ(entries_of(folder.path("there")), 1);
    write_whole("/dev/null", "text");
    EXPECT_TRUE(fs::is_character_file("/dev/null"));
}

TEST(WriteWhole, SaysWhatCouldNotBeWritten) {
    const io_test::TemporaryFolder folder;
    try {
        write_whole(folder.path("no/r.json"), "text");
        FAIL() << "nothing was thrown";
    } catch (const MachineError& error) {
        EXPECT_THAT(error.what(), HasSubstr("no/r.json: could not be written"));
    }
}

/// Rows of its own, each `seconds` long.
class Clockwork final : public Runner {
public:
    explicit Clockwork(std::function<void()> work) : Runner(1), work_(std::move(work)) {}
    [[nodiscard]] std::string device() const override { return "clockwork"; }
    [[nodiscard]] std::vector<std::pair<std::string, std::string>> versions() const override {
        return {};
    }
    [[nodiscard]] const Ceilings& ceilings(int) override { return ceilings_; }
    void forget_ceilings() override {}
    [[nodiscard]] std::vector<std::string> executors(const Case& c) const override {
        return c.batch == 3 ? std::vector<std::string>{}
                            : std::vector<std::string>{"left", "right"};
    }
    [[nodiscard]] int most_threads() const override { return 1; }

protected:
    [[nodiscard]] double bound_seconds(const Work&, ScalarType, int) override { return 1; }
    [[nodiscard]] std::unique_ptr<Ready> make_ready(Row& row, const std::vector<Answer>&) override {
        row.residual = {0, 1};
        return std::make_unique<Tick>(*this);
    }

private:
    class Tick final : public Ready {
    public:
        explicit Tick(const Clockwork& clockwork) : clockwork_(clockwork) {}
        [[nodiscard]] Timing measure(const Pace&) override {
            clockwork_.work_();
            return {1, 1, 1, 5, kNone};
        }

    private:
        const Clockwork& clockwork_;
    };

    std::function<void()> work_;
    Ceilings ceilings_;
};

class Records : public ::testing::Test {
protected:
    Records() { how_.json = folder_.path("r.json"); }
    [[nodiscard]] std::size_t rows() const {
        return Json::parse(text_of(*how_.json))["rows"].size();
    }
    const Suite suite_ = parse_suite(R"({"name": "s", "cases": [
        {"function": "least_squares", "sizes": {"m": 3, "n": 2}, "for": {"batch": [1, 2, 3, 4]}}]})",
                                     "s");
    io_test::TemporaryFolder folder_;
    RecordOptions how_;
    Report report_;
};

TEST_F(Records, ARowForEachExecutorOfEachCaseInTheFilesBeforeTheNextBegins) {
    how_.csv = folder_.path("r.csv");
    std::vector<std::size_t> seen;
    Clockwork runner([&] { seen.push_back(rows()); });
    std::vector<std::string> shown;
    how_.show = [&](const Row& row) { shown.push_back(row.executor); };
    record(suite_.cases, runner, how_, report_);
    EXPECT_THAT(seen, ElementsAre(0, 1, 2, 3, 4, 5));
    EXPECT_THAT(shown, ElementsAre("left", "right", "left", "right", "left", "right"));
    EXPECT_EQ(rows(), 6);
    EXPECT_TRUE(report_.left_out.empty());
    EXPECT_EQ(left_out_text(report_), "");
    const std::string csv = text_of(*how_.csv);
    EXPECT_EQ(std::count(csv.begin(), csv.end(), '\n'), 1 + 6);
}

TEST_F(Records, WhatIsNotBegunWithinTheBudgetIsListed) {
    Clockwork runner([&] {
        if (report_.rows.size() == 3) {
            how_.budget = 0;  // the time passes while the fourth row is measured
        }
    });
    how_.budget = 3600;
    record(suite_.cases, runner, how_, report_);
    EXPECT_EQ(rows(), 4);
    EXPECT_THAT(report_.left_out, ElementsAre("least_squares/3x2/f64/b4/both (left)",
                                              "least_squares/3x2/f64/b4/both (right)"));
    EXPECT_EQ(Json::parse(text_of(*how_.json))["left_out"].size(), 2);
    EXPECT_EQ(left_out_text(report_),
              "2 rows left out, no time left: least_squares/3x2/f64/b4/both (left), "
              "least_squares/3x2/f64/b4/both (right)\n");
}

TEST_F(Records, WhatWasMeasuredSurvivesAnInterruption) {
    Clockwork runner([] {});
    how_.pace.check_stop = [&] {
        if (report_.rows.size() == 2) {
            throw Interrupted("interrupted");
        }
    };
    EXPECT_THROW(record(suite_.cases, runner, how_, report_), Interrupted);
    EXPECT_EQ(rows(), 2);
}

}  // namespace
}  // namespace matgrad::bench
