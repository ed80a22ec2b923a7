# kind: process_vm_readv
# tries: copies memory out of and into other processes with one system call
# holds: the system call is refused
# says: kept out
# outside

# %%
import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)
buffer = ctypes.create_string_buffer(64)


class Span(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]


mine = Span(ctypes.addressof(buffer), 64)
done = []
for pid in {os.getppid(), 1}:
    for name in ("process_vm_readv", "process_vm_writev"):
        theirs = Span(0x400000, 64)
        if getattr(libc, name)(pid, ctypes.byref(mine), 1, ctypes.byref(theirs), 1, 0) >= 0:
            done.append((pid, name))
        elif ctypes.get_errno() == 14:  # EFAULT: allowed, and only the address was wrong
            done.append((pid, name, "allowed"))
essay = f"REACHED {done}" if done else "kept out"
