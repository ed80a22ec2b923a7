# kind: symlinks for the grader to follow
# tries: leaves links to the secret and the gradebook under names that a clean-up may follow
# holds: the scratch folder is thrown away with its file system; no link of it is followed
# says: links left
# outside

# %%
import os

for number, target in enumerate(("@OUT@", "@OUT@/secret.key", "@CANARY@", "/", "@BATCH@")):
    for folder in (os.getcwd(), "/tmp", "/dev/shm"):
        try:
            os.symlink(target, os.path.join(folder, f"link{number}"))
            os.link(target, os.path.join(folder, f"hard{number}"))
        except OSError:
            pass
essay = "links left"
