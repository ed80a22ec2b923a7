# kind: processes left behind
# tries: starts a process of its own session, twice removed, that would write when all is over
# holds: with the session every process of its user ends
# says: started
# sample
# outside

# %%
import os
import subprocess
import sys
import time

CODE = """
import sys, time
until = time.monotonic() + 40
while time.monotonic() < until:
    for path in ("@CANARY@/@TOKEN@", "@OUT@/@TOKEN@"):
        try:
            open(path, "w").write("hostile")
        except OSError:
            pass
    time.sleep(0.2)
"""
if os.fork() == 0:
    os.setsid()
    subprocess.Popen([sys.executable, "-c", CODE, "@TOKEN@"], start_new_session=True)
    os._exit(0)
time.sleep(0.2)
essay = "started"
