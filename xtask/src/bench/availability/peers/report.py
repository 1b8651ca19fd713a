"""What a peer prints: one line of JSON, as the side of Everline does."""

import json
import time


class Steps:
    """Seconds by step."""

    def __init__(self):
        self.seconds = {}
        self.begun = time.perf_counter()

    def end(self, step):
        now = time.perf_counter()
        self.seconds[step] = now - self.begun
        self.begun = now


def used():
    """The most memory so far, and the seconds that the first thread had a processor and waited for one (proc(5))."""
    with open("/proc/self/status") as status:
        peak = next(int(line.split()[1]) for line in status if line.startswith("VmHWM:"))
    with open("/proc/self/schedstat") as schedstat:
        ran, waited = (int(field) / 1e9 for field in schedstat.read().split()[:2])
    return {"peak_kib": peak, "ran_s": ran, "waited_s": waited}


def show(steps, values):
    """Prints the values, each a text that has all its digits."""
    print(json.dumps({"steps": steps.seconds, "values": values, "bounds": {}, "used": used()}))
