#pragma once
/// \file Builds the tree of a text while the grammar runs over it. Seen by parser.cpp alone.

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "expression/ast.hpp"
#include "matgrad/error.hpp"

namespace matgrad::detail {

/// Builds the tree from the bottom up while the grammar runs.
class AstBuilder {
public:
    explicit AstBuilder(std::string_view text) : text_(text) {}

    double read_number(std::size_t begin, std::size_t end) const {
        double value = 0;
        const char* first = text_.data() + begin;
        const auto [at, code] = std::from_chars(first, text_.data() + end, value);
        if (code == std::errc::result_out_of_range) {  // too large, or so small that it is 0
            value = std::strtod(std::string(first, text_.data() + end).c_str(), nullptr);
        }
        const std::string_view digits = text_.substr(begin, end - begin);
        const bool written_0 =
            digits.substr(0, digits.find_first_of("eE")).find_first_of("123456789") ==
            std::string_view::npos;
        if (!std::isfinite(value) || (value == 0 && !written_0)) {
            throw ParseError(
                fmt::format("the number {} at position {} is too {}", quote(text_, begin, end),
                            begin, value == 0 ? "small: expected 0 or at least 5e-324" : "large"),
                std::string(text_), begin);
        }
        return value;
    }

    void push_number(std::size_t begin, std::size_t end) {
        Ast ast;
        ast.kind = AstKind::number;
        ast.begin = begin;
        ast.end = end;
        ast.number = read_number(begin, end);
        operands_.push_back(std::move(ast));
    }

    void push_name(std::size_t begin, std::size_t end) {
        Ast ast;
        ast.kind = AstKind::name;
        ast.begin = begin;
        ast.end = end;
        ast.name = std::string(text_.substr(begin, end - begin));
        operands_.push_back(std::move(ast));
    }

    void open(std::size_t at) { brackets_.push_back({at, operands_.size()}); }

    void close_bracket(std::size_t end) {
        operands_.back().begin = brackets_.back().at;
        operands_.back().end = end;
        brackets_.pop_back();
    }

    void close_call(std::size_t end) {
        const std::size_t first = brackets_.back().first_operand;
        brackets_.pop_back();
        std::vector<Ast> arguments = take_from(first);
        Ast& called = operands_.back();
        called.kind = AstKind::call;
        called.end = end;
        called.children = std::move(arguments);
    }

    /// A whole number of rows or columns.
    std::int64_t read_index(std::size_t begin, std::size_t end) const {
        const double value = read_number(begin, end);
        if (value > kLargestWhole) {
            throw ParseError(fmt::format("the index {} at position {} is too large",
                                         quote(text_, begin, end), begin),
                             std::string(text_), begin);
        }
        return static_cast<std::int64_t>(value);
    }
    void push_index(const Range& range) { ranges_.push_back(range); }
    void end_index(Dim last) { ranges_.back().last = std::move(last); }
    void close_part(std::size_t end) {
        Ast ast;
        ast.kind = AstKind::part;
        ast.begin = operands_.back().begin;
        ast.end = end;
        ast.children = take_from(operands_.size() - 1);
        ast.ranges = std::exchange(ranges_, {});
        operands_.push_back(std::move(ast));
    }

    void begin_factor() { minus_runs_.push_back({}); }
    void minus(std::size_t at) {
        MinusRun& run = minus_runs_.back();
        if (run.count++ == 0) {
            run.begin = at;
        }
    }
    void end_factor() {
        const MinusRun run = minus_runs_.back();
        minus_runs_.pop_back();
        if (run.count == 0) {
            return;
        }
        Ast ast;
        ast.begin = run.begin;
        ast.end = operands_.back().end;
        if (run.count % 2 == 0) {  // --A is A
            operands_.back().begin = run.begin;
            return;
        }
        ast.kind = AstKind::negate;
        ast.children = take_from(operands_.size() - 1);
        operands_.push_back(std::move(ast));
    }

    void push_suffix(Suffix suffix) {
        if (operands_.back().kind != AstKind::postfix || was_bracketed(operands_.back())) {
            Ast ast;
            ast.kind = AstKind::postfix;
            ast.begin = operands_.back().begin;
            ast.children = take_from(operands_.size() - 1);
            operands_.push_back(std::move(ast));
        }
        operands_.back().suffixes.push_back(suffix);
        operands_.back().end = suffix.end;
    }
    void power(SuffixKind kind) { pending_powers_.push_back(kind); }
    /// What was read last is the exponent of what was read before it.
    void exponent() {
        Ast exponent = std::move(operands_.back());
        operands_.pop_back();
        Suffix suffix;
        suffix.kind = pending_powers_.back();
        suffix.end = exponent.end;
        pending_powers_.pop_back();
        const bool negative = exponent.kind == AstKind::negate;
        const Ast& value = negative ? exponent.children.front() : exponent;
        if (value.kind == AstKind::number) {
            suffix.exponent = negative ? -value.number : value.number;
            return push_suffix(suffix);
        }
        push_suffix(suffix);
        Ast& raised = operands_.back();
        raised.suffixes.back().operand = raised.children.size();
        raised.children.push_back(std::move(exponent));
    }

    void begin_chain() { chains_.push_back({operands_.size(), {}}); }
    void push_operator(BinaryOp op) { chains_.back().operators.push_back(op); }
    void end_chain(AstKind kind) {
        Chain chain = std::move(chains_.back());
        chains_.pop_back();
        if (chain.operators.empty()) {
            return;
        }
        Ast ast;
        ast.kind = kind;
        ast.children = take_from(chain.first_operand);
        ast.operators = std::move(chain.operators);
        ast.begin = ast.children.front().begin;
        ast.end = ast.children.back().end;
        operands_.push_back(std::move(ast));
    }

    void begin_definition(std::size_t begin, std::size_t end) {
        definitions_.push_back({std::string(text_.substr(begin, end - begin)), begin, {}});
        defines_ = true;
    }
    void end_definition() {
        definitions_.back().value = take_from(0).front();
        defines_ = false;
    }

    [[nodiscard]] TextAst result() {
        return {std::move(definitions_), std::move(operands_.back())};
    }
    /// The definition read last, also while its value is being read; nullptr before the first.
    [[nodiscard]] const Definition* last_definition() const {
        return definitions_.empty() ? nullptr : &definitions_.back();
    }
    /// Is the value of a definition being read?
    [[nodiscard]] bool defines() const { return defines_; }
    /// Has the expression itself, or the value of a definition, begun?
    [[nodiscard]] bool has_begun() const { return !operands_.empty(); }
    [[nodiscard]] std::size_t last_open_bracket() const { return brackets_.back().at; }

private:
    struct Bracket {
        std::size_t at;
        std::size_t first_operand;
    };
    struct Chain {
        std::size_t first_operand;
        std::vector<BinaryOp> operators;
    };
    struct MinusRun {
        std::size_t begin = 0;
        std::size_t count = 0;
    };

    std::vector<Ast> take_from(std::size_t first) {
        const auto begin = operands_.begin() + static_cast<std::ptrdiff_t>(first);
        std::vector<Ast> taken(std::make_move_iterator(begin),
                               std::make_move_iterator(operands_.end()));
        operands_.erase(begin, operands_.end());
        return taken;
    }
    [[nodiscard]] static bool was_bracketed(const Ast& postfix) {
        return postfix.begin != postfix.children.front().begin ||
               postfix.end != postfix.suffixes.back().end;
    }

    std::string_view text_;
    std::vector<Definition> definitions_;
    bool defines_ = false;
    std::vector<Ast> operands_;
    std::vector<Bracket> brackets_;
    std::vector<Chain> chains_;
    std::vector<Range> ranges_;  ///< of the part that is being read
    std::vector<MinusRun> minus_runs_;
    std::vector<SuffixKind> pending_powers_;
};

}  // namespace matgrad::detail
