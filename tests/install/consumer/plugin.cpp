// A shared library that uses matgrad inside, and exports one function of its own.

#include <cstdio>
#include <matgrad/matgrad.hpp>

extern "C" void gradient_of_trace() {
    const matgrad::Expr gradient = matgrad::differentiate(matgrad::parse("tr(A*X)"), "X");
    std::printf("%s\n", matgrad::to_text(gradient).c_str());
}
