"""usage: run.py URL SCENARIO [ARGUMENT...]; exits 0 and prints "ok" when what the server did is right."""
import faulthandler
import importlib
import pathlib
import sys

from common import SCENARIOS

faulthandler.dump_traceback_later(180, exit=True)
for module in pathlib.Path(__file__).parent.glob("scenarios_*.py"):
    importlib.import_module(module.stem)
SCENARIOS[sys.argv[2]](sys.argv[1], *sys.argv[3:])
print("ok", flush=True)
