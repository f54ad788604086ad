// The extension module `matgrad._core`: Computations and calls of them. What Python users see is in
// python/matgrad; nothing here is theirs to call.

#include <nanobind/nanobind.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include "call.hpp"
#include "computation.hpp"
#include "errors.hpp"
#include "numpy_calls.hpp"
#include "xla_handlers.hpp"

namespace nb = nanobind;
using namespace nb::literals;

namespace matgrad::python {

namespace {

using Shared = std::shared_ptr<const Computation>;

/// To be called before a GPU is first asked for: the CUDA module takes NVIDIA's libraries out of Python packages if
/// they are loaded before it is opened.
void load_cuda_libraries() {
    static bool is_loaded = false;  // under the GIL
    if (!is_loaded) {
        nb::module_::import_("matgrad._cuda_libraries").attr("load")();
        is_loaded = true;
    }
}

Device device_of(const std::string& text) {
    if (text != "cpu") {
        load_cuda_libraries();
    }
    return device_from_text(text);
}

/// A plan for operands of certain sizes, with the Computation it is of.
struct Planned {
    Shared computation;
    std::shared_ptr<const PlannedCall> call;

    Counts run(nb::tuple operands, nb::tuple results, nb::object status, bool check_finite,
               bool check_structure, nb::object rows, std::vector<double> beta) const {
        return python::run(*computation, *call, Operands(*computation, operands), results, status,
                           {check_finite, check_structure, rows, std::move(beta)});
    }
};

nb::tuple run(const Shared& computation, nb::tuple operands, nb::tuple results, nb::object status,
              const std::string& device, bool check_finite, bool check_structure, nb::object rows,
              std::vector<double> beta) {
    const Operands bound(*computation, operands);
    const auto planned = plan_of(*computation, bound, device_of(device));
    const Counts counts = run(*computation, *planned, bound, results, status,
                              {check_finite, check_structure, rows, std::move(beta)});
    return nb::make_tuple(counts.problems, counts.failed);
}

std::vector<std::string> gradient_texts(const Shared& computation,
                                        const std::vector<std::string>& variables, bool latex) {
    std::vector<std::string> texts;
    for (const Gradient& gradient : derive(computation->expression(), variables).gradients) {
        texts.push_back(latex ? to_latex(gradient.form) : to_text(gradient.form));
    }
    return texts;
}

nb::list derivation_lines(const Shared& computation, const std::vector<std::string>& variables) {
    nb::list lines;
    for (const DerivationLine& line : derive(computation->expression(), variables).lines) {
        lines.append(nb::make_tuple(to_text(line.statement), to_latex(line.statement), line.rule,
                                    line.source));
    }
    return lines;
}

nb::list numpy_functions(const Shared& computation, const std::vector<std::string>& variables) {
    nb::list texts;
    const std::vector<Declaration> parameters = symbols(computation->expression());
    texts.append(to_numpy_function(computation->expression(), "value", parameters));
    for (const Gradient& gradient : derive(computation->expression(), variables).gradients) {
        texts.append(
            to_numpy_function(gradient.form, "gradient_" + to_text(gradient.variable), parameters));
    }
    return texts;
}

nb::object derived(const Derived& made) {
    return nb::make_tuple(made.key.empty() ? nb::none() : nb::cast(Computation::of(made.key)),
                          nb::tuple(nb::cast(made.live)));
}

nb::list check_outputs(const CheckReport& report) {
    nb::list outputs;
    for (const OutputCheck& output : report.outputs) {
        outputs.append(nb::make_tuple(output.output, output.compared, output.problem,
                                      output.worst.residual, output.worst.bound));
    }
    return outputs;
}

void add_computation(nb::module_& m) {
    nb::class_<Computation>(m, "Computation")
        .def_prop_ro("key", &Computation::key)
        .def_prop_ro("text", [](const Computation& c) { return to_text(c.expression()); })
        .def_prop_ro("latex", [](const Computation& c) { return to_latex(c.expression()); })
        .def_prop_ro("operands",
                     [](const Computation& c) {
                         nb::list list;
                         for (const Declaration& d : c.operands()) {
                             list.append(nb::make_tuple(d.name, rank_of(d.shape), to_text(d)));
                         }
                         return nb::tuple(list);
                     })
        .def_prop_ro(
            "outputs",
            [](const Computation& c) {
                nb::list list;
                for (std::size_t i = 0; i < c.outputs().size(); ++i) {
                    const Output& output = c.outputs()[i];
                    list.append(nb::make_tuple(output.text,
                                               output.reduction == Reduction::none  ? "none"
                                               : output.reduction == Reduction::sum ? "sum"
                                                                                    : "mean",
                                               c.rank_of_output(i)));
                }
                return nb::tuple(list);
            })
        .def_prop_ro("directions", &Computation::directions)
        .def("tangent",
             [](const Computation& c,
                const std::vector<std::pair<std::string, std::string>>& directions) {
                 return derived(c.tangent(directions));
             })
        .def("vjp",
             [](const Computation& c, const std::vector<std::string>& cotangents,
                const std::vector<std::string>& variables) {
                 return derived(c.vjp(cotangents, variables));
             })
        .def("release", &Computation::release);
    m.def("computation", &Computation::of, "key"_a);
    m.def("run", &run, "computation"_a, "operands"_a, "results"_a, "status"_a.none() = nb::none(),
          "device"_a = "cpu", "check_finite"_a = false, "check_structure"_a = false,
          "rows"_a.none() = nb::none(), "beta"_a = std::vector<double>{});
    m.def("gradient_texts", &gradient_texts);
    m.def("derivation_lines", &derivation_lines);
    m.def("numpy_functions", &numpy_functions);
    m.def("derivation_text", [](const Shared& c, const std::vector<std::string>& variables,
                                bool with_steps, bool latex) {
        const Derivation made = derive(c->expression(), variables);
        return latex ? to_latex(made, with_steps) : to_text(made, with_steps);
    });
}

void add_numpy_calls(nb::module_& m) {
    nb::class_<NumPyCalls>(m, "NumPyCalls")
        .def("__call__", &NumPyCalls::operator(), "args"_a, "named"_a, "out"_a.none(),
             "status"_a.none());
    m.def(
        "numpy_calls",
        [](const Shared& computation, nb::tuple names, const std::string& device,
           bool check_finite) {
            return NumPyCalls(computation, nullptr, names, device_from_text(device), check_finite);
        },
        "computation"_a, "names"_a, "device"_a, "check_finite"_a);
}

void add_planned(nb::module_& m) {
    nb::class_<Planned>(m, "Planned")
        .def(
            "run",
            [](const Planned& p, nb::tuple operands, nb::tuple results, nb::object status,
               bool check_finite, bool check_structure, nb::object rows, std::vector<double> beta) {
                const Counts counts = p.run(operands, results, status, check_finite,
                                            check_structure, rows, std::move(beta));
                return nb::make_tuple(counts.problems, counts.failed);
            },
            "operands"_a, "results"_a, "status"_a.none() = nb::none(), "check_finite"_a = false,
            "check_structure"_a = false, "rows"_a.none() = nb::none(),
            "beta"_a = std::vector<double>{})
        .def(
            "seconds_of_a_run",
            [](const Planned& p, nb::tuple operands, nb::tuple results, nb::object status,
               int count) {
                return seconds_of_a_run(*p.computation, *p.call, Operands(*p.computation, operands),
                                        results, status, count);
            },
            "operands"_a, "results"_a, "status"_a.none(), "count"_a)
        .def(
            "numpy_calls",
            [](const Planned& p, nb::tuple names, bool check_finite) {
                return NumPyCalls(p.computation, p.call, names, {}, check_finite);
            },
            "names"_a, "check_finite"_a)
        .def(
            "enqueue",
            [](const Planned& p, nb::tuple operands, nb::tuple results, nb::object status,
               nb::object workspace, nb::int_ stream) {
                enqueue(*p.computation, *p.call, Operands(*p.computation, operands), results,
                        status, workspace, stream);
            },
            "operands"_a, "results"_a, "status"_a.none() = nb::none(),
            "workspace"_a.none() = nb::none(), "stream"_a = nb::int_(0))
        .def(
            "check",
            [](const Planned& p, nb::tuple operands, nb::tuple results, nb::object status) {
                const CheckReport report = check(
                    *p.computation, *p.call, Operands(*p.computation, operands), results, status);
                return nb::make_tuple(report.passed(), report.problems, report.failed,
                                      report.text(), check_outputs(report));
            },
            "operands"_a, "results"_a, "status"_a.none() = nb::none())
        .def_prop_ro("workspace_bytes",
                     [](const Planned& p) { return p.call->plan.workspace_bytes(); })
        .def_prop_ro("device", [](const Planned& p) { return to_text(p.call->plan.device()); })
        .def_prop_ro("cost",
                     [](const Planned& p) {
                         const PlanCost& cost = p.call->cost;
                         return nb::make_tuple(cost.operations, cost.bytes, p.call->problems);
                     })
        .def("explain", [](const Planned& p) { return p.call->plan.explain(); });
    m.def(
        "plan",
        [](const Shared& computation,
           const std::vector<std::tuple<std::int64_t, std::int64_t, bool>>& sizes,
           std::int64_t problems, const std::string& type, const std::string& device) {
            std::vector<OperandSize> given;
            for (const auto& [rows, cols, is_batched] : sizes) {
                given.push_back({rows, cols, is_batched});
            }
            return Planned{computation, computation->plan(given, problems,
                                                          type == "float32" ? ScalarType::float32
                                                                            : ScalarType::float64,
                                                          device_of(device))};
        },
        "computation"_a, "sizes"_a, "problems"_a, "type"_a, "device"_a = "cpu");
}

void add_point(nb::module_& m) {
    nb::class_<Point>(m, "Point")
        .def(
            "apply",
            [](const Point& p, nb::tuple directions, nb::tuple results, nb::object status) {
                const Counts counts = p.apply(directions, results, status);
                return nb::make_tuple(counts.problems, counts.failed);
            },
            "directions"_a, "results"_a, "status"_a.none() = nb::none())
        .def_prop_ro("kept_bytes", &Point::kept_bytes)
        .def("explain", &Point::explain);
    m.def(
        "linearize",
        [](const Shared& computation, nb::tuple operands, const std::string& device) {
            return Point(computation, operands, device_of(device));
        },
        "computation"_a, "operands"_a, "device"_a = "cpu");
}

void add_facts(nb::module_& m) {
    m.def("check_device", [](const std::string& text) { (void)device_from_text(text); });
    m.attr("JITTERED") = static_cast<int>(StatusKind::jittered);
    m.def("status_text", [](std::int32_t status) { return to_text(status); });
    m.def("catalogue", [] {
        nb::list list;
        for (const CatalogueEntry& e : catalogue()) {
            list.append(nb::make_tuple(std::string(e.name), std::string(e.text), std::string(e.wrt),
                                       std::string(e.declarations), std::string(e.description),
                                       std::string(e.source)));
        }
        return list;
    });
    m.attr("VERSION") = MATGRAD_VERSION;
    m.def("devices", [] {
        load_cuda_libraries();
        const DeviceList found = list_devices();
        nb::list list;
        for (const DeviceInfo& gpu : found.gpus) {
            list.append(nb::make_tuple(gpu.index, gpu.name, gpu.major, gpu.minor, gpu.memory_bytes,
                                       gpu.free_bytes));
        }
        return nb::make_tuple(list, found.why_none);
    });
}

}  // namespace

}  // namespace matgrad::python

NB_MODULE(_core, m) {
    using namespace matgrad::python;
    nb::set_leak_warnings(false);  // Computations are kept as long as the process lives
    register_errors();
    add_computation(m);
    add_numpy_calls(m);
    add_planned(m);
    add_point(m);
    add_facts(m);
    m.def("xla_handlers", &xla_handlers);
}
