#include "cli/commands.hpp"

#include <algorithm>
#include <iterator>

namespace matgrad {
namespace {

constexpr OptionRow kWrt{"--wrt", "X", "the variable; repeat for several"};
constexpr OptionRow kDeclare{"--declare", "X=m,n:spd", "shape and structure of a name; repeats"};
constexpr OptionRow kConvention{"--convention", "NAME",
                                "of a symmetric variable: projected (default) or free-entries",
                                "projected free-entries"};

constexpr OptionRow kDerive[] = {
    kWrt,
    {"--declare", "X=m,n:spd",
     "shape and structure of a name: x=n a vector, t=1 a scalar, and one of sym, spd, diag, lower, "
     "upper, "
     "orth; pos for a scalar; repeats"},
    {"--steps", "", "the whole derivation, each line with its rule and source"},
    {"--names", "",
     "write parts that the gradients repeat once, as in K = ...; the default where a gradient is "
     "longer than a line, and with --steps"},
    {"--no-names", "", "write everything out"},
    {"--format", "FORMAT", "text (default), latex, numpy or json", "text latex numpy json"},
    {"--convention", "NAME",
     "of a symmetric variable: projected (default), (G+G')/2, or free-entries, G + G' - diag(G)",
     "projected free-entries"},
};

constexpr OptionRow kEval[] = {
    kWrt,
    kDeclare,
    {"--grad", "G.npy", "write the gradient; X=G.npy with several variables; repeats", "", true},
    {"--value", "V.npy", "write the value", "", true},
    {"--hvp", "V=V.npy",
     "also compute the Hessian with respect to the one --wrt, applied to V; of a variable declared "
     "sym, "
     "spd, diag, lower or upper V is projected first: (V + V')/2, or the part kept",
     "", true},
    {"--hvp-out", "H.npy", "write that product", "", true},
    {"--status", "S.npy",
     "write the status of each problem (int32): 0, or kind * 2^24 + pivot; kind 1: not positive "
     "(Cholesky), 2: zero (LU), or singular by its shape, 3: ill-conditioned, 4: not finite; "
     "pivots count from 1",
     "", true},
    {"--rcond", "R.npy",
     "write, for each problem, the least 1/(|Y|*|inv(Y)|) in the 1-norm of the matrices Y that are "
     "inverted or whose determinant is taken",
     "", true},
    {"--error", "E.npy",
     "write bounds of the relative error of each problem's results, a column for each of value, "
     "gradients and product, in this order; the plan then takes 8 to 25 times as long",
     "", true},
    {"--jitter", "",
     "a Cholesky factorization that fails is tried again with its diagonal times 1 + t, t growing "
     "by tens up to 0.1; the status then is of kind 6, jittered"},
    {"--entry", "i,j", "only this entry of the gradient, counted from 0"},
    {"--reduce", "HOW",
     "none (default), or sum or mean over the problems that succeeded, as in calculus: of the "
     "value and of "
     "derivatives by shared operands; those by a batched operand stay one per problem, divided by "
     "the count "
     "for a mean",
     "none sum mean"},
    kConvention,
    {"--accuracy", "HOW",
     "robust (default): what leads to a factor of float data in double, and factors of X'*X with "
     "care; or fast",
     "robust fast"},
    {"--type", "TYPE",
     "compute in float32 or float64, to which all operands are converted; default: that of the "
     "operands",
     "float32 float64"},
    {"--threads", "N", "default: all cores"},
    {"--device", "NAME",
     "auto (default): a GPU where one can be used and the work is worth the way there; cpu; cuda "
     "or "
     "cuda:k, an NVIDIA GPU of `matgrad devices`; cuda:all, which share the batch",
     "auto cpu cuda cuda:all"},
    {"--device-memory", "SIZE",
     "at most so many bytes on each GPU, such as 8G; default what is free"},
    {"--executor", "NAME",
     "on a GPU: fused, one generated kernel for all steps; library, cuBLAS and cuSOLVER; auto "
     "(default), "
     "fused where that can be",
     "auto fused library"},
    {"--tf32", "", "on a GPU, products of float data may round their factors to TF32 (10 bits)"},
    {"--memory", "SIZE", "bytes for the problems in flight, such as 64M or 1G; default 256M"},
    {"--check", "",
     "compare a sample of problems, the first and the last among them, with the reference"},
    {"--verify", "",
     "first hold every operand against its declaration, sym, spd, diag, lower, upper, orth or pos; "
     "the first problem "
     "that breaks one is named, and no file is written"},
    {"--explain", "",
     "print the plan: its steps, operations, bytes, and why; --explain=passes shows it after each "
     "pass of "
     "the planner too",
     "plan passes"},
};

constexpr OptionRow kCheck[] = {
    kWrt,
    kDeclare,
    {"--dims", "m=64,n=16", "sizes of the named dimensions"},
    {"--batch", "N", "number of problems; default 16"},
    kConvention,
    {"--device", "NAME", "auto (default), cpu, cuda, cuda:k or cuda:all, as in eval",
     "auto cpu cuda cuda:all"},
    {"--device-memory", "SIZE", "as in eval"},
    {"--executor", "NAME", "auto (default), fused or library, as in eval", "auto fused library"},
    {"--tf32", "", "as in eval"},
};

constexpr OptionRow kKernel[] = {
    kWrt,
    kDeclare,
    {"--dims", "m=64,n=16", "sizes of the named dimensions, all of them"},
    {"--batch", "N", "problems that the plan and the bound are for; default 10000"},
    {"--shared", "A", "an operand that all problems have in common; repeats"},
    kConvention,
    {"--type", "TYPE", "of operands and results: float64 (default) or float32", "float32 float64"},
    {"--accuracy", "HOW", "robust (default) or fast, as in eval", "robust fast"},
    {"--arch", "NAME", "the GPU it is compiled for: sm_80, sm_90 (default) or sm_100",
     "sm_80 sm_90 sm_100"},
    {"--standalone", "F.cu",
     "write a file in place of the source: it holds all device code, and a main() that checks the "
     "kernel and measures it; nvcc F.cu builds it",
     "", true},
};

constexpr OptionRow kBench[] = {
    {"--suite", "NAME",
     "core (default), cookbook, four, gpu, scaling, smoke, or the path of your own",
     "core cookbook four gpu scaling smoke", true},
    {"--device", "NAME",
     "auto (default): the first GPU, or the processor where there is none; cpu, cuda, cuda:k",
     "auto cpu cuda"},
    {"--filter", "TEXT", "only rows that have TEXT in their names"},
    {"--seconds", "S", "of measuring per row; default that of the suite"},
    {"--budget", "S", "for everything: rows that are not begun by then are left out, and listed"},
    {"--threads", "N", "of the processor; default all cores"},
    {"--json", "F", "write the results, with the machine, versions and measured rates", "", true},
    {"--csv", "F", "write the rows", "", true},
    {"--differentials", "F",
     "write value and differential of the reference for each case, with their bounds, to which "
     "peers are "
     "held; without --json and --csv nothing is measured",
     "", true},
};

constexpr CommandRow kCommands[] = {
    {"derive", "EXPR --wrt X [options]", "the gradient in closed form, with its derivation",
     "Prints the gradient of the scalar EXPR with respect to X in closed form. EXPR comes first, "
     "even if it "
     "begins with '-'; @name stands for a function of `matgrad list`, with its variable, and "
     "@file.mg for the expression in a file.",
     kDerive,
     "Parts may have names: K = exp(-D/l) + t*eye(n); y'*inv(K)*y + logdet(K). A definition ends "
     "with "
     "; or before a new line that begins with NAME =, and # begins a comment. The gradient uses "
     "the "
     "names, and the lines that are printed are definitions of the same kind.",
     "matgrad derive \"logdet(X'*X)\" --wrt X --steps", "@"},
    {"eval", "EXPR --wrt X X=X.npy A=A.npy t=0.5 ... [options]",
     "value and gradient for .npy data, one problem or a batch",
     "Evaluates EXPR and its gradient. An operand is NAME=FILE.npy, NAME=FILE.npz:MEMBER, or "
     "NAME=NUMBER "
     "for a scalar. A file of the declared rank is shared by the batch; axes in front make it a "
     "batch: a "
     "matrix is (m,n) or (B,m,n), a vector (n,) or (B,n), a scalar () or (B,). A vector may be a "
     "column, (n,1) "
     "or (B,n,1), a scalar (1,1), (B,1) or (B,1,1). Several batch axes, (B,C,m,n), are those of "
     "the results; "
     "all batched operands have the same. A gradient has the shape of its variable's file. Without "
     "an output "
     "file the results are printed.",
     kEval,
     "The run computes in the type of the operands, float32 or float64, one for all: a single "
     "scalar of the "
     "other type follows them, and --type decides where they differ. Numbers of either byte order "
     "are read; "
     "integers, bool, float16 and bfloat16 are converted to the type of the run (float64, or "
     "float32 for "
     "float16 and bfloat16 alone), which is said on stderr. A batch that does not fit memory is "
     "read, computed and written in pieces. Results "
     "appear at the end, complete and all of them, so an interrupted run leaves nothing.",
     "matgrad eval \"norm2(A*x-b)^2\" --wrt x A=A.npy x=x.npy b=b.npy --grad g.npy --value v.npy "
     "--check",
     "@"},
    {"check", "EXPR --wrt X [options]", "the gradient against a reference, on random problems",
     "Computes value and gradient of random problems in float64 and float32 and compares them with "
     "a "
     "reference that knows nothing of gradients: df(X; D) = <G, D> for a random direction D. "
     "Prints the "
     "largest residual and the bound it must keep.",
     kCheck, "", "matgrad check \"logdet(X'*X)\" --wrt X --dims m=64,n=16", "@"},
    {"kernel", "EXPR --wrt X --dims m=64,n=16 [options]",
     "the GPU kernel that computes value and gradient",
     "Prints the source of the one kernel that a GPU runs for value and gradient, as it is "
     "compiled; then which steps "
     "are in it, the threads and problems of a block, registers, spills and block memory, how many "
     "blocks a "
     "multiprocessor holds, bytes and operations of a problem, and a bound of the time on an H100. "
     "It needs the CUDA "
     "module, and no GPU. Where the steps are no kernel it says why, and the exit status is 1.",
     kKernel,
     "A file that --standalone has written exits with 0 where the kernel agrees with the "
     "function's "
     "value in double and "
     "with differences of it along random directions, 1 where it does not, and 77 where there is "
     "no "
     "GPU. It takes the "
     "number of problems as its argument.",
     "matgrad kernel \"logdet(X'*X)\" --wrt X --dims m=64,n=16 --type float32", "@"},
    {"bench", "[options]", "measures suites of cases on this machine",
     "Measures a suite of cases: time, rates, share of the bound that this machine's measured copy "
     "and "
     "multiply-add rates set, and the residual of the differential check. A row whose results do "
     "not pass "
     "the check prints FAIL in place of a time, and the exit status is 1.",
     kBench, "", "matgrad bench --suite smoke --filter logistic --seconds 0.1"},
    {"list",
     "",
     "functions that have a name, such as @log_det_gram",
     "Prints the functions that have a name. @name stands for the function, with its declarations "
     "and its "
     "usual variable, wherever an expression may stand.",
     {},
     "",
     "matgrad list\nmatgrad derive @log_det_gram --steps"},
    {"devices",
     "",
     "what this machine computes on",
     "Prints what this machine computes on: the CPU with its cores and vector instructions, and "
     "each NVIDIA "
     "GPU with its memory, compute capability and multiprocessors, or why there is none.",
     {},
     "",
     "matgrad devices"},
    {"completion",
     "bash",
     "what a shell needs to complete these commands",
     "Prints a script that makes bash complete commands, options, their values and the names of "
     "`matgrad "
     "list`. An installation puts it where the package bash-completion finds it.",
     {},
     "",
     "matgrad completion bash\nsource <(matgrad completion bash)",
     "bash"},
};

}  // namespace

std::span<const CommandRow> commands() {
    return kCommands;
}

const CommandRow* find_command(std::string_view name) {
    const auto* at = std::find_if(std::begin(kCommands), std::end(kCommands),
                                  [name](const CommandRow& row) { return row.name == name; });
    return at == std::end(kCommands) ? nullptr : at;
}

std::string command_names() {
    std::string names;
    for (const CommandRow& row : kCommands) {
        const bool is_last = &row == std::end(kCommands) - 1;
        names += (names.empty() ? "" : is_last ? " or " : ", ") + std::string(row.name);
    }
    return names;
}

}  // namespace matgrad
