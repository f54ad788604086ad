#include "part.hpp"

namespace matgrad::probe {

std::vector<Part> all_parts() {
    std::vector<Part> parts;
    // What measures time or memory runs alone: such parts are together, as are the others.
    add_device_part(parts);
    add_stream_parts(parts);
    add_handle_part(parts);
    add_capture_parts(parts);
    add_cold_parts(parts);
    add_batch_limit_parts(parts);
    add_length_limit_parts(parts);
    add_failure_parts(parts);
    add_alignment_parts(parts);
    add_buffer_parts(parts);
    add_call_parts(parts);
    add_time_parts(parts);
    add_more_cold_parts(parts);
    add_batch_bits_part(parts);
    add_first_call_parts(parts);
    // The sweeps.
    add_cholesky_sweeps(parts);
    add_slice_sweeps(parts);
    add_gram_sweeps(parts);
    add_solve_sweeps(parts);
    add_ceiling_sweeps(parts);
    add_syrk_sweeps(parts);
    add_other_factor_sweeps(parts);
    return parts;
}

}  // namespace matgrad::probe
