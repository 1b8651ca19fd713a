"""The unavailability of explicit chains in decimal arithmetic: `truth.py DIGITS MODEL.tra...`.

Elimination without a subtraction (Grassmann, Taksar, Heyman 1985), from the last state to the first, on the arcs that
there are. Nothing here is shared with the crate that is measured.
"""

import decimal
import pathlib
import sys

import chain
from report import Steps, show


def unavailability(path):
    count, arcs, down = chain.read(path)
    out = [{} for _ in range(count)]
    into = [set() for _ in range(count)]
    for start, end, rate in arcs:
        out[start][end] = out[start].get(end, 0) + decimal.Decimal(rate)
        into[end].add(start)
    exits = [None] * count
    for state in range(count - 1, 0, -1):
        ends = {end: rate for end, rate in out[state].items() if end < state}
        exits[state] = sum(ends.values())
        for start in into[state]:
            if start >= state:
                continue
            share = out[start][state] / exits[state]
            for end, rate in ends.items():
                if end != start:
                    out[start][end] = out[start].get(end, 0) + share * rate
                    into[end].add(start)
    weights = [decimal.Decimal(1)] + [decimal.Decimal(0)] * (count - 1)
    for state in range(1, count):
        weights[state] = sum(weights[start] * out[start][state] for start in into[state] if start < state) / exits[state]
    return sum(weights[state] for state in down) / sum(weights)


def main(digits, *paths):
    decimal.getcontext().prec = int(digits)
    steps = Steps()
    values = {pathlib.Path(path).stem: str(unavailability(path)) for path in paths}
    steps.end("solve")
    show(steps, values)


main(*sys.argv[1:])
