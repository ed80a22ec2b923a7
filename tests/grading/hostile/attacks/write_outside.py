# kind: writing outside
# tries: writes into the canary folder, the home, the checkout, the installed packages and /etc
# holds: everything but the private scratch folder is read-only
# says: kept out
# sample
# outside

# %%
import os
import pwd
import sys

import coursekit

try:
    home = pwd.getpwuid(os.getuid()).pw_dir
except KeyError:
    home = "/root"
places = ["@CANARY@", "@REPO@", "@OUT@", "@BATCH@", home, "/etc", "/usr/bin"]
places += [os.path.dirname(coursekit.__file__), os.path.dirname(os.__file__), sys.prefix, "/"]
written = []
for place in places:
    path = os.path.join(place, "@TOKEN@")
    try:
        with open(path, "w") as file:
            file.write("hostile")
        with open(path) as file:  # is it really there, not a private layer that dies with us
            written.append(place)
        os.unlink(path)
    except OSError:
        pass
try:
    os.chmod("@CANARY@", 0o777)
    written.append("mode of the canary")
except OSError:
    pass
essay = f"REACHED {written}" if written else "kept out"
