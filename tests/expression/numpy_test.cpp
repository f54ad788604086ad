// The NumPy text, executed by NumPy, gives what the reference evaluation gives.

#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <limits>
#include <random>

#include "random_text.hpp"
#include "reference/random_problem.hpp"
#include "reference/reference.hpp"
#include "support/cookbook.hpp"
#include "support/scatter.hpp"

namespace matgrad {
namespace {

const std::map<std::string, std::int64_t> kSizes{{"m", 5}, {"n", 3}, {"p", 4},
                                                 {"q", 6}, {"k", 2}, {"r", 7}};

std::string python() {
    const char* named = std::getenv("MATGRAD_PYTHON");
    const std::string command = named != nullptr ? named : "/usr/bin/python3";
    const std::string probe = command + " -c 'import numpy' > /dev/null 2>&1";
    return std::system(probe.c_str()) == 0 ? command : std::string();
}

/// `X = np.array(...)`: columns 1-D, scalars 0-D.
std::string assignment(const Declaration& d, const Eigen::MatrixXd& value) {
    std::string text = d.name + " = np.array([";
    for (Eigen::Index i = 0; i < value.rows(); ++i) {
        for (Eigen::Index j = 0; j < value.cols(); ++j) {
            char number[40];
            std::snprintf(number, sizeof number, "%.17g,", value(i, j));
            text += number;
        }
    }
    text += "])";
    if (d.shape.is_scalar()) {
        return text + "[0]\n";
    }
    if (d.shape.is_column()) {
        return text + "\n";
    }
    return text + ".reshape(" + std::to_string(value.rows()) + "," + std::to_string(value.cols()) +
           ")\n";
}

/// A Python program that compares every expression with its expected value, and says which differ.
class Script {
public:
    Script() {
        text_ =
            "import math\n"
            "import numpy as np\n"
            "np.seterr(all='ignore')\n"
            "failures = 0\n"
            "def entries(f):\n"
            "    return np.vectorize(f, otypes=[float])\n"
            "try:\n"
            "    import scipy.special\n"
            "except ImportError:\n"
            "    class scipy:\n"  // what a text may ask of it and Python itself has
            "        class special:\n"
            "            erf = entries(math.erf)\n"
            "            gammaln = entries(lambda x: math.inf if x <= 0 and x == round(x) else "
            "math.lgamma(x))\n"
            "            ndtr = entries(lambda x: math.erfc(-x / math.sqrt(2)) / 2)\n"
            "            xlogy = staticmethod(lambda x, y: np.where(x == 0, 0, x * np.log(y)))\n"
            "def check(source, expected, names, bound):\n"
            "    global failures\n"
            "    try:\n"
            "        value = np.asarray(eval(source, {'np': np, 'scipy': scipy, **names}))\n"
            "    except AttributeError:\n"  // a function of SciPy's, where there is no SciPy
            "        return\n"
            "    if value.shape != expected.shape or not np.all(np.abs(value - expected) <= "
            "bound):\n"
            "        failures += 1\n"
            "        print(source, value, 'expected', expected, 'bound', bound)\n"
            "def check_function(source, expected, names, parameters, bound):\n"
            "    scope = {'np': np, 'scipy': scipy, **names}\n"
            "    exec(source, scope)\n"
            "    check('f(' + ', '.join(parameters) + ')', expected, scope, bound)\n";
    }

    /// The bound is the condition of the value, measured: how far it moves when every operand, or every
    /// part of it, moves by a relative `kStep`. What is worse conditioned than kWorst says nothing about the text.
    void add(const Expr& e, const MatrixMap& values) {
        constexpr double kStep = 1e-10;
        constexpr double kWorst = 1e6;
        const Eigen::MatrixXd expected = evaluate_reference(e, values, kSizes);
        const Eigen::MatrixXd moved = evaluate_reference(e, nudged(values, kStep), kSizes);
        if (!expected.allFinite() || !moved.allFinite() || inverts_singular(e, values)) {
            return;
        }
        const double scale = expected.size() == 0 ? 0 : expected.cwiseAbs().maxCoeff();
        const double condition =
            std::max((moved - expected).norm(), scatter(e, values, kSizes, kStep)) / kStep;
        if (scale > 1e9 || condition > kWorst * (1 + scale)) {
            return;
        }
        constexpr double kRoundings = 1000;  // more operations than any of the texts has per entry
        const double bound =
            kRoundings * std::numeric_limits<double>::epsilon() * (1 + scale + condition);
        text_ += "names = {}\n";
        for (const auto& [name, size] : kSizes) {
            text_ += "names['" + name + "'] = " + std::to_string(size) + "\n";
        }
        for (const Declaration& d : symbols(e)) {
            text_ += assignment(d, values.at(d.name));
            text_ += "names['" + d.name + "'] = " + d.name + "\n";
        }
        Declaration shape{"expected", e.shape(), Structure::general};
        text_ += assignment(shape, expected);
        const std::string tolerance = std::to_string(bound * 1e15) + "e-15";
        text_ += "check(" + quoted(to_numpy(e)) + ", expected, names, " + tolerance + ")\n";
        std::string parameters;
        for (const Declaration& d : symbols(e)) {
            parameters += quoted(d.name) + ", ";
        }
        text_ += "check_function(\"\"" + quoted(to_numpy_function(e, "f")) +
                 "\"\", expected, names, [" + parameters + "], " + tolerance + ")\n";
        ++count_;
    }

    [[nodiscard]] int count() const { return count_; }

    [[nodiscard]] std::string run(const std::string& command) const {
        const std::filesystem::path file =
            std::filesystem::temp_directory_path() /
            ("matgrad_numpy_" + std::to_string(std::random_device{}()) + ".py");
        std::ofstream(file) << text_ << "print('failures', failures)\n";
        std::string output;
        if (FILE* pipe = popen((command + " " + file.string() + " 2>&1").c_str(), "r")) {
            char buffer[4096];
            for (std::size_t n = 0; (n = fread(buffer, 1, sizeof buffer, pipe)) > 0;) {
                output.append(buffer, n);
            }
            pclose(pipe);
        }
        std::filesystem::remove(file);
        return output;
    }

private:
    /// True if somewhere a matrix of rank below its size is inverted: Python raises an error.
    static bool inverts_singular(const Expr& e, const MatrixMap& values) {
        const Expr roots[] = {e};
        for (const Expr& node : topological_order(roots)) {
            if (node->op != Op::inverse) {
                continue;
            }
            const Eigen::MatrixXd inner =
                evaluate_reference(node->children.front(), values, kSizes);
            if (!inner.allFinite()) {
                return true;
            }
            const Eigen::VectorXd singular =
                Eigen::JacobiSVD<Eigen::MatrixXd>(inner).singularValues();
            if (!(singular.minCoeff() > 1e-8 * singular.maxCoeff())) {
                return true;
            }
        }
        return false;
    }

    /// Every operand moved by a relative `step`, entry by entry in another direction.
    static MatrixMap nudged(MatrixMap values, double step) {
        for (auto& [name, value] : values) {
            for (Eigen::Index i = 0; i < value.size(); ++i) {
                value.data()[i] *= 1 + step * std::sin(static_cast<double>(7 * i + 1));
            }
        }
        return values;
    }
    static std::string quoted(const std::string& text) { return "\"" + text + "\""; }

    std::string text_;
    int count_ = 0;
};

TEST(NumpyText, OfTheCookbookGivesTheReferenceValues) {
    const std::string command = python();
    if (command.empty()) {
        GTEST_SKIP() << "NO NUMPY: the NumPy text is not executed";
    }
    Script script;
    for (const CookbookRow& row : read_cookbook()) {
        const MatrixMap values = random_values(row.declarations, kSizes, 11);
        script.add(parse(row.f, row.declarations), values);
        script.add(parse(row.gradient, row.declarations), values);
    }
    EXPECT_GE(script.count(), 120);
    EXPECT_EQ(script.run(command), "failures 0\n");
}

TEST(NumpyText, OfRandomExpressionsGivesTheReferenceValues) {
    const std::string command = python();
    if (command.empty()) {
        GTEST_SKIP() << "NO NUMPY: the NumPy text is not executed";
    }
    const std::vector<Declaration> declarations = parse_declarations(RandomText::kDeclarations);
    const MatrixMap values = random_values(declarations, kSizes, 5);
    std::mt19937 random(20240229);
    Script script;
    for (int i = 0; i < 1000; ++i) {
        std::vector<std::uint8_t> choices(4 + random() % 28);
        for (std::uint8_t& c : choices) {
            c = static_cast<std::uint8_t>(random() & 0xff);
        }
        const char rows = "mn1"[random() % 3];
        const char cols = "mn1"[random() % 3];
        try {
            script.add(parse(RandomText(choices).text(rows, cols), declarations), values);
        } catch (const UnsupportedError&) {
            continue;  // a constant overflows
        }
    }
    EXPECT_GE(script.count(), 300);
    EXPECT_EQ(script.run(command), "failures 0\n");
}

}  // namespace
}  // namespace matgrad
