# kind: signals to the parent
# tries: stops and kills its parent and process 1
# holds: no process of the grader can be seen or signalled
# says: tried
# outside

# %%
import os
import signal

reached = []
for pid in {os.getppid(), 1} - {0, os.getpid()}:
    for number in (0, signal.SIGSTOP, signal.SIGTERM, signal.SIGKILL):
        try:
            os.kill(pid, number)
            reached.append((pid, int(number)))
        except OSError:
            pass
essay = f"tried {reached}"
mean_square = ranks = counts = lambda x: 0.0
