// `matgrad check`, `list`, `--help` and `--version`.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "cli/command_runner.hpp"
#include "matgrad/catalogue.hpp"

namespace matgrad::cli_test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

TEST(CheckCommand, PassesEveryFunctionOfTheCatalogue) {
    for (const CatalogueEntry& entry : catalogue()) {
        const RunResult result = run({"check", "@" + std::string(entry.name), "--batch", "3"});
        EXPECT_EQ(result.status, 0) << entry.name << ": " << result.out << result.err;
        EXPECT_THAT(result.out, HasSubstr("float64  3 problems"));
        EXPECT_THAT(result.out, HasSubstr("float32  3 problems"));
        EXPECT_THAT(result.out, Not(HasSubstr("FAILED")));
    }
}

TEST(CheckCommand, PassesFunctionsInNoTable) {
    for (const char* text : {"-logdet(P) + tr(S*P) + 0.1*sum(exp(P))", "tr(inv(A + X*X'))"}) {
        const std::string variable = text[0] == '-' ? "P" : "X";
        std::vector<std::string> arguments{"check", text, "--wrt", variable};
        const std::vector<std::string> declared =
            variable == "P" ? std::vector<std::string>{"--declare", "P=n,n:spd"}
                            : std::vector<std::string>{"--declare", "A=m,m:spd"};
        arguments.insert(arguments.end(), declared.begin(), declared.end());
        const RunResult result = run(arguments);
        EXPECT_EQ(result.status, 0) << result.out << result.err;
    }
}

TEST(CheckCommand, TakesTheSizesItIsGiven) {
    const RunResult result =
        run({"check", "logdet(X'*X)", "--wrt", "X", "--dims", "m=33,n=5", "--batch", "2"});
    EXPECT_EQ(result.status, 0) << result.err;
    EXPECT_THAT(result.out, HasSubstr("m=33, n=5"));
}

TEST(CheckCommand, RefusesSizesItCannotUse) {
    const std::pair<const char*, const char*> rows[] = {{"k=3", "no dimension is named k"},
                                                        {"m", "NAME=SIZE"},
                                                        {"m=-1", "-1"},
                                                        {"m=x", "'x'"},
                                                        {"m=3,m=4", "m is given twice"}};
    for (const auto& [dims, part] : rows) {
        const RunResult result = run({"check", "logdet(X'*X)", "--wrt", "X", "--dims", dims});
        EXPECT_EQ(result.status, 2) << dims;
        EXPECT_THAT(result.err, HasSubstr(part));
    }
    const RunResult never = run({"check", "sum(log(-exp(X)))", "--wrt", "X"});
    EXPECT_EQ(never.status, 2);
    EXPECT_THAT(never.err, HasSubstr("no finite value"));
}

TEST(ListCommand, ShowsEveryFunctionWithItsSource) {
    const RunResult result = run({"list"});
    EXPECT_EQ(result.status, 0);
    for (const CatalogueEntry& entry : catalogue()) {
        EXPECT_THAT(result.out, HasSubstr("@" + std::string(entry.name)));
        EXPECT_THAT(result.out, HasSubstr(std::string(entry.text)));
        EXPECT_THAT(result.out, HasSubstr(std::string(entry.source)));
    }
}

TEST(Help, OfEachCommandHasAnExampleThatRuns) {
    for (const char* command : {"derive", "eval", "check", "bench", "list", "devices"}) {
        const RunResult result = run({command, "--help"});
        EXPECT_EQ(result.status, 0);
        EXPECT_EQ(result.err, "");
        EXPECT_THAT(result.out, StartsWith(std::string("matgrad ") + command));
        const std::size_t example = result.out.find("Example\n  matgrad ");
        ASSERT_NE(example, std::string::npos) << command;
        if (std::string(command) == "eval") {
            continue;  // its files are those of the test EvalCommand.RunsTheExampleOfItsHelp
        }
        // Words without quotes inside, or wholly within double quotes.
        std::istringstream line(result.out.substr(example + 18));
        std::string text;
        std::getline(line, text);
        std::vector<std::string> words;
        std::istringstream parts(text);
        for (std::string word; parts >> word;) {
            if (word.front() == '"') {
                word = word.substr(1, word.size() - 2);
            }
            words.push_back(word);
        }
        EXPECT_EQ(run(words).status, 0) << text;
    }
}

TEST(Help, OfEverythingNamesEachCommandAndTheExitStatuses) {
    for (const char* word : {"--help", "-h", "help"}) {
        const RunResult result = run({word});
        EXPECT_EQ(result.status, 0);
        for (const char* command : {"derive", "eval", "check", "bench", "list", "devices", "130"}) {
            EXPECT_THAT(result.out, HasSubstr(command));
        }
    }
}

TEST(Version, IsPrinted) {
    const RunResult result = run({"--version"});
    EXPECT_EQ(result.status, 0);
    EXPECT_THAT(result.out, StartsWith("matgrad 0."));
}

}  // namespace
}  // namespace matgrad::cli_test
