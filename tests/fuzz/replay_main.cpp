// Runs a fuzz target without libFuzzer: every file of a folder, then mutations of them.
//   npy_fuzz FOLDER [MUTATIONS]
// The mutations are the same in every run. What fails crashes; the input is then in the file
// `fuzz_failure` of the current folder.

#include <algorithm>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

std::string current_input;

void run(std::string input) {
    current_input = std::move(input);
    // A copy of exactly its size on the heap: reading past its end shows under the sanitizers.
    const std::vector<std::uint8_t> bytes(current_input.begin(), current_input.end());
    (void)LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
}

extern "C" void save_failure(int signal) {
    if (std::FILE* const file = std::fopen("fuzz_failure", "wb")) {
        (void)std::fwrite(current_input.data(), 1, current_input.size(), file);
        (void)std::fclose(file);
    }
    std::signal(signal, SIG_DFL);
    std::raise(signal);
}

std::vector<std::string> read_folder(const char* folder) {
    std::vector<std::filesystem::path> paths;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
        paths.push_back(entry.path());
    }
    std::sort(paths.begin(), paths.end());  // the mutations follow from the order
    std::vector<std::string> result;
    for (const auto& path : paths) {
        std::ifstream file(path, std::ios::binary);
        result.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
    }
    return result;
}

class Mutator {
public:
    explicit Mutator(const std::vector<std::string>& corpus) : corpus_(&corpus) {}

    std::string next() {
        std::string text = any_input();
        for (std::size_t edits = 1 + below(4); edits > 0; --edits) {
            edit(text);
        }
        return text;
    }

private:
    std::size_t below(std::size_t end) { return end == 0 ? 0 : engine_() % end; }
    const std::string& any_input() { return (*corpus_)[below(corpus_->size())]; }

    void edit(std::string& text) {
        const std::size_t at = below(text.size());
        const std::size_t length = below(std::min<std::size_t>(text.size() - at, 16) + 1);
        switch (below(5)) {
            case 0:
                if (!text.empty()) {
                    text[at] = static_cast<char>(text[at] ^ (1 << below(8)));
                }
                break;
            case 1:
                text.insert(at, 1, static_cast<char>(below(256)));
                break;
            case 2:
                text.erase(at, length);
                break;
            case 3:
                text.insert(below(text.size()), text.substr(at, length));
                break;
            default: {  // the rest of another input
                const std::string& other = any_input();
                text = text.substr(0, at) + other.substr(below(other.size()));
                break;
            }
        }
    }

    const std::vector<std::string>* corpus_;
    std::mt19937_64 engine_{20250101};
};

}  // namespace

int main(int argc, char** argv) {
    if (argc < 2) {
        std::fprintf(stderr, "usage: %s FOLDER [MUTATIONS]\n", argv[0]);
        return 2;
    }
    const std::vector<std::string> corpus = read_folder(argv[1]);
    if (corpus.empty()) {
        std::fprintf(stderr, "%s: holds no inputs\n", argv[1]);
        return 1;
    }
    std::signal(SIGABRT, save_failure);
    std::signal(SIGSEGV, save_failure);
    for (const std::string& input : corpus) {
        run(input);
    }
    const long num_mutations = argc > 2 ? std::atol(argv[2]) : 20000;
    Mutator mutator(corpus);
    for (long i = 0; i < num_mutations; ++i) {
        run(mutator.next());
    }
    std::printf("%zu inputs and %ld mutations passed\n", corpus.size(), num_mutations);
    return 0;
}
