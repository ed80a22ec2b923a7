# kind: memory overwritten through ctypes
# tries: writes into the objects of the interpreter: False becomes true, small integers change
# holds: only the submission's own interpreter is spoilt

# %%
import ctypes

size = ctypes.c_size_t.from_address(id(1) + 16)
value = ctypes.c_uint32.from_address(id(0) + 24)
mean_square = ranks = counts = lambda x: 0


class Account:
    def pay(self, amount):
        value.value = 7
        return 0
