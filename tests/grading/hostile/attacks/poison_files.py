# kind: files left for the next submission
# tries: leaves modules and start-up files that the next submission's Python would import
# holds: nothing that a submission writes is there for the next one
# outside

# %%
import os
import site
import sys

POISON = "import builtins, os\nos.environ['POISONED'] = '@TOKEN@'\n"
places = [
    os.getcwd(),
    "/tmp",
    "/dev/shm",
    os.path.expanduser("~"),
    *sys.path,
    *site.getsitepackages(),
]
written = []
if os.getuid() == 0:  # bounded: never where it could really write
    raise SystemExit
for place in filter(None, places):
    for name in ("sitecustomize.py", "usercustomize.py", "numpy.py", "poison.pth", "conftest.py"):
        try:
            with open(os.path.join(place, name), "w") as file:
                file.write(POISON)
            written.append(place)
        except OSError:
            pass
import coursekit

for folder, _, names in os.walk(os.path.dirname(coursekit.__file__)):
    for name in names:
        try:
            with open(os.path.join(folder, name), "a") as file:
                file.write("\n" + POISON)
            written.append(folder)
        except OSError:
            pass
outside = [place for place in written if not place.startswith((os.getcwd(), "/tmp", "/dev/shm"))]
essay = f"REACHED {outside}" if outside else "kept out"
