"""Downloads, against a server of our own on this machine: checksums, cache, and no network."""

import hashlib
import http.server
import json
import threading
import zipfile

import pytest

from coursekit.pretraining import (
    PUBLIC,
    Document,
    Source,
    cache_folder,
    download,
    gpt2_tokenizer,
    public,
    public_documents,
    train_bpe,
)

TEXT = b"To be, or not to be: that is the question.\n" * 500


class Handler(http.server.BaseHTTPRequestHandler):
    """Serves the `pages` of its server; breaks off where a page is longer than it says."""

    def do_GET(self):
        self.server.asked.append(self.path)
        body, length = self.server.pages.get(self.path, (None, 0))
        if body is None:
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(length))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass


@pytest.fixture
def server():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.pages, server.asked = {"/text.txt": (TEXT, len(TEXT))}, []
        server.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def source(server, sha256="right", name="text.txt"):
    right = hashlib.sha256(TEXT).hexdigest()
    return Source(f"{server.url}/{name}", right if sha256 == "right" else sha256, "21 kB", "none")


def kept(folder):
    return {p.name for p in folder.iterdir()}


def test_a_file_is_downloaded_once(server, tmp_path):
    for _ in range(3):
        path = download(source(server), tmp_path / "cache")
        assert path.read_bytes() == TEXT
    assert server.asked == ["/text.txt"]
    assert kept(tmp_path / "cache") == {"text.txt", "text.txt.sha256"}


def test_another_checksum_is_refused_and_nothing_is_kept(server, tmp_path):
    with pytest.raises(ValueError, match=r"SHA-256 .* and 0000.*is wanted: .* Nothing was kept"):
        download(source(server, "0" * 64), tmp_path)
    assert kept(tmp_path) == set()


def test_a_damaged_cache_is_filled_again(server, tmp_path):
    path = download(source(server), tmp_path)
    path.write_bytes(TEXT[:-1])
    assert download(source(server), tmp_path).read_bytes() == TEXT
    assert len(server.asked) == 2


def test_without_a_published_checksum_the_first_download_sets_it(server, tmp_path):
    unknown = source(server, None)
    path = download(unknown, tmp_path)
    server.pages["/text.txt"] = (b"other", 5)
    assert download(unknown, tmp_path).read_bytes() == TEXT  # from the cache
    path.unlink()
    with pytest.raises(ValueError, match="no longer the same"):
        download(unknown, tmp_path)


def test_a_connection_that_breaks_off_is_no_file(server, tmp_path):
    server.pages["/text.txt"] = (TEXT[:1000], len(TEXT))
    with pytest.raises(ConnectionError, match="broke off after 1,000 of 21,500 bytes"):
        download(source(server, None), tmp_path)
    assert kept(tmp_path) == set()


def test_a_page_that_is_gone_is_named(server, tmp_path):
    with pytest.raises(ConnectionError, match=r"answered 404\. On a machine with a network, fetch"):
        download(source(server, name="gone.txt"), tmp_path)


def test_without_a_network_it_says_what_to_do_and_takes_a_file_put_there(server, tmp_path):
    wanted = source(server)
    server.shutdown()
    server.server_close()
    with pytest.raises(ConnectionError) as caught:
        download(wanted, tmp_path, timeout=2)
    message = str(caught.value)
    for part in ("cannot be reached", wanted.url, str(tmp_path / "text.txt"), "book_corpus()"):
        assert part in message
    assert kept(tmp_path) == set()
    (tmp_path / "text.txt").write_bytes(TEXT)
    assert download(wanted, tmp_path).read_bytes() == TEXT


def test_the_cache_is_where_the_environment_says(monkeypatch, tmp_path):
    monkeypatch.setenv("COURSEKIT_CACHE", str(tmp_path / "here"))
    assert cache_folder() == tmp_path / "here"
    monkeypatch.delenv("COURSEKIT_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "coursekit"


ARTICLES = (
    " \n = Cats = \n\n Cats sleep .\n = = Food = = \n They eat .\n = Dogs = \n\n Dogs bark .\n"
)


def test_an_archive_is_cut_into_its_articles(server, tmp_path, monkeypatch):
    with zipfile.ZipFile(tmp_path / "w.zip", "w") as archive:
        archive.writestr(PUBLIC["wikitext-2"].member, ARTICLES)
    data = (tmp_path / "w.zip").read_bytes()
    server.pages["/w.zip"] = (data, len(data))
    made_here = Source(
        f"{server.url}/w.zip",
        None,
        "",
        "",
        PUBLIC["wikitext-2"].member,
        PUBLIC["wikitext-2"].begins,
    )
    monkeypatch.setitem(public.PUBLIC, "wikitext-2", made_here)
    documents = list(public_documents("wikitext-2", tmp_path / "cache"))
    assert "".join(d.text for d in documents) == ARTICLES
    assert documents[1] == Document(
        "wikitext-2#1", " = Cats = \n\n Cats sleep .\n = = Food = = \n They eat .\n"
    )
    assert [d.text[:9] for d in documents] == [" \n", " = Cats =", " = Dogs ="]


def test_marks_of_the_end_divide_stories_and_are_in_none(server, tmp_path, monkeypatch):
    text = b"Once.\nThe end.\n<|endoftext|>\nTwice.\n\xff\r\n<|endoftext|>\n"
    server.pages["/s.txt"] = (text, len(text))
    made_here = Source(f"{server.url}/s.txt", None, "", "", "", PUBLIC["tiny-stories"].begins)
    monkeypatch.setitem(public.PUBLIC, "tiny-stories", made_here)
    first, second = public_documents("tiny-stories", tmp_path)
    assert first.text == "Once.\nThe end.\n"
    assert second.text.encode("utf-8", "surrogateescape") == b"Twice.\n\xff\r\n"


def test_every_public_text_says_where_it_is_from_and_for_whom():
    for name, entry in PUBLIC.items():
        assert entry.url.startswith("https://"), name
        assert entry.licence, name
        assert entry.size, name
        assert entry.sha256 is None or len(bytes.fromhex(entry.sha256)) == 32


def test_gpt2s_files_are_loaded_as_published(server, tmp_path, monkeypatch):
    """With files of our own in their format and under their names."""
    small = train_bpe("the theme of the thesis " * 3, 270, ["<|endoftext|>"])
    small.save(tmp_path / "made")
    for kind, (name, old) in {
        "vocab": ("encoder.json", "vocab.json"),
        "merges": ("vocab.bpe", "merges.txt"),
    }.items():
        text = (tmp_path / "made" / old).read_text(encoding="utf-8")
        text = json.dumps(json.loads(text)) if kind == "vocab" else text  # escapes, as published
        server.pages[f"/{name}"] = (text.encode(), len(text.encode()))
        monkeypatch.setitem(public.GPT2_FILES, kind, Source(f"{server.url}/{name}", None, "", ""))
    loaded = gpt2_tokenizer(tmp_path / "cache")
    text = "the thesis<|endoftext|>"
    assert loaded.encode(text) == small.encode(text)
