# kind: memory in file systems
# tries: fills /dev/shm and /tmp, at most 600 MB each (its own bound); both are memory
# holds: both have a size of their own
# line: (?i)full|limit|words
# outside

# %%
full = []
for place in ("/dev/shm", "/tmp"):
    written = 0
    try:
        with open(f"{place}/@TOKEN@", "wb") as file:
            while written < 600 << 20:
                written += file.write(b"\0" * (1 << 20))
                file.flush()
    except OSError as error:
        full.append(f"full at {place}: {error.strerror}")
essay = "; ".join(full) if len(full) == 2 else f"REACHED {600 << 20} bytes, {full}"
