#include "io/npy_writer.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <stdexcept>

namespace matgrad {

NpyWriter::NpyWriter(std::string path, NpyType type, std::vector<std::int64_t> shape,
                     const FileCalls& calls)
    : type_(type), shape_(std::move(shape)), calls_(&calls), file_(std::move(path), calls) {
    const std::string header = make_npy_header(type_, shape_, file_.path());
    data_offset_ = static_cast<std::int64_t>(header.size());
    for (const std::int64_t size : shape_) {
        count_ *= size;
    }
    write_bytes(0, header.data(), data_offset_);
}

void NpyWriter::append(const void* data, std::int64_t count) {
    write_at(next_, data, count);
    next_ += count;
}

void NpyWriter::write_at(std::int64_t offset, const void* data, std::int64_t count) {
    if (offset < 0 || count < 0 || offset > count_ || count > count_ - offset) {
        throw std::out_of_range(
            fmt::format("{}: {} elements from element {} of {}", path(), count, offset, count_));
    }
    if (is_finished_) {
        throw std::logic_error(fmt::format("{}: written after it was finished", path()));
    }
    write_bytes(data_offset_ + offset * size_of(type_), data, count * size_of(type_));
    written_ += count;
}

void NpyWriter::write_bytes(std::int64_t at, const void* data, std::int64_t size) {
    const auto* const bytes = static_cast<const char*>(data);
    std::int64_t done = 0;
    while (done < size) {
        const ssize_t put = calls_->pwrite(file_.descriptor(), bytes + done,
                                           static_cast<std::size_t>(size - done), at + done);
        if (put < 0 && errno == EINTR) {
            continue;
        }
        if (put <= 0) {  // 0: POSIX leaves the reason open, and to try for ever is no answer
            detail::throw_machine_error(path(), put < 0 ? errno : EIO);
        }
        done += put;
    }
}

void NpyWriter::finish() {
    if (is_finished_) {
        return;
    }
    if (written_ != count_) {
        throw std::logic_error(
            fmt::format("{}: {} of {} elements were written", path(), written_.load(), count_));
    }
    file_.finish();
    is_finished_ = true;
}

void NpyWriter::commit() {
    NpyWriter* const self = this;
    commit_together({&self, 1});
}

void NpyWriter::commit_together(std::span<NpyWriter* const> writers) {
    std::vector<ReplacementFile*> files;
    for (NpyWriter* writer : writers) {
        writer->finish();  // where a disk may prove full
        files.push_back(&writer->file_);
    }
    ReplacementFile::commit_together(files);
}

}  // namespace matgrad
