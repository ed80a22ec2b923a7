# kind: changing the user
# tries: setuid, setgid, setgroups, set-user-id programs and capabilities
# holds: no new privileges, and no capability left
# says: kept out
# outside

# %%
import os
import subprocess

done = []
for action in (
    lambda: os.setuid(0),
    lambda: os.setresuid(0, 0, 0),
    lambda: os.setgid(0),
    lambda: os.setgroups([0]),
    lambda: os.chown("/tmp", 0, 0),
):
    try:
        if os.getuid() != 0 or os.geteuid() != 0:
            action()
            done.append("changed")
    except OSError:
        pass
for program in ("/usr/bin/su", "/usr/bin/sudo", "/usr/bin/newgrp", "/usr/bin/passwd"):
    try:
        script = [program, "-c", "id -u"] if program.endswith("su") else [program, "-n", "id", "-u"]
        ran = subprocess.run(script, capture_output=True, timeout=2, stdin=subprocess.DEVNULL)
        if ran.stdout.strip() == b"0":
            done.append(program)
    except (OSError, subprocess.SubprocessError):
        pass
with open("/proc/self/status") as file:
    state = dict(line.split(":\t", 1) for line in file if ":\t" in line)
if int(state["CapEff"], 16) or int(state["CapPrm"], 16) or state["NoNewPrivs"].strip() != "1":
    done.append(f"capabilities {state['CapEff'].strip()}, privileges {state['NoNewPrivs'].strip()}")
essay = f"REACHED {done}" if done else "kept out"
