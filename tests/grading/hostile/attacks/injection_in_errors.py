# kind: HTML injection
# tries: scripts and formulas in names and messages of exceptions, and in what is printed
# holds: every text is escaped where it is shown

# %%
print("<script>document.title='@TOKEN@'</script>")
Loud = type("<script>document.title='@TOKEN@'</script>", (Exception,), {})


def mean_square(x):
    raise Loud("=cmd|'/c calc'!A1 <img src=x onerror=\"document.title='@TOKEN@'\">")


def ranks(x):
    return "</td><script>document.title='@TOKEN@'</script>"


counts = lambda words: {"<b onmouseover=\"document.title='@TOKEN@'\">": 1}


class Account:
    def pay(self, amount):
        raise Loud("\r\n=1+1,\"'")
