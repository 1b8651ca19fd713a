"""The unavailability of an explicit chain by dense linear algebra, as it is written by hand: `dense.py METHOD MODEL.tra`.

  lu             the balance equations, one replaced by the sum 1, by `numpy.linalg.solve`
  least-squares  all balance equations and the sum 1, by `numpy.linalg.lstsq`
  power          steps of the uniformised chain until no probability changes, or a million of them
  gth            elimination without a subtraction, as rows of numpy
"""

import pathlib
import sys

import numpy

import chain
from report import Steps, show


def generator(path):
    count, arcs, down = chain.read(path)
    rates = numpy.zeros((count, count))
    for start, end, rate in arcs:
        rates[start, end] += float(rate)
    return rates, down


def balance(rates):
    """The equations `sum over i of p_i q_ij = 0`, one row for each j."""
    return (rates - numpy.diag(rates.sum(axis=1))).T


def lu(rates):
    equations = balance(rates)
    equations[-1, :] = 1.0
    right = numpy.zeros(len(rates))
    right[-1] = 1.0
    return numpy.linalg.solve(equations, right)


def least_squares(rates):
    equations = numpy.vstack([balance(rates), numpy.ones(len(rates))])
    right = numpy.zeros(len(rates) + 1)
    right[-1] = 1.0
    return numpy.linalg.lstsq(equations, right, rcond=None)[0]


def power(rates):
    step = numpy.eye(len(rates)) + balance(rates) / (1.1 * rates.sum(axis=1).max())
    now = numpy.full(len(rates), 1.0 / len(rates))
    for _ in range(1_000_000):
        last, now = now, step @ now
        now /= now.sum()
        if numpy.array_equal(last, now):
            break
    return now


def gth(rates):
    rates = rates.copy()
    numpy.fill_diagonal(rates, 0.0)
    for state in range(len(rates) - 1, 0, -1):
        rates[:state, state] /= rates[state, :state].sum()
        rates[:state, :state] += numpy.outer(rates[:state, state], rates[state, :state])
        numpy.fill_diagonal(rates[:state, :state], 0.0)
    weights = numpy.zeros(len(rates))
    weights[0] = 1.0
    for state in range(1, len(rates)):
        weights[state] = weights[:state] @ rates[:state, state]
    return weights / weights.sum()


METHODS = {"lu": lu, "least-squares": least_squares, "power": power, "gth": gth}


def main(method, path):
    steps = Steps()
    rates, down = generator(path)
    steps.end("build")
    value = METHODS[method](rates)[down].sum()
    steps.end("solve")
    show(steps, {pathlib.Path(path).stem: repr(float(value))})


main(*sys.argv[1:])
