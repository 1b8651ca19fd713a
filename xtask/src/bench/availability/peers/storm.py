"""Properties by Storm: `storm.py VARIANT PROPERTY MODEL.prism...`, or of fault trees by time 1 `storm.py VARIANT tree TREE.dft`.

The variants are ways to ask stormpy for the same number:
  default      as `model_checking` and `analyze_dft` do it if nothing is said
  plain        `Environment()`, which does not ask for sound methods
  native       the same with Storm's own iterative solver
  elimination  the same with Storm's state elimination
  exact        rational numbers throughout
"""

import decimal
import pathlib
import sys

import stormpy
import stormpy.dft
from stormpy import environments

from report import Steps, show

# More than binary64 can tell apart.
decimal.getcontext().prec = 40


def environment(variant):
    if variant == "default":
        return None
    if variant == "exact":
        return environments.exact()
    chosen = environments.Environment()
    if variant != "plain":
        kind = environments.EquationSolverType.__members__[variant.upper()]
        chosen.solver().set_linear_equation_solver_type(kind, False)
    return chosen


def decimal_text(value):
    if isinstance(value, float):
        return repr(value)
    return str(decimal.Decimal(str(value.numerator)) / decimal.Decimal(str(value.denominator)))


def long_run(variant, question, paths):
    steps = Steps()
    asked = []
    for path in paths:
        # Commands that begin with [] are PRISM's way to write rates.
        program = stormpy.parse_prism_program(path, prism_compatibility=True)
        properties = stormpy.parse_properties(question, program)
        value_type = stormpy.Rational if variant == "exact" else float
        asked.append((path, properties[0], stormpy.build_model[value_type](program, properties)))
    steps.end("build")
    values = {}
    for path, question, model in asked:
        result = stormpy.model_checking(model, question, environment=environment(variant))
        values[pathlib.Path(path).stem] = decimal_text(result.get_value(model.initial_states[0]))
    steps.end("solve")
    show(steps, values)


def tree(path):
    steps = Steps()
    read = stormpy.dft.load_dft_galileo_file(path)
    steps.end("build")
    value = stormpy.dft.analyze_dft(read, stormpy.parse_properties('P=? [ F<=1 "failed" ]'))[0]
    steps.end("solve")
    show(steps, {pathlib.Path(path).stem: repr(value)})


def main(variant, question, *paths):
    if question == "tree":
        tree(*paths)
    else:
        long_run(variant, question, paths)


main(*sys.argv[1:])
