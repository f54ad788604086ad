"""What the page says of the machine: how fast it is, and what else it did."""

GIGA = 1e9


def ceilings(results):
    """Lines; empty where the results have none."""
    known = results.ceilings or {}
    if not known:
        return []
    memory = next(iter(known.values()))
    if "read_bytes_per_s" in memory:
        lines = [f"Ceilings of this machine: {rate(results, 'read_bytes_per_s', 'GB/s')} read, "
                 f"{rate(results, 'copy_bytes_per_s', 'GB/s')} copied with non-temporal stores (memcpy: "
                 f"{rate(results, 'memcpy_bytes_per_s', 'GB/s')})."]
    else:
        lines = [f"Ceilings of this machine: {rate(results, 'copy_bytes_per_s', 'GB/s')} copied."]
        if any(row.executor == "cpu" and row.ours for row in results.rows):
            lines.append("This record is older than the read rate: its bounds take memcpy's rate for all bytes, and "
                         "the rate of the case's type for all operations.")
    lines += [f"Multiply-adds in {scalar}: {rate(results, 'multiply_add_flops_per_s', 'GFLOP/s', scalar)}."
              for scalar in known]
    return lines


def rate(results, name, unit, scalar="float64"):
    """The median, and the range where it was measured more than once."""
    file = results.matgrad
    scalar = scalar if scalar in results.ceilings else next(iter(results.ceilings))
    text = f"{results.ceilings[scalar][name] / GIGA:.4g} {unit}"
    least, most = (file.get(key, {}).get(scalar, {}).get(name) for key in ("ceilings_least", "ceilings_most"))
    if least and most:
        text += f" [{least / GIGA:.3g}, {most / GIGA:.3g}]"
    return text


def load(results):
    """Whether these numbers may be quoted."""
    known = results.load
    if not known:
        return ["", "What else this machine did was not recorded."]
    cores = known["cores"]
    averages = [sample["load_average"] for sample in known["samples"]]
    line = (f"Other processes and other guests took {100 * (known['others'] or 0):.1f}% of the {cores} processors; the "
            f"load average was {averages[0]:.2f} at the start and between {min(averages):.2f} and "
            f"{max(averages):.2f} until the end.")
    if known["busy"]:
        return ["", f"**Do not quote: this machine was busy.** {line}"]
    return ["", line]


def confidence_text(results):
    """The confidence of the intervals, if all are of one."""
    sure = {round(100 * pair.interval[2]) for pair in results.pairs() if pair.interval}
    return f" of {min(sure)}%" if len(sure) == 1 else f" of {min(sure)}% or more" if sure else ""
