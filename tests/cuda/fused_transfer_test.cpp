/// Between device memory and the chip: matrices of any strides, in packs where they lie close together.

#include <cmath>

#include "cuda/fused_bench.hpp"

namespace matgrad::test {
namespace {

struct Shape {
    std::int64_t rows, cols;
};
/// Below and above a pack, its multiples and not, and more than a group of reads of each team.
constexpr Shape kShapes[] = {{1, 1}, {3, 5},  {4, 4}, {1, 16}, {16, 1},
                             {6, 8}, {33, 7}, {0, 3}, {3, 0}};
/// Of teams of several threads; packs are taken in an order of their own in all but the first.
constexpr Shape kWide[] = {{63, 36}, {8, 16}, {16, 32}, {4, 64}, {32, 16}, {64, 16}, {12, 32}};
constexpr std::int64_t kBatch = 5;

struct Transfer {
    ChipTeam team;
    Shape shape;
    ScalarType from, chip, to;
    gpu::KernelId copy = 0, lost = 0, added = 0;
};

class ChipTransfer : public OnChip {
protected:
    void check_orders(const gpu::Kernels& kernels, const std::vector<Transfer>& all);
    void check_packs(const gpu::Kernels& kernels, const std::vector<Transfer>& all);
    void check_columns(const gpu::Kernels& kernels, const std::vector<Transfer>& all);
    void check_spread(const gpu::Kernels& kernels, const std::vector<Transfer>& all);
};

std::vector<Transfer> transfers(gpu::KernelSource& source) {
    std::vector<Transfer> all;
    constexpr ScalarType kConversions[][3] = {{kDouble, kDouble, kDouble},
                                              {kFloat, kFloat, kFloat},
                                              {kFloat, kDouble, kFloat},
                                              {kFloat, kDouble, kDouble}};
    for (const ChipTeam& team : kChipTeams) {
        std::vector<Shape> shapes(std::begin(kShapes), std::end(kShapes));
        if (team.threads > 1) {
            shapes.insert(shapes.end(), std::begin(kWide), std::end(kWide));
        }
        for (const Shape& shape : shapes) {
            const ScalarType* const types = kConversions[all.size() % std::size(kConversions)];
            all.push_back({team, shape, types[0], types[1], types[2]});
            if (shape.rows * shape.cols >= 128 && team.threads == 64) {
                for (const auto& each : kConversions) {
                    all.push_back({team, shape, each[0], each[1], each[2]});
                }
            }
        }
    }
    for (Transfer& t : all) {
        const auto begin = [&t] {
            ChipKernel kernel(t.team);
            kernel.matrix("a", chip_type(t.chip), t.shape.rows, t.shape.cols)
                .load("a", t.from)
                .sync();
            return kernel;
        };
        t.copy = begin().store("a", t.to).add_to(source);
        if (t.shape.rows == 6) {
            t.lost = begin().store("a", t.to, true).add_to(source);
        }
        ChipKernel kernel = begin();
        t.added =
            kernel
                .call(fmt::format("add_matrix<Team, {}>(a, -0.75, args.matrices[{}], problem)",
                                  chip_type(t.to), kernel.next_matrix()))
                .add_to(source);
    }
    return all;
}

class Trace {
public:
    Trace(const Transfer& t, Order order) : t_(t), order_(order) {}
    friend std::ostream& operator<<(std::ostream& out, const Trace& trace) {
        const Transfer& t = trace.t_;
        return out << t.team.name << " " << t.shape.rows << "x" << t.shape.cols << " "
                   << chip_type(t.from) << " to " << chip_type(t.chip) << " to " << chip_type(t.to)
                   << ", order " << static_cast<int>(trace.order_);
    }

private:
    const Transfer& t_;
    Order order_;
};

double rounded(double x, ScalarType type) {
    return type == kFloat ? static_cast<double>(static_cast<float>(x)) : x;
}

void expect_copies(const Transfer& t, const Matrices& from, const Matrices& to) {
    for (std::int64_t p = 0; p < kBatch; ++p) {
        for (std::int64_t r = 0; r < t.shape.rows; ++r) {
            for (std::int64_t c = 0; c < t.shape.cols; ++c) {
                ASSERT_EQ(to.get(p, r, c), rounded(from.get(p, r, c), t.to))
                    << p << ": " << r << "," << c;
            }
        }
    }
}

void ChipTransfer::check_orders(const gpu::Kernels& kernels, const std::vector<Transfer>& all) {
    for (const Transfer& t : all) {
        for (const Order order : kOrders) {
            SCOPED_TRACE(testing::Message() << Trace(t, order));
            // Every order is one of reading and one of writing.
            const Order other = kOrders[(static_cast<std::size_t>(order) * 5 + 1) % 6];
            const bool backwards = order == Order::columns;
            OnDevice from(t.from, kBatch, t.shape.rows, t.shape.cols, order, backwards);
            OnDevice to(t.to, kBatch, t.shape.rows, t.shape.cols, other, !backwards);
            from.host.fill_random(1);
            (void)run(kernels, t.copy, {&from, &to}, kBatch, 1 + static_cast<std::uint64_t>(order));
            expect_copies(t, from.host, to.host);
            to.host.fill_random(2);
            const Matrices before = to.host;
            (void)run(kernels, t.added, {&from, &to}, kBatch);
            for (std::int64_t p = 0; p < kBatch; ++p) {
                for (std::int64_t r = 0; r < t.shape.rows; ++r) {
                    for (std::int64_t c = 0; c < t.shape.cols; ++c) {
                        ASSERT_EQ(
                            to.host.get(p, r, c),
                            rounded(from.host.get(p, r, c) - 0.75 * before.get(p, r, c), t.to));
                    }
                }
            }
        }
        if (t.shape.rows == 6) {
            OnDevice from(t.from, kBatch, t.shape.rows, t.shape.cols);
            OnDevice to(t.to, kBatch, t.shape.rows, t.shape.cols, Order::columns);
            (void)run(kernels, t.lost, {&from, &to}, kBatch);
            for (std::int64_t p = 0; p < kBatch; ++p) {
                for (std::int64_t e = 0; e < 48; ++e) {
                    ASSERT_TRUE(std::isnan(to.host.get(p, e / 8, e % 8)));
                }
            }
        }
    }
}

/// What is close together is moved 16 bytes at a time, from an address that is a multiple of 16 on.
void ChipTransfer::check_packs(const gpu::Kernels& kernels, const std::vector<Transfer>& all) {
    for (const Transfer& t : all) {
        const std::int64_t entries = t.shape.rows * t.shape.cols;
        const auto operations = [&](ScalarType type, bool aligned) {
            const std::int64_t pack = 16 / size_of(type);
            return kBatch * (aligned && entries % pack == 0 ? entries / pack : entries);
        };
        for (const bool aligned : {true, false}) {
            SCOPED_TRACE(testing::Message() << Trace(t, Order::rows) << " aligned " << aligned);
            // One entry more in front, or none.
            const std::int64_t first = aligned ? 0 : 1;
            const auto bytes_of = [&](ScalarType type) {
                return static_cast<std::size_t>((kBatch * entries + first) * size_of(type));
            };
            const DeviceBuffer from(std::vector<std::byte>(bytes_of(t.from)));
            const DeviceBuffer to(bytes_of(t.to));
            const auto view = [&](const DeviceBuffer& buffer, ScalarType type) {
                return gpu::row_major(buffer.data() + first * size_of(type), type, t.shape.rows,
                                      t.shape.cols);
            };
            const simulated::Launch launch =
                run_on(kernels, t.copy, {view(from, t.from), view(to, t.to)}, {}, kBatch);
            EXPECT_EQ(launch.loads, operations(t.from, aligned));
            EXPECT_EQ(launch.stores, operations(t.to, aligned));
            EXPECT_EQ(launch.load_bytes, kBatch * entries * size_of(t.from));
            EXPECT_EQ(launch.store_bytes, kBatch * entries * size_of(t.to));
        }
    }
}

/// Where columns are close in memory, neighbouring threads move neighbours of a column.
void ChipTransfer::check_columns(const gpu::Kernels& kernels, const std::vector<Transfer>& all) {
    for (const Transfer& t : all) {
        if (t.team.threads == 1 || t.shape.rows != 64 || t.shape.cols != 16) {
            continue;
        }
        SCOPED_TRACE(testing::Message() << Trace(t, Order::columns));
        OnDevice from(t.from, kBatch, t.shape.rows, t.shape.cols, Order::columns);
        OnDevice to(t.to, kBatch, t.shape.rows, t.shape.cols, Order::columns);
        from.host.fill_random(1);
        simulated::profile_launches();
        const simulated::Launch launch = run(kernels, t.copy, {&from, &to}, kBatch);
        simulated::profile_launches(false);
        ASSERT_TRUE(launch.profile.has_value());
        for (const simulated::WarpAccesses& accesses :
             {launch.profile->loads, launch.profile->stores}) {
            // Wherever a matrix begins in a sector of 32 bytes.
            EXPECT_GT(accesses.transfers, 0);
            EXPECT_LE(accesses.transfers, accesses.least_transfers + accesses.accesses);
        }
    }
}

/// Strides of 0: a row, a column, one entry or one matrix stands for many.
void ChipTransfer::check_spread(const gpu::Kernels& kernels, const std::vector<Transfer>& all) {
    for (const Transfer& t : all) {
        for (int spread = 1; spread < 8; ++spread) {
            SCOPED_TRACE(testing::Message() << Trace(t, Order::rows) << " spread " << spread);
            OnDevice from(t.from, kBatch, t.shape.rows, t.shape.cols);
            OnDevice to(t.to, kBatch, t.shape.rows, t.shape.cols);
            from.host.fill_random(5);
            gpu::DeviceView view = from.upload();
            view.row_stride = (spread & 1) != 0 ? 0 : view.row_stride;
            view.col_stride = (spread & 2) != 0 ? 0 : view.col_stride;
            view.batch_stride = (spread & 4) != 0 ? 0 : view.batch_stride;
            (void)run_on(kernels, t.copy, {view, to.upload()}, {&to}, kBatch);
            for (std::int64_t p = 0; p < kBatch; ++p) {
                for (std::int64_t r = 0; r < t.shape.rows; ++r) {
                    for (std::int64_t c = 0; c < t.shape.cols; ++c) {
                        ASSERT_EQ(to.host.get(p, r, c),
                                  rounded(from.host.get((spread & 4) != 0 ? 0 : p,
                                                        (spread & 1) != 0 ? 0 : r,
                                                        (spread & 2) != 0 ? 0 : c),
                                          t.to));
                    }
                }
            }
        }
    }
}

/// One text, compiled once.
TEST_F(ChipTransfer, TakesMatricesOfAnyStridesInPacksWhereItMay) {
    gpu::KernelSource source;
    const std::vector<Transfer> all = transfers(source);
    const gpu::Kernels kernels = kernels_of(source);
    check_orders(kernels, all);
    check_packs(kernels, all);
    check_columns(kernels, all);
    check_spread(kernels, all);
}

}  // namespace
}  // namespace matgrad::test
