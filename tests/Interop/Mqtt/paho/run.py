# usage: python3 run.py HOST:PORT SCENARIO VERSION; exits 0 and prints "ok" when what the server did is right.
import os
import sys
import time

import scenarios

server, name, version = sys.argv[1:]
host, port = server.rsplit(":", 1)
scenarios.SCENARIOS[name](
    scenarios.Server(host, int(port), version), "%s-%d-%d" % (name, os.getpid(), time.time() * 1000))
print("ok")
