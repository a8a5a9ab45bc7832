"""Importing a server: without TLS, without collecting, and without consequences for what comes later."""

import subprocess
import sys

PROGRAM = """
import gc, sys
seen = []
gc.callbacks.append(lambda phase, info: seen.append(phase))
from rmq.server.loading import load
before = len(seen)
load("rmq.server.namesrv.build")
print(len(seen) - before, gc.isenabled(), gc.get_freeze_count() > 10000)
print("twisted.internet.tcp" in sys.modules, "OpenSSL" in sys.modules, "rmq.server.broker.build" in sys.modules)
import OpenSSL.SSL
from twisted.internet import reactor, ssl
gc.disable()
load("rmq.server.broker.build")
print(gc.isenabled(), "OpenSSL" in sys.modules, "rmq.server.broker.build" in sys.modules)
"""


def test_a_server_is_imported_without_what_it_does_not_need() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=60, check=False)
    assert (done.stdout, done.stderr) == ("0 True True\nTrue False False\nFalse True True\n", "")
