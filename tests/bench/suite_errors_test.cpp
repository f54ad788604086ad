// A user's own suite: what is wrong with it is said in one line.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bench/suite.hpp"

namespace matgrad::bench {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string message_of(const std::string& text) {
    try {
        (void)parse_suite(text, "mine.json");
    } catch (const CallerError& error) {
        return error.what();
    }
    return "no error";
}

/// A suite of one sound case with `fields` before its own.
std::string with(const std::string& fields) {
    return R"({"name": "s", "cases": [{)" + fields +
           R"("function": "log_det_gram", "sizes": {"m": 8, "n": 4}}]})";
}

struct Mistake {
    const char* text;
    const char* part;
};

TEST(SuiteErrors, NameTheCaseTheKeyAndWhatWasExpected) {
    const Mistake mistakes[] = {
        {R"("sizs": {},)", "unknown key 'sizs', expected name, function"},
        {R"("type": "float16",)", "type: found \"float16\", expected one of float32, float64"},
        {R"("type": 3,)", "type: found 3, expected one of float32, float64"},
        {R"("accuracy": "high",)", "accuracy: found \"high\", expected one of robust, fast"},
        {R"("outputs": "hessian",)", "expected one of value, gradient, both"},
        {R"("batch": 0,)", "batch: found 0, expected a whole number from 1"},
        {R"("batch": 1.5,)", "batch: found 1.5, expected a whole number"},
        {R"("batch": "many",)", "batch: found \"many\""},
        {R"("batch": {"byte": 3},)", "batch: unknown key 'byte', expected bytes"},
        {R"("batch": {"bytes": "all"},)", "batch: bytes: found \"all\""},
        {R"("batched": ["Y"],)", "batched: Y is not in logdet(X'*X), which has X"},
        {R"("reduce": "sum",)", "reduce: X is batched, expected a shared variable"},
        {R"("reduce": "mean",)", "reduce: found \"mean\", expected one of none, sum"},
        {R"("batched": "X",)", "batched: found \"X\", expected a list of texts"},
        {R"("wrt": ["Z"],)", "wrt: Z is not in logdet(X'*X), which has X"},
        {R"("wrt": ["X", "X"],)", "wrt: found 2 variables, expected one"},
        {R"("threads": -1,)", "threads: found -1, expected a whole number from 1"},
        {R"j("f": "logdet(X'*X)",)j", "wrt is missing"},
        {R"("f": "logdet(X'*", "wrt": ["X"],)", "(at byte "},
        {R"("f": "X*X", "wrt": ["X"],)", "expected a scalar function"},
        {R"("declare": ["X=3=4"],)", "X=3=4"},
        {R"("for": {"type": "float32"},)", "for: type: found \"float32\", expected a list"},
        {R"("for": {"type": []},)", "for: type: found [], expected a list"},
        {R"("for": 3,)", "for: found 3, expected lists by field"},
        {R"("for": {"typ": [1]},)", "unknown key 'typ'"},
        {R"("name": 3,)", "name: found 3, expected a text"},
    };
    for (const Mistake& mistake : mistakes) {
        const std::string message = message_of(with(mistake.text));
        EXPECT_THAT(message, HasSubstr("suite mine.json: case 1: ")) << mistake.text;
        EXPECT_THAT(message, HasSubstr(mistake.part)) << mistake.text;
        EXPECT_THAT(message, Not(HasSubstr("\n"))) << mistake.text;
    }
}

TEST(SuiteErrors, OfSizesNameTheDimension) {
    const auto message = [](const char* sizes) {
        return message_of(
            std::string(R"({"name": "s", "cases": [{"function": "log_det_gram", "sizes": )") +
            sizes + "}]}");
    };
    EXPECT_THAT(message(R"({"m": 8})"), HasSubstr("sizes: n is missing, expected m, n"));
    EXPECT_THAT(message(R"({"m": 8, "n": 4, "k": 1})"), HasSubstr("no dimension is named k"));
    EXPECT_THAT(message(R"({"m": 0, "n": 4})"), HasSubstr("sizes: m: found 0"));
    EXPECT_THAT(message(R"({"m": "8", "n": 4})"), HasSubstr("sizes: m: found \"8\""));
    EXPECT_THAT(message("[8, 4]"), HasSubstr("sizes: found [8,4]"));
}

TEST(SuiteErrors, OfTheFileAsAWhole) {
    EXPECT_THAT(message_of("{\n\"name\": \"s\",\n}"), HasSubstr("line 3: this is not JSON"));
    EXPECT_THAT(message_of("[]"), HasSubstr("expected an object with a list of cases"));
    EXPECT_THAT(message_of(R"({"cases": []})"), HasSubstr("name: found nothing"));
    EXPECT_THAT(message_of(R"({"name": "s", "cases": [3]})"), HasSubstr("case 1: expected an obj"));
    EXPECT_THAT(message_of(R"({"name": "s", "second": 1, "cases": []})"),
                HasSubstr("unknown key 'second'"));
    EXPECT_THAT(message_of(R"({"name": "s", "seconds": -1, "cases": []})"),
                HasSubstr("seconds: found -1"));
    EXPECT_THAT(message_of(R"({"name": "s", "cases": [{"function": "nonsense"}]})"),
                HasSubstr("unknown function 'nonsense'"));
    EXPECT_THAT(message_of(R"({"name": "s", "cases": [
        {"function": "log_det_gram", "sizes": {"m": 8, "n": 4}},
        {"function": "log_det_gram", "sizes": {"m": 8, "n": 4}}]})"),
                HasSubstr("case 2: two rows are named log_det_gram/8x4/f64/b1/both"));
}

TEST(SuiteErrors, OfAFileThatIsNotThereAreFileErrors) {
    EXPECT_THROW((void)load_suite("/nowhere/suite.json"), FileError);
    EXPECT_THROW((void)load_suite("no_suite_of_this_name"), FileError);
    EXPECT_THROW((void)load_suite("/"), FileError);
}

}  // namespace
}  // namespace matgrad::bench
