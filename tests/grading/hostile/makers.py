"""Attacks that are no ordinary notebook: malformed, giant, or hostile by their name or place.

Each function writes one submission into a folder; giant ones are made when a test needs them.
"""

import gzip
import io
import json
import os
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path

from tests.grading.hostile.attack import Attack, fill, names, notebook

ATTACKS: list[Attack] = []
RIGHT = "def counts(words):\n    return {word: words.count(word) for word in words}"
SCRIPT = "<script>document.title='@TOKEN@'<\\/script>"
Places = dict[str, str]


def made(
    kind: str, tries: str, holds: str, *, earns: str = "", says: str = "", line: str = "",
    file: str = "", sample: bool = False,
) -> Callable:  # fmt: skip
    """Register the function below as an attack; its name is the attack's."""

    def register(write: Callable[[Path, Places], None]) -> Callable:
        name = write.__name__.replace("_", "-")
        about = {"kind": kind, "tries": tries, "holds": holds, "says": says, "line": line}
        where = file or f"{name}.ipynb"
        ATTACKS.append(
            Attack(name, write=write, earns=names(earns), file=where, sample=sample, **about)
        )
        return write

    return register


def put(folder: Path, name: str, content: str | bytes | dict | list) -> None:
    """Write a submission as it is: text, bytes, or something to be JSON."""
    if isinstance(content, dict | list):
        content = json.dumps(content)
    data = content.encode("utf-8", "surrogatepass") if isinstance(content, str) else content
    (folder / name).write_bytes(data)


@made(
    "giant notebooks",
    "a notebook of 40 MB, most of it in outputs",
    "the size is looked at before the file is read",
    line="MB|large|size",
    sample=True,
)
def giant_notebook(folder: Path, places: Places) -> None:
    book = notebook([RIGHT])
    book["cells"][0]["outputs"] = [{"output_type": "stream", "text": ["x" * 1023] * 40_000}]
    put(folder, "giant-notebook.ipynb", book)


@made(
    "giant notebooks",
    "a hundred thousand empty cells",
    "the number of cells is limited",
    line="cells",
)
def too_many_cells(folder: Path, places: Places) -> None:
    cell = '{"cell_type": "code", "source": "x = 1", "outputs": [], "metadata": {}}'
    cells = ",".join([cell] * 100_000)
    put(folder, "too-many-cells.ipynb", f'{{"nbformat": 4, "cells": [{cells}]}}')


@made(
    "giant notebooks",
    "one cell of 8 MB of source",
    "the source of a cell is limited, or it runs within the limits",
)
def giant_cell(folder: Path, places: Places) -> None:
    put(folder, "giant-cell.ipynb", notebook(["x = [" + "1," * (4 << 20) + "]"]))


@made(
    "deeply nested notebooks",
    "metadata nested two hundred thousand deep, to overflow the parser",
    "a parser that gives up makes an unreadable submission, not a crash",
    line="(?i)not a notebook|nested|read",
    sample=True,
)
def nested_metadata(folder: Path, places: Places) -> None:
    deep = '{"a":' * 200_000 + "1" + "}" * 200_000
    put(folder, "nested-metadata.ipynb", f'{{"cells": [], "metadata": {deep}, "nbformat": 4}}')


@made(
    "deeply nested notebooks",
    "a source that is a list of lists of lists",
    "only text and lists of text are source",
)
def nested_source(folder: Path, places: Places) -> None:
    book = notebook([RIGHT])
    source: list = [RIGHT]
    for _ in range(500):
        source = [source]
    book["cells"][0]["source"] = source
    put(folder, "nested-source.ipynb", book)


@made(
    "malformed notebooks",
    "a file that ends in the middle",
    "an unreadable submission, with its reason",
    line="(?i)not a notebook|JSON|read",
    sample=True,
)
def cut_off(folder: Path, places: Places) -> None:
    text = json.dumps(notebook([RIGHT]))
    put(folder, "cut-off.ipynb", text[: len(text) // 2])


@made(
    "malformed notebooks",
    "an empty file",
    "an unreadable submission, with its reason",
    line="(?i)not a notebook|empty|read",
)
def empty_file(folder: Path, places: Places) -> None:
    put(folder, "empty-file.ipynb", b"")


@made(
    "malformed notebooks",
    "bytes that are no UTF-8, with NULs",
    "an unreadable submission, with its reason",
    line="(?i)not a notebook|text|read",
)
def not_text(folder: Path, places: Places) -> None:
    put(folder, "not-text.ipynb", bytes(range(256)) * 50)


@made(
    "malformed notebooks",
    "a compressed file under a notebook's name",
    "an unreadable submission, with its reason; nothing is unpacked",
    line="(?i)not a notebook|text|read",
)
def gzip_as_notebook(folder: Path, places: Places) -> None:
    put(folder, "gzip-as-notebook.ipynb", gzip.compress(b"0" * (64 << 20)))


@made(
    "malformed notebooks",
    "a number of a million digits, which takes minutes to convert",
    "the parser refuses such numbers",
    line="(?i)not a notebook|number|read",
)
def million_digits(folder: Path, places: Places) -> None:
    put(folder, "million-digits.ipynb", f'{{"nbformat": {"9" * 1_000_000}, "cells": []}}')


@made(
    "malformed notebooks",
    "wrong types everywhere: cells a number, sources numbers, types lists",
    "what is not as it must be is left out or refused",
)
def wrong_types(folder: Path, places: Places) -> None:
    cells = [1, None, [], {"cell_type": ["code"], "source": 1}, {"cell_type": "code", "source": {}}]
    put(folder, "wrong-types.ipynb", {"nbformat": "4", "cells": cells, "metadata": []})


@made(
    "malformed notebooks",
    "the same key twice: one list of cells for a person, another for the grader",
    "one of the two is graded, and only what it computes earns",
)
def doubled_keys(folder: Path, places: Places) -> None:
    first, second = (json.dumps(notebook([s])["cells"]) for s in ("x = 1", "counts = len"))
    put(folder, "doubled-keys.ipynb", f'{{"nbformat": 4, "cells": {first}, "cells": {second}}}')


@made(
    "malformed notebooks",
    "half a character pair in the source, which cannot be written to a pipe",
    "the cell is graded or refused, and nothing stops",
)
def lone_surrogate(folder: Path, places: Places) -> None:
    cell = '{"cell_type": "code", "source": "x = 1  # \\ud800 \\u0000 \\u202e", "outputs": []}'
    put(folder, "lone-surrogate.ipynb", f'{{"nbformat": 4, "cells": [{cell}], "metadata": {{}}}}')


@made(
    "cells of other graders",
    "cells and metadata that claim points: a forged id, a score, an execution that passed",
    "metadata and outputs are never looked at",
    sample=True,
)
def forged_ids(folder: Path, places: Places) -> None:
    book = notebook(['assert "all tests passed"'] * 4, kernelspec={"name": "../../bin/sh"})
    for cell, name in zip(
        book["cells"], ("mean-square", "ranks", "counts", "account"), strict=True
    ):
        cell["id"] = f"{name}-check"
        graded = {"grade": True, "grade_id": name, "points": 7, "score": 7, "solution": False}
        cell["metadata"] = {"nbgrader": graded, "otter": {"tests": [name]}, "tags": ["solution"]}
        cell["execution_count"] = 1
    put(folder, "forged-ids.ipynb", book)


@made(
    "forged outputs",
    "stored outputs that say that everything passed, with scripts in them",
    "stored outputs are never looked at and never shown",
)
def forged_outputs(folder: Path, places: Places) -> None:
    book = notebook(["check.all()"])
    html = fill(f"<b>7 of 7 points</b>{SCRIPT}", places)
    book["cells"][0]["outputs"] = [
        {"output_type": "display_data", "metadata": {}, "data": {"text/html": html}},
        {"output_type": "stream", "name": "stdout", "text": "Points: 7 of 7"},
    ]
    put(folder, "forged-outputs.ipynb", book)


@made(
    "duplicated cells",
    "every answer twice under the same cell id, the right one first and a wrong one after it",
    "cells run in their order: the last definition counts, as it does in Jupyter",
)
def duplicated_cells(folder: Path, places: Places) -> None:
    book = notebook([RIGHT, "counts = lambda words: {}"])
    book["cells"][1]["id"] = book["cells"][0]["id"]
    put(folder, "duplicated-cells.ipynb", book)


@made(
    "deleted cells",
    "no cell at all but a text",
    "missing answers earn nothing and are called missing",
    line="(?i)no code|does not exist|missing|not found|nothing",
)
def deleted_cells(folder: Path, places: Places) -> None:
    text = {"cell_type": "markdown", "metadata": {}, "source": "counts = right"}
    put(folder, "deleted-cells.ipynb", {"cells": [text], "metadata": {}, "nbformat": 4})


@made(
    "shell lines and magics",
    "shell lines, cell magics and IPython's system calls, which a kernel would obey",
    "there is no shell in the worker: magics do nothing, and the Python beside them runs",
    earns="counts",
    sample=True,
)
def magics(folder: Path, places: Places) -> None:
    touch = fill("touch @CANARY@/", places)
    lines = [f"!{touch}shell", f"%run {places['CANARY']}/run.py", "%store -r"]
    calls = [f"get_ipython().system('{touch}system')", f"x = get_ipython().getoutput('{touch}out')"]
    shell = f"%%bash\n{touch}bash\necho counts=passed"
    script = "%%javascript\nJupyter.notebook.kernel.execute('points = 7')"
    put(
        folder, "magics.ipynb", notebook(["\n".join(lines), "\n".join(calls), shell, script, RIGHT])
    )


@made(
    "symlinks",
    "a submission that is a link to the secret",
    "links are refused, with their name",
    line="(?i)link",
    sample=True,
)
def link_to_secret(folder: Path, places: Places) -> None:
    (folder / "link-to-secret.ipynb").symlink_to(f"{places['OUT']}/secret.key")


@made(
    "symlinks",
    "a submission that is a link to another student's notebook",
    "links are refused: nobody hands in another's file",
    line="(?i)link",
)
def link_to_another(folder: Path, places: Places) -> None:
    (folder / "link-to-another.ipynb").symlink_to(folder / "honest-right.ipynb")


@made(
    "odd files",
    "a pipe under a notebook's name, which blocks whoever opens it",
    "only regular files are read",
    line="(?i)regular|file|pipe",
    sample=True,
)
def named_pipe(folder: Path, places: Places) -> None:
    os.mkfifo(folder / "named-pipe.ipynb")


@made(
    "odd files",
    "a link to an endless device",
    "only regular files are read",
    line="(?i)link|regular",
)
def endless_device(folder: Path, places: Places) -> None:
    (folder / "endless-device.ipynb").symlink_to("/dev/zero")


@made(
    "odd files",
    "a file without permissions, or with every one of them",
    "an unreadable submission, or an ordinary one",
    earns="counts",
)
def odd_mode(folder: Path, places: Places) -> None:
    put(folder, "odd-mode.ipynb", notebook([RIGHT]))
    (folder / "odd-mode.ipynb").chmod(stat.S_ISUID | stat.S_ISGID | 0o777)


@made(
    "archive traversal",
    "an archive whose members climb out of the folder",
    "members that climb are refused, by name; nothing is written outside",
    file="archive-traversal.zip",
    sample=True,
)
def archive_traversal(folder: Path, places: Places) -> None:
    book = json.dumps(notebook([RIGHT]))
    climb = "../" * 20 + places["CANARY"].lstrip("/")
    with zipfile.ZipFile(folder / "archive-traversal.zip", "w") as archive:
        for name in (
            f"{climb}/climbed.ipynb",
            f"{places['CANARY']}/absolute.ipynb",
            "..\\up.ipynb",
        ):
            archive.writestr(name, book)


@made(
    "archive traversal",
    "an archive that holds a link to the secret, and a file to be written through a link",
    "links in archives are refused; what stands beside them is read in memory, and written nowhere",
    earns="counts",
    file="archive-link.zip",
)
def archive_link(folder: Path, places: Places) -> None:
    with zipfile.ZipFile(folder / "archive-link.zip", "w") as archive:
        for name, target in (
            ("book.ipynb", f"{places['OUT']}/secret.key"),
            ("d", places["CANARY"]),
        ):
            entry = zipfile.ZipInfo(name)
            entry.external_attr = (stat.S_IFLNK | 0o777) << 16
            archive.writestr(entry, target)
        archive.writestr("d/through.ipynb", json.dumps(notebook([RIGHT])))


@made(
    "archive bombs",
    "an archive of 1 MB that unpacks to 1 GB, and says that it is small",
    "what is unpacked is counted, not what is claimed",
    file="archive-bomb.zip",
)
def archive_bomb(folder: Path, places: Places) -> None:
    with (
        zipfile.ZipFile(folder / "archive-bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("bomb.ipynb", "w", force_zip64=True) as member,
    ):
        for _ in range(1024):
            member.write(b"\0" * (1 << 20))


@made(
    "archive bombs",
    "an archive of fifty thousand members, and one inside another",
    "members are counted; archives inside archives are not opened",
    file="archive-of-many.zip",
)
def archive_of_many(folder: Path, places: Places) -> None:
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as archive:
        archive.writestr("inner.ipynb", json.dumps(notebook([RIGHT])))
    with zipfile.ZipFile(folder / "archive-of-many.zip", "w") as archive:
        archive.writestr("inner.zip", inner.getvalue())
        for number in range(50_000):
            archive.writestr(f"{number}.ipynb", b"")


HTML_NAME = "<img src=x onerror=document.title='@TOKEN@'>.ipynb"


@made(
    "HTML injection by name",
    "a file whose name is HTML with a script in it",
    "names are escaped on every page",
    earns="counts",
    file=HTML_NAME,
    sample=True,
)
def html_name(folder: Path, places: Places) -> None:
    put(folder, fill(HTML_NAME, places), notebook([RIGHT]))


FORMULA_NAME = "=HYPERLINK(A1;'@TOKEN@').ipynb"


@made(
    "CSV injection",
    "a file whose name is a formula, which a spreadsheet would compute",
    "cells that begin like a formula are exported as text",
    earns="counts",
    file=FORMULA_NAME,
    sample=True,
)
def formula_name(folder: Path, places: Places) -> None:
    put(folder, fill(FORMULA_NAME, places), notebook([RIGHT]))


@made(
    "CSV injection",
    "names that begin with +, - and @, with quotes, commas and line ends in them",
    "rows of the exported table stay rows",
    earns="counts",
    file='@SUM(1)","7\n+1,"x.ipynb',
)
def comma_name(folder: Path, places: Places) -> None:
    put(folder, '@SUM(1)","7\n+1,"x.ipynb', notebook([RIGHT]))


@made(
    "odd names",
    "a name with terminal escapes and characters that turn the direction of text",
    "such characters never reach a terminal, a page or a table as they are",
    earns="counts",
    file="\x1b[2J\x1b]0;pwned\x07\u202egnp.ipynb",
)
def escaping_name(folder: Path, places: Places) -> None:
    put(folder, "\x1b[2J\x1b]0;pwned\x07\u202egnp.ipynb", notebook([RIGHT]))


@made(
    "odd names",
    "a name that climbs where a feedback page is written after it",
    "page names are made, not taken",
    earns="counts",
    file="..%2f..%2f..\\..\\index.html.ipynb",
)
def climbing_name(folder: Path, places: Places) -> None:
    put(folder, "..%2f..%2f..\\..\\index.html.ipynb", notebook([RIGHT]))


@made(
    "odd names",
    "a name of 250 characters",
    "page names have a length of their own",
    earns="counts",
    file="a" * 244 + ".ipynb",
)
def long_name(folder: Path, places: Places) -> None:
    put(folder, "a" * 244 + ".ipynb", notebook([RIGHT]))


@made(
    "odd names",
    "a name that looks like another student's: Greek o in honest-right",
    "students with different names stay different students",
    earns="counts",
    file="h\u03bfnest-right.ipynb",
)
def lookalike_name(folder: Path, places: Places) -> None:
    put(folder, "h\u03bfnest-right.ipynb", notebook([RIGHT]))


@made(
    "odd names",
    "a name in bytes that are no text",
    "the file is graded or refused under a printable name",
    earns="counts",
    file="raw-\udcff.ipynb",
)
def raw_name(folder: Path, places: Places) -> None:
    put(folder, "raw-\udcff.ipynb", notebook([RIGHT]))
