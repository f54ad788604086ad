==== frobenius
#include "batch_sum.cuh"
#include "map.cuh"
#include "reduce.cuh"

namespace matgrad::block {

struct reduce_body_0 {
    static constexpr long long kRows = 40;
    static constexpr long long kCols = 7;
    static constexpr Over kOver = kOverAll;
    static constexpr int kOutputs = 1;
    static constexpr int kLength = 280;
    static constexpr int kThreads = 256;
    static constexpr int kSlices = 64;
    static constexpr int kChains = 4;
    static constexpr bool kSigned = false;
    using Operation = Sum;
    using Out = double;
    using Type = double;
    struct Inputs {
        double a0;
    };
    template <typename At>
    MATGRAD_DEVICE static Inputs read(const Strided* from, const At& at) {
        return {
            entry<double, double>(from[0], at),
        };
    }
    template <typename At>
    MATGRAD_DEVICE static double value(const Inputs& in, const At& at) {
        const double r0 = in.a0;
        const double r1 = r0 * r0;
        return r1;
    }
    MATGRAD_DEVICE static double scaled(double x) {
        return 0.5 * x;
    }
};
MATGRAD_KERNEL(reduce_0, ReduceArgs<1>, 256) {
    reduce<reduce_body_0>(args);
}

}  // namespace matgrad::block

==== frobenius, summed over the batch
#include "batch_sum.cuh"
#include "map.cuh"
#include "reduce.cuh"

namespace matgrad::block {

struct reduce_body_0 {
    static constexpr long long kRows = 40;
    static constexpr long long kCols = 7;
    static constexpr Over kOver = kOverAll;
    static constexpr int kOutputs = 1;
    static constexpr int kLength = 280;
    static constexpr int kThreads = 256;
    static constexpr int kSlices = 64;
    static constexpr int kChains = 4;
    static constexpr bool kSigned = false;
    using Operation = Sum;
    using Out = double;
    using Type = double;
    struct Inputs {
        double a0;
    };
    template <typename At>
    MATGRAD_DEVICE static Inputs read(const Strided* from, const At& at) {
        return {
            entry<double, float>(from[0], at),
        };
    }
    template <typename At>
    MATGRAD_DEVICE static double value(const Inputs& in, const At& at) {
        const double r0 = in.a0;
        const double r1 = r0 * r0;
        return r1;
    }
    MATGRAD_DEVICE static double scaled(double x) {
        return 0.5 * x;
    }
};
MATGRAD_KERNEL(reduce_0, ReduceArgs<1>, 256) {
    reduce<reduce_body_0>(args);
}

struct batch_sum_body_1 {
    static constexpr long long kRows = 1;
    static constexpr long long kCols = 1;
    static constexpr int kThreads = 256;
    static constexpr int kSlices = 256;
    using From = double;
};
MATGRAD_KERNEL(batch_sum_1, BatchSumArgs, 256) {
    batch_sum<batch_sum_body_1>(args);
}

struct batch_sum_body_2 {
    static constexpr long long kRows = 40;
    static constexpr long long kCols = 12;
    static constexpr int kThreads = 256;
    static constexpr int kSlices = 1;
    using From = float;
};
MATGRAD_KERNEL(batch_sum_2, BatchSumArgs, 256) {
    batch_sum<batch_sum_body_2>(args);
}

}  // namespace matgrad::block

==== least_squares
#include "batch_sum.cuh"
#include "map.cuh"
#include "reduce.cuh"

namespace matgrad::block {

struct reduce_body_0 {
    static constexpr long long kRows = 40;
    static constexpr long long kCols = 1;
    static constexpr Over kOver = kOverAll;
    static constexpr int kOutputs = 1;
    static constexpr int kLength = 40;
    static constexpr int kThreads = 256;
    static constexpr int kSlices = 8;
    static constexpr int kChains = 4;
    static constexpr bool kSigned = false;
    using Operation = Sum;
    using Out = double;
    using Type = double;
    struct Inputs {
        double a0;
    };
    template <typename At>
    MATGRAD_DEVICE static Inputs read(const Strided* from, const At& at) {
        return {
            entry<double, double>(from[0], at),
        };
    }
    template <typename At>
    MATGRAD_DEVICE static double value(const Inputs& in, const At& at) {
        const double r0 = in.a0;
        const double r1 = r0 * r0;
        return r1;
    }
    MATGRAD_DEVICE static double scaled(double x) {
        return x;
    }
};
MATGRAD_KERNEL(reduce_0, ReduceArgs<1>, 256) {
    reduce<reduce_body_0>(args);
}

}  // namespace matgrad::block

==== least_squares, summed over the batch
#include "batch_sum.cuh"
#include "map.cuh"
#include "reduce.cuh"

namespace matgrad::block {

struct reduce_body_0 {
    static constexpr long long kRows = 40;
    static constexpr long long kCols = 1;
    static constexpr Over kOver = kOverAll;
    static constexpr int kOutputs = 1;
    static constexpr int kLength = 40;
    static constexpr int kThreads = 256;
    static constexpr int kSlices = 8;
    static constexpr int kChains = 4;
    static constexpr bool kSigned = false;
    using Operation = Sum;
    using Out = double;
    using Type = double;
    struct Inputs {
        double a0;
    };
    template <typename At>
    MATGRAD_DEVICE static Inputs read(const Strided* from, const At& at) {
        return {
            entry<double, float>(from[0], at),
        };
    }
    template <typename At>
    MATGRAD_DEVICE static double value(const Inputs& in, const At& at) {
        const double r0 = in.a0;
        const double r1 = r0 * r0;
        return r1;
    }
    MATGRAD_DEVICE static double scaled(double x) {
        return x;
    }
};
MATGRAD_KERNEL(reduce_0, ReduceArgs<1>, 256) {
    reduce<reduce_body_0>(args);
}

struct batch_sum_body_1 {
    static constexpr long long kRows = 1;
    static constexpr long long kCols = 1;
    static constexpr int kThreads = 256;
    static constexpr int kSlices = 256;
    using From = double;
};
MATGRAD_KERNEL(batch_sum_1, BatchSumArgs, 256) {
    batch_sum<batch_sum_body_1>(args);
}

struct batch_sum_body_2 {
    static constexpr long long kRows = 12;
    static constexpr long long kCols = 1;
    static constexpr int kThreads = 256;
    static constexpr int kSlices = 16;
    using From = float;
};
MATGRAD_KERNEL(batch_sum_2, BatchSumArgs, 256) {
    batch_sum<batch_sum_body_2>(args);
}

}  // namespace matgrad::block

==== bilinear_trace
#include "batch_sum.cuh"
#include "map.cuh"
#include "reduce.cuh"

namespace matgrad::block {

struct reduce_body_0 {
    static constexpr long long kRows = 12;
    static constexpr long long kCols = 40;
    static constexpr Over kOver = kOverAll;
    static constexpr int kOutputs = 1;
    static constexpr int kLength = 480;
    static constexpr int kThreads = 256;
    static constexpr int kSlices = 64;
    static constexpr int kChains = 4;
    static constexpr bool kSigned = false;
    using Operation = Sum;
    using Out = double;
    using Type = double;
    struct Inputs {
        double a0;
        double a1;
    };
    template <typename At>
    MATGRAD_DEVICE static Inputs read(const Strided* from, const At& at) {
        return {
            entry<double, double>(from[0], at),
            entry<double, double>(from[1], at),
        };
    }
    template <typename At>
    MATGRAD_DEVICE static double value(const Inputs& in, const At& at) {
        const double r0 = in.a0;
        const double r1 = in.a1;
        const double r2 = r1 * r0;
        return r2;
    }
    MATGRAD_DEVICE static double scaled(double x) {
        return x;
    }
};
MATGRAD_KERNEL(reduce_0, ReduceArgs<2>, 256) {
    reduce<reduce_body_0>(args);
}

}  // namespace matgrad::block

==== bilinear_trace, summed over the batch
#include "batch_sum.cuh"
#include "map.cuh"
#include "reduce.cuh"

namespace matgrad::block {

struct reduce_body_0 {
    static constexpr long long kRows = 12;
    static constexpr long long kCols = 40;
    static constexpr Over kOver = kOverAll;
    static constexpr int kOutputs = 1;
    static constexpr int kLength = 480;
    static constexpr int kThreads = 256;
    static constexpr int kSlices = 64;
    static constexpr int kChains = 4;
    static constexpr bool kSigned = false;
    using Operation = Sum;
    using Out = double;
    using Type = double;
    struct Inputs {
        double a0;
        double a1;
    };
    template <typename At>
    MATGRAD_DEVICE static Inputs read(const Strided* from, const At& at) {
        return {
            entry<double, float>(from[0], at),
            entry<double, float>(from[1], at),
        };
    }
    template <typename At>
    MATGRAD_DEVICE static double value(const Inputs& in, const At& at) {
        const double r0 = in.a0;
        const double r1 = in.a1;
        const double r2 = r1 * r0;
        return r2;
    }
    MATGRAD_DEVICE static double scaled(double x) {
        return x;
    }
};
MATGRAD_KERNEL(reduce_0, ReduceArgs<2>, 256) {
    reduce<reduce_body_0>(args);
}

struct batch_sum_body_1 {
    static constexpr long long kRows = 1;
    static constexpr long long kCols = 1;
    static constexpr int kThreads = 256;
    static constexpr int kSlices = 256;
    using From = double;
};
MATGRAD_KERNEL(batch_sum_1, BatchSumArgs, 256) {
    batch_sum<batch_sum_body_1>(args);
}

struct batch_sum_body_2 {
    static constexpr long long kRows = 12;
    static constexpr long long kCols = 40;
    static constexpr int kThreads = 256;
    static constexpr int kSlices = 1;
    using From = float;
};
MATGRAD_KERNEL(batch_sum_2, BatchSumArgs, 256) {
    batch_sum<batch_sum_body_2>(args);
}

}  // namespace matgrad::block

==== log_det_gram
#include "batch_sum.cuh"
#include "map.cuh"
#include "reduce.cuh"

namespace matgrad::block {

struct reduce_body_0 {
    static constexpr long long kRows = 12;
    static constexpr long long kCols = 12;
    static constexpr Over kOver = kOverDiagonal;
    static constexpr int kOutputs = 1;
    static constexpr int kLength = 12;
    static constexpr int kThreads = 256;
    static constexpr int kSlices = 2;
    static constexpr int kChains = 4;
    static constexpr bool kSigned = false;
    using Operation = Sum;
    using Out = double;
    using Type = double;
    struct Inputs {
        double a0;
    };
    template <typename At>
    MATGRAD_DEVICE static Inputs read(const Strided* from, const At& at) {
        return {
            entry<double, double>(from[0], at),
        };
    }
    template <typename At>
    MATGRAD_DEVICE static double value(const Inputs& in, const At& at) {
        const double r0 = in.a0;
        const double r1 = log(r0);
        return r1;
    }
    MATGRAD_DEVICE static double scaled(double x) {
        return 2.0 * x;
    }
};
MATGRAD_KERNEL(reduce_0, ReduceArgs<1>, 256) {
    reduce<reduce_body_0>(args);
}

}  // namespace matgrad::block

==== log_det_gram, summed over the batch
#include "batch_sum.cuh"
#include "map.cuh"
#include "reduce.cuh"

namespace matgrad::block {

struct reduce_body_0 {
    static constexpr long long kRows = 12;
    static constexpr long long kCols = 12;
    static constexpr Over kOver = kOverDiagonal;
    static constexpr int kOutputs = 1;
    static constexpr int kLength = 12;
    static constexpr int kThreads = 256;
    static constexpr int kSlices = 2;
    static constexpr int kChains = 4;
    static constexpr bool kSigned = false;
    using Operation = Sum;
    using Out = double;
    using Type = double;
    struct Inputs {
        double a0;
    };
    template <typename At>
    MATGRAD_DEVICE static Inputs read(const Strided* from, const At& at) {
        return {
            entry<double, double>(from[0], at),
        };
    }
    template <typename At>
    MATGRAD_DEVICE static double value(const Inputs& in, const At& at) {
        const double r0 = in.a0;
        const double r1 = log(r0);
        return r1;
    }
    MATGRAD_DEVICE static double scaled(double x) {
        return 2.0 * x;
    }
};
MATGRAD_KERNEL(reduce_0, ReduceArgs<1>, 256) {
    reduce<reduce_body_0>(args);
}

struct batch_sum_body_1 {
    static constexpr long long kRows = 1;
    static constexpr long long kCols = 1;
    static constexpr int kThreads = 256;
    static constexpr int kSlices = 256;
    using From = double;
};
MATGRAD_KERNEL(batch_sum_1, BatchSumArgs, 256) {
    batch_sum<batch_sum_body_1>(args);
}

struct batch_sum_body_2 {
    static constexpr long long kRows = 40;
    static constexpr long long kCols = 12;
    static constexpr int kThreads = 256;
    static constexpr int kSlices = 1;
    using From = float;
};
MATGRAD_KERNEL(batch_sum_2, BatchSumArgs, 256) {
    batch_sum<batch_sum_body_2>(args);
}

struct batch_sum_body_3 {
    static constexpr long long kRows = 40;
    static constexpr long long kCols = 12;
    static constexpr int kThreads = 256;
    static constexpr int kSlices = 1;
    using From = double;
};
MATGRAD_KERNEL(batch_sum_3, BatchSumArgs, 256) {
    batch_sum<batch_sum_body_3>(args);
}

}  // namespace matgrad::block

==== weighted_least_squares
#include "batch_sum.cuh"
#include "map.cuh"
#include "reduce.cuh"

namespace matgrad::block {

struct reduce_body_0 {
    static constexpr long long kRows = 40;
    static constexpr long long kCols = 1;
    static constexpr Over kOver = kOverAll;
    static constexpr int kOutputs = 1;
    static constexpr int kLength = 40;
    static constexpr int kThreads = 256;
    static constexpr int kSlices = 8;
    static constexpr int kChains = 4;
    static constexpr bool kSigned = false;
    using Operation = Sum;
    using Out = double;
    using Type = double;
    struct Inputs {
        double a0;
        double a1;
    };
    template <typename At>
    MATGRAD_DEVICE static Inputs read(const Strided* from, const At& at) {
        return {
            entry<double, double>(from[0], at),
            entry<double, double>(from[1], at),
        };
    }
    template <typename At>
    MATGRAD_DEVICE static double value(const Inputs& in, const At& at) {
        const double r0 = in.a0;
        const double r1 = in.a1;
        const double r2 = r1 * r1;
        const double r3 = r0 * r2;
        return r3;
    }
    MATGRAD_DEVICE static double scaled(double x) {
        return x;
    }
};
MATGRAD_KERNEL(reduce_0, ReduceArgs<2>, 256) {
    reduce<reduce_body_0>(args);
}

struct map_body_1 {
    static constexpr long long kRows = 40;
    static constexpr long long kCols = 1;
    static constexpr int kThreads = 256;
    static constexpr int kItems = 4;
    static constexpr int kGroup = 2;
    static constexpr int kGroups = 4;
    using Out = double;
    using Type = double;
    struct Inputs {
        double a0;
        double a1;
    };
    template <typename At>
    MATGRAD_DEVICE static Inputs read(const Strided* from, const At& at) {
        return {
            entry<double, double>(from[0], at),
            entry<double, double>(from[1], at),
        };
    }
    template <typename At>
    MATGRAD_DEVICE static double value(const Inputs& in, const At& at) {
        const double r0 = in.a0;
        const double r1 = in.a1;
        const double r2 = r0 * r1;
        return r2;
    }
    struct Packs {
        Pack<double, 2> a0;
        Pack<double, 2> a1;
    };
    template <typename At>
    MATGRAD_DEVICE static Packs read_packs(const Strided* from, const At& at) {
        return {
            pack<double, 2>(from[0], at),
            pack<double, 2>(from[1], at),
        };
    }
    MATGRAD_DEVICE static Inputs of_packs(const Packs& packs, int i) {
        return {
            static_cast<double>(packs.a0.entries[i]),
            static_cast<double>(packs.a1.entries[i]),
        };
    }
};
MATGRAD_KERNEL(map_1, MapArgs<2>, 256) {
    map<map_body_1>(args);
}

}  // namespace matgrad::block

==== weighted_least_squares, summed over the batch
#include "batch_sum.cuh"
#include "map.cuh"
#include "reduce.cuh"

namespace matgrad::block {

struct reduce_body_0 {
    static constexpr long long kRows = 40;
    static constexpr long long kCols = 1;
    static constexpr Over kOver = kOverAll;
    static constexpr int kOutputs = 1;
    static constexpr int kLength = 40;
    static constexpr int kThreads = 256;
    static constexpr int kSlices = 8;
    static constexpr int kChains = 4;
    static constexpr bool kSigned = false;
    using Operation = Sum;
    using Out = double;
    using Type = double;
    struct Inputs {
        double a0;
        double a1;
    };
    template <typename At>
    MATGRAD_DEVICE static Inputs read(const Strided* from, const At& at) {
        return {
            entry<double, float>(from[0], at),
            entry<double, float>(from[1], at),
        };
    }
    template <typename At>
    MATGRAD_DEVICE static double value(const Inputs& in, const At& at) {
        const double r0 = in.a0;
        const double r1 = in.a1;
        const double r2 = r1 * r1;
        const double r3 = r0 * r2;
        return r3;
    }
    MATGRAD_DEVICE static double scaled(double x) {
        return x;
    }
};
MATGRAD_KERNEL(reduce_0, ReduceArgs<2>, 256) {
    reduce<reduce_body_0>(args);
}

struct map_body_1 {
    static constexpr long long kRows = 40;
    static constexpr long long kCols = 1;
    static constexpr int kThreads = 256;
    static constexpr int kItems = 4;
    static constexpr int kGroup = 4;
    static constexpr int kGroups = 2;
    using Out = float;
    using Type = float;
    struct Inputs {
        float a0;
        float a1;
    };
    template <typename At>
    MATGRAD_DEVICE static Inputs read(const Strided* from, const At& at) {
        return {
            entry<float, float>(from[0], at),
            entry<float, float>(from[1], at),
        };
    }
    template <typename At>
    MATGRAD_DEVICE static float value(const Inputs& in, const At& at) {
        const float r0 = in.a0;
        const float r1 = in.a1;
        const float r2 = r0 * r1;
        return r2;
    }
    struct Packs {
        Pack<float, 4> a0;
        Pack<float, 4> a1;
    };
    template <typename At>
    MATGRAD_DEVICE static Packs read_packs(const Strided* from, const At& at) {
        return {
            pack<float, 4>(from[0], at),
            pack<float, 4>(from[1], at),
        };
    }
    MATGRAD_DEVICE static Inputs of_packs(const Packs& packs, int i) {
        return {
            static_cast<float>(packs.a0.entries[i]),
            static_cast<float>(packs.a1.entries[i]),
        };
    }
};
MATGRAD_KERNEL(map_1, MapArgs<2>, 256) {
    map<map_body_1>(args);
}

struct batch_sum_body_2 {
    static constexpr long long kRows = 1;
    static constexpr long long kCols = 1;
    static constexpr int kThreads = 256;
    static constexpr int kSlices = 256;
    using From = double;
};
MATGRAD_KERNEL(batch_sum_2, BatchSumArgs, 256) {
    batch_sum<batch_sum_body_2>(args);
}

struct batch_sum_body_3 {
    static constexpr long long kRows = 12;
    static constexpr long long kCols = 1;
    static constexpr int kThreads = 256;
    static constexpr int kSlices = 16;
    using From = float;
};
MATGRAD_KERNEL(batch_sum_3, BatchSumArgs, 256) {
    batch_sum<batch_sum_body_3>(args);
}

}  // namespace matgrad::block

==== ridge
#include "batch_sum.cuh"
#include "map.cuh"
#include "reduce.cuh"

namespace matgrad::block {

struct reduce_body_0 {
    static constexpr long long kRows = 40;
    static constexpr long long kCols = 1;
    static constexpr Over kOver = kOverAll;
    static constexpr int kOutputs = 1;
    static constexpr int kLength = 40;
    static constexpr int kThreads = 256;
    static constexpr int kSlices = 8;
    static constexpr int kChains = 4;
    static constexpr bool kSigned = false;
    using Operation = Sum;
    using Out = double;
    using Type = double;
    struct Inputs {
        double a0;
    };
    template <typename At>
    MATGRAD_DEVICE static Inputs read(const Strided* from, const At& at) {
        return {
            entry<double, double>(from[0], at),
        };
    }
    template <typename At>
    MATGRAD_DEVICE static double value(const Inputs& in, const At& at) {
        const double r0 = in.a0;
        const double r1 = r0 * r0;
        return r1;
    }
    MATGRAD_DEVICE static double scaled(double x) {
        return x;
    }
};
MATGRAD_KERNEL(reduce_0, ReduceArgs<1>, 256) {
    reduce<reduce_body_0>(args);
}

struct reduce_body_1 {
    static constexpr long long kRows = 12;
    static constexpr long long kCols = 1;
    static constexpr Over kOver = kOverAll;
    static constexpr int kOutputs = 1;
    static constexpr int kLength = 12;
    static constexpr int kThreads = 256;
    static constexpr int kSlices = 2;
    static constexpr int kChains = 4;
    static constexpr bool kSigned = false;
    using Operation = Sum;
    using Out = double;
    using Type = double;
    struct Inputs {
        double a0;
    };
    template <typename At>
    MATGRAD_DEVICE static Inputs read(const Strided* from, const At& at) {
        return {
            entry<double, double>(from[0], at),
        };
    }
    template <typename At>
    MATGRAD_DEVICE static double value(const Inputs& in, const At& at) {
        const double r0 = in.a0;
        const double r1 = r0 * r0;
        return r1;
    }
    MATGRAD_DEVICE static double scaled(double x) {
        return x;
    }
};
MATGRAD_KERNEL(reduce_1, ReduceArgs<1>, 256) {
    reduce<reduce_body_1>(args);
}

struct map_body_2 {
    static constexpr long long kRows = 1;
    static constexpr long long kCols = 1;
    static constexpr int kThreads = 256;
    static constexpr int kItems = 2;
    static constexpr int kGroup = 2;
    static constexpr int kGroups = 2;
    using Out = double;
    using Type = double;
    struct Inputs {
        double a0;
        double a1;
        double a2;
    };
    template <typename At>
    MATGRAD_DEVICE static Inputs read(const Strided* from, const At& at) {
        return {
            entry<double, double>(from[0], at),
            entry<double, double>(from[1], at),
            entry<double, double>(from[2], at),
        };
    }
    template <typename At>
    MATGRAD_DEVICE static double value(const Inputs& in, const At& at) {
        const double r0 = in.a0;
        const double r1 = in.a1;
        const double r2 = in.a2;
        const double r3 = r1 * r2;
        const double r4 = r0 + r3;
        return r4;
    }
    struct Packs {
        Pack<double, 2> a0;
        Pack<double, 2> a1;
        Pack<double, 2> a2;
    };
    template <typename At>
    MATGRAD_DEVICE static Packs read_packs(const Strided* from, const At& at) {
        return {
            pack<double, 2>(from[0], at),
            pack<double, 2>(from[1], at),
            pack<double, 2>(from[2], at),
        };
    }
    MATGRAD_DEVICE static Inputs of_packs(const Packs& packs, int i) {
        return {
            static_cast<double>(packs.a0.entries[i]),
            static_cast<double>(packs.a1.entries[i]),
            static_cast<double>(packs.a2.entries[i]),
        };
    }
};
MATGRAD_KERNEL(map_2, MapArgs<3>, 256) {
    map<map_body_2>(args);
}

struct map_body_3 {
    static constexpr long long kRows = 12;
    static constexpr long long kCols = 1;
    static constexpr int kThreads = 256;
    static constexpr int kItems = 4;
    static constexpr int kGroup = 2;
    static constexpr int kGroups = 4;
    using Out = double;
    using Type = double;
    struct Inputs {
        double a0;
        double a1;
    };
    template <typename At>
    MATGRAD_DEVICE static Inputs read(const Strided* from, const At& at) {
        return {
            entry<double, double>(from[0], at),
            entry_of_scalar<double, double>(from[1], at),
        };
    }
    template <typename At>
    MATGRAD_DEVICE static double value(const Inputs& in, const At& at) {
        const double r0 = in.a0;
        const double r1 = in.a1;
        const double r2 = r1 * r0;
        return r2;
    }
    struct Packs {
        Pack<double, 2> a0;
        double a1;
    };
    template <typename At>
    MATGRAD_DEVICE static Packs read_packs(const Strided* from, const At& at) {
        return {
            pack<double, 2>(from[0], at),
            scalar<double>(from[1], at),
        };
    }
    MATGRAD_DEVICE static Inputs of_packs(const Packs& packs, int i) {
        return {
            static_cast<double>(packs.a0.entries[i]),
            static_cast<double>(packs.a1),
        };
    }
};
MATGRAD_KERNEL(map_3, MapArgs<2>, 256) {
    map<map_body_3>(args);
}

}  // namespace matgrad::block

==== ridge, summed over the batch
#include "batch_sum.cuh"
#include "map.cuh"
#include "reduce.cuh"

namespace matgrad::block {

struct reduce_body_0 {
    static constexpr long long kRows = 12;
    static constexpr long long kCols = 1;
    static constexpr Over kOver = kOverAll;
    static constexpr int kOutputs = 1;
    static constexpr int kLength = 12;
    static constexpr int kThreads = 256;
    static constexpr int kSlices = 2;
    static constexpr int kChains = 4;
    static constexpr bool kSigned = false;
    using Operation = Sum;
    using Out = double;
    using Type = double;
    struct Inputs {
        double a0;
    };
    template <typename At>
    MATGRAD_DEVICE static Inputs read(const Strided* from, const At& at) {
        return {
            entry<double, float>(from[0], at),
        };
    }
    template <typename At>
    MATGRAD_DEVICE static double value(const Inputs& in, const At& at) {
        const double r0 = in.a0;
        const double r1 = r0 * r0;
        return r1;
    }
    MATGRAD_DEVICE static double scaled(double x) {
        return x;
    }
};
MATGRAD_KERNEL(reduce_0, ReduceArgs<1>, 256) {
    reduce<reduce_body_0>(args);
}

struct reduce_body_1 {
    static constexpr long long kRows = 40;
    static constexpr long long kCols = 1;
    static constexpr Over kOver = kOverAll;
    static constexpr int kOutputs = 1;
    static constexpr int kLength = 40;
    static constexpr int kThreads = 256;
    static constexpr int kSlices = 8;
    static constexpr int kChains = 4;
    static constexpr bool kSigned = false;
    using Operation = Sum;
    using Out = double;
    using Type = double;
    struct Inputs {
        double a0;
    };
    template <typename At>
    MATGRAD_DEVICE static Inputs read(const Strided* from, const At& at) {
        return {
            entry<double, float>(from[0], at),
        };
    }
    template <typename At>
    MATGRAD_DEVICE static double value(const Inputs& in, const At& at) {
        const double r0 = in.a0;
        const double r1 = r0 * r0;
        return r1;
    }
    MATGRAD_DEVICE static double scaled(double x) {
        return x;
    }
};
MATGRAD_KERNEL(reduce_1, ReduceArgs<1>, 256) {
    reduce<reduce_body_1>(args);
}

struct map_body_2 {
    static constexpr long long kRows = 1;
    static constexpr long long kCols = 1;
    static constexpr int kThreads = 256;
    static constexpr int kItems = 2;
    static constexpr int kGroup = 2;
    static constexpr int kGroups = 2;
    using Out = double;
    using Type = double;
    struct Inputs {
        double a0;
        double a1;
        double a2;
    };
    template <typename At>
    MATGRAD_DEVICE static Inputs read(const Strided* from, const At& at) {
        return {
            entry<double, double>(from[0], at),
            entry<double, float>(from[1], at),
            entry<double, double>(from[2], at),
        };
    }
    template <typename At>
    MATGRAD_DEVICE static double value(const Inputs& in, const At& at) {
        const double r0 = in.a0;
        const double r1 = in.a1;
        const double r2 = in.a2;
        const double r3 = r1 * r2;
        const double r4 = r0 + r3;
        return r4;
    }
    struct Packs {
        Pack<double, 2> a0;
        Pack<float, 2> a1;
        Pack<double, 2> a2;
    };
    template <typename At>
    MATGRAD_DEVICE static Packs read_packs(const Strided* from, const At& at) {
        return {
            pack<double, 2>(from[0], at),
            pack<float, 2>(from[1], at),
            pack<double, 2>(from[2], at),
        };
    }
    MATGRAD_DEVICE static Inputs of_packs(const Packs& packs, int i) {
        return {
            static_cast<double>(packs.a0.entries[i]),
            static_cast<double>(packs.a1.entries[i]),
            static_cast<double>(packs.a2.entries[i]),
        };
    }
};
MATGRAD_KERNEL(map_2, MapArgs<3>, 256) {
    map<map_body_2>(args);
}

struct map_body_3 {
    static constexpr long long kRows = 12;
    static constexpr long long kCols = 1;
    static constexpr int kThreads = 256;
    static constexpr int kItems = 4;
    static constexpr int kGroup = 4;
    static constexpr int kGroups = 2;
    using Out = float;
    using Type = float;
    struct Inputs {
        float a0;
        float a1;
    };
    template <typename At>
    MATGRAD_DEVICE static Inputs read(const Strided* from, const At& at) {
        return {
            entry<float, float>(from[0], at),
            entry_of_scalar<float, float>(from[1], at),
        };
    }
    template <typename At>
    MATGRAD_DEVICE static float value(const Inputs& in, const At& at) {
        const float r0 = in.a0;
        const float r1 = in.a1;
        const float r2 = r1 * r0;
        return r2;
    }
    struct Packs {
        Pack<float, 4> a0;
        float a1;
    };
    template <typename At>
    MATGRAD_DEVICE static Packs read_packs(const Strided* from, const At& at) {
        return {
            pack<float, 4>(from[0], at),
            scalar<float>(from[1], at),
        };
    }
    MATGRAD_DEVICE static Inputs of_packs(const Packs& packs, int i) {
        return {
            static_cast<float>(packs.a0.entries[i]),
            static_cast<float>(packs.a1),
        };
    }
};
MATGRAD_KERNEL(map_3, MapArgs<2>, 256) {
    map<map_body_3>(args);
}

struct batch_sum_body_4 {
    static constexpr long long kRows = 1;
    static constexpr long long kCols = 1;
    static constexpr int kThreads = 256;
    static constexpr int kSlices = 256;
    using From = double;
};
MATGRAD_KERNEL(batch_sum_4, BatchSumArgs, 256) {
    batch_sum<batch_sum_body_4>(args);
}

struct batch_sum_body_5 {
    static constexpr long long kRows = 12;
    static constexpr long long kCols = 1;
    static constexpr int kThreads = 256;
    static constexpr int kSlices = 16;
    using From = float;
};
MATGRAD_KERNEL(batch_sum_5, BatchSumArgs, 256) {
    batch_sum<batch_sum_body_5>(args);
}

struct map_body_6 {
    static constexpr long long kRows = 12;
    static constexpr long long kCols = 1;
    static constexpr int kThreads = 256;
    static constexpr int kItems = 4;
    static constexpr int kGroup = 2;
    static constexpr int kGroups = 4;
    using Out = float;
    using Type = double;
    struct Inputs {
        double a0;
        double a1;
    };
    template <typename At>
    MATGRAD_DEVICE static Inputs read(const Strided* from, const At& at) {
        return {
            entry<double, double>(from[0], at),
            entry<double, double>(from[1], at),
        };
    }
    template <typename At>
    MATGRAD_DEVICE static double value(const Inputs& in, const At& at) {
        const double r0 = in.a0;
        const double r1 = in.a1;
        const double r2 = 2.0 * r1;
        const double r3 = r0 + r2;
        return r3;
    }
    struct Packs {
        Pack<double, 2> a0;
        Pack<double, 2> a1;
    };
    template <typename At>
    MATGRAD_DEVICE static Packs read_packs(const Strided* from, const At& at) {
        return {
            pack<double, 2>(from[0], at),
            pack<double, 2>(from[1], at),
        };
    }
    MATGRAD_DEVICE static Inputs of_packs(const Packs& packs, int i) {
        return {
            static_cast<double>(packs.a0.entries[i]),
            static_cast<double>(packs.a1.entries[i]),
        };
    }
};
MATGRAD_KERNEL(map_6, MapArgs<2>, 256) {
    map<map_body_6>(args);
}

}  // namespace matgrad::block

==== matrix_least_squares
#include "batch_sum.cuh"
#include "map.cuh"
#include "reduce.cuh"

namespace matgrad::block {

struct reduce_body_0 {
    static constexpr long long kRows = 40;
    static constexpr long long kCols = 7;
    static constexpr Over kOver = kOverAll;
    static constexpr int kOutputs = 1;
    static constexpr int kLength = 280;
    static constexpr int kThreads = 256;
    static constexpr int kSlices = 64;
    static constexpr int kChains = 4;
    static constexpr bool kSigned = false;
    using Operation = Sum;
    using Out = double;
    using Type = double;
    struct Inputs {
        double a0;
    };
    template <typename At>
    MATGRAD_DEVICE static Inputs read(const Strided* from, const At& at) {
        return {
            entry<double, double>(from[0], at),
        };
    }
    template <typename At>
    MATGRAD_DEVICE static double value(const Inputs& in, const At& at) {
        const double r0 = in.a0;
        const double r1 = r0 * r0;
        return r1;
    }
    MATGRAD_DEVICE static double scaled(double x) {
        return x;
    }
};
MATGRAD_KERNEL(reduce_0, ReduceArgs<1>, 256) {
    reduce<reduce_body_0>(args);
}

}  // namespace matgrad::block

==== matrix_least_squares, summed over the batch
#include "batch_sum.cuh"
#include "map.cuh"
#include "reduce.cuh"

namespace matgrad::block {

struct reduce_body_0 {
    static constexpr long long kRows = 40;
    static constexpr long long kCols = 7;
    static constexpr Over kOver = kOverAll;
    static constexpr int kOutputs = 1;
    static constexpr int kLength = 280;
    static constexpr int kThreads = 256;
    static constexpr int kSlices = 64;
    static constexpr int kChains = 4;
    static constexpr bool kSigned = false;
    using Operation = Sum;
    using Out = double;
    using Type = double;
    struct Inputs {
        double a0;
    };
    template <typename At>
    MATGRAD_DEVICE static Inputs read(const Strided* from, const At& at) {
        return {
            entry<double, float>(from[0], at),
        };
    }
    template <typename At>
    MATGRAD_DEVICE static double value(const Inputs& in, const At& at) {
        const double r0 = in.a0;
        const double r1 = r0 * r0;
        return r1;
    }
    MATGRAD_DEVICE static double scaled(double x) {
        return x;
    }
};
MATGRAD_KERNEL(reduce_0, ReduceArgs<1>, 256) {
    reduce<reduce_body_0>(args);
}

struct batch_sum_body_1 {
    static constexpr long long kRows = 1;
    static constexpr long long kCols = 1;
    static constexpr int kThreads = 256;
    static constexpr int kSlices = 256;
    using From = double;
};
MATGRAD_KERNEL(batch_sum_1, BatchSumArgs, 256) {
    batch_sum<batch_sum_body_1>(args);
}

struct batch_sum_body_2 {
    static constexpr long long kRows = 12;
    static constexpr long long kCols = 7;
    static constexpr int kThreads = 256;
    static constexpr int kSlices = 2;
    using From = float;
};
MATGRAD_KERNEL(batch_sum_2, BatchSumArgs, 256) {
    batch_sum<batch_sum_body_2>(args);
}

}  // namespace matgrad::block

==== logistic
#include "batch_sum.cuh"
#include "map.cuh"
#include "reduce.cuh"

namespace matgrad::block {

struct map_body_0 {
    static constexpr long long kRows = 40;
    static constexpr long long kCols = 1;
    static constexpr int kThreads = 256;
    static constexpr int kItems = 4;
    static constexpr int kGroup = 2;
    static constexpr int kGroups = 4;
    using Out = double;
    using Type = double;
    struct Inputs {
        double a0;
        double a1;
    };
    template <typename At>
    MATGRAD_DEVICE static Inputs read(const Strided* from, const At& at) {
        return {
            entry<double, double>(from[0], at),
            entry<double, double>(from[1], at),
        };
    }
    template <typename At>
    MATGRAD_DEVICE static double value(const Inputs& in, const At& at) {
        const double r0 = in.a0;
        const double r1 = in.a1;
        const double r2 = r0 * r1;
        return r2;
    }
    struct Packs {
        Pack<double, 2> a0;
        Pack<double, 2> a1;
    };
    template <typename At>
    MATGRAD_DEVICE static Packs read_packs(const Strided* from, const At& at) {
        return {
            pack<double, 2>(from[0], at),
            pack<double, 2>(from[1], at),
        };
    }
    MATGRAD_DEVICE static Inputs of_packs(const Packs& packs, int i) {
        return {
            static_cast<double>(packs.a0.entries[i]),
            static_cast<double>(packs.a1.entries[i]),
        };
    }
};
MATGRAD_KERNEL(map_0, MapArgs<2>, 256) {
    map<map_body_0>(args);
}

struct reduce_body_1 {
    static constexpr long long kRows = 40;
    static constexpr long long kCols = 1;
    static constexpr Over kOver = kOverAll;
    static constexpr int kOutputs = 1;
    static constexpr int kLength = 40;
    static constexpr int kThreads = 256;
    static constexpr int kSlices = 8;
    static constexpr int kChains = 4;
    static constexpr bool kSigned = false;
    using Operation = Sum;
    using Out = double;
    using Type = double;
    struct Inputs {
        double a0;
    };
    template <typename At>
    MATGRAD_DEVICE static Inputs read(const Strided* from, const At& at) {
        return {
            entry<double, double>(from[0], at),
        };
    }
    template <typename At>
    MATGRAD_DEVICE static double value(const Inputs& in, const At& at) {
        const double r0 = in.a0;
        const double r1 = (-1.0) * r0;
        const double r2 = softplus(r1);
        return r2;
    }
    MATGRAD_DEVICE static double scaled(double x) {
        return x;
    }
};
MATGRAD_KERNEL(reduce_1, ReduceArgs<1>, 256) {
    reduce<reduce_body_1>(args);
}

struct map_body_2 {
    static constexpr long long kRows = 40;
    static constexpr long long kCols = 1;
    static constexpr int kThreads = 256;
    static constexpr int kItems = 4;
    static constexpr int kGroup = 2;
    static constexpr int kGroups = 4;
    using Out = double;
    using Type = double;
    struct Inputs {
        double a0;
        double a1;
    };
    template <typename At>
    MATGRAD_DEVICE static Inputs read(const Strided* from, const At& at) {
        return {
            entry<double, double>(from[0], at),
            entry<double, double>(from[1], at),
        };
    }
    template <typename At>
    MATGRAD_DEVICE static double value(const Inputs& in, const At& at) {
        const double r0 = in.a0;
        const double r1 = in.a1;
        const double r2 = (-1.0) * r1;
        const double r3 = sigmoid(r2);
        const double r4 = r0 * r3;
        return r4;
    }
    struct Packs {
        Pack<double, 2> a0;
        Pack<double, 2> a1;
    };
    template <typename At>
    MATGRAD_DEVICE static Packs read_packs(const Strided* from, const At& at) {
        return {
            pack<double, 2>(from[0], at),
            pack<double, 2>(from[1], at),
        };
    }
    MATGRAD_DEVICE static Inputs of_packs(const Packs& packs, int i) {
        return {
            static_cast<double>(packs.a0.entries[i]),
            static_cast<double>(packs.a1.entries[i]),
        };
    }
};
MATGRAD_KERNEL(map_2, MapArgs<2>, 256) {
    map<map_body_2>(args);
}

}  // namespace matgrad::block

==== logistic, summed over the batch
#include "batch_sum.cuh"
#include "map.cuh"
#include "reduce.cuh"

namespace matgrad::block {

struct map_body_0 {
    static constexpr long long kRows = 40;
    static constexpr long long kCols = 1;
    static constexpr int kThreads = 256;
    static constexpr int kItems = 4;
    static constexpr int kGroup = 4;
    static constexpr int kGroups = 2;
    using Out = float;
    using Type = float;
    struct Inputs {
        float a0;
        float a1;
    };
    template <typename At>
    MATGRAD_DEVICE static Inputs read(const Strided* from, const At& at) {
        return {
            entry<float, float>(from[0], at),
            entry<float, float>(from[1], at),
        };
    }
    template <typename At>
    MATGRAD_DEVICE static float value(const Inputs& in, const At& at) {
        const float r0 = in.a0;
        const float r1 = in.a1;
        const float r2 = r0 * r1;
        return r2;
    }
    struct Packs {
        Pack<float, 4> a0;
        Pack<float, 4> a1;
    };
    template <typename At>
    MATGRAD_DEVICE static Packs read_packs(const Strided* from, const At& at) {
        return {
            pack<float, 4>(from[0], at),
            pack<float, 4>(from[1], at),
        };
    }
    MATGRAD_DEVICE static Inputs of_packs(const Packs& packs, int i) {
        return {
            static_cast<float>(packs.a0.entries[i]),
            static_cast<float>(packs.a1.entries[i]),
        };
    }
};
MATGRAD_KERNEL(map_0, MapArgs<2>, 256) {
    map<map_body_0>(args);
}

struct reduce_body_1 {
    static constexpr long long kRows = 40;
    static constexpr long long kCols = 1;
    static constexpr Over kOver = kOverAll;
    static constexpr int kOutputs = 1;
    static constexpr int kLength = 40;
    static constexpr int kThreads = 256;
    static constexpr int kSlices = 8;
    static constexpr int kChains = 4;
    static constexpr bool kSigned = false;
    using Operation = Sum;
    using Out = double;
    using Type = double;
    struct Inputs {
        double a0;
    };
    template <typename At>
    MATGRAD_DEVICE static Inputs read(const Strided* from, const At& at) {
        return {
            entry<double, float>(from[0], at),
        };
    }
    template <typename At>
    MATGRAD_DEVICE static double value(const Inputs& in, const At& at) {
        const double r0 = in.a0;
        const double r1 = (-1.0) * r0;
        const double r2 = softplus(r1);
        return r2;
    }
    MATGRAD_DEVICE static double scaled(double x) {
        return x;
    }
};
MATGRAD_KERNEL(reduce_1, ReduceArgs<1>, 256) {
    reduce<reduce_body_1>(args);
}

struct map_body_2 {
    static constexpr long long kRows = 40;
    static constexpr long long kCols = 1;
    static constexpr int kThreads = 256;
    static constexpr int kItems = 4;
    static constexpr int kGroup = 4;
    static constexpr int kGroups = 2;
    using Out = float;
    using Type = float;
    struct Inputs {
        float a0;
        float a1;
    };
    template <typename At>
    MATGRAD_DEVICE static Inputs read(const Strided* from, const At& at) {
        return {
            entry<float, float>(from[0], at),
            entry<float, float>(from[1], at),
        };
    }
    template <typename At>
    MATGRAD_DEVICE static float value(const Inputs& in, const At& at) {
        const float r0 = in.a0;
        const float r1 = in.a1;
        const float r2 = (-1.0f) * r1;
        const float r3 = sigmoid(r2);
        const float r4 = r0 * r3;
        return r4;
    }
    struct Packs {
        Pack<float, 4> a0;
        Pack<float, 4> a1;
    };
    template <typename At>
    MATGRAD_DEVICE static Packs read_packs(const Strided* from, const At& at) {
        return {
            pack<float, 4>(from[0], at),
            pack<float, 4>(from[1], at),
        };
    }
    MATGRAD_DEVICE static Inputs of_packs(const Packs& packs, int i) {
        return {
            static_cast<float>(packs.a0.entries[i]),
            static_cast<float>(packs.a1.entries[i]),
        };
    }
};
MATGRAD_KERNEL(map_2, MapArgs<2>, 256) {
    map<map_body_2>(args);
}

struct batch_sum_body_3 {
    static constexpr long long kRows = 1;
    static constexpr long long kCols = 1;
    static constexpr int kThreads = 256;
    static constexpr int kSlices = 256;
    using From = double;
};
MATGRAD_KERNEL(batch_sum_3, BatchSumArgs, 256) {
    batch_sum<batch_sum_body_3>(args);
}

struct batch_sum_body_4 {
    static constexpr long long kRows = 12;
    static constexpr long long kCols = 1;
    static constexpr int kThreads = 256;
    static constexpr int kSlices = 16;
    using From = float;
};
MATGRAD_KERNEL(batch_sum_4, BatchSumArgs, 256) {
    batch_sum<batch_sum_body_4>(args);
}

}  // namespace matgrad::block

==== softmax_cross_entropy
#include "batch_sum.cuh"
#include "map.cuh"
#include "reduce.cuh"

namespace matgrad::block {

struct reduce_body_0 {
    static constexpr long long kRows = 10;
    static constexpr long long kCols = 1;
    static constexpr Over kOver = kOverAll;
    static constexpr int kOutputs = 1;
    static constexpr int kLength = 10;
    static constexpr int kThreads = 256;
    static constexpr int kSlices = 2;
    static constexpr int kChains = 4;
    static constexpr bool kSigned = false;
    using Operation = Max;
    using Out = double;
    using Type = double;
    struct Inputs {
        double a0;
    };
    template <typename At>
    MATGRAD_DEVICE static Inputs read(const Strided* from, const At& at) {
        return {
            entry<double, double>(from[0], at),
        };
    }
    template <typename At>
    MATGRAD_DEVICE static double value(const Inputs& in, const At& at) {
        const double r0 = in.a0;
        return r0;
    }
    MATGRAD_DEVICE static double scaled(double x) {
        return x;
    }
};
MATGRAD_KERNEL(reduce_0, ReduceArgs<1>, 256) {
    reduce<reduce_body_0>(args);
}

struct map_body_1 {
    static constexpr long long kRows = 1;
    static constexpr long long kCols = 1;
    static constexpr int kThreads = 256;
    static constexpr int kItems = 4;
    static constexpr int kGroup = 2;
    static constexpr int kGroups = 4;
    using Out = double;
    using Type = double;
    struct Inputs {
        double a0;
    };
    template <typename At>
    MATGRAD_DEVICE static Inputs read(const Strided* from, const At& at) {
        return {
            entry<double, double>(from[0], at),
        };
    }
    template <typename At>
    MATGRAD_DEVICE static double value(const Inputs& in, const At& at) {
        const double r0 = in.a0;
        const double r1 = 0.5 * r0;
        const double r2 = 1.7976931348623157e+308 + r1;
        const double r3 = step(r2);
        const double r4 = (-0.5) * r0;
        const double r5 = 1.7976931348623157e+308 + r4;
        const double r6 = step(r5);
        const double r7 = r3 * r6;
        const double r8 = mask(r0, r7);
        return r8;
    }
    struct Packs {
        Pack<double, 2> a0;
    };
    template <typename At>
    MATGRAD_DEVICE static Packs read_packs(const Strided* from, const At& at) {
        return {
            pack<double, 2>(from[0], at),
        };
    }
    MATGRAD_DEVICE static Inputs of_packs(const Packs& packs, int i) {
        return {
            static_cast<double>(packs.a0.entries[i]),
        };
    }
};
MATGRAD_KERNEL(map_1, MapArgs<1>, 256) {
    map<map_body_1>(args);
}

struct reduce_body_2 {
    static constexpr long long kRows = 10;
    static constexpr long long kCols = 1;
    static constexpr Over kOver = kOverAll;
    static constexpr int kOutputs = 1;
    static constexpr int kLength = 10;
    static constexpr int kThreads = 256;
    static constexpr int kSlices = 2;
    static constexpr int kChains = 4;
    static constexpr bool kSigned = false;
    using Operation = Sum;
    using Out = double;
    using Type = double;
    struct Inputs {
        double a0;
        double a1;
    };
    template <typename At>
    MATGRAD_DEVICE static Inputs read(const Strided* from, const At& at) {
        return {
            entry_of_scalar<double, double>(from[0], at),
            entry<double, double>(from[1], at),
        };
    }
    template <typename At>
    MATGRAD_DEVICE static double value(const Inputs& in, const At& at) {
        const double r0 = in.a0;
        const double r1 = in.a1;
        const double r2 = r1 - r0;
        const double r3 = exp(r2);
        return r3;
    }
    MATGRAD_DEVICE static double scaled(double x) {
        return x;
    }
};
MATGRAD_KERNEL(reduce_2, ReduceArgs<2>, 256) {
    reduce<reduce_body_2>(args);
}

struct map_body_3 {
    static constexpr long long kRows = 1;
    static constexpr long long kCols = 1;
    static constexpr int kThreads = 256;
    static constexpr int kItems = 4;
    static constexpr int kGroup = 2;
    static constexpr int kGroups = 4;
    using Out = double;
    using Type = double;
    struct Inputs {
        double a0;
        double a1;
    };
    template <typename At>
    MATGRAD_DEVICE static Inputs read(const Strided* from, const At& at) {
        return {
            entry<double, double>(from[0], at),
            entry<double, double>(from[1], at),
        };
    }
    template <typename At>
    MATGRAD_DEVICE static double value(const Inputs& in, const At& at) {
        const double r0 = in.a0;
        const double r1 = log(r0);
        const double r2 = in.a1;
        const double r3 = r2 + r1;
        return r3;
    }
    struct Packs {
        Pack<double, 2> a0;
        Pack<double, 2> a1;
    };
    template <typename At>
    MATGRAD_DEVICE static Packs read_packs(const Strided* from, const At& at) {
        return {
            pack<double, 2>(from[0], at),
            pack<double, 2>(from[1], at),
        };
    }
    MATGRAD_DEVICE static Inputs of_packs(const Packs& packs, int i) {
        return {
            static_cast<double>(packs.a0.entries[i]),
            static_cast<double>(packs.a1.entries[i]),
        };
    }
};
MATGRAD_KERNEL(map_3, MapArgs<2>, 256) {
    map<map_body_3>(args);
}

struct reduce_body_4 {
    static constexpr long long kRows = 10;
    static constexpr long long kCols = 1;
    static constexpr Over kOver = kOverAll;
    static constexpr int kOutputs = 1;
    static constexpr int kLength = 10;
    static constexpr int kThreads = 256;
    static constexpr int kSlices = 2;
    static constexpr int kChains = 4;
    static constexpr bool kSigned = false;
    using Operation = Sum;
    using Out = double;
    using Type = double;
    struct Inputs {
        double a0;
        double a1;
    };
    template <typename At>
    MATGRAD_DEVICE static Inputs read(const Strided* from, const At& at) {
        return {
            entry<double, double>(from[0], at),
            entry<double, double>(from[1], at),
        };
    }
    template <typename At>
    MATGRAD_DEVICE static double value(const Inputs& in, const At& at) {
        const double r0 = in.a0;
        const double r1 = in.a1;
        const double r2 = r1 * r0;
        return r2;
    }
    MATGRAD_DEVICE static double scaled(double x) {
        return x;
    }
};
MATGRAD_KERNEL(reduce_4, ReduceArgs<2>, 256) {
    reduce<reduce_body_4>(args);
}

struct map_body_5 {
    static constexpr long long kRows = 1;
    static constexpr long long kCols = 1;
    static constexpr int kThreads = 256;
    static constexpr int kItems = 4;
    static constexpr int kGroup = 2;
    static constexpr int kGroups = 4;
    using Out = double;
    using Type = double;
    struct Inputs {
        double a0;
        double a1;
    };
    template <typename At>
    MATGRAD_DEVICE static Inputs read(const Strided* from, const At& at) {
        return {
            entry<double, double>(from[0], at),
            entry<double, double>(from[1], at),
        };
    }
    template <typename At>
    MATGRAD_DEVICE static double value(const Inputs& in, const At& at) {
        const double r0 = in.a0;
        const double r1 = in.a1;
        const double r2 = r0 - r1;
        return r2;
    }
    struct Packs {
        Pack<double, 2> a0;
        Pack<double, 2> a1;
    };
    template <typename At>
    MATGRAD_DEVICE static Packs read_packs(const Strided* from, const At& at) {
        return {
            pack<double, 2>(from[0], at),
            pack<double, 2>(from[1], at),
        };
    }
    MATGRAD_DEVICE static Inputs of_packs(const Packs& packs, int i) {
        return {
            static_cast<double>(packs.a0.entries[i]),
            static_cast<double>(packs.a1.entries[i]),
        };
    }
};
MATGRAD_KERNEL(map_5, MapArgs<2>, 256) {
    map<map_body_5>(args);
}

struct map_body_6 {
    static constexpr long long kRows = 10;
    static constexpr long long kCols = 1;
    static constexpr int kThreads = 256;
    static constexpr int kItems = 2;
    static constexpr int kGroup = 2;
    static constexpr int kGroups = 2;
    using Out = double;
    using Type = double;
    struct Inputs {
        double a0;
        double a1;
        double a2;
    };
    template <typename At>
    MATGRAD_DEVICE static Inputs read(const Strided* from, const At& at) {
        return {
            entry<double, double>(from[0], at),
            entry_of_scalar<double, double>(from[1], at),
            entry<double, double>(from[2], at),
        };
    }
    template <typename At>
    MATGRAD_DEVICE static double value(const Inputs& in, const At& at) {
        const double r0 = in.a0;
        const double r1 = 1.0;
        const double r2 = in.a1;
        const double r3 = r2 * r1;
        const double r4 = r0 - r3;
        const double r5 = exp(r4);
        const double r6 = in.a2;
        const double r7 = r5 - r6;
        return r7;
    }
    struct Packs {
        Pack<double, 2> a0;
        double a1;
        Pack<double, 2> a2;
    };
    template <typename At>
    MATGRAD_DEVICE static Packs read_packs(const Strided* from, const At& at) {
        return {
            pack<double, 2>(from[0], at),
            scalar<double>(from[1], at),
            pack<double, 2>(from[2], at),
        };
    }
    MATGRAD_DEVICE static Inputs of_packs(const Packs& packs, int i) {
        return {
            static_cast<double>(packs.a0.entries[i]),
            static_cast<double>(packs.a1),
            static_cast<double>(packs.a2.entries[i]),
        };
    }
};
MATGRAD_KERNEL(map_6, MapArgs<3>, 256) {
    map<map_body_6>(args);
}

struct map_body_7 {
    static constexpr long long kRows = 10;
    static constexpr long long kCols = 12;
    static constexpr int kThreads = 256;
    static constexpr int kItems = 4;
    static constexpr int kGroup = 0;
    static constexpr int kGroups = 0;
    using Out = double;
    using Type = double;
    struct Inputs {
        double a0;
        double a1;
    };
    template <typename At>
    MATGRAD_DEVICE static Inputs read(const Strided* from, const At& at) {
        return {
            entry_of_row<double, double>(from[0], at),
            entry_of_column<double, double>(from[1], at),
        };
    }
    template <typename At>
    MATGRAD_DEVICE static double value(const Inputs& in, const At& at) {
        const double r0 = in.a0;
        const double r1 = in.a1;
        const double r2 = r1 * r0;
        return r2;
    }
};
MATGRAD_KERNEL(map_7, MapArgs<2>, 256) {
    map<map_body_7>(args);
}

}  // namespace matgrad::block

==== softmax_cross_entropy, summed over the batch
#include "batch_sum.cuh"
#include "map.cuh"
#include "reduce.cuh"

namespace matgrad::block {

struct reduce_body_0 {
    static constexpr long long kRows = 10;
    static constexpr long long kCols = 1;
    static constexpr Over kOver = kOverAll;
    static constexpr int kOutputs = 1;
    static constexpr int kLength = 10;
    static constexpr int kThreads = 256;
    static constexpr int kSlices = 2;
    static constexpr int kChains = 4;
    static constexpr bool kSigned = false;
    using Operation = Max;
    using Out = double;
    using Type = double;
    struct Inputs {
        double a0;
    };
    template <typename At>
    MATGRAD_DEVICE static Inputs read(const Strided* from, const At& at) {
        return {
            entry<double, float>(from[0], at),
        };
    }
    template <typename At>
    MATGRAD_DEVICE static double value(const Inputs& in, const At& at) {
        const double r0 = in.a0;
        return r0;
    }
    MATGRAD_DEVICE static double scaled(double x) {
        return x;
    }
};
MATGRAD_KERNEL(reduce_0, ReduceArgs<1>, 256) {
    reduce<reduce_body_0>(args);
}

struct map_body_1 {
    static constexpr long long kRows = 1;
    static constexpr long long kCols = 1;
    static constexpr int kThreads = 256;
    static constexpr int kItems = 4;
    static constexpr int kGroup = 2;
    static constexpr int kGroups = 4;
    using Out = double;
    using Type = double;
    struct Inputs {
        double a0;
    };
    template <typename At>
    MATGRAD_DEVICE static Inputs read(const Strided* from, const At& at) {
        return {
            entry<double, double>(from[0], at),
        };
    }
    template <typename At>
    MATGRAD_DEVICE static double value(const Inputs& in, const At& at) {
        const double r0 = in.a0;
        const double r1 = 0.5 * r0;
        const double r2 = 3.4028234663852886e+38 + r1;
        const double r3 = step(r2);
        const double r4 = (-0.5) * r0;
        const double r5 = 3.4028234663852886e+38 + r4;
        const double r6 = step(r5);
        const double r7 = r3 * r6;
        const double r8 = mask(r0, r7);
        return r8;
    }
    struct Packs {
        Pack<double, 2> a0;
    };
    template <typename At>
    MATGRAD_DEVICE static Packs read_packs(const Strided* from, const At& at) {
        return {
            pack<double, 2>(from[0], at),
        };
    }
    MATGRAD_DEVICE static Inputs of_packs(const Packs& packs, int i) {
        return {
            static_cast<double>(packs.a0.entries[i]),
        };
    }
};
MATGRAD_KERNEL(map_1, MapArgs<1>, 256) {
    map<map_body_1>(args);
}

struct reduce_body_2 {
    static constexpr long long kRows = 10;
    static constexpr long long kCols = 1;
    static constexpr Over kOver = kOverAll;
    static constexpr int kOutputs = 1;
    static constexpr int kLength = 10;
    static constexpr int kThreads = 256;
    static constexpr int kSlices = 2;
    static constexpr int kChains = 4;
    static constexpr bool kSigned = false;
    using Operation = Sum;
    using Out = double;
    using Type = double;
    struct Inputs {
        double a0;
        double a1;
    };
    template <typename At>
    MATGRAD_DEVICE static Inputs read(const Strided* from, const At& at) {
        return {
            entry_of_scalar<double, double>(from[0], at),
            entry<double, float>(from[1], at),
        };
    }
    template <typename At>
    MATGRAD_DEVICE static double value(const Inputs& in, const At& at) {
        const double r0 = in.a0;
        const double r1 = in.a1;
        const double r2 = r1 - r0;
        const double r3 = exp(r2);
        return r3;
    }
    MATGRAD_DEVICE static double scaled(double x) {
        return x;
    }
};
MATGRAD_KERNEL(reduce_2, ReduceArgs<2>, 256) {
    reduce<reduce_body_2>(args);
}

struct map_body_3 {
    static constexpr long long kRows = 1;
    static constexpr long long kCols = 1;
    static constexpr int kThreads = 256;
    static constexpr int kItems = 4;
    static constexpr int kGroup = 2;
    static constexpr int kGroups = 4;
    using Out = double;
    using Type = double;
    struct Inputs {
        double a0;
        double a1;
    };
    template <typename At>
    MATGRAD_DEVICE static Inputs read(const Strided* from, const At& at) {
        return {
            entry<double, double>(from[0], at),
            entry<double, double>(from[1], at),
        };
    }
    template <typename At>
    MATGRAD_DEVICE static double value(const Inputs& in, const At& at) {
        const double r0 = in.a0;
        const double r1 = log(r0);
        const double r2 = in.a1;
        const double r3 = r2 + r1;
        return r3;
    }
    struct Packs {
        Pack<double, 2> a0;
        Pack<double, 2> a1;
    };
    template <typename At>
    MATGRAD_DEVICE static Packs read_packs(const Strided* from, const At& at) {
        return {
            pack<double, 2>(from[0], at),
            pack<double, 2>(from[1], at),
        };
    }
    MATGRAD_DEVICE static Inputs of_packs(const Packs& packs, int i) {
        return {
            static_cast<double>(packs.a0.entries[i]),
            static_cast<double>(packs.a1.entries[i]),
        };
    }
};
MATGRAD_KERNEL(map_3, MapArgs<2>, 256) {
    map<map_body_3>(args);
}

struct reduce_body_4 {
    static constexpr long long kRows = 10;
    static constexpr long long kCols = 1;
    static constexpr Over kOver = kOverAll;
    static constexpr int kOutputs = 1;
    static constexpr int kLength = 10;
    static constexpr int kThreads = 256;
    static constexpr int kSlices = 2;
    static constexpr int kChains = 4;
    static constexpr bool kSigned = false;
    using Operation = Sum;
    using Out = double;
    using Type = double;
    struct Inputs {
        double a0;
        double a1;
    };
    template <typename At>
    MATGRAD_DEVICE static Inputs read(const Strided* from, const At& at) {
        return {
            entry<double, float>(from[0], at),
            entry<double, float>(from[1], at),
        };
    }
    template <typename At>
    MATGRAD_DEVICE static double value(const Inputs& in, const At& at) {
        const double r0 = in.a0;
        const double r1 = in.a1;
        const double r2 = r1 * r0;
        return r2;
    }
    MATGRAD_DEVICE static double scaled(double x) {
        return x;
    }
};
MATGRAD_KERNEL(reduce_4, ReduceArgs<2>, 256) {
    reduce<reduce_body_4>(args);
}

struct map_body_5 {
    static constexpr long long kRows = 1;
    static constexpr long long kCols = 1;
    static constexpr int kThreads = 256;
    static constexpr int kItems = 4;
    static constexpr int kGroup = 2;
    static constexpr int kGroups = 4;
    using Out = double;
    using Type = double;
    struct Inputs {
        double a0;
        double a1;
    };
    template <typename At>
    MATGRAD_DEVICE static Inputs read(const Strided* from, const At& at) {
        return {
            entry<double, double>(from[0], at),
            entry<double, double>(from[1], at),
        };
    }
    template <typename At>
    MATGRAD_DEVICE static double value(const Inputs& in, const At& at) {
        const double r0 = in.a0;
        const double r1 = in.a1;
        const double r2 = r0 - r1;
        return r2;
    }
    struct Packs {
        Pack<double, 2> a0;
        Pack<double, 2> a1;
    };
    template <typename At>
    MATGRAD_DEVICE static Packs read_packs(const Strided* from, const At& at) {
        return {
            pack<double, 2>(from[0], at),
            pack<double, 2>(from[1], at),
        };
    }
    MATGRAD_DEVICE static Inputs of_packs(const Packs& packs, int i) {
        return {
            static_cast<double>(packs.a0.entries[i]),
            static_cast<double>(packs.a1.entries[i]),
        };
    }
};
MATGRAD_KERNEL(map_5, MapArgs<2>, 256) {
    map<map_body_5>(args);
}

struct map_body_6 {
    static constexpr long long kRows = 10;
    static constexpr long long kCols = 1;
    static constexpr int kThreads = 256;
    static constexpr int kItems = 2;
    static constexpr int kGroup = 4;
    static constexpr int kGroups = 1;
    using Out = float;
    using Type = float;
    struct Inputs {
        float a0;
        float a1;
        float a2;
    };
    template <typename At>
    MATGRAD_DEVICE static Inputs read(const Strided* from, const At& at) {
        return {
            entry<float, float>(from[0], at),
            entry_of_scalar<float, double>(from[1], at),
            entry<float, float>(from[2], at),
        };
    }
    template <typename At>
    MATGRAD_DEVICE static float value(const Inputs& in, const At& at) {
        const float r0 = in.a0;
        const float r1 = 1.0f;
        const float r2 = in.a1;
        const float r3 = r2 * r1;
        const float r4 = r0 - r3;
        const float r5 = exp(r4);
        const float r6 = in.a2;
        const float r7 = r5 - r6;
        return r7;
    }
    struct Packs {
        Pack<float, 4> a0;
        double a1;
        Pack<float, 4> a2;
    };
    template <typename At>
    MATGRAD_DEVICE static Packs read_packs(const Strided* from, const At& at) {
        return {
            pack<float, 4>(from[0], at),
            scalar<double>(from[1], at),
            pack<float, 4>(from[2], at),
        };
    }
    MATGRAD_DEVICE static Inputs of_packs(const Packs& packs, int i) {
        return {
            static_cast<float>(packs.a0.entries[i]),
            static_cast<float>(packs.a1),
            static_cast<float>(packs.a2.entries[i]),
        };
    }
};
MATGRAD_KERNEL(map_6, MapArgs<3>, 256) {
    map<map_body_6>(args);
}

struct batch_sum_body_7 {
    static constexpr long long kRows = 1;
    static constexpr long long kCols = 1;
    static constexpr int kThreads = 256;
    static constexpr int kSlices = 256;
    using From = double;
};
MATGRAD_KERNEL(batch_sum_7, BatchSumArgs, 256) {
    batch_sum<batch_sum_body_7>(args);
}

struct batch_sum_body_8 {
    static constexpr long long kRows = 10;
    static constexpr long long kCols = 12;
    static constexpr int kThreads = 256;
    static constexpr int kSlices = 2;
    using From = float;
};
MATGRAD_KERNEL(batch_sum_8, BatchSumArgs, 256) {
    batch_sum<batch_sum_body_8>(args);
}

}  // namespace matgrad::block

==== poisson
#include "batch_sum.cuh"
#include "map.cuh"
#include "reduce.cuh"

namespace matgrad::block {

struct map_body_0 {
    static constexpr long long kRows = 40;
    static constexpr long long kCols = 1;
    static constexpr int kThreads = 256;
    static constexpr int kItems = 4;
    static constexpr int kGroup = 2;
    static constexpr int kGroups = 4;
    using Out = double;
    using Type = double;
    struct Inputs {
        double a0;
    };
    template <typename At>
    MATGRAD_DEVICE static Inputs read(const Strided* from, const At& at) {
        return {
            entry<double, double>(from[0], at),
        };
    }
    template <typename At>
    MATGRAD_DEVICE static double value(const Inputs& in, const At& at) {
        const double r0 = in.a0;
        const double r1 = exp(r0);
        return r1;
    }
    struct Packs {
        Pack<double, 2> a0;
    };
    template <typename At>
    MATGRAD_DEVICE static Packs read_packs(const Strided* from, const At& at) {
        return {
            pack<double, 2>(from[0], at),
        };
    }
    MATGRAD_DEVICE static Inputs of_packs(const Packs& packs, int i) {
        return {
            static_cast<double>(packs.a0.entries[i]),
        };
    }
};
MATGRAD_KERNEL(map_0, MapArgs<1>, 256) {
    map<map_body_0>(args);
}

struct reduce_body_1 {
    static constexpr long long kRows = 40;
    static constexpr long long kCols = 1;
    static constexpr Over kOver = kOverAll;
    static constexpr int kOutputs = 1;
    static constexpr int kLength = 40;
    static constexpr int kThreads = 256;
    static constexpr int kSlices = 8;
    static constexpr int kChains = 4;
    static constexpr bool kSigned = false;
    using Operation = Sum;
    using Out = double;
    using Type = double;
    struct Inputs {
        double a0;
    };
    template <typename At>
    MATGRAD_DEVICE static Inputs read(const Strided* from, const At& at) {
        return {
            entry<double, double>(from[0], at),
        };
    }
    template <typename At>
    MATGRAD_DEVICE static double value(const Inputs& in, const At& at) {
        const double r0 = in.a0;
        return r0;
    }
    MATGRAD_DEVICE static double scaled(double x) {
        return x;
    }
};
MATGRAD_KERNEL(reduce_1, ReduceArgs<1>, 256) {
    reduce<reduce_body_1>(args);
}

struct reduce_body_2 {
    static constexpr long long kRows = 40;
    static constexpr long long kCols = 1;
    static constexpr Over kOver = kOverAll;
    static constexpr int kOutputs = 1;
    static constexpr int kLength = 40;
    static constexpr int kThreads = 256;
    static constexpr int kSlices = 8;
    static constexpr int kChains = 4;
    static constexpr bool kSigned = false;
    using Operation = Sum;
    using Out = double;
    using Type = double;
    struct Inputs {
        double a0;
        double a1;
    };
    template <typename At>
    MATGRAD_DEVICE static Inputs read(const Strided* from, const At& at) {
        return {
            entry<double, double>(from[0], at),
            entry<double, double>(from[1], at),
        };
    }
    template <typename At>
    MATGRAD_DEVICE static double value(const Inputs& in, const At& at) {
        const double r0 = in.a0;
        const double r1 = in.a1;
        const double r2 = r1 * r0;
        return r2;
    }
    MATGRAD_DEVICE static double scaled(double x) {
        return x;
    }
};
MATGRAD_KERNEL(reduce_2, ReduceArgs<2>, 256) {
    reduce<reduce_body_2>(args);
}

struct map_body_3 {
    static constexpr long long kRows = 1;
    static constexpr long long kCols = 1;
    static constexpr int kThreads = 256;
    static constexpr int kItems = 4;
    static constexpr int kGroup = 2;
    static constexpr int kGroups = 4;
    using Out = double;
    using Type = double;
    struct Inputs {
        double a0;
        double a1;
    };
    template <typename At>
    MATGRAD_DEVICE static Inputs read(const Strided* from, const At& at) {
        return {
            entry<double, double>(from[0], at),
            entry<double, double>(from[1], at),
        };
    }
    template <typename At>
    MATGRAD_DEVICE static double value(const Inputs& in, const At& at) {
        const double r0 = in.a0;
        const double r1 = in.a1;
        const double r2 = r0 - r1;
        return r2;
    }
    struct Packs {
        Pack<double, 2> a0;
        Pack<double, 2> a1;
    };
    template <typename At>
    MATGRAD_DEVICE static Packs read_packs(const Strided* from, const At& at) {
        return {
            pack<double, 2>(from[0], at),
            pack<double, 2>(from[1], at),
        };
    }
    MATGRAD_DEVICE static Inputs of_packs(const Packs& packs, int i) {
        return {
            static_cast<double>(packs.a0.entries[i]),
            static_cast<double>(packs.a1.entries[i]),
        };
    }
};
MATGRAD_KERNEL(map_3, MapArgs<2>, 256) {
    map<map_body_3>(args);
}

struct map_body_4 {
    static constexpr long long kRows = 40;
    static constexpr long long kCols = 1;
    static constexpr int kThreads = 256;
    static constexpr int kItems = 4;
    static constexpr int kGroup = 2;
    static constexpr int kGroups = 4;
    using Out = double;
    using Type = double;
    struct Inputs {
        double a0;
        double a1;
    };
    template <typename At>
    MATGRAD_DEVICE static Inputs read(const Strided* from, const At& at) {
        return {
            entry<double, double>(from[0], at),
            entry<double, double>(from[1], at),
        };
    }
    template <typename At>
    MATGRAD_DEVICE static double value(const Inputs& in, const At& at) {
        const double r0 = in.a0;
        const double r1 = in.a1;
        const double r2 = r0 - r1;
        return r2;
    }
    struct Packs {
        Pack<double, 2> a0;
        Pack<double, 2> a1;
    };
    template <typename At>
    MATGRAD_DEVICE static Packs read_packs(const Strided* from, const At& at) {
        return {
            pack<double, 2>(from[0], at),
            pack<double, 2>(from[1], at),
        };
    }
    MATGRAD_DEVICE static Inputs of_packs(const Packs& packs, int i) {
        return {
            static_cast<double>(packs.a0.entries[i]),
            static_cast<double>(packs.a1.entries[i]),
        };
    }
};
MATGRAD_KERNEL(map_4, MapArgs<2>, 256) {
    map<map_body_4>(args);
}

}  // namespace matgrad::block

==== poisson, summed over the batch
#include "batch_sum.cuh"
#include "map.cuh"
#include "reduce.cuh"

namespace matgrad::block {

struct map_body_0 {
    static constexpr long long kRows = 40;
    static constexpr long long kCols = 1;
    static constexpr int kThreads = 256;
    static constexpr int kItems = 4;
    static constexpr int kGroup = 4;
    static constexpr int kGroups = 2;
    using Out = float;
    using Type = float;
    struct Inputs {
        float a0;
    };
    template <typename At>
    MATGRAD_DEVICE static Inputs read(const Strided* from, const At& at) {
        return {
            entry<float, float>(from[0], at),
        };
    }
    template <typename At>
    MATGRAD_DEVICE static float value(const Inputs& in, const At& at) {
        const float r0 = in.a0;
        const float r1 = exp(r0);
        return r1;
    }
    struct Packs {
        Pack<float, 4> a0;
    };
    template <typename At>
    MATGRAD_DEVICE static Packs read_packs(const Strided* from, const At& at) {
        return {
            pack<float, 4>(from[0], at),
        };
    }
    MATGRAD_DEVICE static Inputs of_packs(const Packs& packs, int i) {
        return {
            static_cast<float>(packs.a0.entries[i]),
        };
    }
};
MATGRAD_KERNEL(map_0, MapArgs<1>, 256) {
    map<map_body_0>(args);
}

struct reduce_body_1 {
    static constexpr long long kRows = 40;
    static constexpr long long kCols = 1;
    static constexpr Over kOver = kOverAll;
    static constexpr int kOutputs = 1;
    static constexpr int kLength = 40;
    static constexpr int kThreads = 256;
    static constexpr int kSlices = 8;
    static constexpr int kChains = 4;
    static constexpr bool kSigned = false;
    using Operation = Sum;
    using Out = double;
    using Type = double;
    struct Inputs {
        double a0;
    };
    template <typename At>
    MATGRAD_DEVICE static Inputs read(const Strided* from, const At& at) {
        return {
            entry<double, float>(from[0], at),
        };
    }
    template <typename At>
    MATGRAD_DEVICE static double value(const Inputs& in, const At& at) {
        const double r0 = in.a0;
        return r0;
    }
    MATGRAD_DEVICE static double scaled(double x) {
        return x;
    }
};
MATGRAD_KERNEL(reduce_1, ReduceArgs<1>, 256) {
    reduce<reduce_body_1>(args);
}

struct reduce_body_2 {
    static constexpr long long kRows = 40;
    static constexpr long long kCols = 1;
    static constexpr Over kOver = kOverAll;
    static constexpr int kOutputs = 1;
    static constexpr int kLength = 40;
    static constexpr int kThreads = 256;
    static constexpr int kSlices = 8;
    static constexpr int kChains = 4;
    static constexpr bool kSigned = false;
    using Operation = Sum;
    using Out = double;
    using Type = double;
    struct Inputs {
        double a0;
        double a1;
    };
    template <typename At>
    MATGRAD_DEVICE static Inputs read(const Strided* from, const At& at) {
        return {
            entry<double, float>(from[0], at),
            entry<double, float>(from[1], at),
        };
    }
    template <typename At>
    MATGRAD_DEVICE static double value(const Inputs& in, const At& at) {
        const double r0 = in.a0;
        const double r1 = in.a1;
        const double r2 = r1 * r0;
        return r2;
    }
    MATGRAD_DEVICE static double scaled(double x) {
        return x;
    }
};
MATGRAD_KERNEL(reduce_2, ReduceArgs<2>, 256) {
    reduce<reduce_body_2>(args);
}

struct map_body_3 {
    static constexpr long long kRows = 1;
    static constexpr long long kCols = 1;
    static constexpr int kThreads = 256;
    static constexpr int kItems = 4;
    static constexpr int kGroup = 2;
    static constexpr int kGroups = 4;
    using Out = double;
    using Type = double;
    struct Inputs {
        double a0;
        double a1;
    };
    template <typename At>
    MATGRAD_DEVICE static Inputs read(const Strided* from, const At& at) {
        return {
            entry<double, double>(from[0], at),
            entry<double, double>(from[1], at),
        };
    }
    template <typename At>
    MATGRAD_DEVICE static double value(const Inputs& in, const At& at) {
        const double r0 = in.a0;
        const double r1 = in.a1;
        const double r2 = r0 - r1;
        return r2;
    }
    struct Packs {
        Pack<double, 2> a0;
        Pack<double, 2> a1;
    };
    template <typename At>
    MATGRAD_DEVICE static Packs read_packs(const Strided* from, const At& at) {
        return {
            pack<double, 2>(from[0], at),
            pack<double, 2>(from[1], at),
        };
    }
    MATGRAD_DEVICE static Inputs of_packs(const Packs& packs, int i) {
        return {
            static_cast<double>(packs.a0.entries[i]),
            static_cast<double>(packs.a1.entries[i]),
        };
    }
};
MATGRAD_KERNEL(map_3, MapArgs<2>, 256) {
    map<map_body_3>(args);
}

struct map_body_4 {
    static constexpr long long kRows = 40;
    static constexpr long long kCols = 1;
    static constexpr int kThreads = 256;
    static constexpr int kItems = 4;
    static constexpr int kGroup = 4;
    static constexpr int kGroups = 2;
    using Out = float;
    using Type = float;
    struct Inputs {
        float a0;
        float a1;
    };
    template <typename At>
    MATGRAD_DEVICE static Inputs read(const Strided* from, const At& at) {
        return {
            entry<float, float>(from[0], at),
            entry<float, float>(from[1], at),
        };
    }
    template <typename At>
    MATGRAD_DEVICE static float value(const Inputs& in, const At& at) {
        const float r0 = in.a0;
        const float r1 = in.a1;
        const float r2 = r0 - r1;
        return r2;
    }
    struct Packs {
        Pack<float, 4> a0;
        Pack<float, 4> a1;
    };
    template <typename At>
    MATGRAD_DEVICE static Packs read_packs(const Strided* from, const At& at) {
        return {
            pack<float, 4>(from[0], at),
            pack<float, 4>(from[1], at),
        };
    }
    MATGRAD_DEVICE static Inputs of_packs(const Packs& packs, int i) {
        return {
            static_cast<float>(packs.a0.entries[i]),
            static_cast<float>(packs.a1.entries[i]),
        };
    }
};
MATGRAD_KERNEL(map_4, MapArgs<2>, 256) {
    map<map_body_4>(args);
}

struct batch_sum_body_5 {
    static constexpr long long kRows = 1;
    static constexpr long long kCols = 1;
    static constexpr int kThreads = 256;
    static constexpr int kSlices = 256;
    using From = double;
};
MATGRAD_KERNEL(batch_sum_5, BatchSumArgs, 256) {
    batch_sum<batch_sum_body_5>(args);
}

struct batch_sum_body_6 {
    static constexpr long long kRows = 12;
    static constexpr long long kCols = 1;
    static constexpr int kThreads = 256;
    static constexpr int kSlices = 16;
    using From = float;
};
MATGRAD_KERNEL(batch_sum_6, BatchSumArgs, 256) {
    batch_sum<batch_sum_body_6>(args);
}

}  // namespace matgrad::block

==== gaussian_nll
#include "batch_sum.cuh"
#include "map.cuh"
#include "reduce.cuh"

namespace matgrad::block {

struct reduce_body_0 {
    static constexpr long long kRows = 12;
    static constexpr long long kCols = 12;
    static constexpr Over kOver = kOverAll;
    static constexpr int kOutputs = 1;
    static constexpr int kLength = 144;
    static constexpr int kThreads = 256;
    static constexpr int kSlices = 32;
    static constexpr int kChains = 4;
    static constexpr bool kSigned = false;
    using Operation = Sum;
    using Out = double;
    using Type = double;
    struct Inputs {
        double a0;
        double a1;
    };
    template <typename At>
    MATGRAD_DEVICE static Inputs read(const Strided* from, const At& at) {
        return {
            entry<double, double>(from[0], at),
            entry<double, double>(from[1], at),
        };
    }
    template <typename At>
    MATGRAD_DEVICE static double value(const Inputs& in, const At& at) {
        const double r0 = in.a0;
        const double r1 = in.a1;
        const double r2 = r1 * r0;
        return r2;
    }
    MATGRAD_DEVICE static double scaled(double x) {
        return x;
    }
};
MATGRAD_KERNEL(reduce_0, ReduceArgs<2>, 256) {
    reduce<reduce_body_0>(args);
}

struct reduce_body_1 {
    static constexpr long long kRows = 12;
    static constexpr long long kCols = 12;
    static constexpr Over kOver = kOverDiagonal;
    static constexpr int kOutputs = 1;
    static constexpr int kLength = 12;
    static constexpr int kThreads = 256;
    static constexpr int kSlices = 2;
    static constexpr int kChains = 4;
    static constexpr bool kSigned = false;
    using Operation = Sum;
    using Out = double;
    using Type = double;
    struct Inputs {
        double a0;
    };
    template <typename At>
    MATGRAD_DEVICE static Inputs read(const Strided* from, const At& at) {
        return {
            entry<double, double>(from[0], at),
        };
    }
    template <typename At>
    MATGRAD_DEVICE static double value(const Inputs& in, const At& at) {
        const double r0 = in.a0;
        const double r1 = log(r0);
        return r1;
    }
    MATGRAD_DEVICE static double scaled(double x) {
        return 2.0 * x;
    }
};
MATGRAD_KERNEL(reduce_1, ReduceArgs<1>, 256) {
    reduce<reduce_body_1>(args);
}

struct map_body_2 {
    static constexpr long long kRows = 1;
    static constexpr long long kCols = 1;
    static constexpr int kThreads = 256;
    static constexpr int kItems = 4;
    static constexpr int kGroup = 2;
    static constexpr int kGroups = 4;
    using Out = double;
    using Type = double;
    struct Inputs {
        double a0;
        double a1;
    };
    template <typename At>
    MATGRAD_DEVICE static Inputs read(const Strided* from, const At& at) {
        return {
            entry<double, double>(from[0], at),
            entry<double, double>(from[1], at),
        };
    }
    template <typename At>
    MATGRAD_DEVICE static double value(const Inputs& in, const At& at) {
        const double r0 = in.a0;
        const double r1 = in.a1;
        const double r2 = r0 - r1;
        return r2;
    }
    struct Packs {
        Pack<double, 2> a0;
        Pack<double, 2> a1;
    };
    template <typename At>
    MATGRAD_DEVICE static Packs read_packs(const Strided* from, const At& at) {
        return {
            pack<double, 2>(from[0], at),
            pack<double, 2>(from[1], at),
        };
    }
    MATGRAD_DEVICE static Inputs of_packs(const Packs& packs, int i) {
        return {
            static_cast<double>(packs.a0.entries[i]),
            static_cast<double>(packs.a1.entries[i]),
        };
    }
};
MATGRAD_KERNEL(map_2, MapArgs<2>, 256) {
    map<map_body_2>(args);
}

struct map_body_3 {
    static constexpr long long kRows = 12;
    static constexpr long long kCols = 12;
    static constexpr int kThreads = 256;
    static constexpr int kItems = 4;
    static constexpr int kGroup = 2;
    static constexpr int kGroups = 4;
    using Out = double;
    using Type = double;
    struct Inputs {
        double a0;
        double a1;
    };
    template <typename At>
    MATGRAD_DEVICE static Inputs read(const Strided* from, const At& at) {
        return {
            entry<double, double>(from[0], at),
            entry<double, double>(from[1], at),
        };
    }
    template <typename At>
    MATGRAD_DEVICE static double value(const Inputs& in, const At& at) {
        const double r0 = in.a0;
        const double r1 = in.a1;
        const double r2 = r0 - r1;
        return r2;
    }
    struct Packs {
        Pack<double, 2> a0;
        Pack<double, 2> a1;
    };
    template <typename At>
    MATGRAD_DEVICE static Packs read_packs(const Strided* from, const At& at) {
        return {
            pack<double, 2>(from[0], at),
            pack<double, 2>(from[1], at),
        };
    }
    MATGRAD_DEVICE static Inputs of_packs(const Packs& packs, int i) {
        return {
            static_cast<double>(packs.a0.entries[i]),
            static_cast<double>(packs.a1.entries[i]),
        };
    }
};
MATGRAD_KERNEL(map_3, MapArgs<2>, 256) {
    map<map_body_3>(args);
}

}  // namespace matgrad::block

==== gaussian_nll, summed over the batch
#include "batch_sum.cuh"
#include "map.cuh"
#include "reduce.cuh"

namespace matgrad::block {

struct reduce_body_0 {
    static constexpr long long kRows = 12;
    static constexpr long long kCols = 12;
    static constexpr Over kOver = kOverDiagonal;
    static constexpr int kOutputs = 1;
    static constexpr int kLength = 12;
    static constexpr int kThreads = 256;
    static constexpr int kSlices = 2;
    static constexpr int kChains = 4;
    static constexpr bool kSigned = false;
    using Operation = Sum;
    using Out = double;
    using Type = double;
    struct Inputs {
        double a0;
    };
    template <typename At>
    MATGRAD_DEVICE static Inputs read(const Strided* from, const At& at) {
        return {
            entry<double, double>(from[0], at),
        };
    }
    template <typename At>
    MATGRAD_DEVICE static double value(const Inputs& in, const At& at) {
        const double r0 = in.a0;
        const double r1 = log(r0);
        return r1;
    }
    MATGRAD_DEVICE static double scaled(double x) {
        return 2.0 * x;
    }
};
MATGRAD_KERNEL(reduce_0, ReduceArgs<1>, 256) {
    reduce<reduce_body_0>(args);
}

struct reduce_body_1 {
    static constexpr long long kRows = 12;
    static constexpr long long kCols = 12;
    static constexpr Over kOver = kOverAll;
    static constexpr int kOutputs = 1;
    static constexpr int kLength = 144;
    static constexpr int kThreads = 256;
    static constexpr int kSlices = 32;
    static constexpr int kChains = 4;
    static constexpr bool kSigned = false;
    using Operation = Sum;
    using Out = double;
    using Type = double;
    struct Inputs {
        double a0;
        double a1;
    };
    template <typename At>
    MATGRAD_DEVICE static Inputs read(const Strided* from, const At& at) {
        return {
            entry<double, float>(from[0], at),
            entry<double, float>(from[1], at),
        };
    }
    template <typename At>
    MATGRAD_DEVICE static double value(const Inputs& in, const At& at) {
        const double r0 = in.a0;
        const double r1 = in.a1;
        const double r2 = r1 * r0;
        return r2;
    }
    MATGRAD_DEVICE static double scaled(double x) {
        return x;
    }
};
MATGRAD_KERNEL(reduce_1, ReduceArgs<2>, 256) {
    reduce<reduce_body_1>(args);
}

struct map_body_2 {
    static constexpr long long kRows = 1;
    static constexpr long long kCols = 1;
    static constexpr int kThreads = 256;
    static constexpr int kItems = 4;
    static constexpr int kGroup = 2;
    static constexpr int kGroups = 4;
    using Out = double;
    using Type = double;
    struct Inputs {
        double a0;
        double a1;
    };
    template <typename At>
    MATGRAD_DEVICE static Inputs read(const Strided* from, const At& at) {
        return {
            entry<double, double>(from[0], at),
            entry<double, double>(from[1], at),
        };
    }
    template <typename At>
    MATGRAD_DEVICE static double value(const Inputs& in, const At& at) {
        const double r0 = in.a0;
        const double r1 = in.a1;
        const double r2 = r0 - r1;
        return r2;
    }
    struct Packs {
        Pack<double, 2> a0;
        Pack<double, 2> a1;
    };
    template <typename At>
    MATGRAD_DEVICE static Packs read_packs(const Strided* from, const At& at) {
        return {
            pack<double, 2>(from[0], at),
            pack<double, 2>(from[1], at),
        };
    }
    MATGRAD_DEVICE static Inputs of_packs(const Packs& packs, int i) {
        return {
            static_cast<double>(packs.a0.entries[i]),
            static_cast<double>(packs.a1.entries[i]),
        };
    }
};
MATGRAD_KERNEL(map_2, MapArgs<2>, 256) {
    map<map_body_2>(args);
}

struct map_body_3 {
    static constexpr long long kRows = 12;
    static constexpr long long kCols = 12;
    static constexpr int kThreads = 256;
    static constexpr int kItems = 4;
    static constexpr int kGroup = 4;
    static constexpr int kGroups = 2;
    using Out = float;
    using Type = float;
    struct Inputs {
        float a0;
        float a1;
    };
    template <typename At>
    MATGRAD_DEVICE static Inputs read(const Strided* from, const At& at) {
        return {
            entry<float, float>(from[0], at),
            entry<float, float>(from[1], at),
        };
    }
    template <typename At>
    MATGRAD_DEVICE static float value(const Inputs& in, const At& at) {
        const float r0 = in.a0;
        const float r1 = in.a1;
        const float r2 = r0 - r1;
        return r2;
    }
    struct Packs {
        Pack<float, 4> a0;
        Pack<float, 4> a1;
    };
    template <typename At>
    MATGRAD_DEVICE static Packs read_packs(const Strided* from, const At& at) {
        return {
            pack<float, 4>(from[0], at),
            pack<float, 4>(from[1], at),
        };
    }
    MATGRAD_DEVICE static Inputs of_packs(const Packs& packs, int i) {
        return {
            static_cast<float>(packs.a0.entries[i]),
            static_cast<float>(packs.a1.entries[i]),
        };
    }
};
MATGRAD_KERNEL(map_3, MapArgs<2>, 256) {
    map<map_body_3>(args);
}

struct batch_sum_body_4 {
    static constexpr long long kRows = 1;
    static constexpr long long kCols = 1;
    static constexpr int kThreads = 256;
    static constexpr int kSlices = 256;
    using From = double;
};
MATGRAD_KERNEL(batch_sum_4, BatchSumArgs, 256) {
    batch_sum<batch_sum_body_4>(args);
}

struct batch_sum_body_5 {
    static constexpr long long kRows = 12;
    static constexpr long long kCols = 12;
    static constexpr int kThreads = 256;
    static constexpr int kSlices = 1;
    using From = float;
};
MATGRAD_KERNEL(batch_sum_5, BatchSumArgs, 256) {
    batch_sum<batch_sum_body_5>(args);
}

}  // namespace matgrad::block

==== graphical_ridge
#include "batch_sum.cuh"
#include "map.cuh"
#include "reduce.cuh"

namespace matgrad::block {

struct reduce_body_0 {
    static constexpr long long kRows = 12;
    static constexpr long long kCols = 12;
    static constexpr Over kOver = kOverAll;
    static constexpr int kOutputs = 1;
    static constexpr int kLength = 144;
    static constexpr int kThreads = 256;
    static constexpr int kSlices = 32;
    static constexpr int kChains = 4;
    static constexpr bool kSigned = false;
    using Operation = Sum;
    using Out = double;
    using Type = double;
    struct Inputs {
        double a0;
        double a1;
    };
    template <typename At>
    MATGRAD_DEVICE static Inputs read(const Strided* from, const At& at) {
        return {
            entry<double, double>(from[0], at),
            entry<double, double>(from[1], at),
        };
    }
    template <typename At>
    MATGRAD_DEVICE static double value(const Inputs& in, const At& at) {
        const double r0 = in.a0;
        const double r1 = in.a1;
        const double r2 = r1 * r0;
        return r2;
    }
    MATGRAD_DEVICE static double scaled(double x) {
        return x;
    }
};
MATGRAD_KERNEL(reduce_0, ReduceArgs<2>, 256) {
    reduce<reduce_body_0>(args);
}

struct reduce_body_1 {
    static constexpr long long kRows = 12;
    static constexpr long long kCols = 12;
    static constexpr Over kOver = kOverAll;
    static constexpr int kOutputs = 1;
    static constexpr int kLength = 144;
    static constexpr int kThreads = 256;
    static constexpr int kSlices = 32;
    static constexpr int kChains = 4;
    static constexpr bool kSigned = false;
    using Operation = Sum;
    using Out = double;
    using Type = double;
    struct Inputs {
        double a0;
    };
    template <typename At>
    MATGRAD_DEVICE static Inputs read(const Strided* from, const At& at) {
        return {
            entry<double, double>(from[0], at),
        };
    }
    template <typename At>
    MATGRAD_DEVICE static double value(const Inputs& in, const At& at) {
        const double r0 = in.a0;
        const double r1 = r0 * r0;
        return r1;
    }
    MATGRAD_DEVICE static double scaled(double x) {
        return x;
    }
};
MATGRAD_KERNEL(reduce_1, ReduceArgs<1>, 256) {
    reduce<reduce_body_1>(args);
}

struct reduce_body_2 {
    static constexpr long long kRows = 12;
    static constexpr long long kCols = 12;
    static constexpr Over kOver = kOverDiagonal;
    static constexpr int kOutputs = 1;
    static constexpr int kLength = 12;
    static constexpr int kThreads = 256;
    static constexpr int kSlices = 2;
    static constexpr int kChains = 4;
    static constexpr bool kSigned = false;
    using Operation = Sum;
    using Out = double;
    using Type = double;
    struct Inputs {
        double a0;
    };
    template <typename At>
    MATGRAD_DEVICE static Inputs read(const Strided* from, const At& at) {
        return {
            entry<double, double>(from[0], at),
        };
    }
    template <typename At>
    MATGRAD_DEVICE static double value(const Inputs& in, const At& at) {
        const double r0 = in.a0;
        const double r1 = log(r0);
        return r1;
    }
    MATGRAD_DEVICE static double scaled(double x) {
        return 2.0 * x;
    }
};
MATGRAD_KERNEL(reduce_2, ReduceArgs<1>, 256) {
    reduce<reduce_body_2>(args);
}

struct map_body_3 {
    static constexpr long long kRows = 1;
    static constexpr long long kCols = 1;
    static constexpr int kThreads = 256;
    static constexpr int kItems = 2;
    static constexpr int kGroup = 2;
    static constexpr int kGroups = 2;
    using Out = double;
    using Type = double;
    struct Inputs {
        double a0;
        double a1;
        double a2;
        double a3;
    };
    template <typename At>
    MATGRAD_DEVICE static Inputs read(const Strided* from, const At& at) {
        return {
            entry<double, double>(from[0], at),
            entry<double, double>(from[1], at),
            entry<double, double>(from[2], at),
            entry<double, double>(from[3], at),
        };
    }
    template <typename At>
    MATGRAD_DEVICE static double value(const Inputs& in, const At& at) {
        const double r0 = in.a0;
        const double r1 = in.a1;
        const double r2 = in.a2;
        const double r3 = r1 * r2;
        const double r4 = r0 + r3;
        const double r5 = in.a3;
        const double r6 = r4 - r5;
        return r6;
    }
    struct Packs {
        Pack<double, 2> a0;
        Pack<double, 2> a1;
        Pack<double, 2> a2;
        Pack<double, 2> a3;
    };
    template <typename At>
    MATGRAD_DEVICE static Packs read_packs(const Strided* from, const At& at) {
        return {
            pack<double, 2>(from[0], at),
            pack<double, 2>(from[1], at),
            pack<double, 2>(from[2], at),
            pack<double, 2>(from[3], at),
        };
    }
    MATGRAD_DEVICE static Inputs of_packs(const Packs& packs, int i) {
        return {
            static_cast<double>(packs.a0.entries[i]),
            static_cast<double>(packs.a1.entries[i]),
            static_cast<double>(packs.a2.entries[i]),
            static_cast<double>(packs.a3.entries[i]),
        };
    }
};
MATGRAD_KERNEL(map_3, MapArgs<4>, 256) {
    map<map_body_3>(args);
}

struct map_body_4 {
    static constexpr long long kRows = 1;
    static constexpr long long kCols = 1;
    static constexpr int kThreads = 256;
    static constexpr int kItems = 4;
    static constexpr int kGroup = 2;
    static constexpr int kGroups = 4;
    using Out = double;
    using Type = double;
    struct Inputs {
        double a0;
    };
    template <typename At>
    MATGRAD_DEVICE static Inputs read(const Strided* from, const At& at) {
        return {
            entry<double, double>(from[0], at),
        };
    }
    template <typename At>
    MATGRAD_DEVICE static double value(const Inputs& in, const At& at) {
        const double r0 = in.a0;
        const double r1 = 2.0 * r0;
        return r1;
    }
    struct Packs {
        Pack<double, 2> a0;
    };
    template <typename At>
    MATGRAD_DEVICE static Packs read_packs(const Strided* from, const At& at) {
        return {
            pack<double, 2>(from[0], at),
        };
    }
    MATGRAD_DEVICE static Inputs of_packs(const Packs& packs, int i) {
        return {
            static_cast<double>(packs.a0.entries[i]),
        };
    }
};
MATGRAD_KERNEL(map_4, MapArgs<1>, 256) {
    map<map_body_4>(args);
}

struct map_body_5 {
    static constexpr long long kRows = 12;
    static constexpr long long kCols = 12;
    static constexpr int kThreads = 256;
    static constexpr int kItems = 2;
    static constexpr int kGroup = 2;
    static constexpr int kGroups = 2;
    using Out = double;
    using Type = double;
    struct Inputs {
        double a0;
        double a1;
        double a2;
        double a3;
    };
    template <typename At>
    MATGRAD_DEVICE static Inputs read(const Strided* from, const At& at) {
        return {
            entry<double, double>(from[0], at),
            entry_of_scalar<double, double>(from[1], at),
            entry<double, double>(from[2], at),
            entry<double, double>(from[3], at),
        };
    }
    template <typename At>
    MATGRAD_DEVICE static double value(const Inputs& in, const At& at) {
        const double r0 = in.a0;
        const double r1 = in.a1;
        const double r2 = r1 * r0;
        const double r3 = in.a2;
        const double r4 = r2 + r3;
        const double r5 = in.a3;
        const double r6 = r4 - r5;
        return r6;
    }
    struct Packs {
        Pack<double, 2> a0;
        double a1;
        Pack<double, 2> a2;
        Pack<double, 2> a3;
    };
    template <typename At>
    MATGRAD_DEVICE static Packs read_packs(const Strided* from, const At& at) {
        return {
            pack<double, 2>(from[0], at),
            scalar<double>(from[1], at),
            pack<double, 2>(from[2], at),
            pack<double, 2>(from[3], at),
        };
    }
    MATGRAD_DEVICE static Inputs of_packs(const Packs& packs, int i) {
        return {
            static_cast<double>(packs.a0.entries[i]),
            static_cast<double>(packs.a1),
            static_cast<double>(packs.a2.entries[i]),
            static_cast<double>(packs.a3.entries[i]),
        };
    }
};
MATGRAD_KERNEL(map_5, MapArgs<4>, 256) {
    map<map_body_5>(args);
}

}  // namespace matgrad::block

==== graphical_ridge, summed over the batch
#include "batch_sum.cuh"
#include "map.cuh"
#include "reduce.cuh"

namespace matgrad::block {

struct reduce_body_0 {
    static constexpr long long kRows = 12;
    static constexpr long long kCols = 12;
    static constexpr Over kOver = kOverAll;
    static constexpr int kOutputs = 1;
    static constexpr int kLength = 144;
    static constexpr int kThreads = 256;
    static constexpr int kSlices = 32;
    static constexpr int kChains = 4;
    static constexpr bool kSigned = false;
    using Operation = Sum;
    using Out = double;
    using Type = double;
    struct Inputs {
        double a0;
    };
    template <typename At>
    MATGRAD_DEVICE static Inputs read(const Strided* from, const At& at) {
        return {
            entry<double, float>(from[0], at),
        };
    }
    template <typename At>
    MATGRAD_DEVICE static double value(const Inputs& in, const At& at) {
        const double r0 = in.a0;
        const double r1 = r0 * r0;
        return r1;
    }
    MATGRAD_DEVICE static double scaled(double x) {
        return x;
    }
};
MATGRAD_KERNEL(reduce_0, ReduceArgs<1>, 256) {
    reduce<reduce_body_0>(args);
}

struct reduce_body_1 {
    static constexpr long long kRows = 12;
    static constexpr long long kCols = 12;
    static constexpr Over kOver = kOverDiagonal;
    static constexpr int kOutputs = 1;
    static constexpr int kLength = 12;
    static constexpr int kThreads = 256;
    static constexpr int kSlices = 2;
    static constexpr int kChains = 4;
    static constexpr bool kSigned = false;
    using Operation = Sum;
    using Out = double;
    using Type = double;
    struct Inputs {
        double a0;
    };
    template <typename At>
    MATGRAD_DEVICE static Inputs read(const Strided* from, const At& at) {
        return {
            entry<double, double>(from[0], at),
        };
    }
    template <typename At>
    MATGRAD_DEVICE static double value(const Inputs& in, const At& at) {
        const double r0 = in.a0;
        const double r1 = log(r0);
        return r1;
    }
    MATGRAD_DEVICE static double scaled(double x) {
        return 2.0 * x;
    }
};
MATGRAD_KERNEL(reduce_1, ReduceArgs<1>, 256) {
    reduce<reduce_body_1>(args);
}

struct reduce_body_2 {
    static constexpr long long kRows = 12;
    static constexpr long long kCols = 12;
    static constexpr Over kOver = kOverAll;
    static constexpr int kOutputs = 1;
    static constexpr int kLength = 144;
    static constexpr int kThreads = 256;
    static constexpr int kSlices = 32;
    static constexpr int kChains = 4;
    static constexpr bool kSigned = false;
    using Operation = Sum;
    using Out = double;
    using Type = double;
    struct Inputs {
        double a0;
        double a1;
    };
    template <typename At>
    MATGRAD_DEVICE static Inputs read(const Strided* from, const At& at) {
        return {
            entry<double, float>(from[0], at),
            entry<double, float>(from[1], at),
        };
    }
    template <typename At>
    MATGRAD_DEVICE static double value(const Inputs& in, const At& at) {
        const double r0 = in.a0;
        const double r1 = in.a1;
        const double r2 = r1 * r0;
        return r2;
    }
    MATGRAD_DEVICE static double scaled(double x) {
        return x;
    }
};
MATGRAD_KERNEL(reduce_2, ReduceArgs<2>, 256) {
    reduce<reduce_body_2>(args);
}

struct map_body_3 {
    static constexpr long long kRows = 1;
    static constexpr long long kCols = 1;
    static constexpr int kThreads = 256;
    static constexpr int kItems = 2;
    static constexpr int kGroup = 2;
    static constexpr int kGroups = 2;
    using Out = double;
    using Type = double;
    struct Inputs {
        double a0;
        double a1;
        double a2;
        double a3;
    };
    template <typename At>
    MATGRAD_DEVICE static Inputs read(const Strided* from, const At& at) {
        return {
            entry<double, double>(from[0], at),
            entry<double, float>(from[1], at),
            entry<double, double>(from[2], at),
            entry<double, double>(from[3], at),
        };
    }
    template <typename At>
    MATGRAD_DEVICE static double value(const Inputs& in, const At& at) {
        const double r0 = in.a0;
        const double r1 = in.a1;
        const double r2 = in.a2;
        const double r3 = r1 * r2;
        const double r4 = r0 + r3;
        const double r5 = in.a3;
        const double r6 = r4 - r5;
        return r6;
    }
    struct Packs {
        Pack<double, 2> a0;
        Pack<float, 2> a1;
        Pack<double, 2> a2;
        Pack<double, 2> a3;
    };
    template <typename At>
    MATGRAD_DEVICE static Packs read_packs(const Strided* from, const At& at) {
        return {
            pack<double, 2>(from[0], at),
            pack<float, 2>(from[1], at),
            pack<double, 2>(from[2], at),
            pack<double, 2>(from[3], at),
        };
    }
    MATGRAD_DEVICE static Inputs of_packs(const Packs& packs, int i) {
        return {
            static_cast<double>(packs.a0.entries[i]),
            static_cast<double>(packs.a1.entries[i]),
            static_cast<double>(packs.a2.entries[i]),
            static_cast<double>(packs.a3.entries[i]),
        };
    }
};
MATGRAD_KERNEL(map_3, MapArgs<4>, 256) {
    map<map_body_3>(args);
}

struct map_body_4 {
    static constexpr long long kRows = 1;
    static constexpr long long kCols = 1;
    static constexpr int kThreads = 256;
    static constexpr int kItems = 4;
    static constexpr int kGroup = 2;
    static constexpr int kGroups = 4;
    using Out = double;
    using Type = double;
    struct Inputs {
        double a0;
    };
    template <typename At>
    MATGRAD_DEVICE static Inputs read(const Strided* from, const At& at) {
        return {
            entry<double, float>(from[0], at),
        };
    }
    template <typename At>
    MATGRAD_DEVICE static double value(const Inputs& in, const At& at) {
        const double r0 = in.a0;
        const double r1 = 2.0 * r0;
        return r1;
    }
    struct Packs {
        Pack<float, 2> a0;
    };
    template <typename At>
    MATGRAD_DEVICE static Packs read_packs(const Strided* from, const At& at) {
        return {
            pack<float, 2>(from[0], at),
        };
    }
    MATGRAD_DEVICE static Inputs of_packs(const Packs& packs, int i) {
        return {
            static_cast<double>(packs.a0.entries[i]),
        };
    }
};
MATGRAD_KERNEL(map_4, MapArgs<1>, 256) {
    map<map_body_4>(args);
}

struct map_body_5 {
    static constexpr long long kRows = 12;
    static constexpr long long kCols = 12;
    static constexpr int kThreads = 256;
    static constexpr int kItems = 2;
    static constexpr int kGroup = 4;
    static constexpr int kGroups = 1;
    using Out = float;
    using Type = float;
    struct Inputs {
        float a0;
        float a1;
        float a2;
        float a3;
    };
    template <typename At>
    MATGRAD_DEVICE static Inputs read(const Strided* from, const At& at) {
        return {
            entry<float, float>(from[0], at),
            entry_of_scalar<float, double>(from[1], at),
            entry<float, float>(from[2], at),
            entry<float, float>(from[3], at),
        };
    }
    template <typename At>
    MATGRAD_DEVICE static float value(const Inputs& in, const At& at) {
        const float r0 = in.a0;
        const float r1 = in.a1;
        const float r2 = r1 * r0;
        const float r3 = in.a2;
        const float r4 = r2 + r3;
        const float r5 = in.a3;
        const float r6 = r4 - r5;
        return r6;
    }
    struct Packs {
        Pack<float, 4> a0;
        double a1;
        Pack<float, 4> a2;
        Pack<float, 4> a3;
    };
    template <typename At>
    MATGRAD_DEVICE static Packs read_packs(const Strided* from, const At& at) {
        return {
            pack<float, 4>(from[0], at),
            scalar<double>(from[1], at),
            pack<float, 4>(from[2], at),
            pack<float, 4>(from[3], at),
        };
    }
    MATGRAD_DEVICE static Inputs of_packs(const Packs& packs, int i) {
        return {
            static_cast<float>(packs.a0.entries[i]),
            static_cast<float>(packs.a1),
            static_cast<float>(packs.a2.entries[i]),
            static_cast<float>(packs.a3.entries[i]),
        };
    }
};
MATGRAD_KERNEL(map_5, MapArgs<4>, 256) {
    map<map_body_5>(args);
}

struct batch_sum_body_6 {
    static constexpr long long kRows = 1;
    static constexpr long long kCols = 1;
    static constexpr int kThreads = 256;
    static constexpr int kSlices = 256;
    using From = double;
};
MATGRAD_KERNEL(batch_sum_6, BatchSumArgs, 256) {
    batch_sum<batch_sum_body_6>(args);
}

struct batch_sum_body_7 {
    static constexpr long long kRows = 12;
    static constexpr long long kCols = 12;
    static constexpr int kThreads = 256;
    static constexpr int kSlices = 1;
    using From = float;
};
MATGRAD_KERNEL(batch_sum_7, BatchSumArgs, 256) {
    batch_sum<batch_sum_body_7>(args);
}

}  // namespace matgrad::block

==== quadratic_form
#include "batch_sum.cuh"
#include "map.cuh"
#include "reduce.cuh"

namespace matgrad::block {

struct reduce_body_0 {
    static constexpr long long kRows = 12;
    static constexpr long long kCols = 1;
    static constexpr Over kOver = kOverAll;
    static constexpr int kOutputs = 1;
    static constexpr int kLength = 12;
    static constexpr int kThreads = 256;
    static constexpr int kSlices = 2;
    static constexpr int kChains = 4;
    static constexpr bool kSigned = false;
    using Operation = Sum;
    using Out = double;
    using Type = double;
    struct Inputs {
        double a0;
        double a1;
    };
    template <typename At>
    MATGRAD_DEVICE static Inputs read(const Strided* from, const At& at) {
        return {
            entry<double, double>(from[0], at),
            entry<double, double>(from[1], at),
        };
    }
    template <typename At>
    MATGRAD_DEVICE static double value(const Inputs& in, const At& at) {
        const double r0 = in.a0;
        const double r1 = in.a1;
        const double r2 = r1 * r0;
        return r2;
    }
    MATGRAD_DEVICE static double scaled(double x) {
        return x;
    }
};
MATGRAD_KERNEL(reduce_0, ReduceArgs<2>, 256) {
    reduce<reduce_body_0>(args);
}

struct map_body_1 {
    static constexpr long long kRows = 12;
    static constexpr long long kCols = 12;
    static constexpr int kThreads = 256;
    static constexpr int kItems = 4;
    static constexpr int kGroup = 2;
    static constexpr int kGroups = 4;
    using Out = double;
    using Type = double;
    struct Inputs {
        double a0;
        double a1;
    };
    template <typename At>
    MATGRAD_DEVICE static Inputs read(const Strided* from, const At& at) {
        return {
            entry<double, double>(from[0], at),
            entry<double, double>(from[1], at),
        };
    }
    template <typename At>
    MATGRAD_DEVICE static double value(const Inputs& in, const At& at) {
        const double r0 = in.a0;
        const double r1 = in.a1;
        const double r2 = r0 + r1;
        return r2;
    }
    struct Packs {
        Pack<double, 2> a0;
        Pack<double, 2> a1;
    };
    template <typename At>
    MATGRAD_DEVICE static Packs read_packs(const Strided* from, const At& at) {
        return {
            pack<double, 2>(from[0], at),
            pack<double, 2>(from[1], at),
        };
    }
    MATGRAD_DEVICE static Inputs of_packs(const Packs& packs, int i) {
        return {
            static_cast<double>(packs.a0.entries[i]),
            static_cast<double>(packs.a1.entries[i]),
        };
    }
};
MATGRAD_KERNEL(map_1, MapArgs<2>, 256) {
    map<map_body_1>(args);
}

}  // namespace matgrad::block

==== quadratic_form, summed over the batch
#include "batch_sum.cuh"
#include "map.cuh"
#include "reduce.cuh"

namespace matgrad::block {

struct reduce_body_0 {
    static constexpr long long kRows = 12;
    static constexpr long long kCols = 1;
    static constexpr Over kOver = kOverAll;
    static constexpr int kOutputs = 1;
    static constexpr int kLength = 12;
    static constexpr int kThreads = 256;
    static constexpr int kSlices = 2;
    static constexpr int kChains = 4;
    static constexpr bool kSigned = false;
    using Operation = Sum;
    using Out = double;
    using Type = double;
    struct Inputs {
        double a0;
        double a1;
    };
    template <typename At>
    MATGRAD_DEVICE static Inputs read(const Strided* from, const At& at) {
        return {
            entry<double, float>(from[0], at),
            entry<double, float>(from[1], at),
        };
    }
    template <typename At>
    MATGRAD_DEVICE static double value(const Inputs& in, const At& at) {
        const double r0 = in.a0;
        const double r1 = in.a1;
        const double r2 = r1 * r0;
        return r2;
    }
    MATGRAD_DEVICE static double scaled(double x) {
        return x;
    }
};
MATGRAD_KERNEL(reduce_0, ReduceArgs<2>, 256) {
    reduce<reduce_body_0>(args);
}

struct map_body_1 {
    static constexpr long long kRows = 12;
    static constexpr long long kCols = 12;
    static constexpr int kThreads = 256;
    static constexpr int kItems = 4;
    static constexpr int kGroup = 4;
    static constexpr int kGroups = 2;
    using Out = float;
    using Type = float;
    struct Inputs {
        float a0;
        float a1;
    };
    template <typename At>
    MATGRAD_DEVICE static Inputs read(const Strided* from, const At& at) {
        return {
            entry<float, float>(from[0], at),
            entry<float, float>(from[1], at),
        };
    }
    template <typename At>
    MATGRAD_DEVICE static float value(const Inputs& in, const At& at) {
        const float r0 = in.a0;
        const float r1 = in.a1;
        const float r2 = r0 + r1;
        return r2;
    }
    struct Packs {
        Pack<float, 4> a0;
        Pack<float, 4> a1;
    };
    template <typename At>
    MATGRAD_DEVICE static Packs read_packs(const Strided* from, const At& at) {
        return {
            pack<float, 4>(from[0], at),
            pack<float, 4>(from[1], at),
        };
    }
    MATGRAD_DEVICE static Inputs of_packs(const Packs& packs, int i) {
        return {
            static_cast<float>(packs.a0.entries[i]),
            static_cast<float>(packs.a1.entries[i]),
        };
    }
};
MATGRAD_KERNEL(map_1, MapArgs<2>, 256) {
    map<map_body_1>(args);
}

struct batch_sum_body_2 {
    static constexpr long long kRows = 1;
    static constexpr long long kCols = 1;
    static constexpr int kThreads = 256;
    static constexpr int kSlices = 256;
    using From = double;
};
MATGRAD_KERNEL(batch_sum_2, BatchSumArgs, 256) {
    batch_sum<batch_sum_body_2>(args);
}

struct batch_sum_body_3 {
    static constexpr long long kRows = 12;
    static constexpr long long kCols = 1;
    static constexpr int kThreads = 256;
    static constexpr int kSlices = 16;
    using From = float;
};
MATGRAD_KERNEL(batch_sum_3, BatchSumArgs, 256) {
    batch_sum<batch_sum_body_3>(args);
}

}  // namespace matgrad::block

==== quadratic
#include "batch_sum.cuh"
#include "map.cuh"
#include "reduce.cuh"

namespace matgrad::block {

struct reduce_body_0 {
    static constexpr long long kRows = 12;
    static constexpr long long kCols = 1;
    static constexpr Over kOver = kOverAll;
    static constexpr int kOutputs = 1;
    static constexpr int kLength = 12;
    static constexpr int kThreads = 256;
    static constexpr int kSlices = 2;
    static constexpr int kChains = 4;
    static constexpr bool kSigned = false;
    using Operation = Sum;
    using Out = double;
    using Type = double;
    struct Inputs {
        double a0;
        double a1;
    };
    template <typename At>
    MATGRAD_DEVICE static Inputs read(const Strided* from, const At& at) {
        return {
            entry<double, double>(from[0], at),
            entry<double, double>(from[1], at),
        };
    }
    template <typename At>
    MATGRAD_DEVICE static double value(const Inputs& in, const At& at) {
        const double r0 = in.a0;
        const double r1 = in.a1;
        const double r2 = r1 * r0;
        return r2;
    }
    MATGRAD_DEVICE static double scaled(double x) {
        return 0.5 * x;
    }
};
MATGRAD_KERNEL(reduce_0, ReduceArgs<2>, 256) {
    reduce<reduce_body_0>(args);
}

struct reduce_body_1 {
    static constexpr long long kRows = 12;
    static constexpr long long kCols = 1;
    static constexpr Over kOver = kOverAll;
    static constexpr int kOutputs = 1;
    static constexpr int kLength = 12;
    static constexpr int kThreads = 256;
    static constexpr int kSlices = 2;
    static constexpr int kChains = 4;
    static constexpr bool kSigned = false;
    using Operation = Sum;
    using Out = double;
    using Type = double;
    struct Inputs {
        double a0;
        double a1;
    };
    template <typename At>
    MATGRAD_DEVICE static Inputs read(const Strided* from, const At& at) {
        return {
            entry<double, double>(from[0], at),
            entry<double, double>(from[1], at),
        };
    }
    template <typename At>
    MATGRAD_DEVICE static double value(const Inputs& in, const At& at) {
        const double r0 = in.a0;
        const double r1 = in.a1;
        const double r2 = r1 * r0;
        return r2;
    }
    MATGRAD_DEVICE static double scaled(double x) {
        return x;
    }
};
MATGRAD_KERNEL(reduce_1, ReduceArgs<2>, 256) {
    reduce<reduce_body_1>(args);
}

struct map_body_2 {
    static constexpr long long kRows = 1;
    static constexpr long long kCols = 1;
    static constexpr int kThreads = 256;
    static constexpr int kItems = 4;
    static constexpr int kGroup = 2;
    static constexpr int kGroups = 4;
    using Out = double;
    using Type = double;
    struct Inputs {
        double a0;
        double a1;
    };
    template <typename At>
    MATGRAD_DEVICE static Inputs read(const Strided* from, const At& at) {
        return {
            entry<double, double>(from[0], at),
            entry<double, double>(from[1], at),
        };
    }
    template <typename At>
    MATGRAD_DEVICE static double value(const Inputs& in, const At& at) {
        const double r0 = in.a0;
        const double r1 = in.a1;
        const double r2 = r0 - r1;
        return r2;
    }
    struct Packs {
        Pack<double, 2> a0;
        Pack<double, 2> a1;
    };
    template <typename At>
    MATGRAD_DEVICE static Packs read_packs(const Strided* from, const At& at) {
        return {
            pack<double, 2>(from[0], at),
            pack<double, 2>(from[1], at),
        };
    }
    MATGRAD_DEVICE static Inputs of_packs(const Packs& packs, int i) {
        return {
            static_cast<double>(packs.a0.entries[i]),
            static_cast<double>(packs.a1.entries[i]),
        };
    }
};
MATGRAD_KERNEL(map_2, MapArgs<2>, 256) {
    map<map_body_2>(args);
}

struct map_body_3 {
    static constexpr long long kRows = 12;
    static constexpr long long kCols = 1;
    static constexpr int kThreads = 256;
    static constexpr int kItems = 4;
    static constexpr int kGroup = 2;
    static constexpr int kGroups = 4;
    using Out = double;
    using Type = double;
    struct Inputs {
        double a0;
        double a1;
    };
    template <typename At>
    MATGRAD_DEVICE static Inputs read(const Strided* from, const At& at) {
        return {
            entry<double, double>(from[0], at),
            entry<double, double>(from[1], at),
        };
    }
    template <typename At>
    MATGRAD_DEVICE static double value(const Inputs& in, const At& at) {
        const double r0 = in.a0;
        const double r1 = in.a1;
        const double r2 = r0 - r1;
        return r2;
    }
    struct Packs {
        Pack<double, 2> a0;
        Pack<double, 2> a1;
    };
    template <typename At>
    MATGRAD_DEVICE static Packs read_packs(const Strided* from, const At& at) {
        return {
            pack<double, 2>(from[0], at),
            pack<double, 2>(from[1], at),
        };
    }
    MATGRAD_DEVICE static Inputs of_packs(const Packs& packs, int i) {
        return {
            static_cast<double>(packs.a0.entries[i]),
            static_cast<double>(packs.a1.entries[i]),
        };
    }
};
MATGRAD_KERNEL(map_3, MapArgs<2>, 256) {
    map<map_body_3>(args);
}

}  // namespace matgrad::block

==== quadratic, summed over the batch
#include "batch_sum.cuh"
#include "map.cuh"
#include "reduce.cuh"

namespace matgrad::block {

struct reduce_body_0 {
    static constexpr long long kRows = 12;
    static constexpr long long kCols = 1;
    static constexpr Over kOver = kOverAll;
    static constexpr int kOutputs = 1;
    static constexpr int kLength = 12;
    static constexpr int kThreads = 256;
    static constexpr int kSlices = 2;
    static constexpr int kChains = 4;
    static constexpr bool kSigned = false;
    using Operation = Sum;
    using Out = double;
    using Type = double;
    struct Inputs {
        double a0;
        double a1;
    };
    template <typename At>
    MATGRAD_DEVICE static Inputs read(const Strided* from, const At& at) {
        return {
            entry<double, float>(from[0], at),
            entry<double, float>(from[1], at),
        };
    }
    template <typename At>
    MATGRAD_DEVICE static double value(const Inputs& in, const At& at) {
        const double r0 = in.a0;
        const double r1 = in.a1;
        const double r2 = r1 * r0;
        return r2;
    }
    MATGRAD_DEVICE static double scaled(double x) {
        return 0.5 * x;
    }
};
MATGRAD_KERNEL(reduce_0, ReduceArgs<2>, 256) {
    reduce<reduce_body_0>(args);
}

struct reduce_body_1 {
    static constexpr long long kRows = 12;
    static constexpr long long kCols = 1;
    static constexpr Over kOver = kOverAll;
    static constexpr int kOutputs = 1;
    static constexpr int kLength = 12;
    static constexpr int kThreads = 256;
    static constexpr int kSlices = 2;
    static constexpr int kChains = 4;
    static constexpr bool kSigned = false;
    using Operation = Sum;
    using Out = double;
    using Type = double;
    struct Inputs {
        double a0;
        double a1;
    };
    template <typename At>
    MATGRAD_DEVICE static Inputs read(const Strided* from, const At& at) {
        return {
            entry<double, float>(from[0], at),
            entry<double, float>(from[1], at),
        };
    }
    template <typename At>
    MATGRAD_DEVICE static double value(const Inputs& in, const At& at) {
        const double r0 = in.a0;
        const double r1 = in.a1;
        const double r2 = r1 * r0;
        return r2;
    }
    MATGRAD_DEVICE static double scaled(double x) {
        return x;
    }
};
MATGRAD_KERNEL(reduce_1, ReduceArgs<2>, 256) {
    reduce<reduce_body_1>(args);
}

struct map_body_2 {
    static constexpr long long kRows = 1;
    static constexpr long long kCols = 1;
    static constexpr int kThreads = 256;
    static constexpr int kItems = 4;
    static constexpr int kGroup = 2;
    static constexpr int kGroups = 4;
    using Out = double;
    using Type = double;
    struct Inputs {
        double a0;
        double a1;
    };
    template <typename At>
    MATGRAD_DEVICE static Inputs read(const Strided* from, const At& at) {
        return {
            entry<double, double>(from[0], at),
            entry<double, double>(from[1], at),
        };
    }
    template <typename At>
    MATGRAD_DEVICE static double value(const Inputs& in, const At& at) {
        const double r0 = in.a0;
        const double r1 = in.a1;
        const double r2 = r0 - r1;
        return r2;
    }
    struct Packs {
        Pack<double, 2> a0;
        Pack<double, 2> a1;
    };
    template <typename At>
    MATGRAD_DEVICE static Packs read_packs(const Strided* from, const At& at) {
        return {
            pack<double, 2>(from[0], at),
            pack<double, 2>(from[1], at),
        };
    }
    MATGRAD_DEVICE static Inputs of_packs(const Packs& packs, int i) {
        return {
            static_cast<double>(packs.a0.entries[i]),
            static_cast<double>(packs.a1.entries[i]),
        };
    }
};
MATGRAD_KERNEL(map_2, MapArgs<2>, 256) {
    map<map_body_2>(args);
}

struct map_body_3 {
    static constexpr long long kRows = 12;
    static constexpr long long kCols = 1;
    static constexpr int kThreads = 256;
    static constexpr int kItems = 4;
    static constexpr int kGroup = 4;
    static constexpr int kGroups = 2;
    using Out = float;
    using Type = float;
    struct Inputs {
        float a0;
        float a1;
    };
    template <typename At>
    MATGRAD_DEVICE static Inputs read(const Strided* from, const At& at) {
        return {
            entry<float, float>(from[0], at),
            entry<float, float>(from[1], at),
        };
    }
    template <typename At>
    MATGRAD_DEVICE static float value(const Inputs& in, const At& at) {
        const float r0 = in.a0;
        const float r1 = in.a1;
        const float r2 = r0 - r1;
        return r2;
    }
    struct Packs {
        Pack<float, 4> a0;
        Pack<float, 4> a1;
    };
    template <typename At>
    MATGRAD_DEVICE static Packs read_packs(const Strided* from, const At& at) {
        return {
            pack<float, 4>(from[0], at),
            pack<float, 4>(from[1], at),
        };
    }
    MATGRAD_DEVICE static Inputs of_packs(const Packs& packs, int i) {
        return {
            static_cast<float>(packs.a0.entries[i]),
            static_cast<float>(packs.a1.entries[i]),
        };
    }
};
MATGRAD_KERNEL(map_3, MapArgs<2>, 256) {
    map<map_body_3>(args);
}

struct batch_sum_body_4 {
    static constexpr long long kRows = 1;
    static constexpr long long kCols = 1;
    static constexpr int kThreads = 256;
    static constexpr int kSlices = 256;
    using From = double;
};
MATGRAD_KERNEL(batch_sum_4, BatchSumArgs, 256) {
    batch_sum<batch_sum_body_4>(args);
}

struct batch_sum_body_5 {
    static constexpr long long kRows = 12;
    static constexpr long long kCols = 1;
    static constexpr int kThreads = 256;
    static constexpr int kSlices = 16;
    using From = float;
};
MATGRAD_KERNEL(batch_sum_5, BatchSumArgs, 256) {
    batch_sum<batch_sum_body_5>(args);
}

}  // namespace matgrad::block

==== mahalanobis
#include "batch_sum.cuh"
#include "map.cuh"
#include "reduce.cuh"

namespace matgrad::block {

struct map_body_0 {
    static constexpr long long kRows = 12;
    static constexpr long long kCols = 1;
    static constexpr int kThreads = 256;
    static constexpr int kItems = 4;
    static constexpr int kGroup = 2;
    static constexpr int kGroups = 4;
    using Out = double;
    using Type = double;
    struct Inputs {
        double a0;
        double a1;
    };
    template <typename At>
    MATGRAD_DEVICE static Inputs read(const Strided* from, const At& at) {
        return {
            entry<double, double>(from[0], at),
            entry<double, double>(from[1], at),
        };
    }
    template <typename At>
    MATGRAD_DEVICE static double value(const Inputs& in, const At& at) {
        const double r0 = in.a0;
        const double r1 = in.a1;
        const double r2 = r0 - r1;
        return r2;
    }
    struct Packs {
        Pack<double, 2> a0;
        Pack<double, 2> a1;
    };
    template <typename At>
    MATGRAD_DEVICE static Packs read_packs(const Strided* from, const At& at) {
        return {
            pack<double, 2>(from[0], at),
            pack<double, 2>(from[1], at),
        };
    }
    MATGRAD_DEVICE static Inputs of_packs(const Packs& packs, int i) {
        return {
            static_cast<double>(packs.a0.entries[i]),
            static_cast<double>(packs.a1.entries[i]),
        };
    }
};
MATGRAD_KERNEL(map_0, MapArgs<2>, 256) {
    map<map_body_0>(args);
}

struct reduce_body_1 {
    static constexpr long long kRows = 12;
    static constexpr long long kCols = 1;
    static constexpr Over kOver = kOverAll;
    static constexpr int kOutputs = 1;
    static constexpr int kLength = 12;
    static constexpr int kThreads = 256;
    static constexpr int kSlices = 2;
    static constexpr int kChains = 4;
    static constexpr bool kSigned = false;
    using Operation = Sum;
    using Out = double;
    using Type = double;
    struct Inputs {
        double a0;
    };
    template <typename At>
    MATGRAD_DEVICE static Inputs read(const Strided* from, const At& at) {
        return {
            entry<double, double>(from[0], at),
        };
    }
    template <typename At>
    MATGRAD_DEVICE static double value(const Inputs& in, const At& at) {
        const double r0 = in.a0;
        const double r1 = r0 * r0;
        return r1;
    }
    MATGRAD_DEVICE static double scaled(double x) {
        return x;
    }
};
MATGRAD_KERNEL(reduce_1, ReduceArgs<1>, 256) {
    reduce<reduce_body_1>(args);
}

}  // namespace matgrad::block

==== mahalanobis, summed over the batch
#include "batch_sum.cuh"
#include "map.cuh"
#include "reduce.cuh"

namespace matgrad::block {

struct map_body_0 {
    static constexpr long long kRows = 12;
    static constexpr long long kCols = 1;
    static constexpr int kThreads = 256;
    static constexpr int kItems = 4;
    static constexpr int kGroup = 4;
    static constexpr int kGroups = 2;
    using Out = float;
    using Type = float;
    struct Inputs {
        float a0;
        float a1;
    };
    template <typename At>
    MATGRAD_DEVICE static Inputs read(const Strided* from, const At& at) {
        return {
            entry<float, float>(from[0], at),
            entry<float, float>(from[1], at),
        };
    }
    template <typename At>
    MATGRAD_DEVICE static float value(const Inputs& in, const At& at) {
        const float r0 = in.a0;
        const float r1 = in.a1;
        const float r2 = r0 - r1;
        return r2;
    }
    struct Packs {
        Pack<float, 4> a0;
        Pack<float, 4> a1;
    };
    template <typename At>
    MATGRAD_DEVICE static Packs read_packs(const Strided* from, const At& at) {
        return {
            pack<float, 4>(from[0], at),
            pack<float, 4>(from[1], at),
        };
    }
    MATGRAD_DEVICE static Inputs of_packs(const Packs& packs, int i) {
        return {
            static_cast<float>(packs.a0.entries[i]),
            static_cast<float>(packs.a1.entries[i]),
        };
    }
};
MATGRAD_KERNEL(map_0, MapArgs<2>, 256) {
    map<map_body_0>(args);
}

struct reduce_body_1 {
    static constexpr long long kRows = 12;
    static constexpr long long kCols = 1;
    static constexpr Over kOver = kOverAll;
    static constexpr int kOutputs = 1;
    static constexpr int kLength = 12;
    static constexpr int kThreads = 256;
    static constexpr int kSlices = 2;
    static constexpr int kChains = 4;
    static constexpr bool kSigned = false;
    using Operation = Sum;
    using Out = double;
    using Type = double;
    struct Inputs {
        double a0;
    };
    template <typename At>
    MATGRAD_DEVICE static Inputs read(const Strided* from, const At& at) {
        return {
            entry<double, double>(from[0], at),
        };
    }
    template <typename At>
    MATGRAD_DEVICE static double value(const Inputs& in, const At& at) {
        const double r0 = in.a0;
        const double r1 = r0 * r0;
        return r1;
    }
    MATGRAD_DEVICE static double scaled(double x) {
        return x;
    }
};
MATGRAD_KERNEL(reduce_1, ReduceArgs<1>, 256) {
    reduce<reduce_body_1>(args);
}

struct batch_sum_body_2 {
    static constexpr long long kRows = 1;
    static constexpr long long kCols = 1;
    static constexpr int kThreads = 256;
    static constexpr int kSlices = 256;
    using From = double;
};
MATGRAD_KERNEL(batch_sum_2, BatchSumArgs, 256) {
    batch_sum<batch_sum_body_2>(args);
}

struct batch_sum_body_3 {
    static constexpr long long kRows = 12;
    static constexpr long long kCols = 1;
    static constexpr int kThreads = 256;
    static constexpr int kSlices = 16;
    using From = float;
};
MATGRAD_KERNEL(batch_sum_3, BatchSumArgs, 256) {
    batch_sum<batch_sum_body_3>(args);
}

struct batch_sum_body_4 {
    static constexpr long long kRows = 12;
    static constexpr long long kCols = 1;
    static constexpr int kThreads = 256;
    static constexpr int kSlices = 16;
    using From = double;
};
MATGRAD_KERNEL(batch_sum_4, BatchSumArgs, 256) {
    batch_sum<batch_sum_body_4>(args);
}

}  // namespace matgrad::block

==== rayleigh_quotient
#include "batch_sum.cuh"
#include "map.cuh"
#include "reduce.cuh"

namespace matgrad::block {

struct reduce_body_0 {
    static constexpr long long kRows = 12;
    static constexpr long long kCols = 1;
    static constexpr Over kOver = kOverAll;
    static constexpr int kOutputs = 1;
    static constexpr int kLength = 12;
    static constexpr int kThreads = 256;
    static constexpr int kSlices = 2;
    static constexpr int kChains = 4;
    static constexpr bool kSigned = false;
    using Operation = Sum;
    using Out = double;
    using Type = double;
    struct Inputs {
        double a0;
        double a1;
    };
    template <typename At>
    MATGRAD_DEVICE static Inputs read(const Strided* from, const At& at) {
        return {
            entry<double, double>(from[0], at),
            entry<double, double>(from[1], at),
        };
    }
    template <typename At>
    MATGRAD_DEVICE static double value(const Inputs& in, const At& at) {
        const double r0 = in.a0;
        const double r1 = in.a1;
        const double r2 = r1 * r0;
        return r2;
    }
    MATGRAD_DEVICE static double scaled(double x) {
        return x;
    }
};
MATGRAD_KERNEL(reduce_0, ReduceArgs<2>, 256) {
    reduce<reduce_body_0>(args);
}

struct reduce_body_1 {
    static constexpr long long kRows = 12;
    static constexpr long long kCols = 1;
    static constexpr Over kOver = kOverAll;
    static constexpr int kOutputs = 1;
    static constexpr int kLength = 12;
    static constexpr int kThreads = 256;
    static constexpr int kSlices = 2;
    static constexpr int kChains = 4;
    static constexpr bool kSigned = false;
    using Operation = Sum;
    using Out = double;
    using Type = double;
    struct Inputs {
        double a0;
    };
    template <typename At>
    MATGRAD_DEVICE static Inputs read(const Strided* from, const At& at) {
        return {
            entry<double, double>(from[0], at),
        };
    }
    template <typename At>
    MATGRAD_DEVICE static double value(const Inputs& in, const At& at) {
        const double r0 = in.a0;
        const double r1 = r0 * r0;
        return r1;
    }
    MATGRAD_DEVICE static double scaled(double x) {
        return x;
    }
};
MATGRAD_KERNEL(reduce_1, ReduceArgs<1>, 256) {
    reduce<reduce_body_1>(args);
}

struct map_body_2 {
    static constexpr long long kRows = 1;
    static constexpr long long kCols = 1;
    static constexpr int kThreads = 256;
    static constexpr int kItems = 4;
    static constexpr int kGroup = 2;
    static constexpr int kGroups = 4;
    using Out = double;
    using Type = double;
    struct Inputs {
        double a0;
        double a1;
    };
    template <typename At>
    MATGRAD_DEVICE static Inputs read(const Strided* from, const At& at) {
        return {
            entry<double, double>(from[0], at),
            entry<double, double>(from[1], at),
        };
    }
    template <typename At>
    MATGRAD_DEVICE static double value(const Inputs& in, const At& at) {
        const double r0 = in.a0;
        const double r1 = in.a1;
        const double r2 = r0 / r1;
        return r2;
    }
    struct Packs {
        Pack<double, 2> a0;
        Pack<double, 2> a1;
    };
    template <typename At>
    MATGRAD_DEVICE static Packs read_packs(const Strided* from, const At& at) {
        return {
            pack<double, 2>(from[0], at),
            pack<double, 2>(from[1], at),
        };
    }
    MATGRAD_DEVICE static Inputs of_packs(const Packs& packs, int i) {
        return {
            static_cast<double>(packs.a0.entries[i]),
            static_cast<double>(packs.a1.entries[i]),
        };
    }
};
MATGRAD_KERNEL(map_2, MapArgs<2>, 256) {
    map<map_body_2>(args);
}

struct map_body_3 {
    static constexpr long long kRows = 1;
    static constexpr long long kCols = 1;
    static constexpr int kThreads = 256;
    static constexpr int kItems = 4;
    static constexpr int kGroup = 2;
    static constexpr int kGroups = 4;
    using Out = double;
    using Type = double;
    struct Inputs {
        double a0;
        double a1;
    };
    template <typename At>
    MATGRAD_DEVICE static Inputs read(const Strided* from, const At& at) {
        return {
            entry<double, double>(from[0], at),
            entry<double, double>(from[1], at),
        };
    }
    template <typename At>
    MATGRAD_DEVICE static double value(const Inputs& in, const At& at) {
        const double r0 = in.a0;
        const double r1 = 1.0;
        const double r2 = r1 / r0;
        const double r3 = in.a1;
        const double r4 = r2 * r3;
        return r4;
    }
    struct Packs {
        Pack<double, 2> a0;
        Pack<double, 2> a1;
    };
    template <typename At>
    MATGRAD_DEVICE static Packs read_packs(const Strided* from, const At& at) {
        return {
            pack<double, 2>(from[0], at),
            pack<double, 2>(from[1], at),
        };
    }
    MATGRAD_DEVICE static Inputs of_packs(const Packs& packs, int i) {
        return {
            static_cast<double>(packs.a0.entries[i]),
            static_cast<double>(packs.a1.entries[i]),
        };
    }
};
MATGRAD_KERNEL(map_3, MapArgs<2>, 256) {
    map<map_body_3>(args);
}

struct map_body_4 {
    static constexpr long long kRows = 1;
    static constexpr long long kCols = 1;
    static constexpr int kThreads = 256;
    static constexpr int kItems = 4;
    static constexpr int kGroup = 2;
    static constexpr int kGroups = 4;
    using Out = double;
    using Type = double;
    struct Inputs {
        double a0;
    };
    template <typename At>
    MATGRAD_DEVICE static Inputs read(const Strided* from, const At& at) {
        return {
            entry<double, double>(from[0], at),
        };
    }
    template <typename At>
    MATGRAD_DEVICE static double value(const Inputs& in, const At& at) {
        const double r0 = in.a0;
        const double r1 = 1.0;
        const double r2 = r1 / r0;
        const double r3 = (-2.0) * r2;
        return r3;
    }
    struct Packs {
        Pack<double, 2> a0;
    };
    template <typename At>
    MATGRAD_DEVICE static Packs read_packs(const Strided* from, const At& at) {
        return {
            pack<double, 2>(from[0], at),
        };
    }
    MATGRAD_DEVICE static Inputs of_packs(const Packs& packs, int i) {
        return {
            static_cast<double>(packs.a0.entries[i]),
        };
    }
};
MATGRAD_KERNEL(map_4, MapArgs<1>, 256) {
    map<map_body_4>(args);
}

struct map_body_5 {
    static constexpr long long kRows = 12;
    static constexpr long long kCols = 1;
    static constexpr int kThreads = 256;
    static constexpr int kItems = 2;
    static constexpr int kGroup = 2;
    static constexpr int kGroups = 2;
    using Out = double;
    using Type = double;
    struct Inputs {
        double a0;
        double a1;
        double a2;
        double a3;
    };
    template <typename At>
    MATGRAD_DEVICE static Inputs read(const Strided* from, const At& at) {
        return {
            entry<double, double>(from[0], at),
            entry_of_scalar<double, double>(from[1], at),
            entry<double, double>(from[2], at),
            entry_of_scalar<double, double>(from[3], at),
        };
    }
    template <typename At>
    MATGRAD_DEVICE static double value(const Inputs& in, const At& at) {
        const double r0 = in.a0;
        const double r1 = in.a1;
        const double r2 = r1 * r0;
        const double r3 = in.a2;
        const double r4 = r2 - r3;
        const double r5 = in.a3;
        const double r6 = r5 * r4;
        return r6;
    }
    struct Packs {
        Pack<double, 2> a0;
        double a1;
        Pack<double, 2> a2;
        double a3;
    };
    template <typename At>
    MATGRAD_DEVICE static Packs read_packs(const Strided* from, const At& at) {
        return {
            pack<double, 2>(from[0], at),
            scalar<double>(from[1], at),
            pack<double, 2>(from[2], at),
            scalar<double>(from[3], at),
        };
    }
    MATGRAD_DEVICE static Inputs of_packs(const Packs& packs, int i) {
        return {
            static_cast<double>(packs.a0.entries[i]),
            static_cast<double>(packs.a1),
            static_cast<double>(packs.a2.entries[i]),
            static_cast<double>(packs.a3),
        };
    }
};
MATGRAD_KERNEL(map_5, MapArgs<4>, 256) {
    map<map_body_5>(args);
}

}  // namespace matgrad::block

==== rayleigh_quotient, summed over the batch
#include "batch_sum.cuh"
#include "map.cuh"
#include "reduce.cuh"

namespace matgrad::block {

struct reduce_body_0 {
    static constexpr long long kRows = 12;
    static constexpr long long kCols = 1;
    static constexpr Over kOver = kOverAll;
    static constexpr int kOutputs = 1;
    static constexpr int kLength = 12;
    static constexpr int kThreads = 256;
    static constexpr int kSlices = 2;
    static constexpr int kChains = 4;
    static constexpr bool kSigned = false;
    using Operation = Sum;
    using Out = double;
    using Type = double;
    struct Inputs {
        double a0;
    };
    template <typename At>
    MATGRAD_DEVICE static Inputs read(const Strided* from, const At& at) {
        return {
            entry<double, float>(from[0], at),
        };
    }
    template <typename At>
    MATGRAD_DEVICE static double value(const Inputs& in, const At& at) {
        const double r0 = in.a0;
        const double r1 = r0 * r0;
        return r1;
    }
    MATGRAD_DEVICE static double scaled(double x) {
        return x;
    }
};
MATGRAD_KERNEL(reduce_0, ReduceArgs<1>, 256) {
    reduce<reduce_body_0>(args);
}

struct map_body_1 {
    static constexpr long long kRows = 1;
    static constexpr long long kCols = 1;
    static constexpr int kThreads = 256;
    static constexpr int kItems = 4;
    static constexpr int kGroup = 2;
    static constexpr int kGroups = 4;
    using Out = double;
    using Type = double;
    struct Inputs {
        double a0;
    };
    template <typename At>
    MATGRAD_DEVICE static Inputs read(const Strided* from, const At& at) {
        return {
            entry<double, double>(from[0], at),
        };
    }
    template <typename At>
    MATGRAD_DEVICE static double value(const Inputs& in, const At& at) {
        const double r0 = in.a0;
        const double r1 = 1.0;
        const double r2 = r1 / r0;
        const double r3 = (-2.0) * r2;
        return r3;
    }
    struct Packs {
        Pack<double, 2> a0;
    };
    template <typename At>
    MATGRAD_DEVICE static Packs read_packs(const Strided* from, const At& at) {
        return {
            pack<double, 2>(from[0], at),
        };
    }
    MATGRAD_DEVICE static Inputs of_packs(const Packs& packs, int i) {
        return {
            static_cast<double>(packs.a0.entries[i]),
        };
    }
};
MATGRAD_KERNEL(map_1, MapArgs<1>, 256) {
    map<map_body_1>(args);
}

struct reduce_body_2 {
    static constexpr long long kRows = 12;
    static constexpr long long kCols = 1;
    static constexpr Over kOver = kOverAll;
    static constexpr int kOutputs = 1;
    static constexpr int kLength = 12;
    static constexpr int kThreads = 256;
    static constexpr int kSlices = 2;
    static constexpr int kChains = 4;
    static constexpr bool kSigned = false;
    using Operation = Sum;
    using Out = double;
    using Type = double;
    struct Inputs {
        double a0;
        double a1;
    };
    template <typename At>
    MATGRAD_DEVICE static Inputs read(const Strided* from, const At& at) {
        return {
            entry<double, float>(from[0], at),
            entry<double, float>(from[1], at),
        };
    }
    template <typename At>
    MATGRAD_DEVICE static double value(const Inputs& in, const At& at) {
        const double r0 = in.a0;
        const double r1 = in.a1;
        const double r2 = r1 * r0;
        return r2;
    }
    MATGRAD_DEVICE static double scaled(double x) {
        return x;
    }
};
MATGRAD_KERNEL(reduce_2, ReduceArgs<2>, 256) {
    reduce<reduce_body_2>(args);
}

struct map_body_3 {
    static constexpr long long kRows = 1;
    static constexpr long long kCols = 1;
    static constexpr int kThreads = 256;
    static constexpr int kItems = 4;
    static constexpr int kGroup = 2;
    static constexpr int kGroups = 4;
    using Out = double;
    using Type = double;
    struct Inputs {
        double a0;
        double a1;
    };
    template <typename At>
    MATGRAD_DEVICE static Inputs read(const Strided* from, const At& at) {
        return {
            entry<double, double>(from[0], at),
            entry<double, double>(from[1], at),
        };
    }
    template <typename At>
    MATGRAD_DEVICE static double value(const Inputs& in, const At& at) {
        const double r0 = in.a0;
        const double r1 = in.a1;
        const double r2 = r0 / r1;
        return r2;
    }
    struct Packs {
        Pack<double, 2> a0;
        Pack<double, 2> a1;
    };
    template <typename At>
    MATGRAD_DEVICE static Packs read_packs(const Strided* from, const At& at) {
        return {
            pack<double, 2>(from[0], at),
            pack<double, 2>(from[1], at),
        };
    }
    MATGRAD_DEVICE static Inputs of_packs(const Packs& packs, int i) {
        return {
            static_cast<double>(packs.a0.entries[i]),
            static_cast<double>(packs.a1.entries[i]),
        };
    }
};
MATGRAD_KERNEL(map_3, MapArgs<2>, 256) {
    map<map_body_3>(args);
}

struct map_body_4 {
    static constexpr long long kRows = 1;
    static constexpr long long kCols = 1;
    static constexpr int kThreads = 256;
    static constexpr int kItems = 4;
    static constexpr int kGroup = 2;
    static constexpr int kGroups = 4;
    using Out = double;
    using Type = double;
    struct Inputs {
        double a0;
        double a1;
    };
    template <typename At>
    MATGRAD_DEVICE static Inputs read(const Strided* from, const At& at) {
        return {
            entry<double, double>(from[0], at),
            entry<double, double>(from[1], at),
        };
    }
    template <typename At>
    MATGRAD_DEVICE static double value(const Inputs& in, const At& at) {
        const double r0 = in.a0;
        const double r1 = 1.0;
        const double r2 = r1 / r0;
        const double r3 = in.a1;
        const double r4 = r2 * r3;
        return r4;
    }
    struct Packs {
        Pack<double, 2> a0;
        Pack<double, 2> a1;
    };
    template <typename At>
    MATGRAD_DEVICE static Packs read_packs(const Strided* from, const At& at) {
        return {
            pack<double, 2>(from[0], at),
            pack<double, 2>(from[1], at),
        };
    }
    MATGRAD_DEVICE static Inputs of_packs(const Packs& packs, int i) {
        return {
            static_cast<double>(packs.a0.entries[i]),
            static_cast<double>(packs.a1.entries[i]),
        };
    }
};
MATGRAD_KERNEL(map_4, MapArgs<2>, 256) {
    map<map_body_4>(args);
}

struct map_body_5 {
    static constexpr long long kRows = 12;
    static constexpr long long kCols = 1;
    static constexpr int kThreads = 256;
    static constexpr int kItems = 2;
    static constexpr int kGroup = 4;
    static constexpr int kGroups = 1;
    using Out = float;
    using Type = float;
    struct Inputs {
        float a0;
        float a1;
        float a2;
        float a3;
    };
    template <typename At>
    MATGRAD_DEVICE static Inputs read(const Strided* from, const At& at) {
        return {
            entry<float, float>(from[0], at),
            entry_of_scalar<float, double>(from[1], at),
            entry<float, float>(from[2], at),
            entry_of_scalar<float, double>(from[3], at),
        };
    }
    template <typename At>
    MATGRAD_DEVICE static float value(const Inputs& in, const At& at) {
        const float r0 = in.a0;
        const float r1 = in.a1;
        const float r2 = r1 * r0;
        const float r3 = in.a2;
        const float r4 = r2 - r3;
        const float r5 = in.a3;
        const float r6 = r5 * r4;
        return r6;
    }
    struct Packs {
        Pack<float, 4> a0;
        double a1;
        Pack<float, 4> a2;
        double a3;
    };
    template <typename At>
    MATGRAD_DEVICE static Packs read_packs(const Strided* from, const At& at) {
        return {
            pack<float, 4>(from[0], at),
            scalar<double>(from[1], at),
            pack<float, 4>(from[2], at),
            scalar<double>(from[3], at),
        };
    }
    MATGRAD_DEVICE static Inputs of_packs(const Packs& packs, int i) {
        return {
            static_cast<float>(packs.a0.entries[i]),
            static_cast<float>(packs.a1),
            static_cast<float>(packs.a2.entries[i]),
            static_cast<float>(packs.a3),
        };
    }
};
MATGRAD_KERNEL(map_5, MapArgs<4>, 256) {
    map<map_body_5>(args);
}

struct batch_sum_body_6 {
    static constexpr long long kRows = 1;
    static constexpr long long kCols = 1;
    static constexpr int kThreads = 256;
    static constexpr int kSlices = 256;
    using From = double;
};
MATGRAD_KERNEL(batch_sum_6, BatchSumArgs, 256) {
    batch_sum<batch_sum_body_6>(args);
}

struct batch_sum_body_7 {
    static constexpr long long kRows = 12;
    static constexpr long long kCols = 1;
    static constexpr int kThreads = 256;
    static constexpr int kSlices = 16;
    using From = float;
};
MATGRAD_KERNEL(batch_sum_7, BatchSumArgs, 256) {
    batch_sum<batch_sum_body_7>(args);
}

}  // namespace matgrad::block

==== a_optimality
#include "batch_sum.cuh"
#include "map.cuh"
#include "reduce.cuh"

namespace matgrad::block {

struct reduce_body_0 {
    static constexpr long long kRows = 12;
    static constexpr long long kCols = 12;
    static constexpr Over kOver = kOverAll;
    static constexpr int kOutputs = 1;
    static constexpr int kLength = 144;
    static constexpr int kThreads = 256;
    static constexpr int kSlices = 32;
    static constexpr int kChains = 4;
    static constexpr bool kSigned = false;
    using Operation = Sum;
    using Out = double;
    using Type = double;
    struct Inputs {
        double a0;
    };
    template <typename At>
    MATGRAD_DEVICE static Inputs read(const Strided* from, const At& at) {
        return {
            entry<double, double>(from[0], at),
        };
    }
    template <typename At>
    MATGRAD_DEVICE static double value(const Inputs& in, const At& at) {
        const double r0 = in.a0;
        const double r1 = r0 * r0;
        return r1;
    }
    MATGRAD_DEVICE static double scaled(double x) {
        return x;
    }
};
MATGRAD_KERNEL(reduce_0, ReduceArgs<1>, 256) {
    reduce<reduce_body_0>(args);
}

}  // namespace matgrad::block

==== a_optimality, summed over the batch
#include "batch_sum.cuh"
#include "map.cuh"
#include "reduce.cuh"

namespace matgrad::block {

struct reduce_body_0 {
    static constexpr long long kRows = 12;
    static constexpr long long kCols = 12;
    static constexpr Over kOver = kOverAll;
    static constexpr int kOutputs = 1;
    static constexpr int kLength = 144;
    static constexpr int kThreads = 256;
    static constexpr int kSlices = 32;
    static constexpr int kChains = 4;
    static constexpr bool kSigned = false;
    using Operation = Sum;
    using Out = double;
    using Type = double;
    struct Inputs {
        double a0;
    };
    template <typename At>
    MATGRAD_DEVICE static Inputs read(const Strided* from, const At& at) {
        return {
            entry<double, double>(from[0], at),
        };
    }
    template <typename At>
    MATGRAD_DEVICE static double value(const Inputs& in, const At& at) {
        const double r0 = in.a0;
        const double r1 = r0 * r0;
        return r1;
    }
    MATGRAD_DEVICE static double scaled(double x) {
        return x;
    }
};
MATGRAD_KERNEL(reduce_0, ReduceArgs<1>, 256) {
    reduce<reduce_body_0>(args);
}

struct batch_sum_body_1 {
    static constexpr long long kRows = 1;
    static constexpr long long kCols = 1;
    static constexpr int kThreads = 256;
    static constexpr int kSlices = 256;
    using From = double;
};
MATGRAD_KERNEL(batch_sum_1, BatchSumArgs, 256) {
    batch_sum<batch_sum_body_1>(args);
}

struct batch_sum_body_2 {
    static constexpr long long kRows = 40;
    static constexpr long long kCols = 12;
    static constexpr int kThreads = 256;
    static constexpr int kSlices = 1;
    using From = float;
};
MATGRAD_KERNEL(batch_sum_2, BatchSumArgs, 256) {
    batch_sum<batch_sum_body_2>(args);
}

}  // namespace matgrad::block

==== matrix_factorization
#include "batch_sum.cuh"
#include "map.cuh"
#include "reduce.cuh"

namespace matgrad::block {

struct reduce_body_0 {
    static constexpr long long kRows = 40;
    static constexpr long long kCols = 12;
    static constexpr Over kOver = kOverAll;
    static constexpr int kOutputs = 1;
    static constexpr int kLength = 480;
    static constexpr int kThreads = 256;
    static constexpr int kSlices = 64;
    static constexpr int kChains = 4;
    static constexpr bool kSigned = false;
    using Operation = Sum;
    using Out = double;
    using Type = double;
    struct Inputs {
        double a0;
    };
    template <typename At>
    MATGRAD_DEVICE static Inputs read(const Strided* from, const At& at) {
        return {
            entry<double, double>(from[0], at),
        };
    }
    template <typename At>
    MATGRAD_DEVICE static double value(const Inputs& in, const At& at) {
        const double r0 = in.a0;
        const double r1 = r0 * r0;
        return r1;
    }
    MATGRAD_DEVICE static double scaled(double x) {
        return x;
    }
};
MATGRAD_KERNEL(reduce_0, ReduceArgs<1>, 256) {
    reduce<reduce_body_0>(args);
}

}  // namespace matgrad::block

==== matrix_factorization, summed over the batch
#include "batch_sum.cuh"
#include "map.cuh"
#include "reduce.cuh"

namespace matgrad::block {

struct reduce_body_0 {
    static constexpr long long kRows = 40;
    static constexpr long long kCols = 12;
    static constexpr Over kOver = kOverAll;
    static constexpr int kOutputs = 1;
    static constexpr int kLength = 480;
    static constexpr int kThreads = 256;
    static constexpr int kSlices = 64;
    static constexpr int kChains = 4;
    static constexpr bool kSigned = false;
    using Operation = Sum;
    using Out = double;
    using Type = double;
    struct Inputs {
        double a0;
    };
    template <typename At>
    MATGRAD_DEVICE static Inputs read(const Strided* from, const At& at) {
        return {
            entry<double, float>(from[0], at),
        };
    }
    template <typename At>
    MATGRAD_DEVICE static double value(const Inputs& in, const At& at) {
        const double r0 = in.a0;
        const double r1 = r0 * r0;
        return r1;
    }
    MATGRAD_DEVICE static double scaled(double x) {
        return x;
    }
};
MATGRAD_KERNEL(reduce_0, ReduceArgs<1>, 256) {
    reduce<reduce_body_0>(args);
}

struct batch_sum_body_1 {
    static constexpr long long kRows = 1;
    static constexpr long long kCols = 1;
    static constexpr int kThreads = 256;
    static constexpr int kSlices = 256;
    using From = double;
};
MATGRAD_KERNEL(batch_sum_1, BatchSumArgs, 256) {
    batch_sum<batch_sum_body_1>(args);
}

struct batch_sum_body_2 {
    static constexpr long long kRows = 40;
    static constexpr long long kCols = 7;
    static constexpr int kThreads = 256;
    static constexpr int kSlices = 1;
    using From = float;
};
MATGRAD_KERNEL(batch_sum_2, BatchSumArgs, 256) {
    batch_sum<batch_sum_body_2>(args);
}

}  // namespace matgrad::block

==== procrustes
#include "batch_sum.cuh"
#include "map.cuh"
#include "reduce.cuh"

namespace matgrad::block {

struct reduce_body_0 {
    static constexpr long long kRows = 40;
    static constexpr long long kCols = 12;
    static constexpr Over kOver = kOverAll;
    static constexpr int kOutputs = 1;
    static constexpr int kLength = 480;
    static constexpr int kThreads = 256;
    static constexpr int kSlices = 64;
    static constexpr int kChains = 4;
    static constexpr bool kSigned = false;
    using Operation = Sum;
    using Out = double;
    using Type = double;
    struct Inputs {
        double a0;
    };
    template <typename At>
    MATGRAD_DEVICE static Inputs read(const Strided* from, const At& at) {
        return {
            entry<double, double>(from[0], at),
        };
    }
    template <typename At>
    MATGRAD_DEVICE static double value(const Inputs& in, const At& at) {
        const double r0 = in.a0;
        const double r1 = r0 * r0;
        return r1;
    }
    MATGRAD_DEVICE static double scaled(double x) {
        return x;
    }
};
MATGRAD_KERNEL(reduce_0, ReduceArgs<1>, 256) {
    reduce<reduce_body_0>(args);
}

}  // namespace matgrad::block

==== procrustes, summed over the batch
#include "batch_sum.cuh"
#include "map.cuh"
#include "reduce.cuh"

namespace matgrad::block {

struct reduce_body_0 {
    static constexpr long long kRows = 40;
    static constexpr long long kCols = 12;
    static constexpr Over kOver = kOverAll;
    static constexpr int kOutputs = 1;
    static constexpr int kLength = 480;
    static constexpr int kThreads = 256;
    static constexpr int kSlices = 64;
    static constexpr int kChains = 4;
    static constexpr bool kSigned = false;
    using Operation = Sum;
    using Out = double;
    using Type = double;
    struct Inputs {
        double a0;
    };
    template <typename At>
    MATGRAD_DEVICE static Inputs read(const Strided* from, const At& at) {
        return {
            entry<double, float>(from[0], at),
        };
    }
    template <typename At>
    MATGRAD_DEVICE static double value(const Inputs& in, const At& at) {
        const double r0 = in.a0;
        const double r1 = r0 * r0;
        return r1;
    }
    MATGRAD_DEVICE static double scaled(double x) {
        return x;
    }
};
MATGRAD_KERNEL(reduce_0, ReduceArgs<1>, 256) {
    reduce<reduce_body_0>(args);
}

struct batch_sum_body_1 {
    static constexpr long long kRows = 1;
    static constexpr long long kCols = 1;
    static constexpr int kThreads = 256;
    static constexpr int kSlices = 256;
    using From = double;
};
MATGRAD_KERNEL(batch_sum_1, BatchSumArgs, 256) {
    batch_sum<batch_sum_body_1>(args);
}

struct batch_sum_body_2 {
    static constexpr long long kRows = 12;
    static constexpr long long kCols = 12;
    static constexpr int kThreads = 256;
    static constexpr int kSlices = 1;
    using From = float;
};
MATGRAD_KERNEL(batch_sum_2, BatchSumArgs, 256) {
    batch_sum<batch_sum_body_2>(args);
}

}  // namespace matgrad::block

==== log_sum_exp
#include "batch_sum.cuh"
#include "map.cuh"
#include "reduce.cuh"

namespace matgrad::block {

struct map_body_0 {
    static constexpr long long kRows = 40;
    static constexpr long long kCols = 1;
    static constexpr int kThreads = 256;
    static constexpr int kItems = 4;
    static constexpr int kGroup = 2;
    static constexpr int kGroups = 4;
    using Out = double;
    using Type = double;
    struct Inputs {
        double a0;
        double a1;
    };
    template <typename At>
    MATGRAD_DEVICE static Inputs read(const Strided* from, const At& at) {
        return {
            entry<double, double>(from[0], at),
            entry<double, double>(from[1], at),
        };
    }
    template <typename At>
    MATGRAD_DEVICE static double value(const Inputs& in, const At& at) {
        const double r0 = in.a0;
        const double r1 = in.a1;
        const double r2 = r0 + r1;
        return r2;
    }
    struct Packs {
        Pack<double, 2> a0;
        Pack<double, 2> a1;
    };
    template <typename At>
    MATGRAD_DEVICE static Packs read_packs(const Strided* from, const At& at) {
        return {
            pack<double, 2>(from[0], at),
            pack<double, 2>(from[1], at),
        };
    }
    MATGRAD_DEVICE static Inputs of_packs(const Packs& packs, int i) {
        return {
            static_cast<double>(packs.a0.entries[i]),
            static_cast<double>(packs.a1.entries[i]),
        };
    }
};
MATGRAD_KERNEL(map_0, MapArgs<2>, 256) {
    map<map_body_0>(args);
}

struct reduce_body_1 {
    static constexpr long long kRows = 40;
    static constexpr long long kCols = 1;
    static constexpr Over kOver = kOverAll;
    static constexpr int kOutputs = 1;
    static constexpr int kLength = 40;
    static constexpr int kThreads = 256;
    static constexpr int kSlices = 8;
    static constexpr int kChains = 4;
    static constexpr bool kSigned = false;
    using Operation = Max;
    using Out = double;
    using Type = double;
    struct Inputs {
        double a0;
    };
    template <typename At>
    MATGRAD_DEVICE static Inputs read(const Strided* from, const At& at) {
        return {
            entry<double, double>(from[0], at),
        };
    }
    template <typename At>
    MATGRAD_DEVICE static double value(const Inputs& in, const At& at) {
        const double r0 = in.a0;
        return r0;
    }
    MATGRAD_DEVICE static double scaled(double x) {
        return x;
    }
};
MATGRAD_KERNEL(reduce_1, ReduceArgs<1>, 256) {
    reduce<reduce_body_1>(args);
}

struct map_body_2 {
    static constexpr long long kRows = 1;
    static constexpr long long kCols = 1;
    static constexpr int kThreads = 256;
    static constexpr int kItems = 4;
    static constexpr int kGroup = 2;
    static constexpr int kGroups = 4;
    using Out = double;
    using Type = double;
    struct Inputs {
        double a0;
    };
    template <typename At>
    MATGRAD_DEVICE static Inputs read(const Strided* from, const At& at) {
        return {
            entry<double, double>(from[0], at),
        };
    }
    template <typename At>
    MATGRAD_DEVICE static double value(const Inputs& in, const At& at) {
        const double r0 = in.a0;
        const double r1 = 0.5 * r0;
        const double r2 = 1.7976931348623157e+308 + r1;
        const double r3 = step(r2);
        const double r4 = (-0.5) * r0;
        const double r5 = 1.7976931348623157e+308 + r4;
        const double r6 = step(r5);
        const double r7 = r3 * r6;
        const double r8 = mask(r0, r7);
        return r8;
    }
    struct Packs {
        Pack<double, 2> a0;
    };
    template <typename At>
    MATGRAD_DEVICE static Packs read_packs(const Strided* from, const At& at) {
        return {
            pack<double, 2>(from[0], at),
        };
    }
    MATGRAD_DEVICE static Inputs of_packs(const Packs& packs, int i) {
        return {
            static_cast<double>(packs.a0.entries[i]),
        };
    }
};
MATGRAD_KERNEL(map_2, MapArgs<1>, 256) {
    map<map_body_2>(args);
}

struct reduce_body_3 {
    static constexpr long long kRows = 40;
    static constexpr long long kCols = 1;
    static constexpr Over kOver = kOverAll;
    static constexpr int kOutputs = 1;
    static constexpr int kLength = 40;
    static constexpr int kThreads = 256;
    static constexpr int kSlices = 8;
    static constexpr int kChains = 4;
    static constexpr bool kSigned = false;
    using Operation = Sum;
    using Out = double;
    using Type = double;
    struct Inputs {
        double a0;
        double a1;
    };
    template <typename At>
    MATGRAD_DEVICE static Inputs read(const Strided* from, const At& at) {
        return {
            entry_of_scalar<double, double>(from[0], at),
            entry<double, double>(from[1], at),
        };
    }
    template <typename At>
    MATGRAD_DEVICE static double value(const Inputs& in, const At& at) {
        const double r0 = in.a0;
        const double r1 = in.a1;
        const double r2 = r1 - r0;
        const double r3 = exp(r2);
        return r3;
    }
    MATGRAD_DEVICE static double scaled(double x) {
        return x;
    }
};
MATGRAD_KERNEL(reduce_3, ReduceArgs<2>, 256) {
    reduce<reduce_body_3>(args);
}

struct map_body_4 {
    static constexpr long long kRows = 1;
    static constexpr long long kCols = 1;
    static constexpr int kThreads = 256;
    static constexpr int kItems = 4;
    static constexpr int kGroup = 2;
    static constexpr int kGroups = 4;
    using Out = double;
    using Type = double;
    struct Inputs {
        double a0;
        double a1;
    };
    template <typename At>
    MATGRAD_DEVICE static Inputs read(const Strided* from, const At& at) {
        return {
            entry<double, double>(from[0], at),
            entry<double, double>(from[1], at),
        };
    }
    template <typename At>
    MATGRAD_DEVICE static double value(const Inputs& in, const At& at) {
        const double r0 = in.a0;
        const double r1 = log(r0);
        const double r2 = in.a1;
        const double r3 = r2 + r1;
        return r3;
    }
    struct Packs {
        Pack<double, 2> a0;
        Pack<double, 2> a1;
    };
    template <typename At>
    MATGRAD_DEVICE static Packs read_packs(const Strided* from, const At& at) {
        return {
            pack<double, 2>(from[0], at),
            pack<double, 2>(from[1], at),
        };
    }
    MATGRAD_DEVICE static Inputs of_packs(const Packs& packs, int i) {
        return {
            static_cast<double>(packs.a0.entries[i]),
            static_cast<double>(packs.a1.entries[i]),
        };
    }
};
MATGRAD_KERNEL(map_4, MapArgs<2>, 256) {
    map<map_body_4>(args);
}

struct map_body_5 {
    static constexpr long long kRows = 40;
    static constexpr long long kCols = 1;
    static constexpr int kThreads = 256;
    static constexpr int kItems = 2;
    static constexpr int kGroup = 2;
    static constexpr int kGroups = 2;
    using Out = double;
    using Type = double;
    struct Inputs {
        double a0;
        double a1;
        double a2;
    };
    template <typename At>
    MATGRAD_DEVICE static Inputs read(const Strided* from, const At& at) {
        return {
            entry<double, double>(from[0], at),
            entry<double, double>(from[1], at),
            entry_of_scalar<double, double>(from[2], at),
        };
    }
    template <typename At>
    MATGRAD_DEVICE static double value(const Inputs& in, const At& at) {
        const double r0 = in.a0;
        const double r1 = in.a1;
        const double r2 = r0 + r1;
        const double r3 = 1.0;
        const double r4 = in.a2;
        const double r5 = r4 * r3;
        const double r6 = r2 - r5;
        const double r7 = exp(r6);
        return r7;
    }
    struct Packs {
        Pack<double, 2> a0;
        Pack<double, 2> a1;
        double a2;
    };
    template <typename At>
    MATGRAD_DEVICE static Packs read_packs(const Strided* from, const At& at) {
        return {
            pack<double, 2>(from[0], at),
            pack<double, 2>(from[1], at),
            scalar<double>(from[2], at),
        };
    }
    MATGRAD_DEVICE static Inputs of_packs(const Packs& packs, int i) {
        return {
            static_cast<double>(packs.a0.entries[i]),
            static_cast<double>(packs.a1.entries[i]),
            static_cast<double>(packs.a2),
        };
    }
};
MATGRAD_KERNEL(map_5, MapArgs<3>, 256) {
    map<map_body_5>(args);
}

}  // namespace matgrad::block

==== log_sum_exp, summed over the batch
#include "batch_sum.cuh"
#include "map.cuh"
#include "reduce.cuh"

namespace matgrad::block {

struct map_body_0 {
    static constexpr long long kRows = 40;
    static constexpr long long kCols = 1;
    static constexpr int kThreads = 256;
    static constexpr int kItems = 4;
    static constexpr int kGroup = 4;
    static constexpr int kGroups = 2;
    using Out = float;
    using Type = float;
    struct Inputs {
        float a0;
        float a1;
    };
    template <typename At>
    MATGRAD_DEVICE static Inputs read(const Strided* from, const At& at) {
        return {
            entry<float, float>(from[0], at),
            entry<float, float>(from[1], at),
        };
    }
    template <typename At>
    MATGRAD_DEVICE static float value(const Inputs& in, const At& at) {
        const float r0 = in.a0;
        const float r1 = in.a1;
        const float r2 = r0 + r1;
        return r2;
    }
    struct Packs {
        Pack<float, 4> a0;
        Pack<float, 4> a1;
    };
    template <typename At>
    MATGRAD_DEVICE static Packs read_packs(const Strided* from, const At& at) {
        return {
            pack<float, 4>(from[0], at),
            pack<float, 4>(from[1], at),
        };
    }
    MATGRAD_DEVICE static Inputs of_packs(const Packs& packs, int i) {
        return {
            static_cast<float>(packs.a0.entries[i]),
            static_cast<float>(packs.a1.entries[i]),
        };
    }
};
MATGRAD_KERNEL(map_0, MapArgs<2>, 256) {
    map<map_body_0>(args);
}

struct reduce_body_1 {
    static constexpr long long kRows = 40;
    static constexpr long long kCols = 1;
    static constexpr Over kOver = kOverAll;
    static constexpr int kOutputs = 1;
    static constexpr int kLength = 40;
    static constexpr int kThreads = 256;
    static constexpr int kSlices = 8;
    static constexpr int kChains = 4;
    static constexpr bool kSigned = false;
    using Operation = Max;
    using Out = double;
    using Type = double;
    struct Inputs {
        double a0;
    };
    template <typename At>
    MATGRAD_DEVICE static Inputs read(const Strided* from, const At& at) {
        return {
            entry<double, float>(from[0], at),
        };
    }
    template <typename At>
    MATGRAD_DEVICE static double value(const Inputs& in, const At& at) {
        const double r0 = in.a0;
        return r0;
    }
    MATGRAD_DEVICE static double scaled(double x) {
        return x;
    }
};
MATGRAD_KERNEL(reduce_1, ReduceArgs<1>, 256) {
    reduce<reduce_body_1>(args);
}

struct map_body_2 {
    static constexpr long long kRows = 1;
    static constexpr long long kCols = 1;
    static constexpr int kThreads = 256;
    static constexpr int kItems = 4;
    static constexpr int kGroup = 2;
    static constexpr int kGroups = 4;
    using Out = double;
    using Type = double;
    struct Inputs {
        double a0;
    };
    template <typename At>
    MATGRAD_DEVICE static Inputs read(const Strided* from, const At& at) {
        return {
            entry<double, double>(from[0], at),
        };
    }
    template <typename At>
    MATGRAD_DEVICE static double value(const Inputs& in, const At& at) {
        const double r0 = in.a0;
        const double r1 = 0.5 * r0;
        const double r2 = 3.4028234663852886e+38 + r1;
        const double r3 = step(r2);
        const double r4 = (-0.5) * r0;
        const double r5 = 3.4028234663852886e+38 + r4;
        const double r6 = step(r5);
        const double r7 = r3 * r6;
        const double r8 = mask(r0, r7);
        return r8;
    }
    struct Packs {
        Pack<double, 2> a0;
    };
    template <typename At>
    MATGRAD_DEVICE static Packs read_packs(const Strided* from, const At& at) {
        return {
            pack<double, 2>(from[0], at),
        };
    }
    MATGRAD_DEVICE static Inputs of_packs(const Packs& packs, int i) {
        return {
            static_cast<double>(packs.a0.entries[i]),
        };
    }
};
MATGRAD_KERNEL(map_2, MapArgs<1>, 256) {
    map<map_body_2>(args);
}

struct reduce_body_3 {
    static constexpr long long kRows = 40;
    static constexpr long long kCols = 1;
    static constexpr Over kOver = kOverAll;
    static constexpr int kOutputs = 1;
    static constexpr int kLength = 40;
    static constexpr int kThreads = 256;
    static constexpr int kSlices = 8;
    static constexpr int kChains = 4;
    static constexpr bool kSigned = false;
    using Operation = Sum;
    using Out = double;
    using Type = double;
    struct Inputs {
        double a0;
        double a1;
    };
    template <typename At>
    MATGRAD_DEVICE static Inputs read(const Strided* from, const At& at) {
        return {
            entry_of_scalar<double, double>(from[0], at),
            entry<double, float>(from[1], at),
        };
    }
    template <typename At>
    MATGRAD_DEVICE static double value(const Inputs& in, const At& at) {
        const double r0 = in.a0;
        const double r1 = in.a1;
        const double r2 = r1 - r0;
        const double r3 = exp(r2);
        return r3;
    }
    MATGRAD_DEVICE static double scaled(double x) {
        return x;
    }
};
MATGRAD_KERNEL(reduce_3, ReduceArgs<2>, 256) {
    reduce<reduce_body_3>(args);
}

struct map_body_4 {
    static constexpr long long kRows = 1;
    static constexpr long long kCols = 1;
    static constexpr int kThreads = 256;
    static constexpr int kItems = 4;
    static constexpr int kGroup = 2;
    static constexpr int kGroups = 4;
    using Out = double;
    using Type = double;
    struct Inputs {
        double a0;
        double a1;
    };
    template <typename At>
    MATGRAD_DEVICE static Inputs read(const Strided* from, const At& at) {
        return {
            entry<double, double>(from[0], at),
            entry<double, double>(from[1], at),
        };
    }
    template <typename At>
    MATGRAD_DEVICE static double value(const Inputs& in, const At& at) {
        const double r0 = in.a0;
        const double r1 = log(r0);
        const double r2 = in.a1;
        const double r3 = r2 + r1;
        return r3;
    }
    struct Packs {
        Pack<double, 2> a0;
        Pack<double, 2> a1;
    };
    template <typename At>
    MATGRAD_DEVICE static Packs read_packs(const Strided* from, const At& at) {
        return {
            pack<double, 2>(from[0], at),
            pack<double, 2>(from[1], at),
        };
    }
    MATGRAD_DEVICE static Inputs of_packs(const Packs& packs, int i) {
        return {
            static_cast<double>(packs.a0.entries[i]),
            static_cast<double>(packs.a1.entries[i]),
        };
    }
};
MATGRAD_KERNEL(map_4, MapArgs<2>, 256) {
    map<map_body_4>(args);
}

struct map_body_5 {
    static constexpr long long kRows = 40;
    static constexpr long long kCols = 1;
    static constexpr int kThreads = 256;
    static constexpr int kItems = 2;
    static constexpr int kGroup = 4;
    static constexpr int kGroups = 1;
    using Out = float;
    using Type = float;
    struct Inputs {
        float a0;
        float a1;
        float a2;
    };
    template <typename At>
    MATGRAD_DEVICE static Inputs read(const Strided* from, const At& at) {
        return {
            entry<float, float>(from[0], at),
            entry<float, float>(from[1], at),
            entry_of_scalar<float, double>(from[2], at),
        };
    }
    template <typename At>
    MATGRAD_DEVICE static float value(const Inputs& in, const At& at) {
        const float r0 = in.a0;
        const float r1 = in.a1;
        const float r2 = r0 + r1;
        const float r3 = 1.0f;
        const float r4 = in.a2;
        const float r5 = r4 * r3;
        const float r6 = r2 - r5;
        const float r7 = exp(r6);
        return r7;
    }
    struct Packs {
        Pack<float, 4> a0;
        Pack<float, 4> a1;
        double a2;
    };
    template <typename At>
    MATGRAD_DEVICE static Packs read_packs(const Strided* from, const At& at) {
        return {
            pack<float, 4>(from[0], at),
            pack<float, 4>(from[1], at),
            scalar<double>(from[2], at),
        };
    }
    MATGRAD_DEVICE static Inputs of_packs(const Packs& packs, int i) {
        return {
            static_cast<float>(packs.a0.entries[i]),
            static_cast<float>(packs.a1.entries[i]),
            static_cast<float>(packs.a2),
        };
    }
};
MATGRAD_KERNEL(map_5, MapArgs<3>, 256) {
    map<map_body_5>(args);
}

struct batch_sum_body_6 {
    static constexpr long long kRows = 1;
    static constexpr long long kCols = 1;
    static constexpr int kThreads = 256;
    static constexpr int kSlices = 256;
    using From = double;
};
MATGRAD_KERNEL(batch_sum_6, BatchSumArgs, 256) {
    batch_sum<batch_sum_body_6>(args);
}

struct batch_sum_body_7 {
    static constexpr long long kRows = 12;
    static constexpr long long kCols = 1;
    static constexpr int kThreads = 256;
    static constexpr int kSlices = 16;
    using From = float;
};
MATGRAD_KERNEL(batch_sum_7, BatchSumArgs, 256) {
    batch_sum<batch_sum_body_7>(args);
}

}  // namespace matgrad::block

==== log_barrier
#include "batch_sum.cuh"
#include "map.cuh"
#include "reduce.cuh"

namespace matgrad::block {

struct reduce_body_0 {
    static constexpr long long kRows = 40;
    static constexpr long long kCols = 1;
    static constexpr Over kOver = kOverAll;
    static constexpr int kOutputs = 1;
    static constexpr int kLength = 40;
    static constexpr int kThreads = 256;
    static constexpr int kSlices = 8;
    static constexpr int kChains = 4;
    static constexpr bool kSigned = false;
    using Operation = Sum;
    using Out = double;
    using Type = double;
    struct Inputs {
        double a0;
    };
    template <typename At>
    MATGRAD_DEVICE static Inputs read(const Strided* from, const At& at) {
        return {
            entry<double, double>(from[0], at),
        };
    }
    template <typename At>
    MATGRAD_DEVICE static double value(const Inputs& in, const At& at) {
        const double r0 = in.a0;
        const double r1 = log(r0);
        return r1;
    }
    MATGRAD_DEVICE static double scaled(double x) {
        return (-1.0) * x;
    }
};
MATGRAD_KERNEL(reduce_0, ReduceArgs<1>, 256) {
    reduce<reduce_body_0>(args);
}

struct map_body_1 {
    static constexpr long long kRows = 40;
    static constexpr long long kCols = 1;
    static constexpr int kThreads = 256;
    static constexpr int kItems = 4;
    static constexpr int kGroup = 2;
    static constexpr int kGroups = 4;
    using Out = double;
    using Type = double;
    struct Inputs {
        double a0;
    };
    template <typename At>
    MATGRAD_DEVICE static Inputs read(const Strided* from, const At& at) {
        return {
            entry<double, double>(from[0], at),
        };
    }
    template <typename At>
    MATGRAD_DEVICE static double value(const Inputs& in, const At& at) {
        const double r0 = in.a0;
        const double r1 = 1.0 / power<1>(r0);
        return r1;
    }
    struct Packs {
        Pack<double, 2> a0;
    };
    template <typename At>
    MATGRAD_DEVICE static Packs read_packs(const Strided* from, const At& at) {
        return {
            pack<double, 2>(from[0], at),
        };
    }
    MATGRAD_DEVICE static Inputs of_packs(const Packs& packs, int i) {
        return {
            static_cast<double>(packs.a0.entries[i]),
        };
    }
};
MATGRAD_KERNEL(map_1, MapArgs<1>, 256) {
    map<map_body_1>(args);
}

}  // namespace matgrad::block

==== log_barrier, summed over the batch
#include "batch_sum.cuh"
#include "map.cuh"
#include "reduce.cuh"

namespace matgrad::block {

struct reduce_body_0 {
    static constexpr long long kRows = 40;
    static constexpr long long kCols = 1;
    static constexpr Over kOver = kOverAll;
    static constexpr int kOutputs = 1;
    static constexpr int kLength = 40;
    static constexpr int kThreads = 256;
    static constexpr int kSlices = 8;
    static constexpr int kChains = 4;
    static constexpr bool kSigned = false;
    using Operation = Sum;
    using Out = double;
    using Type = double;
    struct Inputs {
        double a0;
    };
    template <typename At>
    MATGRAD_DEVICE static Inputs read(const Strided* from, const At& at) {
        return {
            entry<double, float>(from[0], at),
        };
    }
    template <typename At>
    MATGRAD_DEVICE static double value(const Inputs& in, const At& at) {
        const double r0 = in.a0;
        const double r1 = log(r0);
        return r1;
    }
    MATGRAD_DEVICE static double scaled(double x) {
        return (-1.0) * x;
    }
};
MATGRAD_KERNEL(reduce_0, ReduceArgs<1>, 256) {
    reduce<reduce_body_0>(args);
}

struct map_body_1 {
    static constexpr long long kRows = 40;
    static constexpr long long kCols = 1;
    static constexpr int kThreads = 256;
    static constexpr int kItems = 4;
    static constexpr int kGroup = 4;
    static constexpr int kGroups = 2;
    using Out = float;
    using Type = float;
    struct Inputs {
        float a0;
    };
    template <typename At>
    MATGRAD_DEVICE static Inputs read(const Strided* from, const At& at) {
        return {
            entry<float, float>(from[0], at),
        };
    }
    template <typename At>
    MATGRAD_DEVICE static float value(const Inputs& in, const At& at) {
        const float r0 = in.a0;
        const float r1 = 1.0f / power<1>(r0);
        return r1;
    }
    struct Packs {
        Pack<float, 4> a0;
    };
    template <typename At>
    MATGRAD_DEVICE static Packs read_packs(const Strided* from, const At& at) {
        return {
            pack<float, 4>(from[0], at),
        };
    }
    MATGRAD_DEVICE static Inputs of_packs(const Packs& packs, int i) {
        return {
            static_cast<float>(packs.a0.entries[i]),
        };
    }
};
MATGRAD_KERNEL(map_1, MapArgs<1>, 256) {
    map<map_body_1>(args);
}

struct batch_sum_body_2 {
    static constexpr long long kRows = 1;
    static constexpr long long kCols = 1;
    static constexpr int kThreads = 256;
    static constexpr int kSlices = 256;
    using From = double;
};
MATGRAD_KERNEL(batch_sum_2, BatchSumArgs, 256) {
    batch_sum<batch_sum_body_2>(args);
}

struct batch_sum_body_3 {
    static constexpr long long kRows = 12;
    static constexpr long long kCols = 1;
    static constexpr int kThreads = 256;
    static constexpr int kSlices = 16;
    using From = float;
};
MATGRAD_KERNEL(batch_sum_3, BatchSumArgs, 256) {
    batch_sum<batch_sum_body_3>(args);
}

}  // namespace matgrad::block

==== smooth_l1
#include "batch_sum.cuh"
#include "map.cuh"
#include "reduce.cuh"

namespace matgrad::block {

struct map_body_0 {
    static constexpr long long kRows = 40;
    static constexpr long long kCols = 1;
    static constexpr int kThreads = 256;
    static constexpr int kItems = 4;
    static constexpr int kGroup = 2;
    static constexpr int kGroups = 4;
    using Out = double;
    using Type = double;
    struct Inputs {
        double a0;
        double a1;
    };
    template <typename At>
    MATGRAD_DEVICE static Inputs read(const Strided* from, const At& at) {
        return {
            entry<double, double>(from[0], at),
            entry_of_scalar<double, double>(from[1], at),
        };
    }
    template <typename At>
    MATGRAD_DEVICE static double value(const Inputs& in, const At& at) {
        const double r0 = in.a0;
        const double r1 = r0 * r0;
        const double r2 = 1.0;
        const double r3 = in.a1;
        const double r4 = r3 * r2;
        const double r5 = r1 + r4;
        const double r6 = sqrt(r5);
        return r6;
    }
    struct Packs {
        Pack<double, 2> a0;
        double a1;
    };
    template <typename At>
    MATGRAD_DEVICE static Packs read_packs(const Strided* from, const At& at) {
        return {
            pack<double, 2>(from[0], at),
            scalar<double>(from[1], at),
        };
    }
    MATGRAD_DEVICE static Inputs of_packs(const Packs& packs, int i) {
        return {
            static_cast<double>(packs.a0.entries[i]),
            static_cast<double>(packs.a1),
        };
    }
};
MATGRAD_KERNEL(map_0, MapArgs<2>, 256) {
    map<map_body_0>(args);
}

struct reduce_body_1 {
    static constexpr long long kRows = 40;
    static constexpr long long kCols = 1;
    static constexpr Over kOver = kOverAll;
    static constexpr int kOutputs = 1;
    static constexpr int kLength = 40;
    static constexpr int kThreads = 256;
    static constexpr int kSlices = 8;
    static constexpr int kChains = 4;
    static constexpr bool kSigned = false;
    using Operation = Sum;
    using Out = double;
    using Type = double;
    struct Inputs {
        double a0;
    };
    template <typename At>
    MATGRAD_DEVICE static Inputs read(const Strided* from, const At& at) {
        return {
            entry<double, double>(from[0], at),
        };
    }
    template <typename At>
    MATGRAD_DEVICE static double value(const Inputs& in, const At& at) {
        const double r0 = in.a0;
        return r0;
    }
    MATGRAD_DEVICE static double scaled(double x) {
        return x;
    }
};
MATGRAD_KERNEL(reduce_1, ReduceArgs<1>, 256) {
    reduce<reduce_body_1>(args);
}

struct map_body_2 {
    static constexpr long long kRows = 40;
    static constexpr long long kCols = 1;
    static constexpr int kThreads = 256;
    static constexpr int kItems = 4;
    static constexpr int kGroup = 2;
    static constexpr int kGroups = 4;
    using Out = double;
    using Type = double;
    struct Inputs {
        double a0;
        double a1;
    };
    template <typename At>
    MATGRAD_DEVICE static Inputs read(const Strided* from, const At& at) {
        return {
            entry<double, double>(from[0], at),
            entry<double, double>(from[1], at),
        };
    }
    template <typename At>
    MATGRAD_DEVICE static double value(const Inputs& in, const At& at) {
        const double r0 = in.a0;
        const double r1 = in.a1;
        const double r2 = r0 / r1;
        return r2;
    }
    struct Packs {
        Pack<double, 2> a0;
        Pack<double, 2> a1;
    };
    template <typename At>
    MATGRAD_DEVICE static Packs read_packs(const Strided* from, const At& at) {
        return {
            pack<double, 2>(from[0], at),
            pack<double, 2>(from[1], at),
        };
    }
    MATGRAD_DEVICE static Inputs of_packs(const Packs& packs, int i) {
        return {
            static_cast<double>(packs.a0.entries[i]),
            static_cast<double>(packs.a1.entries[i]),
        };
    }
};
MATGRAD_KERNEL(map_2, MapArgs<2>, 256) {
    map<map_body_2>(args);
}

}  // namespace matgrad::block

==== smooth_l1, summed over the batch
#include "batch_sum.cuh"
#include "map.cuh"
#include "reduce.cuh"

namespace matgrad::block {

struct map_body_0 {
    static constexpr long long kRows = 40;
    static constexpr long long kCols = 1;
    static constexpr int kThreads = 256;
    static constexpr int kItems = 4;
    static constexpr int kGroup = 4;
    static constexpr int kGroups = 2;
    using Out = float;
    using Type = float;
    struct Inputs {
        float a0;
        float a1;
    };
    template <typename At>
    MATGRAD_DEVICE static Inputs read(const Strided* from, const At& at) {
        return {
            entry<float, float>(from[0], at),
            entry_of_scalar<float, float>(from[1], at),
        };
    }
    template <typename At>
    MATGRAD_DEVICE static float value(const Inputs& in, const At& at) {
        const float r0 = in.a0;
        const float r1 = r0 * r0;
        const float r2 = 1.0f;
        const float r3 = in.a1;
        const float r4 = r3 * r2;
        const float r5 = r1 + r4;
        const float r6 = sqrt(r5);
        return r6;
    }
    struct Packs {
        Pack<float, 4> a0;
        float a1;
    };
    template <typename At>
    MATGRAD_DEVICE static Packs read_packs(const Strided* from, const At& at) {
        return {
            pack<float, 4>(from[0], at),
            scalar<float>(from[1], at),
        };
    }
    MATGRAD_DEVICE static Inputs of_packs(const Packs& packs, int i) {
        return {
            static_cast<float>(packs.a0.entries[i]),
            static_cast<float>(packs.a1),
        };
    }
};
MATGRAD_KERNEL(map_0, MapArgs<2>, 256) {
    map<map_body_0>(args);
}

struct reduce_body_1 {
    static constexpr long long kRows = 40;
    static constexpr long long kCols = 1;
    static constexpr Over kOver = kOverAll;
    static constexpr int kOutputs = 1;
    static constexpr int kLength = 40;
    static constexpr int kThreads = 256;
    static constexpr int kSlices = 8;
    static constexpr int kChains = 4;
    static constexpr bool kSigned = false;
    using Operation = Sum;
    using Out = double;
    using Type = double;
    struct Inputs {
        double a0;
    };
    template <typename At>
    MATGRAD_DEVICE static Inputs read(const Strided* from, const At& at) {
        return {
            entry<double, float>(from[0], at),
        };
    }
    template <typename At>
    MATGRAD_DEVICE static double value(const Inputs& in, const At& at) {
        const double r0 = in.a0;
        return r0;
    }
    MATGRAD_DEVICE static double scaled(double x) {
        return x;
    }
};
MATGRAD_KERNEL(reduce_1, ReduceArgs<1>, 256) {
    reduce<reduce_body_1>(args);
}

struct map_body_2 {
    static constexpr long long kRows = 40;
    static constexpr long long kCols = 1;
    static constexpr int kThreads = 256;
    static constexpr int kItems = 4;
    static constexpr int kGroup = 4;
    static constexpr int kGroups = 2;
    using Out = float;
    using Type = float;
    struct Inputs {
        float a0;
        float a1;
    };
    template <typename At>
    MATGRAD_DEVICE static Inputs read(const Strided* from, const At& at) {
        return {
            entry<float, float>(from[0], at),
            entry<float, float>(from[1], at),
        };
    }
    template <typename At>
    MATGRAD_DEVICE static float value(const Inputs& in, const At& at) {
        const float r0 = in.a0;
        const float r1 = in.a1;
        const float r2 = r0 / r1;
        return r2;
    }
    struct Packs {
        Pack<float, 4> a0;
        Pack<float, 4> a1;
    };
    template <typename At>
    MATGRAD_DEVICE static Packs read_packs(const Strided* from, const At& at) {
        return {
            pack<float, 4>(from[0], at),
            pack<float, 4>(from[1], at),
        };
    }
    MATGRAD_DEVICE static Inputs of_packs(const Packs& packs, int i) {
        return {
            static_cast<float>(packs.a0.entries[i]),
            static_cast<float>(packs.a1.entries[i]),
        };
    }
};
MATGRAD_KERNEL(map_2, MapArgs<2>, 256) {
    map<map_body_2>(args);
}

struct batch_sum_body_3 {
    static constexpr long long kRows = 1;
    static constexpr long long kCols = 1;
    static constexpr int kThreads = 256;
    static constexpr int kSlices = 256;
    using From = double;
};
MATGRAD_KERNEL(batch_sum_3, BatchSumArgs, 256) {
    batch_sum<batch_sum_body_3>(args);
}

struct batch_sum_body_4 {
    static constexpr long long kRows = 12;
    static constexpr long long kCols = 1;
    static constexpr int kThreads = 256;
    static constexpr int kSlices = 16;
    using From = float;
};
MATGRAD_KERNEL(batch_sum_4, BatchSumArgs, 256) {
    batch_sum<batch_sum_body_4>(args);
}

}  // namespace matgrad::block

==== perceptron_layer
#include "batch_sum.cuh"
#include "map.cuh"
#include "reduce.cuh"

namespace matgrad::block {

struct map_body_0 {
    static constexpr long long kRows = 40;
    static constexpr long long kCols = 1;
    static constexpr int kThreads = 256;
    static constexpr int kItems = 4;
    static constexpr int kGroup = 2;
    static constexpr int kGroups = 4;
    using Out = double;
    using Type = double;
    struct Inputs {
        double a0;
    };
    template <typename At>
    MATGRAD_DEVICE static Inputs read(const Strided* from, const At& at) {
        return {
            entry<double, double>(from[0], at),
        };
    }
    template <typename At>
    MATGRAD_DEVICE static double value(const Inputs& in, const At& at) {
        const double r0 = in.a0;
        const double r1 = tanh(r0);
        return r1;
    }
    struct Packs {
        Pack<double, 2> a0;
    };
    template <typename At>
    MATGRAD_DEVICE static Packs read_packs(const Strided* from, const At& at) {
        return {
            pack<double, 2>(from[0], at),
        };
    }
    MATGRAD_DEVICE static Inputs of_packs(const Packs& packs, int i) {
        return {
            static_cast<double>(packs.a0.entries[i]),
        };
    }
};
MATGRAD_KERNEL(map_0, MapArgs<1>, 256) {
    map<map_body_0>(args);
}

struct map_body_1 {
    static constexpr long long kRows = 40;
    static constexpr long long kCols = 1;
    static constexpr int kThreads = 256;
    static constexpr int kItems = 4;
    static constexpr int kGroup = 2;
    static constexpr int kGroups = 4;
    using Out = double;
    using Type = double;
    struct Inputs {
        double a0;
        double a1;
    };
    template <typename At>
    MATGRAD_DEVICE static Inputs read(const Strided* from, const At& at) {
        return {
            entry<double, double>(from[0], at),
            entry<double, double>(from[1], at),
        };
    }
    template <typename At>
    MATGRAD_DEVICE static double value(const Inputs& in, const At& at) {
        const double r0 = in.a0;
        const double r1 = in.a1;
        const double r2 = r0 - r1;
        return r2;
    }
    struct Packs {
        Pack<double, 2> a0;
        Pack<double, 2> a1;
    };
    template <typename At>
    MATGRAD_DEVICE static Packs read_packs(const Strided* from, const At& at) {
        return {
            pack<double, 2>(from[0], at),
            pack<double, 2>(from[1], at),
        };
    }
    MATGRAD_DEVICE static Inputs of_packs(const Packs& packs, int i) {
        return {
            static_cast<double>(packs.a0.entries[i]),
            static_cast<double>(packs.a1.entries[i]),
        };
    }
};
MATGRAD_KERNEL(map_1, MapArgs<2>, 256) {
    map<map_body_1>(args);
}

struct reduce_body_2 {
    static constexpr long long kRows = 40;
    static constexpr long long kCols = 1;
    static constexpr Over kOver = kOverAll;
    static constexpr int kOutputs = 1;
    static constexpr int kLength = 40;
    static constexpr int kThreads = 256;
    static constexpr int kSlices = 8;
    static constexpr int kChains = 4;
    static constexpr bool kSigned = false;
    using Operation = Sum;
    using Out = double;
    using Type = double;
    struct Inputs {
        double a0;
    };
    template <typename At>
    MATGRAD_DEVICE static Inputs read(const Strided* from, const At& at) {
        return {
            entry<double, double>(from[0], at),
        };
    }
    template <typename At>
    MATGRAD_DEVICE static double value(const Inputs& in, const At& at) {
        const double r0 = in.a0;
        const double r1 = r0 * r0;
        return r1;
    }
    MATGRAD_DEVICE static double scaled(double x) {
        return x;
    }
};
MATGRAD_KERNEL(reduce_2, ReduceArgs<1>, 256) {
    reduce<reduce_body_2>(args);
}

struct map_body_3 {
    static constexpr long long kRows = 40;
    static constexpr long long kCols = 1;
    static constexpr int kThreads = 256;
    static constexpr int kItems = 4;
    static constexpr int kGroup = 2;
    static constexpr int kGroups = 4;
    using Out = double;
    using Type = double;
    struct Inputs {
        double a0;
        double a1;
    };
    template <typename At>
    MATGRAD_DEVICE static Inputs read(const Strided* from, const At& at) {
        return {
            entry<double, double>(from[0], at),
            entry<double, double>(from[1], at),
        };
    }
    template <typename At>
    MATGRAD_DEVICE static double value(const Inputs& in, const At& at) {
        const double r0 = in.a0;
        const double r1 = 1.0;
        const double r2 = in.a1;
        const double r3 = r2 * r2;
        const double r4 = r1 - r3;
        const double r5 = r0 * r4;
        return r5;
    }
    struct Packs {
        Pack<double, 2> a0;
        Pack<double, 2> a1;
    };
    template <typename At>
    MATGRAD_DEVICE static Packs read_packs(const Strided* from, const At& at) {
        return {
            pack<double, 2>(from[0], at),
            pack<double, 2>(from[1], at),
        };
    }
    MATGRAD_DEVICE static Inputs of_packs(const Packs& packs, int i) {
        return {
            static_cast<double>(packs.a0.entries[i]),
            static_cast<double>(packs.a1.entries[i]),
        };
    }
};
MATGRAD_KERNEL(map_3, MapArgs<2>, 256) {
    map<map_body_3>(args);
}

struct map_body_4 {
    static constexpr long long kRows = 40;
    static constexpr long long kCols = 12;
    static constexpr int kThreads = 256;
    static constexpr int kItems = 4;
    static constexpr int kGroup = 0;
    static constexpr int kGroups = 0;
    using Out = double;
    using Type = double;
    struct Inputs {
        double a0;
        double a1;
    };
    template <typename At>
    MATGRAD_DEVICE static Inputs read(const Strided* from, const At& at) {
        return {
            entry_of_row<double, double>(from[0], at),
            entry_of_column<double, double>(from[1], at),
        };
    }
    template <typename At>
    MATGRAD_DEVICE static double value(const Inputs& in, const At& at) {
        const double r0 = in.a0;
        const double r1 = in.a1;
        const double r2 = r1 * r0;
        const double r3 = 2.0 * r2;
        return r3;
    }
};
MATGRAD_KERNEL(map_4, MapArgs<2>, 256) {
    map<map_body_4>(args);
}

}  // namespace matgrad::block

==== perceptron_layer, summed over the batch
#include "batch_sum.cuh"
#include "map.cuh"
#include "reduce.cuh"

namespace matgrad::block {

struct map_body_0 {
    static constexpr long long kRows = 40;
    static constexpr long long kCols = 1;
    static constexpr int kThreads = 256;
    static constexpr int kItems = 4;
    static constexpr int kGroup = 4;
    static constexpr int kGroups = 2;
    using Out = float;
    using Type = float;
    struct Inputs {
        float a0;
    };
    template <typename At>
    MATGRAD_DEVICE static Inputs read(const Strided* from, const At& at) {
        return {
            entry<float, float>(from[0], at),
        };
    }
    template <typename At>
    MATGRAD_DEVICE static float value(const Inputs& in, const At& at) {
        const float r0 = in.a0;
        const float r1 = tanh(r0);
        return r1;
    }
    struct Packs {
        Pack<float, 4> a0;
    };
    template <typename At>
    MATGRAD_DEVICE static Packs read_packs(const Strided* from, const At& at) {
        return {
            pack<float, 4>(from[0], at),
        };
    }
    MATGRAD_DEVICE static Inputs of_packs(const Packs& packs, int i) {
        return {
            static_cast<float>(packs.a0.entries[i]),
        };
    }
};
MATGRAD_KERNEL(map_0, MapArgs<1>, 256) {
    map<map_body_0>(args);
}

struct map_body_1 {
    static constexpr long long kRows = 40;
    static constexpr long long kCols = 1;
    static constexpr int kThreads = 256;
    static constexpr int kItems = 4;
    static constexpr int kGroup = 4;
    static constexpr int kGroups = 2;
    using Out = float;
    using Type = float;
    struct Inputs {
        float a0;
        float a1;
    };
    template <typename At>
    MATGRAD_DEVICE static Inputs read(const Strided* from, const At& at) {
        return {
            entry<float, float>(from[0], at),
            entry<float, float>(from[1], at),
        };
    }
    template <typename At>
    MATGRAD_DEVICE static float value(const Inputs& in, const At& at) {
        const float r0 = in.a0;
        const float r1 = in.a1;
        const float r2 = r0 - r1;
        return r2;
    }
    struct Packs {
        Pack<float, 4> a0;
        Pack<float, 4> a1;
    };
    template <typename At>
    MATGRAD_DEVICE static Packs read_packs(const Strided* from, const At& at) {
        return {
            pack<float, 4>(from[0], at),
            pack<float, 4>(from[1], at),
        };
    }
    MATGRAD_DEVICE static Inputs of_packs(const Packs& packs, int i) {
        return {
            static_cast<float>(packs.a0.entries[i]),
            static_cast<float>(packs.a1.entries[i]),
        };
    }
};
MATGRAD_KERNEL(map_1, MapArgs<2>, 256) {
    map<map_body_1>(args);
}

struct reduce_body_2 {
    static constexpr long long kRows = 40;
    static constexpr long long kCols = 1;
    static constexpr Over kOver = kOverAll;
    static constexpr int kOutputs = 1;
    static constexpr int kLength = 40;
    static constexpr int kThreads = 256;
    static constexpr int kSlices = 8;
    static constexpr int kChains = 4;
    static constexpr bool kSigned = false;
    using Operation = Sum;
    using Out = double;
    using Type = double;
    struct Inputs {
        double a0;
    };
    template <typename At>
    MATGRAD_DEVICE static Inputs read(const Strided* from, const At& at) {
        return {
            entry<double, float>(from[0], at),
        };
    }
    template <typename At>
    MATGRAD_DEVICE static double value(const Inputs& in, const At& at) {
        const double r0 = in.a0;
        const double r1 = r0 * r0;
        return r1;
    }
    MATGRAD_DEVICE static double scaled(double x) {
        return x;
    }
};
MATGRAD_KERNEL(reduce_2, ReduceArgs<1>, 256) {
    reduce<reduce_body_2>(args);
}

struct map_body_3 {
    static constexpr long long kRows = 40;
    static constexpr long long kCols = 1;
    static constexpr int kThreads = 256;
    static constexpr int kItems = 4;
    static constexpr int kGroup = 4;
    static constexpr int kGroups = 2;
    using Out = float;
    using Type = float;
    struct Inputs {
        float a0;
        float a1;
    };
    template <typename At>
    MATGRAD_DEVICE static Inputs read(const Strided* from, const At& at) {
        return {
            entry<float, float>(from[0], at),
            entry<float, float>(from[1], at),
        };
    }
    template <typename At>
    MATGRAD_DEVICE static float value(const Inputs& in, const At& at) {
        const float r0 = in.a0;
        const float r1 = 1.0f;
        const float r2 = in.a1;
        const float r3 = r2 * r2;
        const float r4 = r1 - r3;
        const float r5 = r0 * r4;
        return r5;
    }
    struct Packs {
        Pack<float, 4> a0;
        Pack<float, 4> a1;
    };
    template <typename At>
    MATGRAD_DEVICE static Packs read_packs(const Strided* from, const At& at) {
        return {
            pack<float, 4>(from[0], at),
            pack<float, 4>(from[1], at),
        };
    }
    MATGRAD_DEVICE static Inputs of_packs(const Packs& packs, int i) {
        return {
            static_cast<float>(packs.a0.entries[i]),
            static_cast<float>(packs.a1.entries[i]),
        };
    }
};
MATGRAD_KERNEL(map_3, MapArgs<2>, 256) {
    map<map_body_3>(args);
}

struct batch_sum_body_4 {
    static constexpr long long kRows = 1;
    static constexpr long long kCols = 1;
    static constexpr int kThreads = 256;
    static constexpr int kSlices = 256;
    using From = double;
};
MATGRAD_KERNEL(batch_sum_4, BatchSumArgs, 256) {
    batch_sum<batch_sum_body_4>(args);
}

struct batch_sum_body_5 {
    static constexpr long long kRows = 40;
    static constexpr long long kCols = 12;
    static constexpr int kThreads = 256;
    static constexpr int kSlices = 1;
    using From = float;
};
MATGRAD_KERNEL(batch_sum_5, BatchSumArgs, 256) {
    batch_sum<batch_sum_body_5>(args);
}

}  // namespace matgrad::block

