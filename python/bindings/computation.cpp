#include "computation.hpp"

#include <algorithm>
#include <bit>
#include <nlohmann/json.hpp>
#include <unordered_map>

namespace matgrad::python {

namespace {

using Json = nlohmann::json;

template <typename Value>
Value one_of(const std::string& found, const char* what,
             std::initializer_list<std::pair<const char*, Value>> choices) {
    std::string expected;
    for (const auto& [text, value] : choices) {
        if (found == text) {
            return value;
        }
        expected += (expected.empty() ? "'" : ", '") + std::string(text) + "'";
    }
    throw CallerError(std::string(what) + ": found '" + found + "', expected one of " + expected);
}

Reduction reduction_from(const std::string& text) {
    return one_of<Reduction>(
        text, "reduce",
        {{"none", Reduction::none}, {"sum", Reduction::sum}, {"mean", Reduction::mean}});
}

const char* to_text(Reduction reduction) {
    return reduction == Reduction::none ? "none" : reduction == Reduction::sum ? "sum" : "mean";
}

/// `X` of `gradient X`.
std::optional<std::string> rest_of(const std::string& text, std::string_view kind) {
    if (text.starts_with(kind) && text.size() > kind.size() && text[kind.size()] == ' ') {
        return text.substr(kind.size() + 1);
    }
    return std::nullopt;
}

PlanOptions options_from(const Json& json) {
    PlanOptions options;
    options.accuracy = one_of<Accuracy>(json.value("accuracy", "robust"), "accuracy",
                                        {{"robust", Accuracy::robust}, {"fast", Accuracy::fast}});
    options.convention = one_of<Convention>(
        json.value("convention", "projected"), "convention",
        {{"projected", Convention::projected}, {"free_entries", Convention::free_entries}});
    options.executor = one_of<GpuExecutor>(json.value("executor", "auto"), "executor",
                                           {{"auto", GpuExecutor::automatic},
                                            {"library", GpuExecutor::library},
                                            {"fused", GpuExecutor::fused}});
    options.threads = json.value("threads", 0);
    options.jitter = json.value("jitter", false);
    options.tf32 = json.value("tf32", false);
    options.capturable = json.value("capturable", false);
    options.device_memory = json.value("device_memory", std::size_t{0});
    if (options.threads < 0) {
        throw CallerError("threads: found " + std::to_string(options.threads) +
                          ", expected 0 or more");
    }
    return options;
}

Json parsed(const std::string& key) {
    try {
        return Json::parse(key);
    } catch (const Json::exception&) {
        throw CallerError("key of a computation: expected JSON, found '" + key.substr(0, 60) + "'");
    }
}

const Declaration& symbol_named(const std::vector<Declaration>& symbols, const std::string& name) {
    const auto found = std::find_if(symbols.begin(), symbols.end(),
                                    [&](const Declaration& d) { return d.name == name; });
    if (found == symbols.end()) {
        throw NameError("'" + name + "' is no operand of the function");
    }
    return *found;
}

/// <G, V>, whatever they are.
Expr inner_product(const Expr& a, const Expr& b) {
    return a.shape().is_scalar() && b.shape().is_scalar() ? a * b : dot(a, b);
}

bool occurs(const std::vector<Declaration>& symbols, const std::string& name) {
    return std::any_of(symbols.begin(), symbols.end(),
                       [&](const Declaration& d) { return d.name == name; });
}

/// Gradients by the variables that occur in f; of the others there is none.
std::vector<std::optional<Expr>> gradients(const Expr& f, const std::vector<std::string>& variables,
                                           Convention convention) {
    const std::vector<Declaration> inside = symbols(f);
    std::vector<std::string> present;
    for (const std::string& name : variables) {
        if (occurs(inside, name)) {
            present.push_back(name);
        }
    }
    std::vector<std::optional<Expr>> found(variables.size());
    if (present.empty()) {
        return found;
    }
    const Derivation derivation = derive(f, present, convention, Lines::omit);
    std::size_t next = 0;
    for (std::size_t i = 0; i < variables.size(); ++i) {
        if (occurs(inside, variables[i])) {
            found[i] = derivation.gradients[next++].form;
        }
    }
    return found;
}

}  // namespace

int rank_of(const Shape& shape) noexcept {
    return shape.is_scalar() ? 0 : shape.is_column() ? 1 : 2;
}

std::shared_ptr<const Computation> Computation::of(const std::string& key) {
    struct Entry {
        std::shared_ptr<const Computation> computation;
        std::uint64_t used = 0;
    };
    static std::mutex mutex;
    static std::unordered_map<std::string, Entry> kept;
    static std::uint64_t uses = 0;
    {
        const std::lock_guard lock(mutex);
        if (const auto found = kept.find(key); found != kept.end()) {
            found->second.used = ++uses;
            return found->second.computation;
        }
    }
    auto made = std::make_shared<const Computation>(key);
    const std::lock_guard lock(mutex);
    if (kept.size() >= kMostKept) {
        // Whoever holds one keeps it; here the half that was used last stays.
        std::vector<std::uint64_t> order;
        for (const auto& [text, entry] : kept) {
            order.push_back(entry.used);
        }
        const auto middle = order.begin() + static_cast<std::ptrdiff_t>(order.size() / 2);
        std::nth_element(order.begin(), middle, order.end());
        std::erase_if(kept, [&](const auto& item) { return item.second.used < *middle; });
    }
    const auto [place, is_new] = kept.try_emplace(key, Entry{std::move(made), 0});
    place->second.used = ++uses;
    return place->second.computation;
}

Computation::Computation(const std::string& key) : key_(key) {
    const Json json = parsed(key);
    try {
        const auto declared = json.value("declare", std::vector<std::string>{});
        f_ = parse(json.at("text").get<std::string>(), declared);
        options_ = options_from(json);
        operands_ = symbols(f_);
        for (const auto& [variable, direction] :
             json.value("hvp", std::vector<std::pair<std::string, std::string>>{})) {
            Declaration declaration = symbol_named(operands_, variable);
            declaration.name = direction;
            declaration.structure = Structure::general;
            if (occurs(operands_, direction)) {
                throw NameError("direction '" + direction + "' is an operand of the function");
            }
            operands_.push_back(declaration);
            options_.joint_hvp.push_back({variable, direction});
        }
        expected_batch_ = json.value("expected_batch", std::int64_t{0});
        options_.value = false;
        for (const auto& [text, reduction] :
             json.at("outputs").get<std::vector<std::pair<std::string, std::string>>>()) {
            outputs_.push_back({text, reduction_from(reduction)});
            auto variable = rest_of(text, "gradient");
            variable = variable ? variable : rest_of(text, "hvp");
            variables_.emplace_back();
            Shape shape = Shape::scalar();
            if (variable) {
                const Declaration& declaration = symbol_named(operands_, *variable);
                variables_.back() = static_cast<std::size_t>(&declaration - operands_.data());
                shape = declaration.shape;
            }
            ranks_.push_back(rank_of(shape));
        }
    } catch (const Json::exception& error) {
        throw CallerError("key of a computation: " + std::string(error.what()));
    }
    if (!f_.shape().is_scalar()) {
        throw ShapeError("the function is " + f_.shape().text() + ", expected a scalar");
    }
}

std::size_t Computation::variable_of(std::size_t direction) const {
    const std::string& name =
        options_.joint_hvp[direction - (operands_.size() - directions())].variable;
    return static_cast<std::size_t>(&symbol_named(operands_, name) - operands_.data());
}

Derived Computation::derived(const std::optional<Expr>& f,
                             const std::vector<Output>& outputs) const {
    Derived made;
    made.live.assign(outputs.size(), false);
    if (!f || *f == number(0)) {
        return made;
    }
    const std::vector<Declaration> inside = symbols(*f);
    Json list = Json::array();
    for (std::size_t i = 0; i < outputs.size(); ++i) {
        const auto variable = rest_of(outputs[i].text, "gradient");
        made.live[i] = !variable || occurs(inside, *variable);
        if (made.live[i]) {
            list.push_back({outputs[i].text, to_text(outputs[i].reduction)});
        }
    }
    if (list.empty()) {
        return made;
    }
    Json json = parsed(key_);
    json.erase("hvp");
    json["text"] = matgrad::to_text(*f);
    std::vector<std::string> texts;
    for (const Declaration& declaration : inside) {
        texts.push_back(matgrad::to_text(declaration));
    }
    json["declare"] = texts;
    json["outputs"] = list;
    made.key = json.dump();
    return made;
}

Derived Computation::tangent(
    const std::vector<std::pair<std::string, std::string>>& directions) const {
    std::vector<std::string> variables;
    for (const auto& [variable, direction] : directions) {
        variables.push_back(variable);
    }
    const auto forms = gradients(f_, variables, options_.convention);
    std::optional<Expr> sum;
    for (std::size_t i = 0; i < directions.size(); ++i) {
        if (forms[i]) {
            const Shape shape = symbol_named(operands_, variables[i]).shape;
            const Expr term = inner_product(*forms[i], symbol({directions[i].second, shape}));
            sum = sum ? *sum + term : term;
        }
    }
    return derived(sum, outputs_);
}

Derived Computation::vjp(const std::vector<std::string>& cotangents,
                         const std::vector<std::string>& variables) const {
    if (cotangents.size() != outputs_.size()) {
        throw CallerError("vjp: found " + std::to_string(cotangents.size()) +
                          " cotangents, expected one for each of " +
                          std::to_string(outputs_.size()) + " outputs");
    }
    std::optional<Expr> sum;
    auto reduction = Reduction::sum;
    for (std::size_t i = 0; i < outputs_.size(); ++i) {
        if (outputs_[i].reduction == Reduction::mean) {
            reduction = Reduction::mean;
        }
        std::optional<Expr> term;
        if (outputs_[i].text == "value") {
            term = symbol({cotangents[i], Shape::scalar()}) * f_;
        } else if (const auto variable = rest_of(outputs_[i].text, "gradient")) {
            if (const auto form = gradients(f_, {*variable}, options_.convention).front()) {
                const Shape shape = symbol_named(operands_, *variable).shape;
                term = inner_product(*form, symbol({cotangents[i], shape}));
            }
        } else {
            throw UnsupportedError("vjp: no rule for the output '" + outputs_[i].text + "'");
        }
        if (term) {
            sum = sum ? *sum + *term : *term;
        }
    }
    std::vector<Output> outputs;
    for (const std::string& variable : variables) {
        outputs.push_back({"gradient " + variable, reduction});
    }
    return derived(sum, outputs);
}

PlannedCall Computation::make(std::span<const OperandSize> sizes, std::int64_t batch,
                              ScalarType type, Device device) const {
    PlannedCall call;
    call.problems = std::max<std::int64_t>(batch, 1);
    PlanOptions options = options_;
    options.type = type;
    options.device = device;
    options.expected_batch = call.problems;
    std::vector<Operand> given;
    for (std::size_t i = 0; i < operands_.size(); ++i) {
        given.push_back({operands_[i].name, sizes[i].rows, sizes[i].cols, sizes[i].batched});
    }
    for (const auto& [text, reduction] : outputs_) {
        const auto variable = rest_of(text, "gradient");
        if (text == "value") {
            options.value = true;
        } else if (variable) {
            options.wrt.push_back(*variable);
        } else if (text == "rcond") {
            options.rcond = true;
        } else if (rest_of(text, "error")) {
            options.error = true;
        } else if (!rest_of(text, "hvp")) {
            throw CallerError("output: found '" + text +
                              "', expected value, gradient NAME, hvp NAME, rcond or error OUTPUT");
        }
        // The function is reduced, so batched variables keep one gradient for each problem; what is not
        // reduced at all is listed.
        if (reduction != Reduction::none) {
            options.reduction = reduction;
        } else if (text != "rcond" && !rest_of(text, "error")) {
            options.reductions.push_back({text, reduction});
        }
    }
    call.plan = make_plan(f_, given, options);
    call.cost = call.plan.cost();
    for (const Operand& operand : call.plan.operands()) {
        const auto at = std::find_if(operands_.begin(), operands_.end(),
                                     [&](const Declaration& d) { return d.name == operand.name; });
        call.operands.push_back(static_cast<std::size_t>(at - operands_.begin()));
    }
    for (const OutputInfo& info : call.plan.outputs()) {
        const auto at = std::find_if(outputs_.begin(), outputs_.end(),
                                     [&](const Output& o) { return o.text == info.text(); });
        if (at == outputs_.end()) {
            throw CallerError("error: expected 'error " + info.name + "' among the outputs");
        }
        call.outputs.push_back(static_cast<std::size_t>(at - outputs_.begin()));
    }
    return call;
}

std::shared_ptr<const PlannedCall> Computation::plan(std::span<const OperandSize> sizes,
                                                     std::int64_t batch, ScalarType type,
                                                     Device device) const {
    batch = expected_batch_ > 0 ? expected_batch_ : batch;
    Question question{{sizes.begin(), sizes.end()},
                      static_cast<int>(std::bit_width(
                          static_cast<std::uint64_t>(std::max<std::int64_t>(batch, 1)))),
                      type,
                      matgrad::to_text(device)};
    {
        const std::lock_guard lock(mutex_);
        if (const auto found = plans_.find(question); found != plans_.end()) {
            found->second.used = ++uses_;
            return found->second.call;
        }
    }
    auto made = std::make_shared<const PlannedCall>(make(sizes, batch, type, device));
    const std::lock_guard lock(mutex_);
    if (plans_.size() >= kMostPlans) {
        plans_.erase(std::min_element(
            plans_.begin(), plans_.end(),
            [](const auto& a, const auto& b) { return a.second.used < b.second.used; }));
    }
    return plans_.insert_or_assign(std::move(question), Kept{made, ++uses_}).first->second.call;
}

void Computation::release() const {
    const std::lock_guard lock(mutex_);
    plans_.clear();
}

}  // namespace matgrad::python
