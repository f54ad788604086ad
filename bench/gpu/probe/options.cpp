#include "options.hpp"

#include <algorithm>
#include <stdexcept>

namespace matgrad::probe {
namespace {

double positive_number(const std::string& option, const std::string& text) {
    std::size_t read = 0;
    double number = 0;
    try {
        number = std::stod(text, &read);
    } catch (const std::logic_error&) {
        read = 0;
    }
    if (read == 0 || read != text.size() || !(number > 0)) {
        throw std::invalid_argument(option + ": found " + text + ", expected a positive number");
    }
    return number;
}

Break parse_break(const std::string& text) {
    const std::size_t equals = text.find('=');
    const std::string how = equals == std::string::npos ? "" : text.substr(equals + 1);
    if (how != "crash" && how != "hang" && how != "garbage" && how != "wrong") {
        throw std::invalid_argument("--break: found " + text +
                                    ", expected PART=crash, PART=hang, PART=garbage or PART=wrong");
    }
    return {text.substr(0, equals), how};
}

bool stands_for(const std::string& name, const Part& part) {
    return name == part.name || name == name_of(part.group) ||
           part.name.compare(0, name.size() + 1, name + ".") == 0;
}

}  // namespace

Options parse_options(const std::vector<std::string>& arguments) {
    Options options;
    for (std::size_t i = 0; i < arguments.size(); ++i) {
        const std::string& option = arguments[i];
        const auto next = [&] {
            if (i + 1 == arguments.size()) {
                throw std::invalid_argument(option + ": found nothing after it, expected a value");
            }
            return arguments[++i];
        };
        if (option == "--json") {
            options.json = next();
        } else if (option == "--seconds") {
            options.seconds = positive_number(option, next());
        } else if (option == "--part") {
            options.parts.push_back(next());
        } else if (option == "--list") {
            options.list = true;
        } else if (option == "--small") {
            options.small = true;
        } else if (option == "--break") {
            options.breaks.push_back(parse_break(next()));
        } else if (option == "--part-seconds") {
            options.part_seconds = positive_number(option, next());
        } else if (option == "--child") {
            options.child = next();
        } else if (option == "--child-seconds") {
            options.child_seconds = positive_number(option, next());
        } else if (option == "--child-break") {
            options.child_break = next();
        } else {
            throw std::invalid_argument(option + ": no such option; " + kUsage);
        }
    }
    return options;
}

std::vector<Part> chosen_parts(const Options& options, std::vector<Part> all) {
    for (const std::string& name : options.parts) {
        if (std::none_of(all.begin(), all.end(),
                         [&](const Part& part) { return stands_for(name, part); })) {
            throw std::invalid_argument("--part: found " + name +
                                        ", expected a name that --list prints");
        }
    }
    if (options.parts.empty()) {
        return all;
    }
    all.erase(std::remove_if(all.begin(), all.end(),
                             [&](const Part& part) {
                                 return std::none_of(options.parts.begin(), options.parts.end(),
                                                     [&](const std::string& name) {
                                                         return stands_for(name, part);
                                                     });
                             }),
              all.end());
    return all;
}

}  // namespace matgrad::probe
