"""An explicit chain from its files: `MODEL.tra` with the rates as texts, `MODEL.lab` with the states labelled `down`."""

import pathlib


def read(path):
    """How many states there are, the arcs (from, to, rate as a text), and the down states."""
    lines = pathlib.Path(path).read_text().splitlines()
    count = int(lines[0].split()[0])
    arcs = [(int(start), int(end), rate) for start, end, rate in (line.split() for line in lines[1:])]
    labels = pathlib.Path(path).with_suffix(".lab").read_text().splitlines()
    numbers = dict(word.split("=") for word in labels[0].split())
    down = next(number for number, name in numbers.items() if name == '"down"')
    split = (line.split(":") for line in labels[1:])
    return count, arcs, [int(state) for state, names in split if down in names.split()]
