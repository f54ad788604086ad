#include "cli/completion.hpp"

#include <fmt/format.h>

#include <sstream>

#include "cli/commands.hpp"
#include "matgrad/catalogue.hpp"

namespace matgrad {
namespace {

// bash splits words at = : and @ too, so the words are taken from the line; replies are what replaces the part
// behind the last of these; an @ in front is no such break.
constexpr std::string_view kStart =
    R"bash(# What bash completes of matgrad: printed by `matgrad completion bash`.
_matgrad_offer() {
    COMPREPLY+=($(compgen -W "$1" -- "$current"))
}
_matgrad_files() {
    local IFS=$'\n'
    COMPREPLY+=($(compgen -f -- "${current##*=}"))
    compopt -o filenames 2>/dev/null
}
_matgrad() {
    local line=${COMP_LINE:0:COMP_POINT} current before previous command
    current=${line##*[[:blank:]]}
    before=${line%"$current"}
    before=${before%"${before##*[![:blank:]]}"}
    previous=${before##*[[:blank:]]}
    command=${COMP_WORDS[1]}
    COMPREPLY=()
    _matgrad_words
    local breaks=${COMP_WORDBREAKS//[^=:@]/} cut i
    if [[ -n $breaks && $current != @* ]]; then
        cut=${current%"${current##*[$breaks]}"}
        for i in "${!COMPREPLY[@]}"; do
            COMPREPLY[i]=${COMPREPLY[i]#"$cut"}
        done
    fi
}
)bash";

std::string joined(const std::vector<std::string>& words) {
    return fmt::format("{}", fmt::join(words, " "));
}

std::vector<std::string> split(std::string_view text) {
    std::istringstream stream{std::string(text)};
    std::vector<std::string> words;
    for (std::string word; stream >> word;) {
        words.push_back(word);
    }
    return words;
}

/// What follows an option of its command.
std::string value_case(const CommandRow& command, const OptionRow& option) {
    std::string action;
    if (!option.words.empty()) {
        action = fmt::format("_matgrad_offer \"{}\"; ", option.words);
    }
    action += option.is_file ? "_matgrad_files; " : "";
    return fmt::format("        '{} {}') {}return ;;\n", command.name, option.name, action);
}

std::string offers(const CommandRow& command) {
    std::vector<std::string> words;
    for (const OptionRow& option : command.options) {
        words.emplace_back(option.name);
        if (option.value.empty()) {
            for (const std::string& word : split(option.words)) {
                words.push_back(fmt::format("{}={}", option.name, word));
            }
        }
    }
    words.emplace_back("--help");
    return joined(words);
}

std::string first_arguments(const CommandRow& command) {
    if (command.words != "@") {
        return std::string(command.words);
    }
    std::vector<std::string> names;
    for (const CatalogueEntry& entry : catalogue()) {
        names.push_back(fmt::format("@{}", entry.name));
    }
    return joined(names);
}

}  // namespace

std::string bash_completion() {
    std::vector<std::string> names;
    std::string values;
    std::string words;
    for (const CommandRow& command : commands()) {
        names.emplace_back(command.name);
        const std::string first = first_arguments(command);
        words += fmt::format("        {})\n", command.name);
        if (!first.empty()) {
            words += fmt::format(
                "            if [[ $current != -* && $before =~ "
                "^[^[:blank:]]+[[:blank:]]+$command$ ]]; then\n"
                "                _matgrad_offer \"{}\"\n                return\n            fi\n",
                first);
        }
        words += fmt::format(
            "            if [[ $current == -* ]]; then\n                _matgrad_offer \"{}\"\n"
            "            else\n                _matgrad_files\n            fi ;;\n",
            offers(command));
        for (const OptionRow& option : command.options) {
            values += option.value.empty() ? "" : value_case(command, option);
        }
    }
    std::string script(kStart);
    script += fmt::format(
        "_matgrad_words() {{\n    if [[ $COMP_CWORD -eq 1 ]]; then\n"
        "        _matgrad_offer \"{0} help --help --version\"\n        return\n    fi\n"
        "    case \"$command $previous\" in\n{1}    esac\n    case $command in\n"
        "        help) _matgrad_offer \"{0}\" ;;\n{2}    esac\n}}\n"
        "complete -F _matgrad matgrad\n",
        joined(names), values, words);
    return script;
}

}  // namespace matgrad
