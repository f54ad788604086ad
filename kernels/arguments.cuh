#pragma once
/// \file What the host hands to a kernel: one plain struct, laid out alike on both sides.
///
/// Also read by the host (kernels.cpp), so it holds no code.

#include "matgrad/status_kind.hpp"

namespace matgrad::block {

/// A batch of matrices. Entry (r, c) of problem p is p*batch + r*row + c*col elements from `data`;
/// strides may be 0 or negative.
struct Strided {
    void* data;
    long long batch, row, col;
};

/// Every struct of arguments begins with this one.
struct Launch {
    long long first_block;  ///< of this launch, where a grid has more blocks than one launch takes
    long long batch;        ///< problems
};

/// How the entries of a matrix are shared out to neighbouring threads.
enum Order {
    kByRows = 0,     ///< along its rows
    kByColumns = 1,  ///< along its columns
    kByTiles = 2,    ///< along the rows of tiles: what a block reads across, its caches hold
};

/// Masks with a bit for each StatusKind: those that are failures, and those of them whose problems lose
/// their numbers.
inline constexpr unsigned kAnyFailure = ~detail::kSucceededKinds;
inline constexpr unsigned kLosing = kAnyFailure;

template <int kOperands>
struct MapArgs {
    Launch launch;
    Strided out;
    const int* status;  ///< of the problems whose results may be NaN; null: none
    unsigned losing;    ///< a mask of kinds
    int order;          ///< an Order
    int flat;  ///< not 0: the entries lie alike in all matrices, close together and in this order
    Strided from[kOperands > 0 ? kOperands : 1];
};

template <int kOperands>
struct ReduceArgs {
    Launch launch;
    Strided out;  ///< result i of problem p is i*row elements from p's
    const int* pivots;
    const int* status;  ///< as of MapArgs
    unsigned losing;
    int order;  ///< kByRows: along a row of the domain neighbours are close in memory
    Strided from[kOperands > 0 ? kOperands : 1];
};

/// Of a kernel that is a run of steps. Which matrix is which is known to its text.
template <int kMatrices>
struct FusedArgs {
    Launch launch;
    long long at_once;         ///< problems that all teams of the grid work on together
    int* status;               ///< null: nothing can fail
    const int* shared_status;  ///< of what was computed once; null: nothing has failed
    int status_is_new;         ///< not 0: what is there is not read
    unsigned losing;           ///< as of MapArgs
    Strided matrices[kMatrices > 0 ? kMatrices : 1];
    double beta[kMatrices > 0 ? kMatrices : 1];  ///< a result is added to beta times what is there
};

struct BatchSumArgs {
    Launch launch;
    Strided from;
    const int* status;  ///< null: all problems count
    double* to;
    long long segment_length;  ///< problems
    long long order;           ///< of reading
    long long of_sums;         ///< not 0: `from` holds sums of segments, as doubles
    long long adds;            ///< not 0: `to` is added to
};

struct CountFailedArgs {
    Launch launch;
    const int* status;
    long long* failed;
};

struct DivideArgs {
    Launch launch;
    Strided matrix;
    const long long* failed;
    long long problems;
};

}  // namespace matgrad::block
