"""The versions of what is compared with, one line of JSON."""

import json
import platform

import numpy
import stormpy
import stormpy.info

print(json.dumps({"python": platform.python_version(), "numpy": numpy.__version__, "stormpy": stormpy.__version__,
                  "storm": str(stormpy.info.storm_long_version())}))
