#include "simulated_gpu/host_compiler.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>

extern char** environ;

namespace matgrad::simulated {
namespace {

namespace fs = std::filesystem;

constexpr const char* kTwin = "device.cuh";
constexpr const char* kTwinsState = "kernel_state.hpp";

// Standard headers are not there for device code. Statics of templates stay inside their library, so
// that libraries do not share them. Most kernels run for less time than they are compiled for: -Og
// compiles in two thirds of the time of -O1.
const char* const kFlags[] = {"-std=c++20",
                              "-Og",
                              "-fPIC",
                              "-nostdinc",
                              "-fno-exceptions",
                              "-fno-rtti",
                              "-pipe",
                              "-fno-threadsafe-statics",
                              "-w",
                              "-ffp-contract=off",
                              "-fno-math-errno",
                              "-fvisibility=hidden"};

std::string read_text(const fs::path& file) {
    const std::ifstream stream(file, std::ios::binary);
    std::ostringstream text;
    text << stream.rdbuf();
    if (!stream) {
        throw std::runtime_error("cannot read " + file.string());
    }
    return text.str();
}

void write_text(const fs::path& file, const std::string& text) {
    fs::create_directories(file.parent_path());
    std::ofstream stream(file, std::ios::binary);
    stream << text << std::flush;
    if (!stream) {
        throw std::runtime_error("cannot write " + file.string());
    }
}

/// FNV-1a of two seeds: 128 bits.
std::string hash_of(const std::string& text) {
    std::uint64_t hashes[] = {0xcbf29ce484222325u, 0x9e3779b97f4a7c15u};
    char digits[33];
    for (std::uint64_t& hash : hashes) {
        for (const char c : text) {
            hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
        }
    }
    (void)std::snprintf(digits, sizeof(digits), "%016llx%016llx",
                        static_cast<unsigned long long>(hashes[0]),
                        static_cast<unsigned long long>(hashes[1]));
    return digits;
}

const char* const kLinkFlags[] = {"-shared", "-nostdlib"};

/// Runs a program in a folder, with stderr in a file. Returns its exit status.
int run_program(std::vector<std::string> words, const fs::path& folder, const fs::path& log) {
    std::vector<char*> arguments;
    for (std::string& word : words) {
        arguments.push_back(word.data());
    }
    arguments.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addchdir_np(&actions, folder.c_str());
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, log.c_str(),
                                     O_WRONLY | O_CREAT | O_TRUNC, 0644);
    pid_t child = 0;
    const int error =
        posix_spawnp(&child, arguments[0], &actions, nullptr, arguments.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    if (error != 0) {
        throw std::runtime_error("cannot run " + words[0]);
    }
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

std::string key_of(const DeviceSource& source) {
    std::ostringstream key;
    key << MATGRAD_SIMULATED_COMPILER << '\0' << MATGRAD_SIMULATED_COMPILER_VERSION << '\0';
    for (const char* flag : kFlags) {
        key << flag << '\0';
    }
    for (const char* flag : kLinkFlags) {
        key << flag << '\0';
    }
    for (const std::string& definition : source.definitions) {
        key << definition << '\0';
    }
    for (const auto& [name, text] : source.headers) {
        key << name << '\0' << text.size() << '\0' << text;
    }
    key << source.text;
    return hash_of(key.str());
}

/// Removes a folder when it goes.
struct Scratch {
    fs::path folder;
    explicit Scratch(fs::path path) : folder(std::move(path)) { fs::create_directories(folder); }
    ~Scratch() {
        std::error_code ignored;
        fs::remove_all(folder, ignored);
    }
    Scratch(const Scratch&) = delete;
    Scratch& operator=(const Scratch&) = delete;
};

DeviceSource with_twin(DeviceSource source) {
    const fs::path twins = MATGRAD_SIMULATED_SOURCE;
    for (auto& [name, text] : source.headers) {
        if (name == kTwin) {
            text = read_text(twins / kTwin);
        }
    }
    source.headers.emplace_back(kTwinsState, read_text(twins / kTwinsState));
    return source;
}

/// Compiles main.cpp of a folder, where the headers are too, to main.so. False if it does not compile.
bool compile_in(const fs::path& folder, const std::vector<std::string>& definitions,
                const fs::path& log) {
    const std::string launcher = MATGRAD_SIMULATED_LAUNCHER;
    std::vector<std::string> words = {MATGRAD_SIMULATED_COMPILER};
    words.insert(words.end(), std::begin(kFlags), std::end(kFlags));
    words.insert(words.end(), definitions.begin(), definitions.end());
    words.insert(words.end(), {"-I", "."});
    std::vector<std::string> link = {MATGRAD_SIMULATED_COMPILER};
    if (launcher.empty()) {  // both at once
        link = words;
        link.emplace_back("main.cpp");
    } else {  // a cache of compiled objects knows nothing of linking
        words.insert(words.begin(), launcher);
        words.insert(words.end(), {"-c", "-o", "main.o", "main.cpp"});
        if (run_program(words, folder, log) != 0) {
            return false;
        }
        link.emplace_back("main.o");
    }
    link.insert(link.end(), std::begin(kLinkFlags), std::end(kLinkFlags));
    link.insert(link.end(), {"-o", "main.so"});
    return run_program(link, folder, log) == 0;
}

}  // namespace

Compiled compile_for_host(const DeviceSource& given) {
    const DeviceSource source = with_twin(given);
    const fs::path cache = MATGRAD_SIMULATED_CACHE;
    const std::string key = key_of(source);
    const fs::path file = cache / (key + ".so");
    if (fs::exists(file)) {
        return {file.string(), ""};
    }
    static std::atomic<int> serial = 0;
    const Scratch scratch(
        cache / (key + "." + std::to_string(getpid()) + "." + std::to_string(++serial) + ".tmp"));
    for (const auto& [name, text] : source.headers) {
        write_text(scratch.folder / name, text);
    }
    const fs::path log = scratch.folder / "log";
    write_text(scratch.folder / "main.cpp", "#line 1 \"" + source.name + "\"\n" + source.text);
    if (!compile_in(scratch.folder, source.definitions, log)) {
        return {"", read_text(log)};
    }
    // Another process may have done the same: either will do.
    fs::rename(scratch.folder / "main.so", file);
    return {file.string(), ""};
}

}  // namespace matgrad::simulated
