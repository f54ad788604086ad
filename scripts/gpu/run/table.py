"""The summary: at most 40 lines of what passed, what failed, ceilings, and our times beside the peers'."""

MOST_LINES = 40
MOST_WIDTH = 118
MOST_FAILURES = 6
MOST_PROBE_LINES = 8
PROBES = ("probe", "sweeps")
PEERS = {"cublas": "cublas", "mathdx": "cublas", "torch": "torch", "jax": "jax"}  # each with its part


def clipped(text, width=MOST_WIDTH):
    text = str(text).translate({number: " " for number in range(32)}).rstrip()
    return text if len(text) <= width else text[:width - 3] + "..."


def part_line(part):
    return clipped(f"{part['part']:10s} {part['result']:8s} {part['seconds']:6.1f} s  {part['note']}")


def time_text(seconds):
    for factor, unit in ((1, "s"), (1e3, "ms"), (1e6, "us")):
        if seconds * factor >= 1 or unit == "us":
            return f"{seconds * factor:.3g} {unit}"
    return ""


def row_time(row):
    """A `g` after that of a graph."""
    return time_text(row["seconds"]) + (" g" if row.get("executor", "").endswith(", graph") else "")


def data_of(content, name):
    part = next((p for p in content["parts"] if p["part"] == name), None)
    return (part or {}).get("results") or {}


def ceilings_line(content):
    """As matgrad bench measured them."""
    ceilings = data_of(content, "bench").get("ceilings") or {}
    words = []
    for kind, rates in ceilings.items():
        if rates:
            words.append(f"{kind}: copy {(rates.get('copy_bytes_per_s') or 0) / 1e9:.0f} GB/s, "
                         f"products {(rates.get('multiply_add_flops_per_s') or 0) / 1e12:.2f} Tflop/s")
    return "ceilings   " + "; ".join(words) if words else ""


def fastest(rows):
    """By case: the shortest time and its row."""
    best = {}
    for row in rows or []:
        if row.get("ok") and row.get("seconds"):
            name = row["case"]["name"]
            if name not in best or row["seconds"] < best[name]["seconds"]:
                best[name] = row
    return best


def peer_rows(content, peer):
    """The two peers in C++ are in one part."""
    rows = data_of(content, PEERS[peer]).get("rows") or []
    return [row for row in rows
            if row.get("executor", "").startswith("mathdx") == (peer == "mathdx")]


def times_table(content, room):
    ours = fastest(data_of(content, "bench").get("rows"))
    peers = [name for name in PEERS if peer_rows(content, name)]
    theirs = {name: fastest(peer_rows(content, name)) for name in peers}
    if not ours or room < 3:
        return []
    titles = "".join(f"{name:>10s}" for name in ["matgrad", "of bound", *peers])
    lines = [f"{'case':56s}{titles}"]
    for name, row in ours.items():
        share = row.get("percent_of_bound")
        cells = [row_time(row), "" if share is None else f"{share:.0f}%"]
        cells += [row_time(theirs[peer][name]) if name in theirs[peer] else "" for peer in peers]
        lines.append((f"{name[:56]:56s}" + "".join(f"{cell:>10s}" for cell in cells)).rstrip())
    if len(lines) > room:
        lines[room - 1:] = [f"... {len(lines) - room + 1} more cases in results.json"]
    return lines


def probe_lines(content):
    """What gpu_probe says first, as many to a line as it takes."""
    lines = []
    for name in PROBES:
        said = data_of(content, name).get("summary")
        for text in said if isinstance(said, list) else []:
            text = clipped(text)
            if lines and len(lines[-1]) + len(text) + 2 <= MOST_WIDTH:
                lines[-1] += "; " + text
            else:
                lines.append(text)
    return lines[:MOST_PROBE_LINES]


def summary(content):
    none = any(str(part["note"]).startswith("no GPU") for part in content["parts"])
    where = content["machine"].get("device", "no GPU" if none else "GPU unknown")
    head = f"{where}{' (simulated)' if content['simulated'] else ''}, commit " \
           f"{content['commit'] or 'unknown'}, {content['date']}" \
           f"{'' if content['finished'] else ', not finished'}"
    lines = [clipped(head)] + [part_line(part) for part in content["parts"]]
    failures = [f"! {part['part']}: {failure}" for part in content["parts"]
                for failure in part["failures"]]
    if len(failures) > MOST_FAILURES:
        failures[MOST_FAILURES - 1:] = [f"! {len(failures) - MOST_FAILURES + 1} more in results.json"]
    lines += [clipped(failure) for failure in failures]
    lines += probe_lines(content)
    ceilings = ceilings_line(content)
    lines += [clipped(ceilings)] if ceilings else []
    failed = sum(part["result"] in ("failed", "late") for part in content["parts"])
    last = [clipped(content["ended"])] if content.get("ended") else []
    last.append(f"{len(content['parts'])} parts, {failed} failed")
    lines += times_table(content, MOST_LINES - len(lines) - len(last))
    return "\n".join(lines + last)
