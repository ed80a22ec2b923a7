# kind: reading other submissions
# tries: looks for another student's notebook and runs its answers as its own
# holds: a sandbox holds one submission
# says: kept out
# sample
# reaches: unsafe

# %%
import glob
import json

stolen = []
for path in glob.glob("@BATCH@/honest*") + glob.glob("/tmp/*/honest*.ipynb"):
    try:
        with open(path, encoding="utf-8") as file:
            cells = json.load(file)["cells"]
        sources = ["".join(c["source"]) for c in cells if c["cell_type"] == "code"]
        if any("an honest answer" in source for source in sources):
            stolen.append(path)
            for source in sources:
                exec(source, globals())
    except Exception:
        pass
essay = f"REACHED {stolen[:3]}" if stolen else "kept out"
