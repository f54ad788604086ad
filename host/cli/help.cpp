#include "cli/help.hpp"

namespace matgrad {
namespace {

constexpr std::string_view kOverview =
    R"help(matgrad - closed-form gradients of matrix functions, in large batches

  matgrad derive EXPR --wrt X      the gradient in closed form, with its derivation
  matgrad eval EXPR --wrt X ...    value and gradient for .npy data, one problem or a batch
  matgrad check EXPR --wrt X       the gradient against a reference, on random problems
  matgrad bench                    measures suites of cases on this machine
  matgrad list                     functions that have a name, such as @log_det_gram
  matgrad devices                  what this machine computes on
  matgrad COMMAND --help           the options of a command
  matgrad --version

EXPR is written as on paper: A*B product, A' transpose, inv(A), tr(A), logdet(A), norm2(A)^2,
exp(A) entrywise. Capitals are matrices, lower case letters are column vectors.

Example
  matgrad derive "logdet(X'*X)" --wrt X --steps

Exit status: 0 success; 1 some problems failed or a check exceeded its bound; 2 the call was wrong;
3 the machine failed; 130 interrupted.
)help";

constexpr std::string_view kDerive = R"help(matgrad derive EXPR --wrt X [options]

Prints the gradient of the scalar EXPR with respect to X in closed form. EXPR comes first, even if
it begins with '-'; @name stands for a function of `matgrad list`, with its variable.

  --wrt X               the variable; repeat for several
  --declare X=m,n:spd   shape and structure of a name: x=n a vector, t=1 a scalar, and one of sym,
                        spd, diag, lower, upper, orth; pos for a scalar; repeats
  --steps               the whole derivation, each line with its rule and source
  --format FORMAT       text (default), latex, numpy or json
  --convention NAME     of a symmetric variable: projected (default), (G+G')/2, or free-entries,
                        G + G' - diag(G)

Example
  matgrad derive "logdet(X'*X)" --wrt X --steps
)help";

constexpr std::string_view kEval =
    R"help(matgrad eval EXPR --wrt X X=X.npy A=A.npy t=0.5 ... [options]

Evaluates EXPR and its gradient. An operand is NAME=FILE, or NAME=NUMBER for a scalar. A file of the
declared rank is shared by the batch; one more axis in front makes it a batch: a matrix is (m,n) or
(B,m,n), a vector (n,) or (B,n), a scalar () or (B,). float32 or float64, one type for all. Without
an output file the results are printed.

  --wrt X               the variable; repeat for several
  --declare X=m,n:spd   shape and structure of a name; repeats
  --grad G.npy          write the gradient; X=G.npy with several variables; repeats
  --value V.npy         write the value
  --hvp V=V.npy         also compute the Hessian with respect to the one --wrt, applied to V
  --hvp-out H.npy       write that product
  --status S.npy        write the status of each problem (int32): 0, or kind * 2^24 + pivot; kind 1:
                        not positive (Cholesky), 2: zero (LU), 4: not finite; pivots count from 1
  --entry i,j           only this entry of the gradient, counted from 0
  --reduce HOW          none (default), or sum or mean over the problems that succeeded
  --convention NAME     of a symmetric variable: projected (default) or free-entries
  --accuracy HOW        robust (default): factors of float data in double; or fast
  --threads N           default: all cores
  --device NAME         auto (default): a GPU where one can be used and the work is worth the way
                        there; cpu; cuda or cuda:k, an NVIDIA GPU of `matgrad devices`; cuda:all,
                        which share the batch
  --device-memory SIZE  at most so many bytes on each GPU, such as 8G; default what is free
  --executor NAME       auto (default), or library: cuBLAS and cuSOLVER, which needs a GPU
  --tf32                on a GPU, products of float data may round their factors to TF32 (10 bits)
  --memory SIZE         bytes for the problems in flight, such as 64M or 1G; default 256M
  --check               compare a sample of problems, the first and the last among them, with the
                        reference
  --explain             print the plan: its steps, operations, bytes, and why; --explain=passes
                        shows it after each pass of the planner too

A batch that does not fit memory is read, computed and written in pieces. Results are written under
a temporary name and renamed at the end, so an interrupted run leaves nothing.

Example
  matgrad eval "norm2(A*x-b)^2" --wrt x A=A.npy x=x.npy b=b.npy --grad g.npy --value v.npy --check
)help";

constexpr std::string_view kCheck = R"help(matgrad check EXPR --wrt X [options]

Computes value and gradient of random problems in float64 and float32 and compares them with a
reference that knows nothing of gradients: df(X; D) = <G, D> for a random direction D. Prints the
largest residual and the bound it must keep.

  --wrt X               the variable; repeat for several
  --declare X=m,n:spd   shape and structure of a name; repeats
  --dims m=64,n=16      sizes of the named dimensions
  --batch N             number of problems; default 16
  --convention NAME     of a symmetric variable: projected (default) or free-entries
  --device NAME         auto (default), cpu, cuda, cuda:k or cuda:all; --device-memory, --executor
                        and --tf32 as in eval

Example
  matgrad check "logdet(X'*X)" --wrt X --dims m=64,n=16
)help";

constexpr std::string_view kBench = R"help(matgrad bench [options]

Measures a suite of cases: time, rates, share of the bound that this machine's measured copy and
multiply-add rates set, and the residual of the differential check. A row whose results do not pass
the check prints FAIL in place of a time, and the exit status is 1.

  --suite NAME          core (default), cookbook, four, gpu, scaling, smoke, or the path of your own
  --device NAME         auto (default): the first GPU, or the processor where there is none; cpu,
                        cuda, cuda:k
  --filter TEXT         only rows that have TEXT in their names
  --seconds S           of measuring per row; default that of the suite
  --budget S            for everything: rows that are not begun by then are left out, and listed
  --threads N           of the processor; default all cores
  --json F              write the results, with the machine, versions and measured rates
  --csv F               write the rows
  --differentials F     write value and differential of the reference for each case, with their bounds,
                        to which peers are held; without --json and --csv nothing is measured

Example
  matgrad bench --suite smoke --filter logistic --seconds 0.1
)help";

constexpr std::string_view kList = R"help(matgrad list

Prints the functions that have a name. @name stands for the function, with its declarations and
its usual variable, wherever an expression may stand.

Example
  matgrad list
  matgrad derive @log_det_gram --steps
)help";

constexpr std::string_view kDevices = R"help(matgrad devices

Prints what this machine computes on: the CPU with its cores and vector instructions, and each
NVIDIA GPU with its memory, compute capability and multiprocessors, or why there is none.

Example
  matgrad devices
)help";

}  // namespace

std::string_view help_text(std::string_view command) {
    if (command.empty()) {
        return kOverview;
    }
    if (command == "derive") {
        return kDerive;
    }
    if (command == "eval") {
        return kEval;
    }
    if (command == "check") {
        return kCheck;
    }
    if (command == "bench") {
        return kBench;
    }
    if (command == "list") {
        return kList;
    }
    if (command == "devices") {
        return kDevices;
    }
    return {};
}

}  // namespace matgrad
