# kind: reading the secret
# tries: opens the file of the secret from which the inputs are drawn, by path and by search
# holds: the secret is not in the sandbox (and belongs to another user)
# says: kept out
# sample
# reaches: unsafe

# %%
import os

tried = []
for path in ("@OUT@/secret.key", "/proc/1/root@OUT@/secret.key", "/proc/self/root@OUT@/secret.key"):
    try:
        with open(path, "rb") as file:
            tried.append(f"REACHED {path} {file.read(64).hex()}")
    except OSError as error:
        tried.append(f"kept out: {error.strerror}")
for folder, folders, names in os.walk("/"):
    folders[:] = [] if folder.count("/") > 4 else [f for f in folders if f not in ("proc", "sys")]
    if "secret.key" in names and os.access(os.path.join(folder, "secret.key"), os.R_OK):
        tried.append(f"REACHED {folder}")
essay = "; ".join(tried)
