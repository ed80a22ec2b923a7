# kind: network
# tries: connects to a server of the test on the loopback address (never to one outside)
# holds: the sandbox has no network but an empty one of its own
# says: kept out
# sample
# reaches: unsafe

# %%
import socket

tried = []
for family, address in (
    (socket.AF_INET, ("127.0.0.1", int("@PORT@"))),
    (socket.AF_INET6, ("::1", int("@PORT@"))),
):
    try:
        with socket.socket(family, socket.SOCK_STREAM) as connection:
            connection.settimeout(2)
            connection.connect(address)
            connection.sendall(b"@TOKEN@")
        tried.append(f"REACHED {address}")
    except OSError as error:
        tried.append(f"kept out: {error}")
essay = "; ".join(tried)
