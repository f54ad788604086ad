"""What `robust` promises, and whether the rows of a record keep it: include/matgrad/types.hpp, docs/accuracy.md.

A relative change of X by eps changes a value or gradient relatively by at most eps*k times a small number: with
X = U*S*V', the gradient of logdet(X'*X) is 2*U*inv(S)*V', so 1; tr(inv(X'*X)) is a sum of inverse squares, so
2, and its gradient -2*U*inv(S)^3*V', so 3. The value of logdet(X'*X) changes by less than its gradient does.
"""

EPS = {"float32": 2.0**-24, "float64": 2.0**-53}  # the unit roundoff
CHANGE = {("logdet(X'*X)", "value"): 1, ("logdet(X'*X)", "gradient"): 1,
          ("tr(inv(X'*X))", "value"): 2, ("tr(inv(X'*X))", "gradient"): 3}
FACTOR = 20
REACH = 0.1  # where a bound is larger, nothing is promised


def bound(row, what):
    """The largest error allowed, or None where nothing is promised."""
    error = FACTOR * CHANGE[row["function"], what] * EPS[row["type"]] * row["condition"]
    return error if error < REACH else None


def violations(record):
    """One line for each promise that the rows of `matgrad robust` do not keep."""
    ours = [row for row in record["rows"] if row["executor"] == "matgrad robust"]
    return [line for row in ours for line in violations_of(row)] if ours else ["no row of matgrad robust"]


def violations_of(row):
    name = f"{row['function']} {row['type']} condition {row['condition']:g}"
    succeeded = row["status"].get("success", 0)
    promised = any(bound(row, what) for what in ("value", "gradient"))
    if promised and succeeded != row["problems"]:
        yield f"{name}: status {row['status']}, success of all {row['problems']} expected"
    if set(row["status"]) - {"success", "ill-conditioned", "not positive"}:
        yield f"{name}: status {row['status']}, success, ill-conditioned or not positive expected"
    for what in ("value", "gradient"):
        largest, allowed = row[what]["largest"], bound(row, what)
        if succeeded and largest is None:
            yield f"{name}: a {what} that is not finite has status success"
        elif succeeded and allowed is not None and largest > allowed:
            yield f"{name}: error of a {what} {largest:.3g}, at most {allowed:.3g} expected"
