# kind: leaving the sandbox
# tries: mount, unshare, setns, chroot, pivot_root and /proc/PID/ns, each a way out if allowed
# holds: the system calls are refused
# says: kept out
# outside

# %%
import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)
done = []
for flag in (0x10000000, 0x20000, 0x40000000, 0x20000000):  # user, mount, network, process
    if libc.unshare(flag) == 0:
        done.append(f"unshare {flag:#x}")
if libc.mount(b"none", b"/tmp", b"tmpfs", 0, None) == 0:
    done.append("mount")
if libc.umount2(b"/proc", 2) == 0:
    done.append("umount")
try:
    os.chroot("/tmp")
    done.append("chroot")
except OSError:
    pass
for name in ("mnt", "net", "pid", "user"):
    try:
        fd = os.open(f"/proc/1/ns/{name}", os.O_RDONLY)
        if libc.setns(fd, 0) == 0:
            done.append(f"setns {name}")
    except OSError:
        pass
essay = f"REACHED {done}" if done else "kept out"
