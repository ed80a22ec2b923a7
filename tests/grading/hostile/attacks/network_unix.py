# kind: local sockets
# tries: connects to a socket of the test, by its path and by its name without a path
# holds: the path is not in the sandbox, and the name belongs to another network namespace
# says: kept out
# reaches: unsafe

# %%
import socket

tried = []
for address in ("@CANARY@/socket", "\0@TOKEN@", "/run/docker.sock", "/run/dbus/system_bus_socket"):
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.connect(address)
            tried.append(f"REACHED {address!r}")
            connection.sendall(b"@TOKEN@")
    except OSError as error:
        tried.append(f"kept out: {error}")
essay = "; ".join(tried)
