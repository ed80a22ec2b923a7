"""The kernels run in Triton's interpreter here; set before anything imports them."""

import importlib.util
import os
import sys

os.environ["TRITON_INTERPRET"] = "1"

import pytest

HERE = importlib.util.find_spec("triton") is not None
NEED_TRITON = ["bench", "compile", "counts", "decode", "hopper", "kernels", "op", "planted"]
if not HERE and sys.platform == "linux" and os.environ.get("CI") == "true":
    raise RuntimeError("Triton is missing, and CI leaves nothing out: `make env` installs it.")
collect_ignore = [] if HERE else [f"test_{name}.py" for name in NEED_TRITON]


@pytest.fixture(scope="session", autouse=True)
def _honest_bfloat16():
    if not HERE:
        return
    from tests.attention import bfloat16

    bfloat16.mend_interpreter()
