"""How sure a ratio is that was measured in several rounds: no distribution is assumed."""

import math
import random

WANTED = 0.9
DRAWS = 1000


def coverage(count, cut):
    """The probability that the median lies between the order statistics `cut` from either end of `count`
    independent values: each lies below it like a coin."""
    outside = sum(math.comb(count, k) for k in range(cut)) / 2**count
    return 1 - 2 * outside


def of_the_median(values):
    """(low, high, confidence): the closest order statistics with at least 90%, else the least and the
    largest value, of few rounds with less."""
    ordered = sorted(values)
    cut = 1
    while 2 * (cut + 1) <= len(ordered) and coverage(len(ordered), cut + 1) >= WANTED:
        cut += 1
    return ordered[cut - 1], ordered[-cut], coverage(len(ordered), cut)


def of_the_mean(rows, seed=1):
    """95% of the geometric mean over rows of their median ratios, when the rounds of every row are drawn
    again with replacement (bootstrap); None where no row has several rounds."""
    if all(len(rounds) < 2 for rounds in rows):
        return None
    draw = random.Random(seed)
    means = []
    for _ in range(DRAWS):
        logs = [math.log(median(draw.choices(rounds, k=len(rounds)))) for rounds in rows]
        means.append(math.exp(sum(logs) / len(logs)))
    means.sort()
    return means[round(0.025 * (DRAWS - 1))], means[round(0.975 * (DRAWS - 1))]


def median(values):
    ordered = sorted(values)
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2
