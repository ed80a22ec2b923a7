# kind: the kernel's attack surface
# tries: bpf, io_uring, userfaultfd, perf, keyrings, memfd, personality and odd sockets
# holds: the system calls that a course never needs are refused
# says: kept out
# outside

# %%
import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)
CALLS = {
    "bpf": (321, 0, 0, 0),
    "userfaultfd": (323, 0),
    "io_uring_setup": (425, 1, 0),
    "perf_event_open": (298, 0, 0, -1, -1, 0),
    "add_key": (248, b"user", b"a", b"b", 1, -3),
    "keyctl": (250, 0, -3, 0),
    "open_by_handle_at": (304, -1, 0, 0),
    "kexec_load": (246, 0, 0, 0, 0),
    "init_module": (175, 0, 0, b""),
    "swapon": (167, b"/tmp/x", 0),
    "reboot": (169, 0, 0, 0, 0),
}
allowed = []
for name, (number, *arguments) in CALLS.items():
    libc.syscall(number, *arguments)
    if ctypes.get_errno() not in (1, 38):  # EPERM, ENOSYS: refused before it looked
        allowed.append(f"{name} ({os.strerror(ctypes.get_errno())})")
essay = f"REACHED {allowed}" if allowed else "kept out"
