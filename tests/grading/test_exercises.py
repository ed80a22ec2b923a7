"""The generated files: complete, deterministic, in date, and without a line of a solution."""

import ast
import importlib.util
import json
import re
from pathlib import Path

import nbformat
import numpy as np
import pytest
from nbclient import NotebookClient

from coursekit.grading import build, exercises, stale
from coursekit.grading.exercises import BLOCK, read_master, section_titles, solved_edition
from coursekit.grading.public import load
from coursekit.grading.question import (
    QuestionError,
    chapter_folders,
    load_questions,
    question_files,
)

ROOT = Path(__file__).resolve().parents[2]
STEMS = [folder.name for folder in chapter_folders(ROOT)]
SECONDS = 60


def generated(root: Path, stem: str) -> list[Path]:
    return [
        root / "exercises" / f"{stem}.ipynb",
        root / "src" / "coursekit" / "grading" / "checks" / f"{stem}.json",
    ]


def run(notebook, folder: Path):
    NotebookClient(
        notebook, timeout=SECONDS, kernel_name="python3", resources={"metadata": {"path": folder}}
    ).execute()
    return notebook


def said(notebook) -> dict[str, str]:
    """Text of each cell's result, by cell id."""
    cells = [c for c in notebook.cells if c.cell_type == "code"]
    return {
        c.id: "".join(o.data.get("text/plain", "") for o in c.outputs if "data" in o) for c in cells
    }


def test_the_committed_exercises_are_in_date():
    assert stale(ROOT) == []


def test_a_build_is_deterministic(tiny):
    written = build(tiny)
    assert sorted(written) == sorted(generated(tiny, "99-tiny"))
    first = [path.read_bytes() for path in written]
    assert build(tiny) == []
    for path in written:
        path.unlink()
    assert [path.read_bytes() for path in build(tiny)] == first
    assert not any(b"\r" in text for text in first)


@pytest.mark.parametrize(
    ("name", "old", "new", "changes"),
    [
        ("solutions/99-tiny/notebook.md", "Double it.", "Double it twice.", ["ipynb"]),
        ("solutions/99-tiny/questions.py", "Twice as much", "Two times", ["ipynb", "json"]),
        ("solutions/99-tiny/questions.py", "You halved it.", "That is half.", ["json"]),
        ("solutions/99-tiny/questions.py", "return 2.0 * x", "return 3.0 * x", None),
        ("book/99-tiny.md", "## Doubling", "## Times two", ["ipynb", "json"]),
        ("exercises/99-tiny.ipynb", "Double it.", "Double.", ["ipynb"]),
        ("src/coursekit/grading/checks/99-tiny.json", "You halved it.", "Half.", ["json"]),
    ],
)
def test_stale_sees_every_edit(tiny, name, old, new, changes):
    build(tiny)
    assert stale(tiny) == []
    path = tiny / name
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    if changes is None:
        with pytest.raises(QuestionError, match="variant 1"):
            stale(tiny)
    else:
        assert sorted(p.suffix[1:] for p in stale(tiny)) == changes


def test_stale_sees_a_changed_value_but_not_its_last_bit(tiny):
    build(tiny)
    _, path = generated(tiny, "99-tiny")
    data = json.loads(path.read_text())
    value = data["questions"][0]["cases"][0]["wanted"]["data"]
    value[0] *= 1 + 4e-16
    path.write_text(json.dumps(data))
    assert stale(tiny) == []
    value[0] *= 1 + 1e-6
    path.write_text(json.dumps(data))
    assert stale(tiny) == [path]


SINGLE = float(np.float32(1 / 3))
NEXT = float(np.nextafter(np.float32(1 / 3), np.float32(1)))


@pytest.mark.parametrize(
    ("old", "new", "same"),
    [
        (1 / 3, 1 / 3 + 1e-16, True),
        (1 / 3, 1 / 3 * (1 + 1e-7), False),
        (SINGLE, NEXT, True),
        (SINGLE, float(np.float32(0.334)), False),
        (1e300, 1e300 * (1 + 1e-7), False),
        ({"dtype": "float32", "data": [SINGLE]}, {"dtype": "float32", "data": [NEXT]}, True),
        ({"dtype": "float32", "data": [SINGLE]}, {"dtype": "float32", "data": [0.334]}, False),
        (
            {"dtype": "bfloat16", "data": [0.333984375]},
            {"dtype": "bfloat16", "data": [0.3359375]},
            True,
        ),
        ({"dtype": "int64", "data": [3]}, {"dtype": "int64", "data": [4]}, False),
    ],
    ids=range(9),
)
def test_last_digits_of_the_format_computed_in_are_no_reason_to_rebuild(tmp_path, old, new, same):
    """A neighbour in float32 is 1e-7 away, one in bfloat16 6e-3."""
    path = tmp_path / "checks.json"
    path.write_text(json.dumps([old]), encoding="utf-8")
    assert exercises._same(path, json.dumps([new])) is same


def test_a_broken_question_writes_nothing(tiny):
    questions = tiny / "solutions" / "99-tiny" / "questions.py"
    questions.write_text(questions.read_text().replace("points=2", "points=0"))
    with pytest.raises(QuestionError):
        build(tiny)
    assert not (tiny / "exercises").exists()


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("<!-- question: essay -->", "", r"missing: \['essay'\]"),
        ('check("essay")', 'check("esssay")', r"unknown: \['esssay'\]"),
        ("    # solution end\n", "", "lacks its partner"),
        ("def double(x)", "def duble(x)", "no starter for 'double'"),
    ],
)
def test_a_master_notebook_that_does_not_fit_its_questions_is_refused(tiny, old, new, says):
    path = tiny / "solutions" / "99-tiny" / "notebook.md"
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(QuestionError, match=says):
        build(tiny)


def test_a_section_that_the_page_lacks_is_refused(tiny):
    path = tiny / "book" / "99-tiny.md"
    path.write_text(path.read_text().replace("sec-tiny-why", "sec-tiny-because"))
    with pytest.raises(QuestionError, match=r"'sec-tiny-why', which book/99-tiny\.md does"):
        build(tiny)


def test_a_folder_without_solutions_is_refused(tmp_path):
    with pytest.raises(QuestionError, match="give the checkout"):
        build(tmp_path)


def test_the_student_notebook_holds_starters_and_no_solution(tiny):
    build(tiny)
    exercise, checks = generated(tiny, "99-tiny")
    text = exercise.read_text() + checks.read_text()
    assert "secret_name" not in text
    assert "hidden reason" not in text
    cells = {c.id: c.source for c in nbformat.read(exercise, as_version=4).cells}
    assert cells["double-answer"] == "def double(x):\n    ..."
    assert "## 1. Twice as much" in cells["double-text"]
    assert "2 points. Trains [Doubling](https://" in cells["double-text"]
    assert "read by a person" in cells["essay-text"]


def statements(code: str) -> set[str]:
    """Lines that compute something, normalised; short ones say nothing about a solution."""
    found = set()
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Return | ast.Assign | ast.AugAssign):
            found.add(ast.unparse(node))
    return {line for line in found if len(line) > 25}


@pytest.mark.parametrize("stem", STEMS)
def test_no_solution_is_in_what_students_get(stem):
    folder = ROOT / "solutions" / stem
    master = read_master(folder)
    blocks = [
        m.group() for c in master.cells if c.cell_type == "code" for m in BLOCK.finditer(c.source)
    ]
    secret = set().union(*(statements("def f():\n" + block) for block in blocks))
    for path in question_files(folder):
        for node in ast.parse(path.read_text()).body:
            parts = node.body if isinstance(node, ast.ClassDef) else [node]
            parts = [n for n in parts if getattr(n, "name", "") not in ("cases", "driver")]
            kept = [n for n in parts if isinstance(n, ast.FunctionDef | ast.ClassDef)]
            secret |= statements("\n".join(map(ast.unparse, kept)))
    assert len(secret) > 100, "the test must know what to look for"
    for path in generated(ROOT, stem):
        text = re.sub(r"\s+", "", path.read_text().replace('\\"', '"').replace('"', "'"))
        leaked = [line for line in secret if re.sub(r"\s+", "", line.replace('"', "'")) in text]
        assert leaked == []


@pytest.mark.parametrize("stem", STEMS)
def test_cell_ids_are_distinct_and_there_are_no_outputs(stem):
    notebook = nbformat.read(generated(ROOT, stem)[0], as_version=4)
    nbformat.validate(notebook)
    ids = [c.id for c in notebook.cells]
    assert len(set(ids)) == len(ids)
    for q in load(stem).questions:
        assert {f"{q}-text", f"{q}-answer", f"{q}-check"} <= set(ids)
    assert not any(c.get("outputs") for c in notebook.cells)


@pytest.mark.parametrize("stem", STEMS)
def test_the_text_reads_in_plain_jupyter(stem):
    notebook = nbformat.read(generated(ROOT, stem)[0], as_version=4)
    text = "\n".join(c.source for c in notebook.cells if c.cell_type == "markdown")
    assert not re.search(r"\{[a-z:]+\}`|^:::|^```\{|^\([\w-]+\)=$|<!--", text, re.MULTILINE)


@pytest.mark.parametrize("stem", STEMS)
def test_an_unsolved_notebook_runs_to_its_end_and_says_what_is_missing(stem, tmp_path):
    exercise, _ = generated(ROOT, stem)
    notebook = run(nbformat.read(exercise, as_version=4), tmp_path)
    results = said(notebook)
    for q in load(stem).questions:
        assert "not started" in results[f"{q}-check"]


HAS_TRITON = importlib.util.find_spec("triton") is not None
KERNEL_STOPPED = "line 2: tl.load(Z)" if HAS_TRITON else "Triton is for Linux"
BAD_CELLS = {
    "01-basics": {
        "gaussian-mle": (
            "def gaussian_mle(x):\n    while True:\n        pass",
            "It was stopped after",
        ),
        "log-softmax": ("def log_softmax(logits):\n    return 1 / 0", "line 2: return 1 / 0"),
        "discrete-kl": ("", "`discrete_kl` does not exist in this notebook yet"),
        "ridge": ("def ridge(X, y, gamma):\n    return X[0], 0.0", "value 1 of 2"),
        "soft-threshold": ("def soft_threshold(z, threshold):\n    print(z)", "gives nothing yet"),
        "find-the-flaw": ("flaw = 'Too many tries.'", "3 words"),
    },
    "02-backprop": {
        "affine-backward": (
            "def affine_backward(grad_z, o_prev, W):\n"
            "    return np.dot(grad_z, o_prev.T), grad_z.copy(), np.dot(grad_z, W)",
            "For arrays with one axis .T does nothing",
        ),
        "central-difference": (
            "def central_difference(f, x, step):\n    x += step\n    return 0 * x",
            "3 of 3 entries of the answer differ",
        ),
        "tape": ("class Value:\n    pass", "Value() takes no arguments"),
        "adam": ("Adam = None", "a function or class is asked for"),
        "he-weights": (
            "def he_weights(n_out, n_in, rng):\n"
            "    return np.random.normal(scale=(2 / n_in) ** 0.5, size=(n_out, n_in))",
            "the same generator gives the same weights",
        ),
        "train-a-network": (
            "def train(X, y, rng):\n    return lambda new: np.zeros(len(new), dtype=int)",
            "All points got class 0",
        ),
        "make-it-faster": ("speed = 'It is fast.'", "3 words"),
    },
    "03-seq2seq": {
        "skip-gram-pairs": (
            "def skip_gram_pairs(words, window):\n    return [(w, w) for w in words]",
            "4 values came back as the answer; 6 were wanted",
        ),
        "perplexity": (
            "def perplexity(probabilities):\n    return 2 ** -np.mean(np.log(probabilities))",
            "You raised 2 to the power",
        ),
        "recurrent-layer": (
            "class RNN(nn.Module):\n    def __init__(self, n, H):\n        super().__init__()\n"
            "        self.rnn = nn.RNN(n, H, batch_first=True)\n"
            "    def forward(self, x):\n        return self.rnn(x)[0]",
            "weight_ih, weight_hh, bias were wanted",
        ),
        "masked-attention": (
            "def attention_weights(scores, lengths):\n"
            "    real = torch.arange(scores.shape[1]) < lengths[:, None]\n"
            "    return scores.masked_fill(~real, -torch.inf).softmax(-1)",
            "A row of padding only gives nan",
        ),
        "beam-search": (
            "def beam_search(start, step, width, length):\n    path = [int(np.argmax(start))]\n"
            "    while len(path) < length:\n        path.append(int(np.argmax(step[path[-1]])))\n"
            "    return path",
            "This is greedy search",
        ),
        "make-it-fail": ("findings = 'It never fails.'", "3 words"),
    },
    "11-landscape": {
        "contrastive-loss": (
            "def contrastive_loss(images, words, scale):\n"
            "    s = scale * images @ words.T\n"
            "    rows = np.logaddexp.reduce(s, axis=1) - np.diag(s)\n"
            "    columns = np.logaddexp.reduce(s, axis=0) - np.diag(s)\n"
            "    return (rows.mean() + columns.mean()) / 2",
            "Divide every vector by its length first.",
        ),
        "patches": ("patches = 4", "a function or class is asked for"),
        "fuse-ranks": ("", "`fuse` does not exist in this notebook yet"),
        "found-or-not": (
            "def found_or_not(rankings, right, k):\n    return rankings[99]",
            "IndexError",
        ),
        "safe-calculator": (
            "def calculate(text):\n"
            "    try:\n"
            "        return eval(text, {'__builtins__': {}})\n"
            "    except Exception as error:\n"
            "        raise ValueError('not a sum') from error",
            "Even without builtins eval computes strings",
        ),
        "take-apart": ("report = 'It is a hype.'", "4 words"),
    },
    "10-semiconductors": {
        "die-yield": (
            "def die_yield(width, height, density):\n"
            "    load = width * height * density\n"
            "    return math.exp(-load), ((1 - math.exp(-load)) / load) ** 2",
            "a cm² has 100 mm²",
        ),
        "count-dies": ("count_dies = 64", "a function or class is asked for"),
        "clusters": (
            "def whole_and_alpha(points, corners, width, height):\n    return points[99]",
            "IndexError",
        ),
        "run-the-rule": (
            "def verdict(rates, area, datacenter):\n"
            "    tpp = max(bits * rate for bits, rate in rates)\n"
            "    return 'licence' if tpp > 4800 else 'free'",
            "'free'",
        ),
        "draw-a-line": ("line = 'Do not sell.'", "3 words"),
    },
    "05-attention": {
        "attention-bound": ("attention_bound = 1.0", "a function or class is asked for"),
        "online-softmax": (
            "def online_states(scores, size):\n    return np.exp(scores)",
            "has shape (7,); shape (3, 2) was wanted",
        ),
        "merge-states": ("", "`merge` does not exist in this notebook yet"),
        "page-lookup": (
            "def read_pages(pool, pages, length):\n    return pool[length]",
            "IndexError",
        ),
        "softmax-kernel": (
            "def softmax_kernel(X, Y, columns, stride, BLOCK: tl.constexpr):\n    tl.load(Z)",
            KERNEL_STOPPED,
        ),
        "attention-kernel": ("attention_kernel = str", "a kernel was wanted"),
        "benchmark": ("benchmark = 'It is slow.'", "3 words"),
    },
    "06-pretraining": {
        "merge-pair": (
            "def merge(ids, pair, new):\n    return [new] * (len(ids) // 2)",
            "2 values came back as the answer; 3 were wanted",
        ),
        "encode-word": (
            "def encode(word, merges):\n    return list(word)",
            "6 values came back as the answer; 2 were wanted",
        ),
        "next-token-loss": (
            "def next_token_loss(logits, ids):\n"
            "    log_p = logits - np.logaddexp.reduce(logits, axis=1)[:, None]\n"
            "    loss = -log_p[np.arange(len(ids)), ids].mean()\n"
            "    return loss, loss - np.log(logits.shape[1])",
            "you compared it with token t itself",
        ),
        "learning-rate": ("", "`learning_rate` does not exist in this notebook yet"),
        "bits-per-byte": (
            "def bits_per_byte(log_probs, text):\n"
            "    return -log_probs.sum() / np.log(2) / len(text)",
            "An é is one character and two bytes",
        ),
        "cached-head": (
            "class CachedHead:\n    def __init__(self):\n        self.v = []",
            "has no `step`",
        ),
        "conversations": ("conversations = 3", "a function or class is asked for"),
        "which-tokenizer": ("findings = 'She is not.'", "3 words"),
    },
    "07-posttraining": {
        "response-loss": (
            "def response_loss(log_probs, mask):\n    return -log_probs.mean()",
            "Prompt and padding are in it",
        ),
        "who-sees-whom": (
            "def may_see(document):\n    return document >= 0",
            "has shape (3,); shape (3, 3) was wanted",
        ),
        "reinforce": ("", "`reinforce` does not exist in this notebook yet"),
        "advantages": (
            "def advantages(rewards, values, gamma, lam):\n    rewards[0] / 0\n    return 1 / 0",
            "line 3: return 1 / 0",
        ),
        "bradley-terry": (
            "def comparison_loss(chosen, rejected):\n"
            "    with np.errstate(all='ignore'):\n"
            "        return -np.log(1 / (1 + np.exp(rejected - chosen))).mean()",
            "This overflows where the model is sure and wrong",
        ),
        "vote": ("vote = '7'", "a function or class is asked for"),
        "cheat-the-reward": ("findings = 'It cheats.'", "2 words"),
    },
    "04-transformer": {
        "column-attention": (
            "def column_attention(Q, K, V):\n"
            "    e = np.exp(K.T @ Q / len(K))\n    return V @ (e / e.sum(axis=0))",
            "You divided by d_k; divide by its square root.",
        ),
        "batched-attention": (
            "def attention(q, k, v):\n"
            "    e = np.exp(q @ np.swapaxes(k, -1, -2) / np.sqrt(q.shape[-1]))\n"
            "    return e / e.sum(axis=-1, keepdims=True) @ v",
            "A large score overflows in exp",
        ),
        "causal-attention": (
            "def causal_attention(q, k, v):\n    return q @ k.T",
            "has shape (4, 4); shape (4, 2) was wanted",
        ),
        "rotary": ("rotary = 10_000", "a function or class is asked for"),
        "count-gpt2": (
            "def gpt2_parameters(vocab, context, d, layers):\n"
            "    return (vocab + context) * d + layers * (12 * d * d + 13 * d)",
            "The last norm, behind all blocks, is missing.",
        ),
        "head-hunt": ("findings = 'It translates.'", "2 words"),
    },
    "09-hardware": {
        "ridge-and-bound": (
            "def bound(operations, moved, peak, bandwidth):\n"
            "    speed = max(peak, operations / moved * bandwidth)\n"
            "    memory = operations / moved < peak / bandwidth\n"
            "    return speed, 'memory' if memory else 'arithmetic'",
            "take the smaller bound",
        ),
        "seats": ("", "`seats` does not exist in this notebook yet"),
        "round-to-format": (
            "def round_to(x, exponent_bits, mantissa_bits):\n    return 1 / 0",
            "line 2: return 1 / 0",
        ),
        "experts-and-days": ("training_days = None", "a function or class is asked for"),
        "vendors-slide": ("vendors_slide = 'Too good.'", "2 words"),
    },
    "08-generative": {
        "gaussian-kl": (
            "def gaussian_kl(mean, log_var):\n"
            "    return 0.5 * (mean**2 + np.exp(log_var) - 1 - log_var).mean(1)",
            "you took their mean",
        ),
        "importance-bound": (
            "def importance_bound(log_p, log_q):\n    return np.mean(log_p - log_q, axis=1)",
            "This is the ELBO",
        ),
        "optimal-discriminator": (
            "def best_game(p, q):\n    return p / (p + q)",
            "2 values",
        ),
        "gradient-penalty": (
            "def gradient_penalty(critic, real, fake, share):\n    return 1 / 0",
            "line 2: return 1 / 0",
        ),
        "heun": (
            "def heun(velocity, x, n):\n    for k in range(n):\n"
            "        x = x + velocity(x, k / n) / n\n    return x",
            "This is Euler's step",
        ),
        "guided-noise": ("def guided(with_label, without, w):\n    pass", "gives nothing yet"),
        "cheat-the-table": ("cheat = 'I copy the data.'", "4 words"),
    },
}


@pytest.mark.parametrize("stem", STEMS)
def test_a_half_finished_notebook_runs_to_its_end_in_a_kernel(stem, tmp_path):
    bad = BAD_CELLS[stem]
    notebook = nbformat.read(generated(ROOT, stem)[0], as_version=4)
    for cell in notebook.cells:
        question = cell.id.removesuffix("-answer")
        if question in bad:
            cell.source, _ = bad[question]
    results = said(run(notebook, tmp_path))
    for question, (_, says) in bad.items():
        assert says in results[f"{question}-check"]


@pytest.mark.parametrize("stem", STEMS)
def test_a_solved_notebook_earns_full_points(stem, tmp_path):
    folder = ROOT / "solutions" / stem
    sections = section_titles(ROOT, stem)
    questions = load_questions(folder)
    if any(q.needs and not importlib.util.find_spec(q.needs) for q in questions):
        pytest.skip("a package that a question needs is not installed here")
    solved = solved_edition(read_master(folder), questions, stem, sections)
    results = said(run(solved, tmp_path))
    possible = 0
    for q in load(stem).questions.values():
        if q.kind == "code":
            possible += q.points
            assert "passed" in results[f"{q.id}-check"], results[f"{q.id}-check"]
        else:
            assert "for your teacher" in results[f"{q.id}-check"]
    assert f"Points so far: {possible} of {possible}" in list(results.values())[-1]
