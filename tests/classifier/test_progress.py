"""What a log shows of a long piece of work."""

import io

import pytest
from rich.console import Console

from classifier.progress import progress


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time, in seconds: set its one element."""
    now = [100.0]
    monkeypatch.setattr("classifier.progress.time.monotonic", lambda: now[0])
    return now


def lines(out: io.StringIO) -> list[str]:
    return out.getvalue().splitlines()


def test_a_line_every_half_minute_with_the_time_left(clock: list[float]) -> None:
    out = io.StringIO()
    with progress("CLS pooling", Console(file=out, width=40)) as report:
        for step in range(101):
            report(step, 400, f"CLS pooling, epoch {1 + step // 100}/4, loss 0.512")
            clock[0] += 1
    assert lines(out) == [
        "  CLS pooling, epoch 1/4, loss 0.512: 30 of 400 (8%), 6 min left",
        "  CLS pooling, epoch 1/4, loss 0.512: 60 of 400 (15%), 6 min left",
        "  CLS pooling, epoch 1/4, loss 0.512: 90 of 400 (22%), 5 min left",
    ]


def test_the_pace_is_that_of_this_run_and_not_of_what_was_there(clock: list[float]) -> None:
    """9,000 rows were done by a run before, and a row takes two seconds now."""
    out = io.StringIO()
    with progress("reviews.csv", Console(file=out)) as report:
        for done in range(9000, 9020):
            report(done, 9040, "reviews.csv")
            clock[0] += 2
    assert lines(out) == ["  reviews.csv: 9,015 of 9,040 (100%), 50 s left"]


def test_without_a_total_it_says_what_is_done(clock: list[float]) -> None:
    out = io.StringIO()
    with progress("-", Console(file=out)) as report:
        clock[0] += 31
        report(1234, None, "-")
    assert lines(out) == ["  -: 1,234 done"]


def test_a_terminal_shows_a_bar(clock: list[float]) -> None:
    out = io.StringIO()
    with progress("CLS pooling", Console(file=out, force_terminal=True, width=100)) as report:
        report(30, 400, "CLS pooling, epoch 1/4")
    assert "30/400" in out.getvalue()
    assert "epoch 1/4" in out.getvalue()
