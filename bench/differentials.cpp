#include "bench/differentials.hpp"

#include "bench/answers_json.hpp"
#include "bench/inputs.hpp"

namespace matgrad::bench {

std::string differentials_text(const Suite& suite, AnswerBook& book,
                               const std::function<void(std::size_t)>& progress) {
    Json cases = Json::object();
    std::size_t done = 0;
    for (const Case& c : suite.cases) {
        cases[c.name] = {{"case", to_json(c)}, {"problems", to_json(book.of(c))}};
        progress(++done);
    }
    const Json json{
        {"tool", "matgrad"}, {"suite", suite.name}, {"seed", kInputSeed}, {"cases", cases}};
    return json.dump(1) + "\n";
}

}  // namespace matgrad::bench
