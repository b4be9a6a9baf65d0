"""The page of a leaderboard: one HTML file that needs nothing but itself."""

from pathlib import Path
from typing import Any

from classifier.evaluation.figures import METRICS
from classifier.files import write_text
from classifier.reports.templates import parts_of_verdict, template


def write_page(
    file: Path, board: dict[str, Any], facts: dict[str, dict[str, Any]], failed: dict[str, str]
) -> None:
    """Write the page of what `evaluation.leaderboard.board` gives of encoders with these `facts`.

    `failed`: why encoders are not on the board, by name. Raises ClassifierError where the file
    can't be written.
    """
    measures = list(board["models"][0]["figures"])
    page = template(Path(__file__).with_name("leaderboard.html.jinja")).render(
        board=board,
        facts=facts,
        failed=failed,
        metrics=METRICS,
        measures=measures,
        reach={name: _reach(board, name) for name in measures},
        overall=parts_of_verdict(board["overall"]["verdict"]),
        dependence=parts_of_verdict(board["dependence"]["verdict"]),
    )
    write_text(file, page)


def _reach(board: dict[str, Any], measure: str) -> float:
    """The largest number that a difference in the measure is drawn to."""
    compared = [*board["poolings"].values(), board["overall"], *board["dependence"]["pairs"]]
    found = [one["differences"][measure] for one in compared]
    ends = [abs(one[end]) for one in found for end in ("difference", "low", "high")]
    return max(ends) or 1.0
