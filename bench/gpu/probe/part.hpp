#pragma once
/// \file The parts of the probe. Each runs in a process of its own, so that what it breaks is its own.

#include <functional>
#include <string>
#include <vector>

#include "fact.hpp"

namespace matgrad::probe {

enum class Group { facts, sweeps };

struct Part {
    std::string name;
    Group group = Group::facts;
    double seconds = 10;  ///< its limit
    /// It measures time or the memory of the device: nothing runs beside it.
    bool alone = true;
    std::function<void(const Recorder&)> run;
};

[[nodiscard]] inline const char* name_of(Group group) {
    return group == Group::facts ? "facts" : "sweeps";
}

/// In the order in which they run, what is worth most first: time may end before the last.
[[nodiscard]] std::vector<Part> all_parts();

// Each file adds its parts.
void add_device_part(std::vector<Part>& parts);
void add_handle_part(std::vector<Part>& parts);
void add_buffer_parts(std::vector<Part>& parts);
void add_call_parts(std::vector<Part>& parts);
void add_capture_parts(std::vector<Part>& parts);
void add_failure_parts(std::vector<Part>& parts);
void add_stream_parts(std::vector<Part>& parts);
void add_batch_limit_parts(std::vector<Part>& parts);
void add_batch_bits_part(std::vector<Part>& parts);
void add_length_limit_parts(std::vector<Part>& parts);
void add_alignment_parts(std::vector<Part>& parts);
void add_time_parts(std::vector<Part>& parts);
void add_cold_parts(std::vector<Part>& parts);
void add_more_cold_parts(std::vector<Part>& parts);
void add_first_call_parts(std::vector<Part>& parts);
void add_ceiling_sweeps(std::vector<Part>& parts);
void add_cholesky_sweeps(std::vector<Part>& parts);
void add_other_factor_sweeps(std::vector<Part>& parts);
void add_gram_sweeps(std::vector<Part>& parts);
void add_syrk_sweeps(std::vector<Part>& parts);
void add_solve_sweeps(std::vector<Part>& parts);
void add_slice_sweeps(std::vector<Part>& parts);

}  // namespace matgrad::probe
