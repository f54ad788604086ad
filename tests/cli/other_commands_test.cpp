// `matgrad check`, `list`, `--help`, the manual page, completion and `--version`.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>

#include "cli/command_line.hpp"
#include "cli/command_runner.hpp"
#include "cli/commands.hpp"
#include "expression/functions.hpp"
#include "matgrad/catalogue.hpp"

namespace matgrad::cli_test {
namespace {

using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

TEST(CheckCommand, PassesEveryFunctionOfTheCatalogue) {
    for (const CatalogueEntry& entry : catalogue()) {
        const RunResult result = run({"check", "@" + std::string(entry.name), "--batch", "3"});
        EXPECT_EQ(result.status, 0) << entry.name << ": " << result.out << result.err;
        EXPECT_THAT(result.out, HasSubstr("float64  3 problems"));
        // Of 9-by-7 problems with a scatter within the classes that is nearly singular, float has no digits.
        const char* const in_float =
            entry.name == "discriminant" ? "float32  not compared" : "float32  3 problems";
        EXPECT_THAT(result.out, HasSubstr(in_float));
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

/// Functions and sizes at which random problems have few digits, or none that a bound by the value alone
/// would allow: determinants near zero, arguments of logarithms below zero, values beyond float's range.
TEST(CheckCommand, PassesRightResultsOfDifficultFunctions) {
    const std::vector<std::string> rows[] = {
        {"det(A*B)", "--wrt", "A", "--declare", "A=n,k", "--declare", "B=k,n", "--dims", "n=5,k=3"},
        {"det(X'*X)", "--wrt", "X", "--dims", "m=7,n=5"},
        {"tr(X^64)", "--wrt", "X"},
        {"0.5*logdet(S) + 0.5*(v + p)*log(1 + x'*inv(S)*x/v)", "--wrt", "S", "--declare",
         "S=n,n:spd", "--declare", "v=1", "--declare", "p=1"},
        {"log(det(S))", "--wrt", "S", "--declare", "S=n,n", "--dims", "n=4"},
        {"sum(log(x.^3))", "--wrt", "x"},
        {"0.5*y'*inv(exp(-sqrt(D)/l) + t*eye(n))*y", "--wrt", "l", "--declare", "D=n,n:sym",
         "--declare", "l=1", "--declare", "t=1"},
        {"sum(log(rowsum(exp(Z*Y'/t)))) - sum(diag(Z*Y'))/t", "--wrt", "Z", "--declare", "Z=m,n",
         "--declare", "Y=m,n", "--declare", "t=1"}};
    for (std::vector<std::string> words : rows) {
        words.insert(words.begin(), "check");
        const RunResult result = run(words);
        EXPECT_EQ(result.status, 0) << words[1] << ": " << result.out << result.err;
        EXPECT_THAT(result.out, HasSubstr("float64  16 problems, worst residual"));
        EXPECT_THAT(result.out + result.err, Not(HasSubstr("nan"))) << words[1];
    }
}

TEST(CheckCommand, SaysInOneLineWhereThereIsNothingToCompare) {
    // Singular by shape; not differentiable anywhere; never a number.
    const std::vector<std::string> rows[] = {
        {"logdet(X*X')", "--wrt", "X", "--dims", "m=6,n=2"},
        {"sum(sqrt(X - X.*1.5))", "--wrt", "X", "--dims", "m=9,n=9"}};
    for (std::vector<std::string> words : rows) {
        words.insert(words.begin(), "check");
        const RunResult result = run(words);
        EXPECT_EQ(result.status, 2) << words[1] << ": " << result.out << result.err;
        EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 1) << result.err;
        EXPECT_THAT(result.err, HasSubstr("no value and gradient with digits to compare"));
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
    EXPECT_THAT(never.err, HasSubstr("no value and gradient with digits to compare"));
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
    for (const CommandRow& row : commands()) {
        const std::string command(row.name);
        const RunResult result = run({command, "--help"});
        EXPECT_EQ(result.status, 0);
        EXPECT_EQ(result.err, "");
        EXPECT_THAT(result.out, StartsWith("matgrad " + command));
        const std::size_t example = result.out.find("Example\n  matgrad ");
        ASSERT_NE(example, std::string::npos) << command;
        if (command == "eval") {
            continue;  // its files are those of the test EvalCommand.RunsTheExampleOfItsHelp
        }
#ifndef MATGRAD_HAS_MODULE
        if (command == "kernel") {
            continue;
        }
#endif
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
        for (const char* command :
             {"derive", "eval", "check", "kernel", "bench", "list", "devices", "130"}) {
            EXPECT_THAT(result.out, HasSubstr(command));
        }
    }
}

TEST(Help, NamesEveryFunctionOfTheLanguage) {
    const std::string help = run({"--help"}).out;
    const std::string manual = run({"help", "--man"}).out;
    for (const detail::Function& function : detail::functions()) {
        EXPECT_THAT(help, ContainsRegex("[ \n]" + std::string(function.name) + "\\("));
        EXPECT_THAT(manual, ContainsRegex("[ \n]" + std::string(function.name) + "\\("));
    }
}

TEST(Help, FitsATerminal) {
    for (const std::string word :
         {"", "derive", "eval", "check", "kernel", "bench", "list", "devices"}) {
        std::istringstream lines(run({word.empty() ? "help" : word, "--help"}).out);
        for (std::string line; std::getline(lines, line);) {
            EXPECT_LE(line.size(), 100U) << line;
        }
    }
}

TEST(Help, OfAnUnknownCommandIsAWrongCall) {
    const RunResult result = run({"help", "dervie"});
    EXPECT_EQ(result.status, 2);
    EXPECT_EQ(result.out, "");
    EXPECT_THAT(result.err, HasSubstr("unknown command 'dervie': expected derive, eval, "));
}

/// What the parser says of an option's value; empty: it takes it.
std::string objection(const CommandRow& command, const std::string& option,
                      const std::string& value) {
    std::vector<std::string> words;
    if (command.arguments.substr(0, 4) == "EXPR") {
        words.emplace_back("norm2(x)^2");
    }
    words.push_back(option + "=" + value);
    try {
        if (command.name == "derive") {
            (void)parse_derive(words);
        } else if (command.name == "eval") {
            (void)parse_eval(words);
        } else if (command.name == "check") {
            (void)parse_check(words);
        } else if (command.name == "kernel") {
            (void)parse_kernel(words);
        } else {
            (void)parse_bench(words);
        }
    } catch (const CallerError& error) {
        return error.what();
    }
    return "";
}

TEST(Options, TakeTheWordsThatAShellOffersAndNoOthers) {
    int num_choices = 0;
    for (const CommandRow& command : commands()) {
        for (const OptionRow& option : command.options) {
            std::istringstream words{std::string(option.words)};
            const std::string name(option.name);
            const bool is_choice = !option.words.empty() && !option.is_file;
            const std::string expected = is_choice ? objection(command, name, "nonsense") : "";
            for (std::string word; words >> word;) {
                EXPECT_EQ(objection(command, name, word), "");
                if (is_choice) {
                    EXPECT_THAT(expected, HasSubstr(word)) << name;
                    ++num_choices;
                }
            }
        }
    }
    EXPECT_GT(num_choices, 20);
}

TEST(Manual, HasEveryCommandAndOptionAndNoRequestByMistake) {
    const RunResult result = run({"help", "--man"});
    EXPECT_EQ(result.status, 0);
    for (const CommandRow& command : commands()) {
        const std::size_t begin = result.out.find("\n.SS matgrad " + std::string(command.name));
        ASSERT_NE(begin, std::string::npos) << command.name;
        const std::string section =
            result.out.substr(begin, result.out.find("\n.S", begin + 4) - begin);
        for (const OptionRow& option : command.options) {
            std::string name(option.name);
            for (std::size_t at = 0; (at = name.find('-', at)) != std::string::npos; at += 2) {
                name.insert(at, "\\");
            }
            EXPECT_THAT(section, HasSubstr("\n\\fB" + name + "\\fR")) << command.name;
        }
    }
    std::istringstream lines(result.out);
    for (std::string line; std::getline(lines, line);) {
        EXPECT_NE(line.substr(0, 1), "'") << line;
        if (line.substr(0, 1) == ".") {
            EXPECT_THAT(line, ContainsRegex("^\\.(TH|SH|SS|TP|PP|RS|RE|nf|fi|br)( |$)"));
        }
    }
}

TEST(Completion, IsOfAShellThatIsKnown) {
    EXPECT_EQ(run({"completion", "fish"}).status, 2);
    const RunResult result = run({"completion"});
    EXPECT_EQ(result.status, 2);
    EXPECT_THAT(result.err, HasSubstr("completion: found nothing, expected bash"));
}

TEST(Version, IsPrinted) {
    const RunResult result = run({"--version"});
    EXPECT_EQ(result.status, 0);
    EXPECT_THAT(result.out, StartsWith("matgrad 0."));
}

}  // namespace
}  // namespace matgrad::cli_test
