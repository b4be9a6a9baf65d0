"""`audit`: rows whose label is likely wrong, as a table and as a page."""

import csv
import io
import json
import re
import signal
import time
from pathlib import Path
from typing import Any

import pytest
from numpy.typing import NDArray

from classifier.explanation.reasons import against
from classifier.labels import SENTIMENTS
from classifier.reports.audit import COLUMNS, ON_THE_PAGE
from classifier.training import out_of_fold
from classifier.training.out_of_fold import FOLDS
from tests import tiny
from tests.classifier.command_line import PATIENCE, CommandLine
from tests.classifier.explanation import word_weights

EVIL = '=HYPERLINK("http://example.org","<script>alert(1)</script>")'
GOOD = "Шёл <b>дождь</b>. Начало великолепно. Рядом сидел зритель номер {}. Мы ели попкорн."
BAD = "Шёл дождь. Финал ужасно снят. Рядом сидел зритель номер {}. Мы ели попкорн."


@pytest.fixture
def line(tmp_path: Path, tiny_encoder: Path) -> CommandLine:
    return CommandLine(tmp_path, tiny_encoder)


def write(line: CommandLine, rows: list[dict[str, Any]]) -> list[str]:
    """The command that audits these rows."""
    lines = (json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    (line.folder / "reviews.jsonl").write_text("".join(lines), encoding="utf-8")
    return ["audit", "--reviews", "reviews.jsonl", "--encoder", str(line.encoder)]


def table(line: CommandLine) -> list[dict[str, str]]:
    content = (line.folder / "audit" / "audit.csv").read_bytes()
    assert content.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def row(number: int, *, good: bool, labelled_good: bool) -> dict[str, Any]:
    words = f"{number} " + " ".join(chr(0x430 + (number * k) % 32) * 3 for k in range(3, 9))
    return {
        "review_id": f"r{number}",
        "movie_name": EVIL if good != labelled_good else "Дом у переправы",
        "content": (GOOD if good else BAD).format(words),
        "grade3": "Good" if labelled_good else "Bad",
        "grade10": 9 if labelled_good else 2,
    }


def by_words(experiment: Any, _folder: Path, fold: NDArray[Any]) -> dict[str, Any]:
    """What models would say that judge by their words alone, without a training."""
    rows = experiment.data.reviews.rows.select(fold)
    said = [
        {name: word_weights.predicted(text, name) for name in word_weights.WEIGHTS}
        for text in rows["text"]
    ]
    return {
        "probabilities": {
            name: [each[name].sentiment_probabilities for each in said]
            for name in word_weights.WEIGHTS
        },
        "linear": [each["mean"].sentiment_probabilities for each in said],
        "ratings": {name: [each[name].rating for each in said] for name in word_weights.WEIGHTS},
        "against": {
            str(place): against(
                word_weights.predict, rows["text"][place], SENTIMENTS[rows["sentiment"][place]]
            )
            for place, each in enumerate(said)
            if each["cls"].sentiment != SENTIMENTS[rows["sentiment"][place]]
        },
    }


def test_wrong_labels_are_told_with_what_speaks_against_them(
    line: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(out_of_fold, "_fold", by_words)
    wrong = {7, 20, 33}
    rows = [
        row(number, good=number % 2 == 0, labelled_good=(number % 2 == 0) != (number in wrong))
        for number in range(60)
    ]
    status, out, err = line.here(*write(line, rows))
    assert (status, err) == (0, "")
    assert "3 of 60 labels are likely wrong (5.0%)." in out
    found = table(line)
    assert {one["review_id"] for one in found} == {f"r{number}" for number in wrong}
    (of_good,) = (one for one in found if one["review_id"] == "r20")
    assert tuple(of_good) == COLUMNS
    assert (of_good["given_sentiment"], of_good["given_rating"]) == ("Bad", "2")
    assert of_good["likely_sentiment"] == of_good["cls_sentiment"] == "Good"
    assert float(of_good["cls_probability"]) == pytest.approx(0.9526, abs=1e-4)
    assert float(of_good["cls_probability_of_given"]) == pytest.approx(0.0474, abs=1e-4)
    assert of_good["cls_against"] == of_good["mean_against"] == "Начало великолепно."
    assert of_good["movie_name"] == f"'{EVIL}", "no formula for a spreadsheet"
    page = (line.folder / "audit" / "audit.html").read_text()
    assert "<h1>3 of 60 labels are likely wrong</h1>" in page
    assert page.count("<article>") == 3 <= ON_THE_PAGE
    assert page.count('<q lang="ru">Финал ужасно снят.</q>') == 4
    assert "<script" not in page
    assert "Шёл &lt;b&gt;дождь" in page
    assert not re.findall(r"""(?:src|href)=["'](?!#|data:)""", page)
    assert not list((line.folder / "audit" / ".unfinished").iterdir())


def test_what_can_not_be_audited(line: CommandLine) -> None:
    def refused(command: list[str], why: str) -> None:
        status, _, err = line.here(*command)
        assert status == 1
        assert why in err
        assert "Traceback" not in err

    alike = [row(number, good=True, labelled_good=True) for number in range(50)]
    refused(write(line, alike[:20]), "reviews.jsonl has 20 usable rows; at least 40 are needed")
    refused(write(line, alike), "too few rows of a second sentiment: at least 3 are needed of two")
    strange = [
        alike[0] | {"review_id": f"s{n}", "content": f"z{n}y q{n}x", "grade3": grade}
        for n, grade in enumerate(["Good", "Bad"] * 25)
    ]
    refused(write(line, strange), "no word stands in 3 of the reviews or more")
    refused(["audit", "--reviews", "nothing.csv"], "nothing.csv")
    refused(["audit", "--reviews", "sample", "--out", "reviews.jsonl"], "reviews.jsonl can't be")
    assert not (line.folder / "audit" / "audit.csv").exists()


@pytest.mark.slow
def test_killed_in_the_middle_it_ends_as_without(line: CommandLine) -> None:
    command = write(line, tiny.make_rows(90))
    status, _, err = line.here(*command)
    assert status == 0, err
    whole = table(line)
    (line.folder / "audit" / "audit.csv").unlink()
    process = line.start("-m", "classifier", *command)
    unfinished = line.folder / "audit" / ".unfinished"
    ends = time.monotonic() + PATIENCE
    while not (list(unfinished.glob("*/fold-1.json")) and list(unfinished.glob("*/fold-2/cls-*"))):
        assert process.poll() is None
        assert time.monotonic() < ends
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert not (line.folder / "audit" / "audit.csv").exists()
    status, out, err = line.here(*command)
    assert status == 0, err
    assert out.count("It was done before.") == 1
    assert f"Fold {FOLDS} of {FOLDS}" in out
    assert table(line) == whole
    assert not list(unfinished.iterdir())
    for one in whole:
        assert one["likely_sentiment"] != one["given_sentiment"]
