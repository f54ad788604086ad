#pragma once
/// \file A part in a process of its own: this program once more, its facts read from a pipe.

#include <sys/types.h>

#include <chrono>
#include <string>
#include <vector>

#include "fact.hpp"

namespace matgrad::probe {

/// A running process. Its stdout are lines of facts, of its stderr the last line is kept.
class Child {
public:
    /// Errors: std::runtime_error.
    Child(const std::vector<std::string>& arguments, double seconds);
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;
    /// Ends the process if it still runs.
    ~Child();

    /// Reads what has come; kills a process whose time is over. True once it has ended.
    [[nodiscard]] bool poll();
    /// Facts that have come since the last call.
    [[nodiscard]] std::vector<Fact> take_facts();
    /// Once it has ended: empty if it ended well, else why not.
    [[nodiscard]] const std::string& failure() const { return failure_; }
    [[nodiscard]] bool ran_out_of_time() const { return killed_; }
    [[nodiscard]] double seconds() const;

private:
    struct Pipe {
        int from = -1;
        std::string rest;  ///< a line whose end has not come
    };
    void read(Pipe& pipe, bool facts);
    void take_line(const std::string& line, bool facts);
    void finish(int status);

    pid_t process_ = -1;
    Pipe out_, err_;
    std::chrono::steady_clock::time_point begin_, kill_at_, give_up_at_, end_;
    bool killed_ = false;
    bool ended_ = false;
    std::vector<Fact> facts_;
    std::string garbage_, complaint_, failure_;
};

/// Waits a little while: until a child may have something to say.
void wait_a_little();

/// In a child: it ends when its parent does.
void end_with_parent();

}  // namespace matgrad::probe
