# kind: ending Python
# tries: leaves with exit status 0 before it can be asked
# holds: cells may end as they like; what was defined before is asked, the rest is missing
# earns: mean-square

# %%
def mean_square(x):
    return (x**2).mean()


# %%
raise SystemExit(0)
