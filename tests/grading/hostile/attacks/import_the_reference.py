# kind: importing the reference
# tries: imports the questions and the grader's own modules, and uses the reference as its answer
# holds: the questions are not in the sandbox
# says: kept out
# reaches: unsafe

# %%
import importlib.util
import sys

tried = []
answers = {}
sys.path[:0] = ["@QUESTIONS@", "@QUESTIONS@/90-hostile", "@REPO@/solutions"]
try:
    path = "@QUESTIONS@/90-hostile/questions.py"
    spec = importlib.util.spec_from_file_location("stolen", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    answers = {q.asks: q.reference for q in vars(module).values() if hasattr(q, "asks")}
    tried.append("REACHED the questions")
except Exception as error:
    tried.append(f"kept out: {type(error).__name__}")
essay = "; ".join(tried)
wrong = lambda x: 0.0
mean_square, ranks, counts = (answers.get(n, wrong) for n in ("mean_square", "ranks", "counts"))
Account = answers.get("Account", wrong)
