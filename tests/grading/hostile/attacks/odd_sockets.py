# kind: odd sockets
# tries: netlink, packet, vsock, bluetooth, kernel crypto and raw sockets
# holds: no such family can be opened
# says: kept out
# outside

# %%
import ctypes
import socket

libc = ctypes.CDLL(None, use_errno=True)
opened = []
for name, family, kind in (
    ("netlink", 16, socket.SOCK_RAW),
    ("packet", 17, socket.SOCK_RAW),
    ("vsock", 40, socket.SOCK_STREAM),
    ("kernel crypto", 38, socket.SOCK_SEQPACKET),
    ("bluetooth", 31, socket.SOCK_RAW),
    ("raw", 2, socket.SOCK_RAW),
    ("tipc", 30, socket.SOCK_RDM),
):
    if libc.socket(family, int(kind), 1 if name == "raw" else 0) >= 0:
        opened.append(name)
essay = f"REACHED {opened}" if opened else "kept out"
