"""In which order a suite is measured."""


def spread(count):
    """All of 0 .. count - 1, so that whatever part of them is reached lies evenly: the digits of the
    numbers in binary, turned round (van der Corput)."""
    digits = max(1, (count - 1).bit_length())
    turned = (int(format(k, f"0{digits}b")[::-1], 2) for k in range(1 << digits))
    return [k for k in turned if k < count]


def turns(contenders, round_):
    """The contenders in the order of a round: each begins once, and every second round goes backwards, so
    that none always follows the same other."""
    step = 1 if round_ % 2 == 0 else -1
    return [contenders[(round_ + step * k) % len(contenders)] for k in range(len(contenders))]
