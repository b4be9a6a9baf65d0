import base64
import io
import re
from dataclasses import dataclass, field, replace
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.image import imread
from numpy.typing import NDArray

from classifier.evaluation.comparison import compare, compare_seeds
from classifier.evaluation.metrics import evaluate
from classifier.labels import NO_RATING
from classifier.modeling.outputs import Labels, Outputs
from classifier.reports.plots import Plot
from classifier.reports.report import Answer, Holdout, examples_of, shown_better, write_report
from classifier.reports.theme import DARK, LIGHT
from tests.classifier.explanation import word_weights

ROWS = 300
PLOTS = {"loss", "accuracy", "confusion", "per_class_f1", "reliability", "error_by_length"}
VOID = {"meta", "link", "img", "br", "hr", "input"}

# Every text is wrong in a different way for HTML.
HOSTILE = "<script>alert('Фильм')</script> & <b>жирно</b> \"кавычки\" </details></article>"


def model(seed: int, noise: float = 1.5, *, rating_head: bool = True) -> Outputs:
    rng = np.random.default_rng(seed)
    labels = truth()
    sentiment_logits = rng.normal(size=(ROWS, 3)) * noise + 2 * np.eye(3)[labels.sentiment]
    centre = np.where(labels.rating == NO_RATING, 5, labels.rating)
    centre = centre + rng.normal(scale=noise, size=ROWS)
    rating_logits = -((np.arange(11) - centre[:, None]) ** 2) / 3
    return Outputs(sentiment_logits, rating_logits if rating_head else None)


def truth(*, rated: bool = True) -> Labels:
    rng = np.random.default_rng(0)
    rating = rng.integers(0, 11, ROWS)
    rating[rng.random(ROWS) < 0.2] = NO_RATING
    return Labels(
        rng.choice(3, ROWS, p=[0.3, 0.1, 0.6]), rating if rated else np.full(ROWS, NO_RATING)
    )


def holdout(first: Outputs, second: Outputs, labels: Labels) -> Holdout:
    return Holdout(
        texts=[f"{HOSTILE} Отзыв номер {row}. " + "Хороший кадр. " * row for row in range(ROWS)],
        films=[None if row % 3 else f"Дом <у> переправы {row}" for row in range(ROWS)],
        labels=labels,
        outputs={"cls": first, "mean": second},
    )


def metrics(first: Outputs, second: Outputs, labels: Labels) -> dict[str, Any]:
    return {
        "cls": evaluate(first, labels, temperature=1.25, resamples=40),
        "mean": evaluate(second, labels, temperature=0.8, resamples=40),
        "comparison": compare(first, second, labels, resamples=200),
    }


def training(*, stand_in: bool = False) -> dict[str, Any]:
    part = {"rows": 2411, "Bad": 800, "Neutral": 123, "Good": 1488, "rated": 1999}
    return {
        "reviews": {
            "source": "reviews.jsonl.gz",
            "reason": "the file reviews.jsonl.gz",
            "fingerprint": "0123456789abcdef" * 4,
            "counts": {"read": 3201, "rejected": 7, "exact_duplicates": 58, "kept": 3136},
            "parts": {"train": part, "validation": part, "holdout": part | {"rows": ROWS}},
        },
        "split": "random",
        "keep_ratings": False,
        "encoder": {
            "name": "someone/tiny-encoder",
            "origin": "another-package, of the same shape" if stand_in else "the folder <tiny>",
            "stand_in": stand_in,
        },
        "recipe": {"name": "default", "epochs": 2, "max_tokens": 256, "rating_head": True},
        "seed": 41,
        "seconds": {"cls": 281.4, "mean": 279.6},
        "versions": {"python": "3.11.9", "torch": "2.13.0"},
        "machine": {"processor": "x86_64", "cores": 2},
    }


def history(epochs: int = 2, *, rating_head: bool = True) -> dict[str, Any]:
    names = ["loss", "accuracy"] + ["rating_loss", "rating_accuracy"] * rating_head
    figures = {f"{part}_{name}": 0.625 for part in ("train", "validation") for name in names}
    rows = [{"epoch": epoch, **figures, "seconds": 9.5} for epoch in range(1, epochs + 1)]
    return {"cls": rows, "mean": rows}


@dataclass
class Page(HTMLParser):
    """An HTML page taken apart; an element left open or closed twice fails the test."""

    html: str
    elements: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    tables: list[list[list[str]]] = field(default_factory=list)
    _open: list[str] = field(default_factory=list)
    _words: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()
        self.feed(self.html)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self._open.append(tag)
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in ("td", "th"):
            self.tables[-1][-1].append("")

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" in self._open:
            return
        self._words.append(data)
        if self._open and {"td", "th"} & set(self._open):
            self.tables[-1][-1][-1] = " ".join(f"{self.tables[-1][-1][-1]} {data}".split())

    @property
    def text(self) -> str:
        return " ".join("".join(self._words).split())

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.elements if name == tag]

    def row(self, heading: str, *, table: int = 0) -> list[str]:
        (row,) = (row for row in self.tables[table] if row and row[0] == heading)
        return row[1:]


def report(folder: Path, **changes: Any) -> Page:
    """The report of two usual models, with what `changes` names put in another's place."""
    first, second = changes.pop("models", None) or (model(1), model(2))
    labels = changes.pop("labels", None) or truth()
    extra = changes.pop("extra", {})
    write_report(
        folder,
        changes.pop("training", None) or training(),
        changes.pop("history", None) or history(),
        metrics(first, second, labels) | extra,
        holdout(first, second, labels),
        word_weights.predict,
    )
    assert not changes
    return Page((folder / "report.html").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the report of two models, the second clearly better."""
    folder = tmp_path_factory.mktemp("version")
    extra = {"unstripped": {"cls": {"accuracy": 0.1234}, "mean": {"accuracy": 0.9876}}}
    report(folder, models=(model(1, 2.5), model(2, 0.8)), extra=extra)
    return folder


@pytest.fixture(scope="module")
def page(folder: Path) -> Page:
    return Page((folder / "report.html").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def figures() -> dict[str, Any]:
    return metrics(model(1, 2.5), model(2, 0.8), truth())


@pytest.fixture
def plots_are_drawn(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Saves a second's drawing where a test is about the words of the report."""
    plots = {}
    for name in PLOTS:
        light, dark = (folder / "plots" / f"{name}{theme}.png" for theme in ("", "-dark"))
        plots[name] = Plot(light.read_bytes(), dark.read_bytes(), width=336, height=400)
    monkeypatch.setattr("classifier.reports.report.draw_plots", lambda *_: plots)


def test_the_verdict_comes_first(page: Page, figures: dict[str, Any]) -> None:
    verdict = figures["comparison"]["verdict"]
    assert verdict.startswith("Mean pooling is better on 300 reviews: ")
    assert verdict in page.text
    assert re.search(r"<h1>Mean pooling is better on 300 reviews<", page.html)
    assert page.html.index("<h1>") < page.html.index("<h2") < page.html.index("<table>")
    assert "<title>CLS or mean pooling? Mean pooling is better on 300 reviews</title>" in page.html


def test_the_main_figures_are_the_metrics(page: Page, figures: dict[str, Any]) -> None:
    for heading, name in (
        ("Accuracy", "accuracy"),
        ("Weighted F1", "weighted_f1"),
        ("Macro F1", "macro_f1"),
        ("Rating MAE lower is better", "rating_mae"),
        ("Rating within one", "rating_within_1"),
        ("Rating QWK", "rating_qwk"),
        ("ECE lower is better", "ece"),
        ("ECE before scaling lower is better", "ece_uncalibrated"),
    ):
        for pooling, cell in zip(("cls", "mean"), page.row(heading), strict=True):
            low, high = figures[pooling]["intervals"][name]
            words = cell.split()
            assert words[0] == f"{figures[pooling][name]:.3f}"
            assert words[-1] == f"{low:.3f}–{high:.3f}"


def test_better_is_marked_where_a_difference_was_shown_alone(
    page: Page, figures: dict[str, Any]
) -> None:
    for heading, name in (
        ("Accuracy", "accuracy"),
        ("Macro F1", "macro_f1"),
        ("Rating MAE lower is better", "rating_mae"),
    ):
        assert shown_better(figures["comparison"])[name] == "mean"
        cls, mean = page.row(heading)
        assert "better" in mean
        assert "better" not in cls
    for heading in ("Weighted F1", "Rating QWK"):  # better, too, but not tested
        assert "better" not in " ".join(page.row(heading))


@pytest.mark.usefixtures("plots_are_drawn")
def test_nothing_is_marked_without_a_difference(tmp_path: Path) -> None:
    alike = report(tmp_path, models=(model(1), model(1)))
    assert "No difference shown between CLS pooling and mean pooling on 300 reviews" in alike.text
    assert "better" not in " ".join(cell for row in alike.tables[0] for cell in row[1:])


@settings(max_examples=60)
@given(
    seeds=st.tuples(st.integers(0, 99), st.integers(0, 99)),
    noises=st.tuples(st.sampled_from([1.0, 1.5, 2.0]), st.sampled_from([1.0, 1.5, 2.0])),
)
def test_the_marks_agree_with_the_verdict(
    seeds: tuple[int, int], noises: tuple[float, float]
) -> None:
    comparison = compare(
        model(seeds[0], noises[0]), model(100 + seeds[1], noises[1]), truth(), resamples=100
    )
    verdict = comparison["verdict"]
    named = {"accuracy": "accuracy", "macro_f1": "macro F1", "rating_mae": "rating MAE"}
    claimed = "" if verdict.startswith("No difference") else verdict.split("; no difference")[0]
    better = shown_better(comparison)
    assert set(better) == {name for name, words in named.items() if words in claimed}
    if len(set(better.values())) == 1:
        winner = "CLS" if better.popitem()[1] == "cls" else "Mean"
        assert verdict.startswith(f"{winner} pooling is better")


def test_the_comparison_and_the_written_ratings_are_told(
    page: Page, figures: dict[str, Any]
) -> None:
    (table,) = (i for i, rows in enumerate(page.tables) if "mean − CLS" in rows[0])
    found = figures["comparison"]["differences"]["macro_f1"]
    difference, interval, _ = page.row("Macro F1", table=table)
    assert difference == f"{found['difference']:+.3f}"
    assert interval == f"{found['low']:+.3f} to {found['high']:+.3f}"
    (table,) = (i for i, rows in enumerate(page.tables) if "stripped" in rows[1:][0])
    cells = page.row("Accuracy", table=table)
    assert [cells[1], cells[3]] == ["0.123", "0.988"]
    assert [cells[0], cells[2]] == [f"{figures[name]['accuracy']:.3f}" for name in ("cls", "mean")]
    assert "Training again with another seed may tell otherwise" in page.text


def test_the_page_loads_nothing_from_anywhere(page: Page) -> None:
    for name, attributes in page.elements:
        assert name not in ("script", "iframe", "object", "embed", "base", "form")
        for attribute in ("src", "srcset", "poster", "action", "data"):
            if attribute in attributes:
                assert attributes[attribute].startswith("data:image/png;base64,")
        if "href" in attributes:
            assert attributes["href"].startswith(("#", "data:,"))
        assert not any(attribute.startswith("on") for attribute in attributes)
    style = page.html.split("<style>")[1].split("</style>")[0]
    assert "url(" not in style
    assert "@import" not in style
    assert "http:" not in page.html
    assert "https:" not in page.html
    policies = [m["content"] for m in page.all("meta") if "content-security" in str(m).lower()]
    assert policies == ["default-src 'none'; img-src data:; style-src 'unsafe-inline'"]


def test_the_plots_are_in_the_page_and_on_the_disk(folder: Path, page: Page) -> None:
    files = {path.name for path in (folder / "plots").iterdir()}
    assert files == {f"{name}{suffix}.png" for name in PLOTS for suffix in ("", "-dark")}
    on_disk = {path.read_bytes(): path.stem for path in (folder / "plots").iterdir()}
    images = page.all("img")
    in_page = [base64.b64decode(image["src"].split(",")[1]) for image in images]
    assert sorted(in_page) == sorted(on_disk)
    for image, png in zip(images, in_page, strict=True):
        height, width = imread(io.BytesIO(png), format="png").shape[:2]
        assert width > 2 * int(image["width"])
        assert int(image["height"]) / int(image["width"]) == pytest.approx(height / width, abs=0.01)
        assert image["class"] == ("dark" if on_disk[png].endswith("-dark") else "light")


def test_dark_screens_and_phones_and_screen_readers_are_served(page: Page) -> None:
    style = page.html.split("<style>")[1].split("</style>")[0]
    dark = style[style.index("@media screen and (prefers-color-scheme: dark)") :]
    assert f"--background: {LIGHT.background}" in style
    assert f"--background: {DARK.background}" in dark
    assert re.search(r"\.light \{ display: none; \}\s*\.dark \{ display: block; \}", dark)
    metas = page.all("meta")
    assert {"name": "viewport", "content": "width=device-width, initial-scale=1"} in metas
    assert {"name": "color-scheme", "content": "light dark"} in metas
    assert page.all("html") == [{"lang": "en"}]
    assert len(page.all("main")) == len(page.all("h1")) == 1
    assert all(len(image["alt"]) > 40 for image in page.all("img"))
    identifiers = {attributes["id"] for _, attributes in page.elements if "id" in attributes}
    for section in page.all("section"):
        assert section["aria-labelledby"] in identifiers
    for link in page.all("a"):
        assert link["href"].removeprefix("#") in identifiers
    levels = [int(name[1]) for name, _ in page.elements if re.fullmatch("h[1-6]", name)]
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_texts_are_escaped_and_long_ones_folded(page: Page) -> None:
    assert "<script" not in page.html
    assert "<b>жирно" not in page.html
    assert HOSTILE in page.text
    assert "Дом <у> переправы" in page.text
    assert "Film not named" in page.text
    folded = [d for d in page.all("details") if d.get("class") == "text"]
    assert 0 < len(folded) <= len(page.all("article")) == 25
    assert all(d["lang"] == "ru" for d in folded)
    assert "the folder <tiny>" in page.text


def test_where_it_comes_from_is_told(page: Page) -> None:
    for told in (
        "reviews.jsonl.gz",
        "0123456789abcdef" * 4,
        "exact duplicates58",
        "read3,201",
        "max tokens256",
        "seed41",
        "CLS trained for281 seconds",
        "torch2.13.0",
        "cores2",
        "rating headyes",
        "Split at random",
    ):
        assert told.replace(" ", "") in page.text.replace(" ", "")
    (table,) = (i for i, rows in enumerate(page.tables) if rows[0][0] == "Part")
    assert page.row("train", table=table) == ["2,411", "800", "123", "1,488", "1,999"]
    for word in ("QWK", "ECE", "Rating MAE", "Temperature", "p", "Fingerprint"):
        assert f"<dt>{word}</dt>" in page.html


@pytest.mark.usefixtures("plots_are_drawn")
def test_a_holdout_of_its_own_is_told(tmp_path: Path) -> None:
    held_out = training()["reviews"] | {
        "source": "test.csv",
        "reason": "the file test.csv",
        "left_out": {"in_both": 12, "of_its_films": 345},
    }
    told = report(tmp_path, training=training() | {"holdout": held_out})
    assert f"On the holdout, the file test.csv: {ROWS} reviews" in told.text
    for fact in ("test.csv", "in both12", "of its films345"):
        assert fact.replace(" ", "") in told.text.replace(" ", "")


@pytest.mark.usefixtures("plots_are_drawn")
def test_the_stand_in_is_warned_of_where_it_stands_in(tmp_path: Path, page: Page) -> None:
    assert "These are not the figures of" not in page.text
    warned = report(tmp_path, training=training(stand_in=True))
    warning = "These are not the figures of someone/tiny-encoder."
    assert warning in warned.text
    assert warned.text.index(warning) < warned.text.index("On the holdout")
    assert "another-package, of the same shape" in warned.text


@pytest.mark.usefixtures("plots_are_drawn")
def test_seeds_and_kept_ratings_and_a_split_by_film_are_told(tmp_path: Path) -> None:
    runs = [
        (
            evaluate(model(10 + seed), truth(), resamples=2),
            evaluate(model(20 + seed), truth(), resamples=2),
        )
        for seed in (1, 2, 3)
    ]
    seeds = compare_seeds(runs)
    told = report(
        tmp_path,
        training=training() | {"keep_ratings": True, "split": "film"},
        extra={"seeds": seeds, "unstripped": {"cls": {}, "mean": {}}},
    )
    assert seeds["verdict"] in told.text
    assert told.text.index(seeds["verdict"]) < told.text.index("On the holdout")
    (table,) = (i for i, rows in enumerate(told.tables) if "Each seed" in rows[0])
    macro = seeds["figures"]["macro_f1"]
    cells = told.row("Macro F1", table=table)
    assert cells[0] == f"{macro['first']['mean']:.3f} ± {macro['first']['sd']:.3f}"
    assert cells[-1] == " ".join(f"{difference:+.3f}" for difference in macro["differences"])
    assert "Training again with another seed" not in told.text
    assert "were left in for training and measuring" in told.text
    assert "stripped" not in [cell for rows in told.tables for row in rows for cell in row]
    assert "no film of the holdout was trained on" in told.text


def test_one_head_one_epoch_and_no_neutral_reviews(tmp_path: Path) -> None:
    labels = truth()
    labels.sentiment[labels.sentiment == 1] = 2
    models = model(1, rating_head=False), model(2, rating_head=False)
    told = report(tmp_path, models=models, labels=labels, history=history(1, rating_head=False))
    headings = {row[0] for row in told.tables[0]}
    assert headings >= {"Accuracy", "Macro F1"}
    assert not any("Rating" in heading for heading in headings)
    assert "Largest rating errors" not in told.text
    assert "same rating for" not in told.text
    assert len(told.all("img")) == 2 * len(PLOTS)


def test_no_rated_rows_and_a_verdict_without_a_colon(tmp_path: Path) -> None:
    labels = truth(rated=False)
    verdict = "CLS pooling is better in one thing, mean pooling in another."
    comparison = compare(model(1), model(2), labels, resamples=20) | {"verdict": verdict}
    told = report(tmp_path, labels=labels, extra={"comparison": comparison})
    assert f"<h1>{verdict}</h1>" in told.html
    assert "0 of them with a rating" in told.text
    assert "Rating MAE" not in {row[0] for row in told.tables[0]}
    assert "not rated" in told.text


def report_of_one_text(folder: Path, text: str) -> None:
    """A report with its reasons, all of whose reviews are the same."""
    first, second, labels = model(1), model(2), truth()
    write_report(
        folder,
        training(),
        history(),
        metrics(first, second, labels),
        replace(holdout(first, second, labels), texts=[text] * ROWS),
        word_weights.predict,
    )


@pytest.mark.usefixtures("plots_are_drawn")
def test_the_report_is_small_enough_to_send_however_long_the_reviews(tmp_path: Path) -> None:
    text = "очень длинный отзыв " * 5_000
    report_of_one_text(tmp_path, text)
    assert (tmp_path / "report.html").stat().st_size < 2_500_000
    left_out = len(text.strip()) - 6000
    assert f"({left_out:,} more characters left out)" in (tmp_path / "report.html").read_text()


def certain(answers: list[int], classes: int, sureness: list[float]) -> NDArray[np.float64]:
    return np.asarray(np.eye(classes)[answers] * np.array(sureness)[:, None])


def test_examples_are_the_worst_first() -> None:
    labels = Labels(np.array([2, 2, 0, 1, 2, 2]), np.array([10, 9, 0, 6, NO_RATING, 8]))
    first = Outputs(
        certain([2, 0, 2, 1, 2, 2], 3, [9, 1, 5, 5, 5, 5]),
        certain([9, 9, 10, 6, 0, 8], 11, [99] * 6),
    )
    second = Outputs(
        certain([2, 0, 0, 1, 0, 2], 3, [9, 4, 5, 5, 9, 5]),
        certain([10, 4, 9, 6, 10, 8], 11, [99] * 6),
    )
    texts = [f"отзыв {row}" for row in range(6)]
    found = examples_of(
        Holdout(texts, [None] * 6, labels, {"cls": first, "mean": second}),
        {"cls": 1.0, "mean": 1.0},
        word_weights.predict,
    )
    rows = {name: [int(e.text.opening[-1]) for e in examples] for name, examples in found.items()}
    assert rows["wrong_sentiment"] == [4, 2, 1]  # by the surer of the wrong answers
    assert rows["wrong_rating"] == [2, 1, 0]  # row 4 has no rating to be wrong about
    assert rows["disagreement"] == [4, 2, 1, 0]
    worst = found["wrong_rating"][0]
    assert (worst.sentiment, worst.rating) == ("Bad", 0)
    cls = worst.answers["cls"]
    assert isinstance(cls, Answer)
    assert (cls.sentiment, cls.right, cls.rating, cls.rating_error) == ("Good", False, 10, 10)
    assert cls.confidence == pytest.approx(np.exp(5) / (np.exp(5) + 2))
    assert cls.rating_confidence == pytest.approx(1)
    assert worst.answers["mean"].right


def test_confidence_is_after_temperature_scaling() -> None:
    labels = Labels(np.array([0]), np.array([3]))
    wrong = Outputs(np.array([[0.0, 0.0, 4.0]]), None)
    found = examples_of(
        Holdout(["отзыв"], ["фильм"], labels, {"cls": wrong, "mean": wrong}),
        {"cls": 1.0, "mean": 4.0},
        word_weights.predict,
    )
    (example,) = found["wrong_sentiment"]
    assert example.answers["cls"].confidence == pytest.approx(np.exp(4) / (np.exp(4) + 2))
    assert example.answers["mean"].confidence == pytest.approx(np.e / (np.e + 2))
    assert example.answers["mean"].rating is None
    assert found["wrong_rating"] == found["disagreement"] == []


@given(st.text(alphabet="аб \n", max_size=2000))
def test_folding_loses_no_letter(text: str) -> None:
    wrong = Outputs(np.array([[0.0, 0.0, 4.0]]), None)
    (example,) = examples_of(
        Holdout(
            [text], [None], Labels(np.array([0]), np.array([1])), {"cls": wrong, "mean": wrong}
        ),
        {"cls": 1.0, "mean": 1.0},
        word_weights.predict,
    )["wrong_sentiment"]
    assert "".join(f"{example.text.opening}{example.text.rest}".split()) == "".join(text.split())
    assert len(example.text.opening) <= 320
    assert example.text.left_out == 0


@pytest.mark.usefixtures("plots_are_drawn")
def test_a_review_to_read_says_what_pulls_it(tmp_path: Path) -> None:
    text = "Шёл <b>дождь</b>. Начало великолепно. Дальше хорошо. Местами скучно."
    report_of_one_text(tmp_path, text)
    page = Page((tmp_path / "report.html").read_text(encoding="utf-8"))
    assert "Why: by how many points each sentence changes the rating" in page.text
    assert (
        "CLS ▲ +4.5 Начало великолепно. ▲ +0.7 Дальше хорошо. ▼ −0.3 Местами скучно."
        " Mean ▲ +4.5 Дальше хорошо." in page.text
    )
    rest_on = "The models rest on different parts. CLS: Начало великолепно.; Mean: Дальше хорошо.."
    assert rest_on in page.text
