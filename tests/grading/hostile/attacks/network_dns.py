# kind: names and datagrams
# tries: sends a query to a name server of the test on the loopback address
# holds: no datagram leaves the sandbox
# says: kept out
# reaches: unsafe

# %%
import socket
import struct

query = struct.pack(">HHHHHH", 1, 0x0100, 1, 0, 0, 0) + b"\x05token\x04test\x00\x00\x01\x00\x01"
tried = []
try:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as connection:
        connection.settimeout(1)
        connection.sendto(query, ("127.0.0.1", int("@PORT@")))
        tried.append(f"REACHED {connection.recv(100)!r}")
except OSError as error:
    tried.append(f"kept out: {error}")
essay = "; ".join(tried)
