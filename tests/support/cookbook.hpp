#pragma once
/// \file The table of known gradients: tests/data/cookbook.tsv.

#include <fstream>
#include <ostream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "matgrad/expression.hpp"
#include "support/test_data.hpp"

namespace matgrad {

struct CookbookRow {
    std::string equation;
    std::string f;
    std::string wrt;
    std::string gradient;
    std::vector<Declaration> declarations;
};

/// What a test's name shows of a row.
inline void PrintTo(const CookbookRow& row, std::ostream* out) {
    *out << row.f;
}

inline std::vector<Declaration> parse_declarations(const std::string& text) {
    std::vector<Declaration> result;
    std::istringstream words(text);
    for (std::string word; words >> word;) {
        result.push_back(parse_declaration(word));
    }
    return result;
}

inline std::vector<CookbookRow> read_cookbook() {
    const std::string path = test_data("cookbook.tsv");
    std::ifstream file(path);
    if (!file) {
        throw std::runtime_error("cannot open " + path);
    }
    std::vector<CookbookRow> rows;
    std::string line;
    std::getline(file, line);  // column names
    while (std::getline(file, line)) {
        std::istringstream cells(line);
        CookbookRow row;
        std::string declarations;
        std::getline(cells, row.equation, '\t');
        std::getline(cells, row.f, '\t');
        std::getline(cells, row.wrt, '\t');
        std::getline(cells, row.gradient, '\t');
        std::getline(cells, declarations, '\t');
        row.declarations = parse_declarations(declarations);
        rows.push_back(row);
    }
    return rows;
}

}  // namespace matgrad
