"""Numbers reach the prose as they were formatted."""

import pytest
from IPython.utils.capture import capture_output

from coursekit.viz import glue


def stored(*arguments):
    with capture_output() as captured:
        glue(*arguments)
    (output,) = captured.outputs
    return output


@pytest.mark.parametrize(
    ("value", "spec", "text"),
    [
        (0.97314, ".1%", "97.3%"),
        (1797, ",", "1,797"),
        (0.5, ".2f", "0.50"),
        (1e-3, ".0e", "1e-03"),
        ("iris", "", "iris"),
        ("it's", "", "it's"),
    ],
)
def test_the_book_prints_the_formatted_text(value, spec, text):
    variables = pytest.importorskip("myst_nb.core.variables")
    output = stored("basics-number", value, spec)
    prefix = output.metadata["scrapbook"]["mime_prefix"]
    assert output.metadata["scrapbook"]["name"] == "basics-number"
    assert list(output.data) == [f"{prefix}text/plain"]
    assert variables.format_plain_text(output.data[f"{prefix}text/plain"], "") == text


@pytest.mark.parametrize("key", ["accuracy", "Basics-x", "basics x", "basics-", ""])
def test_other_keys_are_refused(key):
    with pytest.raises(ValueError, match="joined by hyphens"):
        glue(key, 1.0)


def test_a_specification_that_does_not_fit_is_explained():
    with pytest.raises(ValueError, match=r"str 'high' cannot be formatted with '\.1%'"):
        glue("basics-x", "high", ".1%")
