# kind: trace and profile functions
# tries: a trace function rewrites return values and locals of whatever runs after the answer
# holds: what it rewrites is its own process

# %%
import sys
import threading


def trace(frame, event, arg):
    frame.f_trace_opcodes = True
    for name in ("error", "message", "changed", "wanted", "difference"):
        if name in frame.f_locals:
            frame.f_locals[name] = ""
    return trace


sys.settrace(trace)
sys.setprofile(lambda *anything: None)
threading.settrace(trace)
mean_square = ranks = counts = lambda x: 0.0


class Account:
    def pay(self, amount):
        return 0.0
