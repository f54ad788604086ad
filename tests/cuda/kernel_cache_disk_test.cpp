// The cache of kernels on disks that are full or read-only, under a limit of file sizes, and in many
// processes at once.

#include <gtest/gtest.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <thread>

#include "cuda/cache_folder.hpp"
#include "cuda/kernel_cache.hpp"

namespace matgrad::test {
namespace {

namespace fs = std::filesystem;
using gpu::KernelCache;

/// A disk of 64 KiB at this place, seen by this process alone.
bool mount_small_disk(const std::string& place, unsigned long flags) {
    return ::mount("none", place.c_str(), "tmpfs", flags, "size=64k,mode=700") == 0;
}

/// Such a disk can be had here.
bool may_mount(const std::string& place) {
    return holds_in_a_process(
        [&] { return ::unshare(CLONE_NEWNS) == 0 && mount_small_disk(place, 0); });
}

/// Nothing that the test mounts is seen outside.
bool enter_own_mounts() {
    return ::unshare(CLONE_NEWNS) == 0 &&
           ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
}

bool has_temporary(const std::string& folder) {
    return std::any_of(fs::directory_iterator(folder), fs::directory_iterator(),
                       [](const auto& file) { return file.path().extension() == ".tmp"; });
}

TEST(KernelCacheOnDisk, AFullDiskIsNoError) {
    const CacheFolder folder;
    if (!may_mount(folder.path())) {
        GTEST_SKIP() << "a disk of its own cannot be mounted here";
    }
    EXPECT_TRUE(holds_in_a_process([&] {
        const KernelCache cache(folder.path());
        if (!enter_own_mounts() || !mount_small_disk(folder.path(), 0)) {
            return false;
        }
        cache.keep("small", some_code(1, 30000));
        cache.keep("large", some_code(2, 50000));  // half of it is written
        const bool left = has_temporary(folder.path());
        cache.keep("fits", some_code(3, 10000));
        return !left && cache.find("small") == some_code(1, 30000) && !cache.find("large") &&
               cache.find("fits") == some_code(3, 10000);
    }));
}

TEST(KernelCacheOnDisk, AReadOnlyDiskIsReadAndNoError) {
    const CacheFolder folder;
    if (!may_mount(folder.path())) {
        GTEST_SKIP() << "a disk of its own cannot be mounted here";
    }
    EXPECT_TRUE(holds_in_a_process([&] {
        const KernelCache cache(folder.path());
        if (!enter_own_mounts() || !mount_small_disk(folder.path(), 0)) {
            return false;
        }
        cache.keep("kept", some_code(1, 3000));
        if (!mount_small_disk(folder.path(), MS_REMOUNT | MS_RDONLY)) {
            return false;
        }
        cache.keep("another", some_code(2, 3000));
        return cache.find("kept") == some_code(1, 3000) && !cache.find("another");
    }));
}

TEST(KernelCacheOnDisk, ALimitOfFileSizesIsNoErrorAndNoSignal) {
    const CacheFolder folder;
    EXPECT_TRUE(holds_in_a_process([&] {
        const KernelCache cache(folder.path());
        const rlimit limit{2000, RLIM_INFINITY};
        if (::setrlimit(RLIMIT_FSIZE, &limit) != 0 || ::signal(SIGXFSZ, SIG_DFL) == SIG_ERR) {
            return false;
        }
        cache.keep("small", some_code(1, 1000));
        cache.keep("large", some_code(2, 3000));
        return cache.find("small") == some_code(1, 1000) && !cache.find("large");
    }));
    EXPECT_EQ(folder.files().size(), 1U);
}

constexpr int kProcesses = 16;
constexpr int kKeys = 6;

std::string key_of(int i) {
    return "key " + std::to_string(i);
}

std::vector<char> code_of(int i) {
    return some_code(i, 20000 + 3000 * static_cast<std::size_t>(i));
}

TEST(KernelCacheOnDisk, ServesSixteenProcessesAtOnceOnOneColdFolder) {
    const CacheFolder folder;
    const std::string path = folder.path() + "/made/by/the/first";
    std::vector<pid_t> children;
    for (int process = 0; process < kProcesses; ++process) {
        children.push_back(start_process([&] {
            const KernelCache cache(path);
            bool good = true;
            for (int round = 0; round < 20; ++round) {
                const int i = (process + round) % kKeys;
                const auto found = cache.find(key_of(i));
                good = good && (!found || *found == code_of(i));
                cache.keep(key_of(i), code_of(i));
                // Others replace it all the time, but it is never away.
                good = good && cache.find(key_of(i)) == code_of(i);
            }
            return good ? 0 : 1;
        }));
    }
    for (const pid_t child : children) {
        EXPECT_EQ(wait_for(child), 0);
    }
    EXPECT_FALSE(has_temporary(path));
    for (int i = 0; i < kKeys; ++i) {
        EXPECT_EQ(KernelCache(path).find(key_of(i)), code_of(i));
    }
}

TEST(KernelCacheOnDisk, StaysBoundedWithSixteenProcessesAtOnce) {
    constexpr std::uint64_t kMost = 100000;
    const CacheFolder folder;
    std::vector<pid_t> children;
    for (int process = 0; process < kProcesses; ++process) {
        children.push_back(start_process([&] {
            const KernelCache cache(folder.path(), kMost);
            bool good = true;
            for (int round = 0; round < 20; ++round) {
                const int i = (process + round) % kKeys;
                const auto found = cache.find(key_of(i));
                good = good && (!found || *found == code_of(i));
                cache.keep(key_of(i), code_of(i));
            }
            return good ? 0 : 1;
        }));
    }
    for (const pid_t child : children) {
        EXPECT_EQ(wait_for(child), 0);
    }
    std::uint64_t total = 0;
    for (const fs::path& file : folder.files()) {
        total += fs::file_size(file);
    }
    EXPECT_LE(total, kMost);
    EXPECT_GT(total, kMost / 2);
    EXPECT_FALSE(has_temporary(folder.path()));
}

TEST(KernelCacheOnDisk, AProcessKilledAtAnyMomentLeavesNothingThatIsWrong) {
    const CacheFolder folder;
    const KernelCache cache(folder.path());
    for (int round = 0; round < 20; ++round) {
        const pid_t child = start_process([&] {
            for (;;) {
                for (int i = 0; i < kKeys; ++i) {
                    cache.keep(key_of(i), code_of(i));
                }
            }
            return 0;
        });
        std::this_thread::sleep_for(std::chrono::microseconds(500 + 937 * round));
        ASSERT_EQ(::kill(child, SIGKILL), 0);
        EXPECT_EQ(wait_for(child), -1);
        for (int i = 0; i < kKeys; ++i) {
            const auto found = cache.find(key_of(i));
            EXPECT_TRUE(!found || *found == code_of(i));
        }
    }
    EXPECT_TRUE(cache.find(key_of(0)));
}

TEST(KernelCacheFolder, IsTheOneNamedElseTheUsersOwnElseNone) {
    struct Case {
        const char *own, *caches, *home;
        std::string folder;
    };
    for (const Case& c : {Case{"/a/b", "/caches", "/home/me", "/a/b"},
                          {"a", "/caches", "/home/me", "a"},
                          {"", "/caches", "/home/me", ""},
                          {nullptr, "/caches", "/home/me", "/caches/matgrad"},
                          {nullptr, "", "/home/me", "/home/me/.cache/matgrad"},
                          {nullptr, "caches", "/home/me", "/home/me/.cache/matgrad"},
                          {nullptr, nullptr, "/home/me", "/home/me/.cache/matgrad"},
                          {nullptr, nullptr, "", ""},
                          {nullptr, nullptr, "home", ""},
                          {nullptr, nullptr, nullptr, ""}}) {
        const Environment environment(
            {{"MATGRAD_CACHE", c.own}, {"XDG_CACHE_HOME", c.caches}, {"HOME", c.home}});
        EXPECT_EQ(gpu::kernel_cache_folder(), c.folder);
    }
}

}  // namespace
}  // namespace matgrad::test
