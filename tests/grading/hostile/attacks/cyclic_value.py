# kind: cyclic values
# tries: returns a list that contains itself, and a dictionary of itself
# holds: depth is capped where values are written and where they are read

# %%
def cycle(x):
    turn = []
    turn.append(turn)
    return turn


def cycle_of_dict(words):
    turn = {}
    turn["w1"] = turn
    return turn


mean_square = ranks = cycle
counts = cycle_of_dict


class Account:
    def pay(self, amount):
        return 0.0
