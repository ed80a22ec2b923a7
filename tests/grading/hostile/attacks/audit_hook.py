# kind: audit hooks
# tries: an audit hook that cannot be removed refuses whatever the worker does next
# holds: a worker that cannot work earns nothing and holds nobody up

# %%
import sys


def refuse(event, arguments):
    if event in ("exec", "compile", "open", "import"):
        raise RuntimeError("passed")


mean_square = ranks = counts = lambda x: 0.0


class Account:
    def pay(self, amount):
        return 0.0


sys.addaudithook(refuse)
