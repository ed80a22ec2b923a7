"""The kernels run in Triton's interpreter here; set before anything imports them."""

import os

os.environ["TRITON_INTERPRET"] = "1"

import pytest

from tests.attention import bfloat16


@pytest.fixture(scope="session", autouse=True)
def _honest_bfloat16():
    bfloat16.mend_interpreter()
