# usage: python3 run.py HOST:PORT SCENARIO; exits 0 and prints "ok" when what the server did is right.
import os
import sys
import time

import scenarios

servers, name = sys.argv[1:]
scenarios.SCENARIOS[name](servers, "%s-%d-%d" % (name, os.getpid(), time.time() * 1000))
print("ok")
