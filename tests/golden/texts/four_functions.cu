==== frobenius 4x3 float
#include "batch_sum.cuh"
#include "map.cuh"
#include "reduce.cuh"

namespace matgrad::block {

struct reduce_body_0 {
    static constexpr long long kRows = 4;
    static constexpr long long kCols = 2;
    static constexpr Over kOver = kOverAll;
    static constexpr int kOutputs = 1;
    static constexpr int kLength = 8;
    static constexpr int kThreads = 256;
    static constexpr int kSlices = 1;
    static constexpr int kChains = 4;
    static constexpr bool kSigned = false;
    using Operation = Sum;
    using Out = float;
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

}  // namespace matgrad::block

==== frobenius 4x3 float, A shared
#include "batch_sum.cuh"
#include "map.cuh"
#include "reduce.cuh"

namespace matgrad::block {

struct reduce_body_0 {
    static constexpr long long kRows = 4;
    static constexpr long long kCols = 2;
    static constexpr Over kOver = kOverAll;
    static constexpr int kOutputs = 1;
    static constexpr int kLength = 8;
    static constexpr int kThreads = 256;
    static constexpr int kSlices = 1;
    static constexpr int kChains = 4;
    static constexpr bool kSigned = false;
    using Operation = Sum;
    using Out = float;
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

}  // namespace matgrad::block

==== frobenius 4x3 double
#include "batch_sum.cuh"
#include "map.cuh"
#include "reduce.cuh"

namespace matgrad::block {

struct reduce_body_0 {
    static constexpr long long kRows = 4;
    static constexpr long long kCols = 2;
    static constexpr Over kOver = kOverAll;
    static constexpr int kOutputs = 1;
    static constexpr int kLength = 8;
    static constexpr int kThreads = 256;
    static constexpr int kSlices = 1;
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

==== frobenius 4x3 double, A shared
#include "batch_sum.cuh"
#include "map.cuh"
#include "reduce.cuh"

namespace matgrad::block {

struct reduce_body_0 {
    static constexpr long long kRows = 4;
    static constexpr long long kCols = 2;
    static constexpr Over kOver = kOverAll;
    static constexpr int kOutputs = 1;
    static constexpr int kLength = 8;
    static constexpr int kThreads = 256;
    static constexpr int kSlices = 1;
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

==== frobenius 64x16 float
#include "batch_sum.cuh"
#include "map.cuh"
#include "reduce.cuh"

namespace matgrad::block {

struct reduce_body_0 {
    static constexpr long long kRows = 64;
    static constexpr long long kCols = 24;
    static constexpr Over kOver = kOverAll;
    static constexpr int kOutputs = 1;
    static constexpr int kLength = 1536;
    static constexpr int kThreads = 256;
    static constexpr int kSlices = 256;
    static constexpr int kChains = 4;
    static constexpr bool kSigned = false;
    using Operation = Sum;
    using Out = float;
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

}  // namespace matgrad::block

==== frobenius 64x16 float, A shared
#include "batch_sum.cuh"
#include "map.cuh"
#include "reduce.cuh"

namespace matgrad::block {

struct reduce_body_0 {
    static constexpr long long kRows = 64;
    static constexpr long long kCols = 24;
    static constexpr Over kOver = kOverAll;
    static constexpr int kOutputs = 1;
    static constexpr int kLength = 1536;
    static constexpr int kThreads = 256;
    static constexpr int kSlices = 256;
    static constexpr int kChains = 4;
    static constexpr bool kSigned = false;
    using Operation = Sum;
    using Out = float;
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

}  // namespace matgrad::block

==== frobenius 64x16 double
#include "batch_sum.cuh"
#include "map.cuh"
#include "reduce.cuh"

namespace matgrad::block {

struct reduce_body_0 {
    static constexpr long long kRows = 64;
    static constexpr long long kCols = 24;
    static constexpr Over kOver = kOverAll;
    static constexpr int kOutputs = 1;
    static constexpr int kLength = 1536;
    static constexpr int kThreads = 256;
    static constexpr int kSlices = 256;
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

==== frobenius 64x16 double, A shared
#include "batch_sum.cuh"
#include "map.cuh"
#include "reduce.cuh"

namespace matgrad::block {

struct reduce_body_0 {
    static constexpr long long kRows = 64;
    static constexpr long long kCols = 24;
    static constexpr Over kOver = kOverAll;
    static constexpr int kOutputs = 1;
    static constexpr int kLength = 1536;
    static constexpr int kThreads = 256;
    static constexpr int kSlices = 256;
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

==== frobenius 600x400 float
#include "batch_sum.cuh"
#include "map.cuh"
#include "reduce.cuh"

namespace matgrad::block {

struct reduce_body_0 {
    static constexpr long long kRows = 600;
    static constexpr long long kCols = 1;
    static constexpr Over kOver = kOverAll;
    static constexpr int kOutputs = 1;
    static constexpr int kLength = 600;
    static constexpr int kThreads = 256;
    static constexpr int kSlices = 128;
    static constexpr int kChains = 4;
    static constexpr bool kSigned = false;
    using Operation = Sum;
    using Out = float;
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
        return 0.5 * x;
    }
};
MATGRAD_KERNEL(reduce_0, ReduceArgs<1>, 256) {
    reduce<reduce_body_0>(args);
}

struct reduce_body_1 {
    static constexpr long long kRows = 600;
    static constexpr long long kCols = 500;
    static constexpr Over kOver = kOverRows;
    static constexpr int kOutputs = 600;
    static constexpr int kLength = 500;
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
MATGRAD_KERNEL(reduce_1, ReduceArgs<1>, 256) {
    reduce<reduce_body_1>(args);
}

}  // namespace matgrad::block

==== frobenius 600x400 float, A shared
#include "batch_sum.cuh"
#include "map.cuh"
#include "reduce.cuh"

namespace matgrad::block {

struct reduce_body_0 {
    static constexpr long long kRows = 600;
    static constexpr long long kCols = 1;
    static constexpr Over kOver = kOverAll;
    static constexpr int kOutputs = 1;
    static constexpr int kLength = 600;
    static constexpr int kThreads = 256;
    static constexpr int kSlices = 128;
    static constexpr int kChains = 4;
    static constexpr bool kSigned = false;
    using Operation = Sum;
    using Out = float;
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
        return 0.5 * x;
    }
};
MATGRAD_KERNEL(reduce_0, ReduceArgs<1>, 256) {
    reduce<reduce_body_0>(args);
}

struct reduce_body_1 {
    static constexpr long long kRows = 600;
    static constexpr long long kCols = 500;
    static constexpr Over kOver = kOverRows;
    static constexpr int kOutputs = 600;
    static constexpr int kLength = 500;
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
MATGRAD_KERNEL(reduce_1, ReduceArgs<1>, 256) {
    reduce<reduce_body_1>(args);
}

}  // namespace matgrad::block

==== frobenius 600x400 double
#include "batch_sum.cuh"
#include "map.cuh"
#include "reduce.cuh"

namespace matgrad::block {

struct reduce_body_0 {
    static constexpr long long kRows = 600;
    static constexpr long long kCols = 1;
    static constexpr Over kOver = kOverAll;
    static constexpr int kOutputs = 1;
    static constexpr int kLength = 600;
    static constexpr int kThreads = 256;
    static constexpr int kSlices = 128;
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
        return 0.5 * x;
    }
};
MATGRAD_KERNEL(reduce_0, ReduceArgs<1>, 256) {
    reduce<reduce_body_0>(args);
}

struct reduce_body_1 {
    static constexpr long long kRows = 600;
    static constexpr long long kCols = 500;
    static constexpr Over kOver = kOverRows;
    static constexpr int kOutputs = 600;
    static constexpr int kLength = 500;
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
MATGRAD_KERNEL(reduce_1, ReduceArgs<1>, 256) {
    reduce<reduce_body_1>(args);
}

}  // namespace matgrad::block

==== frobenius 600x400 double, A shared
#include "batch_sum.cuh"
#include "map.cuh"
#include "reduce.cuh"

namespace matgrad::block {

struct reduce_body_0 {
    static constexpr long long kRows = 600;
    static constexpr long long kCols = 1;
    static constexpr Over kOver = kOverAll;
    static constexpr int kOutputs = 1;
    static constexpr int kLength = 600;
    static constexpr int kThreads = 256;
    static constexpr int kSlices = 128;
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
        return 0.5 * x;
    }
};
MATGRAD_KERNEL(reduce_0, ReduceArgs<1>, 256) {
    reduce<reduce_body_0>(args);
}

struct reduce_body_1 {
    static constexpr long long kRows = 600;
    static constexpr long long kCols = 500;
    static constexpr Over kOver = kOverRows;
    static constexpr int kOutputs = 600;
    static constexpr int kLength = 500;
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
MATGRAD_KERNEL(reduce_1, ReduceArgs<1>, 256) {
    reduce<reduce_body_1>(args);
}

}  // namespace matgrad::block

==== least_squares 4x3 float
#include "batch_sum.cuh"
#include "map.cuh"
#include "reduce.cuh"

namespace matgrad::block {

struct reduce_body_0 {
    static constexpr long long kRows = 4;
    static constexpr long long kCols = 1;
    static constexpr Over kOver = kOverAll;
    static constexpr int kOutputs = 1;
    static constexpr int kLength = 4;
    static constexpr int kThreads = 256;
    static constexpr int kSlices = 1;
    static constexpr int kChains = 4;
    static constexpr bool kSigned = false;
    using Operation = Sum;
    using Out = float;
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

}  // namespace matgrad::block

==== least_squares 4x3 float, A shared
#include "batch_sum.cuh"
#include "map.cuh"
#include "reduce.cuh"

namespace matgrad::block {

struct reduce_body_0 {
    static constexpr long long kRows = 4;
    static constexpr long long kCols = 1;
    static constexpr Over kOver = kOverAll;
    static constexpr int kOutputs = 1;
    static constexpr int kLength = 4;
    static constexpr int kThreads = 256;
    static constexpr int kSlices = 1;
    static constexpr int kChains = 4;
    static constexpr bool kSigned = false;
    using Operation = Sum;
    using Out = float;
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

}  // namespace matgrad::block

==== least_squares 4x3 double
#include "batch_sum.cuh"
#include "map.cuh"
#include "reduce.cuh"

namespace matgrad::block {

struct reduce_body_0 {
    static constexpr long long kRows = 4;
    static constexpr long long kCols = 1;
    static constexpr Over kOver = kOverAll;
    static constexpr int kOutputs = 1;
    static constexpr int kLength = 4;
    static constexpr int kThreads = 256;
    static constexpr int kSlices = 1;
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

==== least_squares 4x3 double, A shared
#include "batch_sum.cuh"
#include "map.cuh"
#include "reduce.cuh"

namespace matgrad::block {

struct reduce_body_0 {
    static constexpr long long kRows = 4;
    static constexpr long long kCols = 1;
    static constexpr Over kOver = kOverAll;
    static constexpr int kOutputs = 1;
    static constexpr int kLength = 4;
    static constexpr int kThreads = 256;
    static constexpr int kSlices = 1;
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

==== least_squares 64x16 float
#include "batch_sum.cuh"
#include "map.cuh"
#include "reduce.cuh"

namespace matgrad::block {

struct reduce_body_0 {
    static constexpr long long kRows = 64;
    static constexpr long long kCols = 1;
    static constexpr Over kOver = kOverAll;
    static constexpr int kOutputs = 1;
    static constexpr int kLength = 64;
    static constexpr int kThreads = 256;
    static constexpr int kSlices = 8;
    static constexpr int kChains = 4;
    static constexpr bool kSigned = false;
    using Operation = Sum;
    using Out = float;
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

}  // namespace matgrad::block

==== least_squares 64x16 float, A shared
#include "batch_sum.cuh"
#include "map.cuh"
#include "reduce.cuh"

namespace matgrad::block {

struct reduce_body_0 {
    static constexpr long long kRows = 64;
    static constexpr long long kCols = 1;
    static constexpr Over kOver = kOverAll;
    static constexpr int kOutputs = 1;
    static constexpr int kLength = 64;
    static constexpr int kThreads = 256;
    static constexpr int kSlices = 8;
    static constexpr int kChains = 4;
    static constexpr bool kSigned = false;
    using Operation = Sum;
    using Out = float;
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

}  // namespace matgrad::block

==== least_squares 64x16 double
#include "batch_sum.cuh"
#include "map.cuh"
#include "reduce.cuh"

namespace matgrad::block {

struct reduce_body_0 {
    static constexpr long long kRows = 64;
    static constexpr long long kCols = 1;
    static constexpr Over kOver = kOverAll;
    static constexpr int kOutputs = 1;
    static constexpr int kLength = 64;
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

==== least_squares 64x16 double, A shared
#include "batch_sum.cuh"
#include "map.cuh"
#include "reduce.cuh"

namespace matgrad::block {

struct reduce_body_0 {
    static constexpr long long kRows = 64;
    static constexpr long long kCols = 1;
    static constexpr Over kOver = kOverAll;
    static constexpr int kOutputs = 1;
    static constexpr int kLength = 64;
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

==== least_squares 600x400 float
#include "batch_sum.cuh"
#include "map.cuh"
#include "reduce.cuh"

namespace matgrad::block {

struct reduce_body_0 {
    static constexpr long long kRows = 600;
    static constexpr long long kCols = 1;
    static constexpr Over kOver = kOverAll;
    static constexpr int kOutputs = 1;
    static constexpr int kLength = 600;
    static constexpr int kThreads = 256;
    static constexpr int kSlices = 128;
    static constexpr int kChains = 4;
    static constexpr bool kSigned = false;
    using Operation = Sum;
    using Out = float;
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

}  // namespace matgrad::block

==== least_squares 600x400 float, A shared
#include "batch_sum.cuh"
#include "map.cuh"
#include "reduce.cuh"

namespace matgrad::block {

struct reduce_body_0 {
    static constexpr long long kRows = 600;
    static constexpr long long kCols = 1;
    static constexpr Over kOver = kOverAll;
    static constexpr int kOutputs = 1;
    static constexpr int kLength = 600;
    static constexpr int kThreads = 256;
    static constexpr int kSlices = 128;
    static constexpr int kChains = 4;
    static constexpr bool kSigned = false;
    using Operation = Sum;
    using Out = float;
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

}  // namespace matgrad::block

==== least_squares 600x400 double
#include "batch_sum.cuh"
#include "map.cuh"
#include "reduce.cuh"

namespace matgrad::block {

struct reduce_body_0 {
    static constexpr long long kRows = 600;
    static constexpr long long kCols = 1;
    static constexpr Over kOver = kOverAll;
    static constexpr int kOutputs = 1;
    static constexpr int kLength = 600;
    static constexpr int kThreads = 256;
    static constexpr int kSlices = 128;
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

==== least_squares 600x400 double, A shared
#include "batch_sum.cuh"
#include "map.cuh"
#include "reduce.cuh"

namespace matgrad::block {

struct reduce_body_0 {
    static constexpr long long kRows = 600;
    static constexpr long long kCols = 1;
    static constexpr Over kOver = kOverAll;
    static constexpr int kOutputs = 1;
    static constexpr int kLength = 600;
    static constexpr int kThreads = 256;
    static constexpr int kSlices = 128;
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

==== bilinear_trace 4x3 float
#include "batch_sum.cuh"
#include "map.cuh"
#include "reduce.cuh"

namespace matgrad::block {

struct reduce_body_0 {
    static constexpr long long kRows = 3;
    static constexpr long long kCols = 4;
    static constexpr Over kOver = kOverAll;
    static constexpr int kOutputs = 1;
    static constexpr int kLength = 12;
    static constexpr int kThreads = 256;
    static constexpr int kSlices = 2;
    static constexpr int kChains = 4;
    static constexpr bool kSigned = false;
    using Operation = Sum;
    using Out = float;
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

}  // namespace matgrad::block

==== bilinear_trace 4x3 float, A shared
#include "batch_sum.cuh"
#include "map.cuh"
#include "reduce.cuh"

namespace matgrad::block {

struct reduce_body_0 {
    static constexpr long long kRows = 3;
    static constexpr long long kCols = 4;
    static constexpr Over kOver = kOverAll;
    static constexpr int kOutputs = 1;
    static constexpr int kLength = 12;
    static constexpr int kThreads = 256;
    static constexpr int kSlices = 2;
    static constexpr int kChains = 4;
    static constexpr bool kSigned = false;
    using Operation = Sum;
    using Out = float;
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

}  // namespace matgrad::block

==== bilinear_trace 4x3 double
#include "batch_sum.cuh"
#include "map.cuh"
#include "reduce.cuh"

namespace matgrad::block {

struct reduce_body_0 {
    static constexpr long long kRows = 3;
    static constexpr long long kCols = 4;
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

}  // namespace matgrad::block

==== bilinear_trace 4x3 double, A shared
#include "batch_sum.cuh"
#include "map.cuh"
#include "reduce.cuh"

namespace matgrad::block {

struct reduce_body_0 {
    static constexpr long long kRows = 3;
    static constexpr long long kCols = 4;
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

}  // namespace matgrad::block

==== bilinear_trace 64x16 float
#include "batch_sum.cuh"
#include "map.cuh"
#include "reduce.cuh"

namespace matgrad::block {

struct reduce_body_0 {
    static constexpr long long kRows = 16;
    static constexpr long long kCols = 64;
    static constexpr Over kOver = kOverAll;
    static constexpr int kOutputs = 1;
    static constexpr int kLength = 1024;
    static constexpr int kThreads = 256;
    static constexpr int kSlices = 128;
    static constexpr int kChains = 4;
    static constexpr bool kSigned = false;
    using Operation = Sum;
    using Out = float;
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

}  // namespace matgrad::block

==== bilinear_trace 64x16 float, A shared
#include "batch_sum.cuh"
#include "map.cuh"
#include "reduce.cuh"

namespace matgrad::block {

struct reduce_body_0 {
    static constexpr long long kRows = 16;
    static constexpr long long kCols = 64;
    static constexpr Over kOver = kOverAll;
    static constexpr int kOutputs = 1;
    static constexpr int kLength = 1024;
    static constexpr int kThreads = 256;
    static constexpr int kSlices = 128;
    static constexpr int kChains = 4;
    static constexpr bool kSigned = false;
    using Operation = Sum;
    using Out = float;
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

}  // namespace matgrad::block

==== bilinear_trace 64x16 double
#include "batch_sum.cuh"
#include "map.cuh"
#include "reduce.cuh"

namespace matgrad::block {

struct reduce_body_0 {
    static constexpr long long kRows = 16;
    static constexpr long long kCols = 64;
    static constexpr Over kOver = kOverAll;
    static constexpr int kOutputs = 1;
    static constexpr int kLength = 1024;
    static constexpr int kThreads = 256;
    static constexpr int kSlices = 128;
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

==== bilinear_trace 64x16 double, A shared
#include "batch_sum.cuh"
#include "map.cuh"
#include "reduce.cuh"

namespace matgrad::block {

struct reduce_body_0 {
    static constexpr long long kRows = 16;
    static constexpr long long kCols = 64;
    static constexpr Over kOver = kOverAll;
    static constexpr int kOutputs = 1;
    static constexpr int kLength = 1024;
    static constexpr int kThreads = 256;
    static constexpr int kSlices = 128;
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

==== bilinear_trace 600x400 float
#include "batch_sum.cuh"
#include "map.cuh"
#include "reduce.cuh"

namespace matgrad::block {

struct reduce_body_0 {
    static constexpr long long kRows = 400;
    static constexpr long long kCols = 1;
    static constexpr Over kOver = kOverAll;
    static constexpr int kOutputs = 1;
    static constexpr int kLength = 400;
    static constexpr int kThreads = 256;
    static constexpr int kSlices = 64;
    static constexpr int kChains = 4;
    static constexpr bool kSigned = false;
    using Operation = Sum;
    using Out = float;
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

struct reduce_body_1 {
    static constexpr long long kRows = 400;
    static constexpr long long kCols = 600;
    static constexpr Over kOver = kOverRows;
    static constexpr int kOutputs = 400;
    static constexpr int kLength = 600;
    static constexpr int kThreads = 256;
    static constexpr int kSlices = 128;
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

}  // namespace matgrad::block

==== bilinear_trace 600x400 float, A shared
#include "batch_sum.cuh"
#include "map.cuh"
#include "reduce.cuh"

namespace matgrad::block {

struct reduce_body_0 {
    static constexpr long long kRows = 400;
    static constexpr long long kCols = 1;
    static constexpr Over kOver = kOverAll;
    static constexpr int kOutputs = 1;
    static constexpr int kLength = 400;
    static constexpr int kThreads = 256;
    static constexpr int kSlices = 64;
    static constexpr int kChains = 4;
    static constexpr bool kSigned = false;
    using Operation = Sum;
    using Out = float;
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

struct reduce_body_1 {
    static constexpr long long kRows = 400;
    static constexpr long long kCols = 600;
    static constexpr Over kOver = kOverRows;
    static constexpr int kOutputs = 400;
    static constexpr int kLength = 600;
    static constexpr int kThreads = 256;
    static constexpr int kSlices = 128;
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

}  // namespace matgrad::block

==== bilinear_trace 600x400 double
#include "batch_sum.cuh"
#include "map.cuh"
#include "reduce.cuh"

namespace matgrad::block {

struct reduce_body_0 {
    static constexpr long long kRows = 400;
    static constexpr long long kCols = 1;
    static constexpr Over kOver = kOverAll;
    static constexpr int kOutputs = 1;
    static constexpr int kLength = 400;
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
        return r0;
    }
    MATGRAD_DEVICE static double scaled(double x) {
        return x;
    }
};
MATGRAD_KERNEL(reduce_0, ReduceArgs<1>, 256) {
    reduce<reduce_body_0>(args);
}

struct reduce_body_1 {
    static constexpr long long kRows = 400;
    static constexpr long long kCols = 600;
    static constexpr Over kOver = kOverRows;
    static constexpr int kOutputs = 400;
    static constexpr int kLength = 600;
    static constexpr int kThreads = 256;
    static constexpr int kSlices = 128;
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

}  // namespace matgrad::block

==== bilinear_trace 600x400 double, A shared
#include "batch_sum.cuh"
#include "map.cuh"
#include "reduce.cuh"

namespace matgrad::block {

struct reduce_body_0 {
    static constexpr long long kRows = 400;
    static constexpr long long kCols = 1;
    static constexpr Over kOver = kOverAll;
    static constexpr int kOutputs = 1;
    static constexpr int kLength = 400;
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
        return r0;
    }
    MATGRAD_DEVICE static double scaled(double x) {
        return x;
    }
};
MATGRAD_KERNEL(reduce_0, ReduceArgs<1>, 256) {
    reduce<reduce_body_0>(args);
}

struct reduce_body_1 {
    static constexpr long long kRows = 400;
    static constexpr long long kCols = 600;
    static constexpr Over kOver = kOverRows;
    static constexpr int kOutputs = 400;
    static constexpr int kLength = 600;
    static constexpr int kThreads = 256;
    static constexpr int kSlices = 128;
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

}  // namespace matgrad::block

==== log_det_gram 4x3 float
#include "batch_sum.cuh"
#include "map.cuh"
#include "reduce.cuh"

namespace matgrad::block {

struct reduce_body_0 {
    static constexpr long long kRows = 3;
    static constexpr long long kCols = 3;
    static constexpr Over kOver = kOverDiagonal;
    static constexpr int kOutputs = 1;
    static constexpr int kLength = 3;
    static constexpr int kThreads = 256;
    static constexpr int kSlices = 1;
    static constexpr int kChains = 1;
    static constexpr bool kSigned = false;
    using Operation = Sum;
    using Out = float;
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

==== log_det_gram 4x3 double
#include "batch_sum.cuh"
#include "map.cuh"
#include "reduce.cuh"

namespace matgrad::block {

struct reduce_body_0 {
    static constexpr long long kRows = 3;
    static constexpr long long kCols = 3;
    static constexpr Over kOver = kOverDiagonal;
    static constexpr int kOutputs = 1;
    static constexpr int kLength = 3;
    static constexpr int kThreads = 256;
    static constexpr int kSlices = 1;
    static constexpr int kChains = 1;
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

==== log_det_gram 64x16 float
#include "batch_sum.cuh"
#include "map.cuh"
#include "reduce.cuh"

namespace matgrad::block {

struct reduce_body_0 {
    static constexpr long long kRows = 16;
    static constexpr long long kCols = 16;
    static constexpr Over kOver = kOverDiagonal;
    static constexpr int kOutputs = 1;
    static constexpr int kLength = 16;
    static constexpr int kThreads = 256;
    static constexpr int kSlices = 2;
    static constexpr int kChains = 4;
    static constexpr bool kSigned = false;
    using Operation = Sum;
    using Out = float;
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

==== log_det_gram 64x16 double
#include "batch_sum.cuh"
#include "map.cuh"
#include "reduce.cuh"

namespace matgrad::block {

struct reduce_body_0 {
    static constexpr long long kRows = 16;
    static constexpr long long kCols = 16;
    static constexpr Over kOver = kOverDiagonal;
    static constexpr int kOutputs = 1;
    static constexpr int kLength = 16;
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

==== log_det_gram 600x400 float
#include "batch_sum.cuh"
#include "map.cuh"
#include "reduce.cuh"

namespace matgrad::block {

struct reduce_body_0 {
    static constexpr long long kRows = 400;
    static constexpr long long kCols = 400;
    static constexpr Over kOver = kOverDiagonal;
    static constexpr int kOutputs = 1;
    static constexpr int kLength = 400;
    static constexpr int kThreads = 256;
    static constexpr int kSlices = 64;
    static constexpr int kChains = 4;
    static constexpr bool kSigned = false;
    using Operation = Sum;
    using Out = float;
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

==== log_det_gram 600x400 double
#include "batch_sum.cuh"
#include "map.cuh"
#include "reduce.cuh"

namespace matgrad::block {

struct reduce_body_0 {
    static constexpr long long kRows = 400;
    static constexpr long long kCols = 400;
    static constexpr Over kOver = kOverDiagonal;
    static constexpr int kOutputs = 1;
    static constexpr int kLength = 400;
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

