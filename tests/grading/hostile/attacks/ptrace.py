# kind: ptrace
# tries: attaches to its parent, to process 1 and to whoever else is there
# holds: the system call is refused
# says: kept out
# outside

# %%
import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
ATTACH, SEIZE, DETACH = 16, 0x4206, 17
done = []
for pid in {os.getppid(), 1, *map(int, filter(str.isdigit, os.listdir("/proc")))} - {os.getpid()}:
    for request in (ATTACH, SEIZE):
        if libc.ptrace(request, pid, None, None) == 0:
            done.append(pid)
            libc.ptrace(DETACH, pid, None, None)
essay = f"REACHED {done}" if done else "kept out"
