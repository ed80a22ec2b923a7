"""What the grading tests share: a tiny course in a temporary folder, and answers to check."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from coursekit.grading.public import Assignment, publish, read_question
from coursekit.grading.question import load_questions

QUESTIONS = """
import numpy as np
from coursekit.grading import case, question


@question(id="double", title="Twice as much", asks="double", points=2, section="sec-tiny-double")
class Double:
    def reference(x):
        return 2.0 * x

    def cases(rng):
        yield case("three values", rng.normal(size=3))
        yield case("a table", rng.normal(size=(2, 2)) + 3.0)
        yield case("kept back", rng.normal(size=5), shown=False)

    def in_place(x):
        x *= 2.0
        return x

    variants = [lambda x: x + x, lambda x: np.multiply(x, 2)]
    mistakes = {
        "Twice, not squared.": lambda x: x**2,
        "You halved it.": lambda x: x / 2,
        "Nothing was doubled.": lambda x: x * 1.0,
        "You changed the input.": in_place,
    }
    explain = "Add the number to itself."


@question(id="essay", title="Why?", asks="essay", points=1, section="sec-tiny-why", kind="manual")
class Essay:
    rubric = [(1, "gives a reason")]
"""

MASTER = """\
---
jupytext:
  text_representation:
    extension: .md
    format_name: myst
kernelspec:
  display_name: Python 3
  language: python
  name: python3
---

# Tiny

```{code-cell} ipython3
from coursekit.grading import Check
```

<!-- question: double -->

Double it.

```{code-cell} ipython3
def double(x):
    # solution begin
    secret_name = x
    return secret_name + x
    # solution end
```

```{code-cell} ipython3
check("double")
```

<!-- question: essay -->

Say why.

```{code-cell} ipython3
essay = ""
```

```{code-cell} ipython3
:tags: [solution]

essay = "Because of the hidden reason."
```

```{code-cell} ipython3
check("essay")
```
"""

PAGE = """\
(sec-tiny-double)=
## Doubling

(sec-tiny-why)=
## Why
"""


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    """A checkout that holds one chapter of two questions."""
    files = {
        "solutions/99-tiny/questions.py": QUESTIONS,
        "solutions/99-tiny/notebook.md": MASTER,
        "book/99-tiny.md": PAGE,
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text), encoding="utf-8")
    return tmp_path


@pytest.fixture
def assignment(tiny: Path) -> Assignment:
    """The tiny chapter as a notebook knows it."""
    questions = load_questions(tiny / "solutions" / "99-tiny")
    read = [read_question(publish(q, "Doubling")) for q in questions]
    return Assignment("99-tiny", "https://example.org/page.html", {q.id: q for q in read})
