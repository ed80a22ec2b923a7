# kind: forged results
# tries: writes result files wherever a grader might look for them
# holds: no result is read from a file that a submission can write
# outside

# %%
import json
import os

result = {"score": 7, "tests": [{"name": n, "score": 7, "status": "passed"} for n in "abcd"]}
for folder in (".", "/tmp", "/autograder/results", "@OUT@", "@BATCH@", "@CANARY@", os.getcwd()):
    for name in ("results.json", "result.json", "grades.csv", "gradebook.sqlite", ".OTTER_LOG"):
        try:
            os.makedirs(folder, exist_ok=True)
            with open(os.path.join(folder, name), "w") as file:
                json.dump(result, file)
        except OSError:
            pass

mean_square = ranks = counts = lambda x: 0.0


class Account:
    def pay(self, amount):
        return 0.0
