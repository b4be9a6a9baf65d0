import html
import re
from copy import deepcopy
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml
from huggingface_hub import ModelCard
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from classifier.reports.model_card import model_card

RATING_KEYS = ("rating_mae", "rating_exact", "rating_within_1", "rating_qwk")
AWKWARD = "my `best` *reviews* | [x](y) <b>_1_</b> & $2$ ~~3~~ \\ # {{ 4 }}.jsonl"


def figures(shift: float) -> dict[str, Any]:
    names = ["accuracy", *(f"{a}_{m}" for a in ("weighted", "macro") for m in ("precision", "f1"))]
    names += ["weighted_recall", "macro_recall", *RATING_KEYS, "ece", "ece_uncalibrated"]
    values = {name: round(0.31 + place / 50 + shift, 4) for place, name in enumerate(names)}
    intervals = {name: [value - 0.011, value + 0.012] for name, value in values.items()}
    by_class = {"precision": 0.9 + shift, "recall": 0.8 + shift, "f1": 0.85 + shift}
    supports = {"Bad": 231, "Neutral": 17, "Good": 1111}
    return values | {
        "intervals": intervals,
        "per_class": {name: by_class | {"support": count} for name, count in supports.items()},
        "confusion": [[1] * 3] * 3,
        "temperature": 1.3,
        "rows": 1359,
        "rated_rows": 1201,
    }


def metrics() -> dict[str, Any]:
    verdict = "No difference shown on 1,359 reviews: macro F1 +0.004 (p = 0.4)."
    return {"cls": figures(0), "mean": figures(0.005), "comparison": {"verdict": verdict}}


def training(**changes: Any) -> dict[str, Any]:
    part = {"rows": 6341, "Bad": 1071, "Neutral": 127, "Good": 5143, "rated": 5555}
    return {
        "reviews": {
            "source": "/home/someone/reviews.jsonl",
            "reason": "the file reviews.jsonl",
            "fingerprint": "0123456789abcdef" * 4,
            "counts": {"read": 9058, "near_duplicates": 12},
            "parts": dict.fromkeys(("train", "validation", "holdout"), part),
        },
        "split": "random",
        "keep_ratings": False,
        "encoder": {"name": "owner/encoder", "origin": "owner/encoder from the hub"}
        | {"stand_in": False},
        "recipe": {"name": "default", "max_tokens": 256, "head_share": 0.5, "rating_head": True},
        "seed": 42,
        "seconds": {"cls": 101.5, "mean": 99.5},
        "versions": {"python": "3.11.7", "torch": "2.13.0"},
        "machine": {"cores": 2},
    } | changes


def from_hub() -> dict[str, Any]:
    hub = {"source": "hub", "reason": "blinoff/kinopoisk from the hub"}
    return training(reviews=training()["reviews"] | hub)


def stand_in() -> dict[str, Any]:
    origin = "silero-stress from PyPI, a stand-in: the hub can't be reached"
    return training(encoder={"name": "owner/encoder", "origin": origin, "stand_in": True})


def front_matter(card: str) -> dict[str, Any]:
    _, block, _ = card.split("---\n", 2)
    parsed = yaml.safe_load(block)
    assert isinstance(parsed, dict)
    return parsed


def cells(card: str, row: str) -> list[str]:
    """The cells of the first table row that begins with `row`."""
    line = next(line for line in card.splitlines() if line.startswith(f"| {row} |"))
    return [cell.strip() for cell in line.strip("|").split("|")][1:]


def rendered(card: str) -> str:
    body = card.split("---\n", 2)[2]
    return str(MarkdownIt("commonmark").enable(["table", "strikethrough"]).render(body))


def test_the_front_matter_is_the_hubs() -> None:
    card = model_card(from_hub(), metrics(), ["mean"])
    data = front_matter(card)
    index = data.pop("model-index")
    assert data == {
        "language": "ru",
        "license": "mit",
        "library_name": "transformers",
        "pipeline_tag": "text-classification",
        "tags": ["sentiment-analysis", "film-reviews", "mean-pooling"],
        "datasets": ["blinoff/kinopoisk"],
        "base_model": "owner/encoder",
    }
    (model,) = index
    (result,) = model["results"]
    assert model["name"] == "kinorate-mean"
    assert result["dataset"]["type"] == "blinoff/kinopoisk"
    mean = metrics()["mean"]
    assert {(m["name"], m["type"], m["value"]) for m in result["metrics"]} == {
        ("Accuracy", "accuracy", mean["accuracy"]),
        ("Weighted F1", "f1", mean["weighted_f1"]),
        ("Macro F1", "f1", mean["macro_f1"]),
        ("Rating MAE", "mae", mean["rating_mae"]),
    }
    assert len(ModelCard(card).data.get("eval_results")) == 4


def test_a_version_has_both_models_in_its_front_matter() -> None:
    index = front_matter(model_card(training(), metrics()))["model-index"]
    accuracies = {model["name"]: model["results"][0]["metrics"][0]["value"] for model in index}
    assert accuracies == {
        "kinorate-cls": metrics()["cls"]["accuracy"],
        "kinorate-mean": metrics()["mean"]["accuracy"],
    }


@pytest.mark.parametrize("data", ["reviews.jsonl", "sample", "hub"])
def test_the_hubs_data_is_listed_only_where_it_was_used(data: str) -> None:
    source = data if data in ("hub", "sample") else f"/home/someone/{data}"
    trained = training(reviews=training()["reviews"] | {"source": source, "reason": "some reason"})
    card = model_card(trained, metrics())
    assert ("datasets" in front_matter(card)) == (data == "hub")
    assert ("blinoff/kinopoisk" in card) == (data == "hub")
    assert "some reason" in card
    assert "/home/someone" not in card


def test_a_holdout_of_its_own_is_named() -> None:
    held_out = {
        "source": "/home/someone/test.jsonl",
        "reason": "the file test.jsonl",
        "fingerprint": "fedcba9876543210" * 4,
        "left_out": {"in_both": 12, "of_its_films": 0},
    }
    trained = from_hub() | {"holdout": held_out}
    card = model_card(trained, metrics())
    assert "Measured on the holdout, the file test.jsonl: 1,359 reviews" in card
    assert "the file test.jsonl (fingerprint `fedcba987654`)" in card
    assert "in both 12" in card
    assert "/home/someone" not in card
    (result,) = front_matter(model_card(trained, metrics(), ["mean"]))["model-index"][0]["results"]
    assert result["dataset"] == {"type": "local", "name": "test.jsonl", "split": "holdout"}
    assert front_matter(card)["datasets"] == ["blinoff/kinopoisk"], "what it has learnt from"


def test_every_figure_stands_in_the_table_with_its_interval() -> None:
    both = metrics()
    card = model_card(training(), both)
    rows = {
        "Accuracy": "accuracy",
        "Weighted F1": "weighted_f1",
        "Macro F1": "macro_f1",
        "Macro recall": "macro_recall",
        "Rating MAE": "rating_mae",
        "Rating within one point": "rating_within_1",
        "Expected calibration error": "ece",
    }
    for title, name in rows.items():
        assert cells(card, title) == [
            f"{both[pooling][name]:.3f} ({low:.3f} to {high:.3f})"
            for pooling in ("cls", "mean")
            for low, high in [both[pooling]["intervals"][name]]
        ]
    assert cells(card, "Neutral") == ["CLS pooling", "0.900", "0.800", "0.850", "17"]
    assert "1,359 reviews, 1,201 of them with a rating" in card
    assert "No difference shown on 1,359 reviews: macro F1 +0.004 (p = 0.4)." in card
    one = model_card(training(), both, ["mean"])
    assert cells(one, "Accuracy") == cells(card, "Accuracy")[1:]
    assert "CLS pooling |" not in one


def test_the_tables_are_tables() -> None:
    page = rendered(model_card(training(), metrics()))
    assert page.count("<table>") == 3
    for table in re.findall(r"<table>.*?</table>", page, re.DOTALL):
        widths = {len(re.findall("<t[hd]>", row)) for row in table.split("<tr>")[1:]}
        assert len(widths) == 1


def test_data_recipe_and_versions_are_told() -> None:
    card = model_card(training(), metrics())
    assert cells(card, "holdout") == ["6,341", "1,071", "127", "5,143", "5,555"]
    for line in (
        "- Rows: read 9,058, near duplicates 12.",
        "- Seed: 42.",
        "- max_tokens: 256",
        "- head_share: 0.5",
        "Versions: python 3.11.7, torch 2.13.0.",
        "127 of the 6,341 reviews trained on",
        'pipeline("text-classification", model=name, trust_remote_code=True)',
        'python -m classifier predict "',
    ):
        assert line in card


def test_what_the_pipeline_does_not_do_is_told_with_its_price() -> None:
    usual = metrics()
    usual["unstripped"] = {"cls": figures(0.02), "mean": figures(-0.015)}
    both = "as written: cls 0.330 instead of 0.310, mean 0.295 instead of 0.315.\n"
    assert both in model_card(training(), usual)
    one = model_card(training(), usual, ["mean"])
    assert "on the holdout as written: mean 0.295 instead of 0.315.\n" in one
    assert "reads the text as it is.\n" in model_card(training(), metrics())
    kept = model_card(training(keep_ratings=True), usual)
    assert "but for one thing:" in kept
    assert "reads the text as it is" not in kept


def test_split_cutting_and_stripping_are_told_as_they_were() -> None:
    usual = model_card(training(), metrics())
    assert "Films repeat" in usual
    assert "256 tokens only the beginning and the end are read" in usual
    assert "strip_ratings" in usual
    recipe = {"name": "notebook", "max_tokens": 512, "head_share": 1.0, "rating_head": False}
    other = model_card(training(split="film", keep_ratings=True, recipe=recipe), metrics())
    assert "no film of the holdout was trained on" in other
    assert "512 tokens only the beginning is read" in other
    assert "strip_ratings" not in other
    assert "left in" in other


@pytest.mark.parametrize("card_of", [model_card, partial(model_card, poolings=["cls"])])
def test_a_stand_in_encoder_is_told_in_bold_and_once(card_of: Any) -> None:
    assert "<strong>" not in rendered(card_of(training(), metrics()))
    card = card_of(stand_in(), metrics())
    (warning,) = re.findall("<strong>(.*?)</strong>", rendered(card))
    assert "not the figures of owner/encoder" in warning
    assert "silero-stress from PyPI" in warning
    assert "base_model" not in front_matter(card)


def test_an_encoder_folder_is_no_base_model(tmp_path: Path) -> None:
    for name in (str(tmp_path), "./encoder", "classifier/data"):
        encoder = {"name": name, "origin": "the folder x", "stand_in": False}
        assert "base_model" not in front_matter(model_card(training(encoder=encoder), metrics()))


def test_a_figure_that_is_undefined() -> None:
    measured = deepcopy(metrics())
    measured["cls"]["rating_qwk"] = None
    del measured["cls"]["intervals"]["rating_qwk"]
    del measured["comparison"]
    card = model_card(training(), measured)
    undefined, defined = cells(card, "Rating quadratic weighted kappa")
    assert undefined == "–"
    assert defined.startswith(f"{measured['mean']['rating_qwk']:.3f} (")
    assert "Which pooling is better" not in card


@pytest.mark.parametrize("name", [AWKWARD, "---\nlicense: gpl\n---", "'\": - [", "a\n\n# Title"])
def test_names_with_markdown_or_yaml_in_them_are_harmless(name: str) -> None:
    reviews = training()["reviews"] | {"source": name, "reason": f"the file {name}"}
    trained = training(reviews=reviews)
    data = front_matter(model_card(trained, metrics()))
    assert data["license"] == "mit"
    assert data["model-index"][0]["results"][0]["dataset"]["name"] == " ".join(
        Path(name).name.split()
    )
    assert_shown_as_it_is(name)


@example("__0__")
@given(st.text(st.characters(exclude_categories=["Cc", "Cs"])))
def test_any_text_is_shown_as_it_is(text: str) -> None:
    assert_shown_as_it_is(text)


def assert_shown_as_it_is(text: str) -> None:
    trained = training(reviews=training()["reviews"] | {"reason": f"the file {text}"})
    page = rendered(model_card(trained, metrics()))
    shown = re.search(r"<li>Data: the file ?(.*?) \(fingerprint <code>0123456789ab</code>\)", page)
    assert shown is not None
    assert html.unescape(shown[1]) == " ".join(text.split())
    assert "<" not in shown[1]
