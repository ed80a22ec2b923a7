"""Everything that is written beside a gradebook after grading."""

from pathlib import Path

from coursekit.grading.grader.export import export
from coursekit.grading.grader.feedback import write_feedback
from coursekit.grading.grader.gradebook import open_gradebook
from coursekit.grading.grader.pages import write
from coursekit.grading.grader.report import write_report


def write_outputs(out: Path) -> None:
    """Write the feedback pages, the class report and the plain CSV, over the older ones."""
    with open_gradebook(out) as book:
        write_feedback(book, out)
        write_report(book, out)
        write(out / "grades.csv", export(book, "plain"))
