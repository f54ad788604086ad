#pragma once
/// \file Texts of the language of a wanted shape, made from a list of random numbers.
///
/// The list decides every choice; when it runs out, leaves are taken. A shorter list gives a
/// shorter text, so that a failing case shrinks.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "functions/entrywise.hpp"

namespace matgrad {

class RandomText {
public:
    /// What the symbols of the texts are.
    static constexpr const char* kDeclarations =
        "A=m,n B=m,n C=n,m K=n,n S=n,n:sym D=n,n:diag L=n,n:lower T=m,m:spd Q=m,m "
        "x=m y=m u=n v=n s=1 t=1 r=1,n w=1,m";

    explicit RandomText(std::vector<std::uint8_t> choices) : choices_(std::move(choices)) {}

    /// A text of shape rows-by-cols, each one of 'm', 'n', '1'.
    std::string text(char rows, char cols) {
        if (choices_.size() - next_ < 2) {
            return leaf(rows, cols);
        }
        if (rows == '1' && cols == '1' && pick(2) == 0) {
            return scalar();
        }
        if (rows == cols && rows != '1' && pick(4) == 0) {
            return square(rows);
        }
        return any(rows, cols);
    }

private:
    std::size_t pick(std::size_t count) {
        return next_ < choices_.size() ? choices_[next_++] % count : 0;
    }
    template <std::size_t kCount>
    std::string one_of(const char* const (&words)[kCount]) {
        return words[pick(kCount)];
    }
    char dim() { return "mn1"[pick(3)]; }
    char long_dim() { return "mn"[pick(2)]; }
    std::string in_brackets(char rows, char cols) { return "(" + text(rows, cols) + ")"; }

    std::string leaf(char rows, char cols) {
        switch (rows == cols ? rows + 1000 : rows * 2 + cols) {
            case 'm' + 1000:
                return one_of({"T", "Q", "eye(m)", "ones(m,m)", "chol(T)"});
            case 'n' + 1000:
                return one_of({"K", "S", "D", "L", "eye(n)"});
            case '1' + 1000:
                return one_of({"s", "t", "2", "0.5", "3", "1", "0", "1e-9", "dim(m)", "n"});
            case 'm' * 2 + 'n':
                return one_of({"A", "B", "ones(m,n)"});
            case 'n' * 2 + 'm':
                return "C";
            case 'm' * 2 + '1':
                return one_of({"x", "y", "ones(m,1)", "eye(m)(:,1)"});
            case 'n' * 2 + '1':
                return one_of({"u", "v"});
            case '1' * 2 + 'n':
                return "r";
            default:
                return "w";
        }
    }

    std::string scalar() {
        switch (pick(8)) {
            case 0: {
                const char n = long_dim();
                return one_of({"tr", "det", "logdet"}) + "(" + text(n, n) + ")";
            }
            case 1:
                return one_of(
                           {"sum", "norm2", "norm1", "logsumexp", "mean", "var", "rows", "cols"}) +
                       "(" + text(dim(), dim()) + ")";
            case 2: {
                const char rows = dim();
                const char cols = dim();
                return "dot(" + text(rows, cols) + ", " + text(rows, cols) + ")";
            }
            case 3:
                return in_brackets('1', '1') + "^" + one_of({"2", "-1", "0.5", "-2.5", "3", "0"});
            case 4:
                return in_brackets('1', '1') + "/" + in_brackets('1', '1');
            default: {
                const char inner = long_dim();
                return in_brackets('1', inner) + "*" + in_brackets(inner, '1');
            }
        }
    }

    std::string square(char n) {
        switch (pick(5)) {
            case 0:
                return "inv(" + text(n, n) + ")";
            case 1:
                return in_brackets(n, n) + "^" + one_of({"2", "3", "-1", "-2", "1", "0"});
            case 2:
                return "diag(" + text(n, '1') + ")";
            default:
                return one_of({"tril", "triu", "isrowmax", "iscolmax"}) + "(" + text(n, n) + ")";
        }
    }

    std::string any(char rows, char cols) {
        switch (pick(14)) {
            case 0:
                return text(rows, cols) + " + " + in_brackets(rows, cols);
            case 1:
                return text(rows, cols) + " - " + in_brackets(rows, cols);
            case 2:
                return "-" + in_brackets(rows, cols);
            case 3:
                return in_brackets(rows, cols) + ".*" + in_brackets(rows, cols);
            case 4:
                return in_brackets(rows, cols) + "./" + in_brackets(rows, cols);
            case 5:
                return in_brackets('1', '1') + one_of({"*", "./", " + ", " - "}) +
                       in_brackets(rows, cols);
            case 6:
                return in_brackets(rows, cols) + one_of({"*", "/", " + ", " - "}) +
                       in_brackets('1', '1');
            case 7:
                return in_brackets(rows, cols) + ".^" +
                       one_of({"2", "-1", "0.5", "-2", "3", "-0.5"});
            case 8:
                return in_brackets(cols, rows) + "'";
            case 9:
                if (cols == '1' && rows != '1') {
                    return pick(2) == 0 ? "diag(" + text(rows, rows) + ")" : of_rows(rows);
                }
                if (rows == '1' && cols != '1') {
                    return of_columns(cols);
                }
                return rows == '1' && pick(2) == 0 ? in_brackets(long_dim(), long_dim()) + "(1,1)"
                                                   : entrywise(rows, cols);
            case 10:
                if (rows != '1' && cols != '1') {
                    return spread(rows, cols);
                }
                return entrywise(rows, cols);
            case 11:
                return rows == '1' || cols == '1'
                           ? one_of({"softmax(", "cumsum("}) + text(rows, cols) + ")"
                           : one_of({"row", "col"}) + one_of({"softmax(", "cumsum("}) +
                                 text(rows, cols) + ")";
            default: {
                const char inner = dim();
                return in_brackets(rows, inner) + "*" + in_brackets(inner, cols);
            }
        }
    }

    std::string of_lines() { return one_of({"sum", "norm2", "logsumexp", "mean", "max"}); }
    std::string of_rows(char rows) {
        return pick(4) == 0 ? in_brackets(rows, long_dim()) + "(:,1)"
                            : "row" + of_lines() + "(" + text(rows, long_dim()) + ")";
    }
    std::string of_columns(char cols) {
        return pick(4) == 0 ? in_brackets(long_dim(), cols) + "(1,:)"
                            : "col" + of_lines() + "(" + text(long_dim(), cols) + ")";
    }

    /// A column or a row beside a matrix, entry by entry.
    std::string spread(char rows, char cols) {
        const std::string line = pick(2) == 0 ? in_brackets(rows, '1') : in_brackets('1', cols);
        const std::string matrix = in_brackets(rows, cols);
        if (pick(4) == 0) {
            return one_of({"max", "min"}) + "(" + line + ", " + matrix + ")";
        }
        const std::string sign = one_of({" + ", " - ", ".*", "./"});
        return pick(2) == 0 ? line + sign + matrix : matrix + sign + line;
    }

    std::string entrywise(char rows, char cols) {
        const Entrywise f = kEntrywiseFunctions[pick(std::size(kEntrywiseFunctions))];
        const std::string a = text(rows, cols);
        if (arity_of(f) == 1) {
            return std::string(name_of(f)) + "(" + a + ")";
        }
        if (f == Entrywise::polygamma) {
            return "polygamma(" + one_of({"0", "1", "2", "3"}) + ", " + a + ")";
        }
        return pair(f, a, text(rows, cols));
    }

    std::string pair(Entrywise f, const std::string& a, const std::string& b) {
        switch (f) {
            case Entrywise::less:
                return "((" + a + ")" + one_of({" < ", " > "}) + "(" + b + "))";
            case Entrywise::less_equal:
                return "((" + a + ")" + one_of({" <= ", " >= "}) + "(" + b + "))";
            case Entrywise::entry_power:
                return "((" + a + ").^(" + b + "))";
            case Entrywise::mask:
                return "where(" + b + ", " + a + one_of({", 0)", ", 1)"});
            case Entrywise::unmask:
                return "where(" + b + ", " + one_of({"0, ", "-2, "}) + a + ")";
            default:
                return std::string(name_of(f)) + "(" + a + ", " + b + ")";
        }
    }

    std::vector<std::uint8_t> choices_;
    std::size_t next_ = 0;
};

}  // namespace matgrad
