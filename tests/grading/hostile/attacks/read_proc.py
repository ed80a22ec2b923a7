# kind: reading /proc
# tries: reads the environment, command line, memory map and working folder of every process
# holds: only the sandbox's own processes are there to be read
# says: kept out
# reaches: unsafe

# %%
import os

found = []
for pid in filter(str.isdigit, os.listdir("/proc")):
    for name in ("environ", "cmdline", "maps", "mountinfo"):
        try:
            with open(f"/proc/{pid}/{name}", "rb") as file:
                text = file.read(1 << 20)
            if b"@TOKEN@-environment" in text or (name != "mountinfo" and b"secret.key" in text):
                found.append(f"{pid}/{name}")
        except OSError:
            pass
    for link in ("cwd", "root", "exe"):
        try:
            if os.path.exists(f"/proc/{pid}/{link}@OUT@/secret.key"):
                found.append(f"{pid}/{link}")
        except OSError:
            pass
print(sorted(os.environ))
essay = f"REACHED {found}" if found else "kept out"
