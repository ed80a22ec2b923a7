"""A reader's machine: an empty environment, a downloaded notebook, its own first cell.

The environment is made new and holds a kernel and nothing else. The first cell of the downloaded
notebook installs the wheel, once from the site (served here on localhost) as in Colab and once from
the folder of the unpacked zip; then every cell must run.
"""

from __future__ import annotations

import functools
import os
import re
import subprocess
import venv
import zipfile
from pathlib import Path

import nbformat
import pytest

RUN = """
import sys, nbformat, nbclient
nb = nbformat.read(sys.argv[1], as_version=4)
nbclient.NotebookClient(nb, timeout=300, kernel_name="python3").execute()
print("ran", sum(c.cell_type == "code" for c in nb.cells))
"""


@pytest.fixture(scope="module")
def downloads(root: Path) -> Path:
    """The downloads of the built site."""
    folder = root / "_build" / "html" / "downloads"
    assert folder.is_dir(), "no built site: run `make book` first (`make test` does)"
    return folder


@pytest.fixture(scope="module")
def address(downloads: Path, serve) -> str:
    """The downloads, served on localhost."""
    return serve(downloads)


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory, root: Path) -> Path:
    """Interpreter of an environment with a kernel and nothing of the course."""
    folder = tmp_path_factory.mktemp("reader") / "env"
    venv.create(folder, with_pip=True)
    binary = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
    command = [binary, "-m", "pip", "install", "--quiet", "-c", root / "constraints.txt"]
    subprocess.run([*map(str, command), "ipykernel", "nbclient"], check=True, timeout=300)
    return binary


def reader_variables(python: Path) -> dict[str, str]:
    """The environment variables of a shell in which nothing of the course was ever set."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("COURSEKIT", "PYTHON"))}
    return kept | {"PATH": f"{python.parent}{os.pathsep}{kept['PATH']}"}


def has_coursekit(python: Path) -> bool:
    """Whether the environment can import the library."""
    command = [str(python), "-c", "import coursekit"]
    variables = reader_variables(python)
    return subprocess.run(command, env=variables, capture_output=True, check=False).returncode == 0


def run_notebook(python: Path, notebook: Path, **variables: str) -> subprocess.CompletedProcess:
    """Run the notebook from its own folder, as a reader's Jupyter does."""
    return subprocess.run(
        [str(python), "-c", RUN, notebook.name],
        cwd=notebook.parent,
        env=reader_variables(python) | variables,
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
    )


@pytest.mark.timeout(900)
def needs_torch(text: str, root: Path) -> bool:
    """Whether a notebook imports PyTorch, or a package of the course that is built on it."""
    packages = (root / "src" / "coursekit").glob("*/__init__.py")
    built = [f.parent.name for f in packages if 'require("torch")' in f.read_text("utf-8")]
    named = "|".join(sorted(built))
    return "import torch" in text or bool(
        re.search(rf"from coursekit(\.({named})\b| import [^\\]*\b({named})\b)", text)
    )


def test_the_first_cell_installs_what_the_notebook_needs(
    python: Path, downloads: Path, address: str, root: Path, tmp_path: Path
) -> None:
    (wheel,) = downloads.glob("*.whl")
    (tmp_path / "colab").mkdir()
    notebook = tmp_path / "colab" / "01-basics.ipynb"
    notebook.write_bytes((downloads / "notebooks" / notebook.name).read_bytes())
    pins = {"PIP_CONSTRAINT": str(root / "constraints.txt")}
    assert not has_coursekit(python)
    done = run_notebook(python, notebook, COURSEKIT_WHEEL=f"{address}/{wheel.name}", **pins)
    assert done.returncode == 0, done.stderr[-3000:]
    assert int(done.stdout.split()[-1]) > 30
    assert has_coursekit(python)

    # The same environment without the library; now everything comes from the unpacked zip.
    uninstall = [str(python), "-m", "pip", "uninstall", "--quiet", "--yes", "coursekit"]
    subprocess.run(uninstall, check=True)
    assert not has_coursekit(python)
    with zipfile.ZipFile(downloads / "from-loss-to-silicon.zip") as archive:
        archive.extractall(tmp_path / "zip")
    assert (tmp_path / "zip" / "README.md").is_file()
    for notebook in sorted((tmp_path / "zip").rglob("*.ipynb")):
        if needs_torch(notebook.read_text(encoding="utf-8"), root):
            continue  # PyTorch is installed apart, as the README says; nbval runs these
        done = run_notebook(python, notebook, PIP_NO_INDEX="1")
        assert done.returncode == 0, f"{notebook.name}: {done.stderr[-3000:]}"


def test_every_notebook_begins_with_the_same_installing_cell(root: Path) -> None:
    cells = {}
    for path in sorted([*root.glob("notebooks/*.ipynb"), *root.glob("exercises/*.ipynb")]):
        nb = nbformat.read(path, as_version=4)
        cells[path.name, path.parent.name] = next(
            c.source for c in nb.cells if c.cell_type == "code"
        )
    assert len(set(cells.values())) == 1, f"first cells differ: {list(cells)}"


def test_the_installing_cell_names_the_wheel_that_the_site_offers(
    root: Path, downloads: Path
) -> None:
    nb = nbformat.read(root / "notebooks" / "01-basics.ipynb", as_version=4)
    first = next(c.source for c in nb.cells if c.cell_type == "code")
    (wheel,) = downloads.glob("*.whl")
    (address,) = re.findall(r'"(https://[^"]+\.whl)"', first)
    base = re.search(r"baseurl: (\S+)", (root / "_config.yml").read_text())
    assert base
    assert address == f"{base[1]}downloads/{wheel.name}"


def test_the_wheel_holds_notebooks_and_no_solution(downloads: Path, root: Path) -> None:
    (wheel,) = downloads.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    for path in [*root.glob("notebooks/*.ipynb"), *root.glob("exercises/*.ipynb")]:
        assert f"coursekit/_book/{path.parent.name}/{path.name}" in names
    assert not [n for n in names if "solution" in n or "questions.py" in n]


def test_links_in_the_downloads_lead_to_pages_and_anchors_that_exist(
    downloads: Path, root: Path
) -> None:
    base = re.search(r"baseurl: (\S+)", (root / "_config.yml").read_text(encoding="utf-8"))
    assert base
    site, broken = downloads.parent, set()
    for path in sorted(downloads.rglob("*.ipynb")):
        text = path.read_text(encoding="utf-8")
        links = set(re.findall(re.escape(base[1]) + r"([\w./-]+\.html)(?:#([\w.:%-]+))?", text))
        assert links, path.name
        for page, anchor in links:
            file = site / page
            if not file.is_file() or (anchor and f'id="{anchor}"' not in pages_text(file)):
                broken.add(f"{path.name}: {page}#{anchor}")
    assert not broken, sorted(broken)


@functools.cache
def pages_text(file: Path) -> str:
    """The page's HTML, read once."""
    return file.read_text(encoding="utf-8")
