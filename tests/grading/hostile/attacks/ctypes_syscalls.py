# kind: raw system calls
# tries: the 32-bit and x32 doors of the kernel, behind which a filter of 64-bit calls is blind
# holds: foreign calling conventions are refused
# says: kept out
# outside

# %%
import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)
X32 = 0x40000000
done = []
for name, number in {"ptrace": 101, "unshare": 272, "mount": 165, "socket": 41}.items():
    ctypes.set_errno(0)
    if libc.syscall(X32 + number, 40, 3, 0, 0, 0) >= 0:
        done.append(name)
    elif ctypes.get_errno() not in (1, 38):
        done.append(f"{name}: {os.strerror(ctypes.get_errno())}")
essay = f"REACHED {done}" if done else "kept out"
