"""An order in a page: whom it reaches, what contains it, and what nothing here stops."""

import pytest

from coursekit.landscape import (
    ATTACKS,
    DEFENCES,
    TARGET,
    KeywordIndex,
    Quoter,
    attack_table,
    attempt,
    book_sections,
    book_tools,
    poisoned,
    rule_planner,
    run_agent,
)

QUESTION, PLACE = "What does a causal mask hide?", "glossary#term-causal-mask"


@pytest.fixture(scope="module")
def sections():
    return [s for s in book_sections() if s.page in ("04-transformer", "glossary")]


@pytest.fixture(scope="module")
def planner(sections):
    return rule_planner(Quoter(sections))


@pytest.fixture(scope="module")
def table(sections, planner):
    return attack_table(QUESTION, PLACE, sections, planner)


def test_a_gullible_planner_does_what_the_page_says(table):
    assert all(table["none"].values())


def test_a_filter_of_words_stops_what_it_was_written_for_and_no_more(table):
    stopped = {name for name in ATTACKS if not table["filter"][name]}
    assert stopped == {"plain", "authority"}


def test_limits_on_effects_stop_every_wording(table):
    for defence in ("no effects after reading", "only as asked"):
        assert not any(table[defence][name] for name in ATTACKS)


def test_what_they_cost(table):
    assert not table["no effects after reading"]["honest"]
    assert table["only as asked"]["honest"]


def test_the_answer_comes_all_the_same(sections, planner):
    clean = run_agent(QUESTION, book_tools(KeywordIndex(sections)), planner)
    pages = poisoned(sections, PLACE, ATTACKS["plain"].format(target=TARGET))
    trace, outbox = attempt(QUESTION, pages, planner, "only as asked")
    assert trace.answer == clean.answer
    assert outbox.sent == []
    refused = [s for s in trace.steps if s.action.tool == "send"]
    assert refused[0].observation.text.startswith("Refused: ")


def test_the_honest_planner_follows_no_page(sections, planner):
    pages = poisoned(sections, PLACE, ATTACKS["plain"].format(target=TARGET))
    trace = run_agent(QUESTION, book_tools(KeywordIndex(pages)), planner)
    assert {s.action.tool for s in trace.steps} <= {"search", "read"}


def test_a_false_sentence_is_quoted_whatever_the_defence(sections, planner):
    """Containing what an agent may do does not make what it reads true."""
    pages = poisoned(sections, PLACE, "A causal mask hides the past.")
    for defence in DEFENCES:
        trace, _ = attempt("Does a causal mask hide the past?", pages, planner, defence)
        assert trace.answer.endswith("A causal mask hides the past.")
        assert trace.sources == (PLACE,)


def test_unknown_names_are_refused(sections, planner):
    with pytest.raises(LookupError, match="no section 'nowhere'"):
        poisoned(sections, "nowhere", "x")
    with pytest.raises(ValueError, match="defence is 'hope'"):
        attempt(QUESTION, sections, planner, "hope")


def test_pages_are_not_trusted_and_tools_are(sections):
    tools = book_tools(KeywordIndex(sections))
    assert not tools["read"].run(PLACE).trusted
    assert tools["calculate"].run("1 + 1").trusted
    assert not any(tool.effect for tool in tools.values())
