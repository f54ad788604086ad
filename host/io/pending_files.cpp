#include "io/pending_files.hpp"

#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <climits>
#include <cstring>
#include <mutex>
#include <stdexcept>

namespace matgrad {

namespace detail {

// A record is never freed, only used again: a signal handler may be looking at it. Whoever moves
// `state` out of `pending` owns the path.
struct PendingFile {
    enum State : int { unused, filling, pending, removing };
    std::atomic<int> state{unused};
    PendingFile* next = nullptr;
    char path[PATH_MAX] = {};
};

namespace {

static_assert(std::atomic<int>::is_always_lock_free &&
              std::atomic<PendingFile*>::is_always_lock_free);

std::atomic<PendingFile*> all_records{nullptr};

/// Never destroyed: whoever holds it may be the last thread of the process.
std::mutex& commits() {
    static auto* const mutex = new std::mutex;
    return *mutex;
}

PendingFile* take_unused_record() {
    for (PendingFile* record = all_records.load(); record; record = record->next) {
        int expected = PendingFile::unused;
        if (record->state.compare_exchange_strong(expected, PendingFile::filling)) {
            return record;
        }
    }
    auto* const record = new PendingFile;
    record->state = PendingFile::filling;
    record->next = all_records.load();
    while (!all_records.compare_exchange_weak(record->next, record)) {
    }
    return record;
}

}  // namespace

CommitSection::CommitSection() {
    commits().lock();
}

CommitSection::~CommitSection() {
    commits().unlock();
}

PendingFile* add_pending_file(const char* path) {
    const std::size_t length = std::strlen(path);
    if (length >= PATH_MAX) {
        throw std::length_error("path longer than the system allows");
    }
    PendingFile* const record = take_unused_record();
    std::memcpy(record->path, path, length + 1);
    record->state.store(PendingFile::pending);
    return record;
}

void forget_pending_file(PendingFile* file) noexcept {
    if (!file) {
        return;
    }
    // Where this fails, a handler is removing the file: the record is left to it for good.
    int expected = PendingFile::pending;
    (void)file->state.compare_exchange_strong(expected, PendingFile::unused);
}

}  // namespace detail

void hold_commits() {
    detail::commits().lock();
}

void remove_pending_files() noexcept {
    const int saved_errno = errno;  // the interrupted code may be about to look at it
    for (detail::PendingFile* record = detail::all_records.load(); record; record = record->next) {
        int expected = detail::PendingFile::pending;
        if (record->state.compare_exchange_strong(expected, detail::PendingFile::removing)) {
            (void)::unlink(record->path);
        }
    }
    errno = saved_errno;
}

}  // namespace matgrad
