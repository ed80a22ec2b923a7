"""The corpora: frozen, whole, with no page in both parts."""

import gzip
import hashlib
import importlib.util
import json
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coursekit.pretraining import BOOK, Document, book_corpus, python_docs, split_documents
from coursekit.pretraining.corpus import FOLDER


@pytest.fixture(scope="module")
def tool(root):
    spec = importlib.util.spec_from_file_location("freeze", root / "tools" / "freeze_corpus.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_manifest_describes_the_text():
    entry = json.loads((FOLDER / "manifest.json").read_text())[BOOK]
    documents = book_corpus()
    assert len(documents) == entry["documents"]
    assert sum(len(d.text.encode()) for d in documents) == entry["bytes"]
    text = gzip.decompress((FOLDER / entry["file"]).read_bytes())
    assert hashlib.sha256(text).hexdigest() == entry["sha256"]


def test_it_is_the_books_text():
    documents = book_corpus()
    assert len({d.name for d in documents}) == len(documents)
    pages = {d.name.partition("#")[0] for d in documents}
    assert {"book/01-basics.md", "book/05-attention.md", "README.md", "book/glossary.md"} <= pages
    assert {"solutions/02-backprop/notebook.md"} <= pages
    whole = "\n".join(d.text for d in documents)
    assert "gradient" in whole
    assert "```{code-cell}" in whole
    assert ":tags: [remove-cell]" not in whole  # what every page shares is in none


def test_a_section_is_never_cut_inside_code(tool):
    page = (
        "# One\n" + "word " * 100 + "\n```python\n# a comment\n## another\n```\n" + "## Two\nend\n"
    )
    first, second = tool.sections(page)
    assert first.endswith("## another\n```\n")
    assert second == "## Two\nend\n"


def test_the_tool_leaves_out_what_pages_share(tool, root):
    page = (root / "book" / "01-basics.md").read_text(encoding="utf-8")
    left = tool.SHARED_CELL.sub("", tool.HEADER.sub("", page))
    assert "COURSEKIT_WHEEL" in page
    assert "COURSEKIT_WHEEL" not in left
    assert "kernelspec" not in left
    assert len(page) - len(left) < 2000


def test_a_damaged_file_and_an_unknown_version_are_refused(tmp_path):
    with pytest.raises(KeyError, match="no corpus 'book-0'; there are book-1"):
        book_corpus("book-0")
    for name in ("manifest.json", "book-1.json.gz"):
        (tmp_path / name).write_bytes((FOLDER / name).read_bytes())
    packed = tmp_path / "book-1.json.gz"
    whole = packed.read_bytes()
    packed.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match=r"is damaged .* Install coursekit again"):
        book_corpus(folder=tmp_path)
    packed.write_bytes(gzip.compress(b"[]"))
    with pytest.raises(ValueError, match=r"is damaged .its text has the SHA-256"):
        book_corpus(folder=tmp_path)
    packed.write_bytes(b"not gzip")
    with pytest.raises(ValueError, match="is damaged"):
        book_corpus(folder=tmp_path)


def test_pythons_documentation_is_a_second_corpus(monkeypatch):
    documents = python_docs()
    assert sum(len(d.text) for d in documents) > 300_000
    assert any("generator" in d.text for d in documents)
    monkeypatch.setitem(sys.modules, "pydoc_data.topics", None)
    with pytest.raises(ImportError, match="came without its documentation"):
        python_docs()


sized = st.lists(st.integers(0, 50), min_size=2, max_size=20)


@given(sized, st.floats(0.01, 0.99), st.integers(0, 9))
def test_each_document_is_in_one_part_and_the_share_is_held_out(sizes, share, seed):
    documents = [Document(str(i), "x" * n) for i, n in enumerate(sizes)]
    train, validation = split_documents(documents, share, seed)
    assert train
    assert validation
    assert sorted([*train, *validation]) == sorted(documents)
    for part in (train, validation):
        assert part == sorted(part, key=documents.index)
    held_out = sum(len(d.text) for d in validation)
    if len(train) > 1:
        assert held_out >= share * sum(sizes) - 1e-9
    if len(validation) > 1:  # the last one drawn was needed
        assert held_out - max(sizes) < share * sum(sizes)


def test_the_split_follows_from_the_seed():
    documents = [Document(str(i), "text") for i in range(40)]
    assert split_documents(documents, seed=1) == split_documents(documents, seed=1)
    assert split_documents(documents, seed=1) != split_documents(documents, seed=2)


@pytest.mark.parametrize("share", [0, 1, -0.5, float("nan")])
def test_a_split_that_leaves_nothing_is_refused(share):
    with pytest.raises(ValueError, match="a share between 0 and 1 of two documents"):
        split_documents([Document("a", "x"), Document("b", "y")], share)
    with pytest.raises(ValueError, match="there are 1 documents"):
        split_documents([Document("a", "x")], 0.5)
