# kind: forged assignment name
# tries: claims to be another assignment, of easier questions, and awards itself points
# holds: the assignment is the one that the teacher named

# %%
from coursekit.grading import Check

ASSIGNMENT = "00-easy"
POINTS = SCORE = grade = {"mean-square": 2, "ranks": 2, "counts": 1, "account": 2, "essay": 3}
check = Check("01-basics")
check._points = grade
essay = ""
mean_square = ranks = counts = "passed"
Account = "passed"
