"""Tables of error against condition number, from the record of bench/accuracy."""

from page import table


def rows_of(record, function, scalar):
    """executor -> rows, by condition number."""
    rows = {}
    for row in record["rows"]:
        if (row["function"], row["type"]) == (function, scalar):
            rows.setdefault(row["executor"], []).append(row)
    return {name: sorted(found, key=lambda row: row["condition"]) for name, found in rows.items()}


def failed(row):
    return row["problems"] - row["status"].get("success", 0)


def cell(row, what):
    """The largest error and, in brackets, how many problems failed; all: as most of them did."""
    count, largest = failed(row), row[what]["largest"]
    if count == row["problems"]:
        return max(row["status"], key=row["status"].get)
    return ("not finite" if largest is None else f"{largest:.1e}") + (f" ({count})" if count else "")


def error_table(record, function, scalar, what):
    rows = rows_of(record, function, scalar)
    conditions = [row["condition"] for row in next(iter(rows.values()))]
    return table(["condition", *rows], [[f"{condition:.0e}", *(cell(found[i], what) for found in rows.values())]
                                        for i, condition in enumerate(conditions)])


def made_of(record):
    """Where the numbers come from."""
    versions = ", ".join(f"{name} {version}" for name, version in record["versions"].items())
    lines = [f"Measured on {record['device']}, {record['date']}, matgrad at {record['commit']}: {versions}.", "",
             f"    {record['command']}", ""]
    for name, reason in record["absent"].items():
        lines += [f"Absent: {name} ({reason}).", ""]
    return lines


def section(record):
    """All tables of gradients, for the report."""
    sizes = record["sizes"]
    lines = [f"X is {sizes['m']}x{sizes['n']}, {record['problems']} problems for each condition number. Errors are "
             "relative, in the Frobenius norm, the largest of the problems that did not fail; in brackets, how many "
             "failed. docs/accuracy.md says more.", ""] + made_of(record)
    for function in dict.fromkeys(row["function"] for row in record["rows"]):
        for scalar in dict.fromkeys(row["type"] for row in record["rows"]):
            lines += [f"Gradient of `{function}`, {scalar}:", "",
                      *error_table(record, function, scalar, "gradient"), ""]
    return lines
