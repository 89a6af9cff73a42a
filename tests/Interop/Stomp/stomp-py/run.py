"""usage: run.py HOST:PORT SCENARIO; exits 0 and prints "ok" when what the server did is right."""
import faulthandler
import sys

import scenarios

faulthandler.dump_traceback_later(120, exit=True)
host, port = sys.argv[1].rsplit(":", 1)
for version in ("1.0", "1.1", "1.2"):
    scenarios.SCENARIOS[sys.argv[2]](host, int(port), version)
print("ok", flush=True)
