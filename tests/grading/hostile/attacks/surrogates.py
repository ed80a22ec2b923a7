# kind: malformed text
# tries: returns and raises text that no encoding can write
# holds: text is made printable before it is stored
# says: kept

# %%
essay = "kept \ud800\udfff \x00 \x1b[2J \u202e done"


def mean_square(x):
    raise ValueError("\ud800\x00\x1b]0;title\x07")


ranks = lambda x: "\udfff\x00"
counts = lambda words: {"\ud800": 1, "\x00": 2}


class Account:
    def pay(self, amount):
        raise type("\u202eError", (Exception,), {})("\x1b[2J")
