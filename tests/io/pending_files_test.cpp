#include "io/pending_files.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <memory>

#include "io/arrays.hpp"
#include "io/files.hpp"
#include "io/named_files.hpp"
#include "io/npy_writer.hpp"

namespace matgrad::io_test {
namespace {

TEST(PendingFiles, AreRemovedAllAtOnceAndTheTargetsStay) {
    const TemporaryFolder folder;
    write_text(folder.path("A.npy"), "the old result");
    const std::vector<double> data = counting(3);
    const FileCalls calls = calls_with_names();
    auto a = std::make_unique<NpyWriter>(folder.path("A.npy"), NpyType::float64,
                                         std::vector<std::int64_t>{3}, calls);
    NpyWriter b(folder.path("B.npy"), NpyType::float64, {3}, calls);
    NpyWriter c(folder.path("C.npy"), NpyType::float64, {3}, calls);
    for (NpyWriter* writer : {a.get(), &b, &c}) {
        writer->append(data.data(), 3);
    }
    c.commit();
    EXPECT_EQ(folder.num_entries(), 4u);
    errno = 77;
    remove_pending_files();
    EXPECT_EQ(errno, 77);
    EXPECT_EQ(folder.num_entries(), 2u);
    EXPECT_EQ(read_text(folder.path("A.npy")), "the old result");
    EXPECT_EQ(read_all(folder.path("C.npy")), data);
    EXPECT_THROW(b.commit(), FileError);  // its temporary is gone
    a.reset();
    remove_pending_files();
    // A run that goes on may make new ones.
    NpyWriter d(folder.path("D.npy"), NpyType::float64, {3});
    d.append(data.data(), 3);
    d.commit();
    EXPECT_EQ(read_all(folder.path("D.npy")), data);
}

extern "C" void remove_and_exit(int) {
    remove_pending_files();
    ::_exit(130);
}

TEST(PendingFiles, AreRemovedByASignalHandlerInTheMiddleOfWriting) {
    const TemporaryFolder folder;
    write_text(folder.path("G.npy"), "the old result");
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
        std::signal(SIGINT, remove_and_exit);
        const std::vector<double> data = counting(1000);
        const FileCalls calls = calls_with_names();
        NpyWriter writer(folder.path("G.npy"), NpyType::float64, {1000000000}, calls);
        for (std::int64_t i = 0;; i = (i + 1) % 100) {
            writer.write_at(1000 * i, data.data(), 1000);
        }
    }
    while (folder.num_entries() < 2) {
        ::usleep(1000);
    }
    ASSERT_EQ(::kill(child, SIGINT), 0);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status));
    EXPECT_EQ(WEXITSTATUS(status), 130);
    EXPECT_EQ(folder.num_entries(), 1u);
    EXPECT_EQ(read_text(folder.path("G.npy")), "the old result");
}

TEST(PendingFiles, RecordsAreUsedAgain) {
    const TemporaryFolder folder;
    for (int round = 0; round < 200; ++round) {
        const FileCalls calls = calls_with_names();
        NpyWriter(folder.path("E.npy"), NpyType::float64, {0}, calls).commit();
        const NpyWriter discarded(folder.path("F.npy"), NpyType::float64, {0}, calls);
    }
    remove_pending_files();
    EXPECT_EQ(folder.num_entries(), 1u);
}

}  // namespace
}  // namespace matgrad::io_test
