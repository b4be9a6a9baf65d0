"""The command line with a tiny encoder.

A process of its own costs seconds of imports: a training, its kill, predicting, listing and an
error are tried in one, in test_full_disk.py evaluating too; the rest runs in this one.
"""

import gzip
import json
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from classifier.evaluation.gate import Decision
from classifier.registry.registry import Registry
from classifier.registry.version import Version
from tests.classifier.command_line import CommandLine

Rows = list[dict[str, Any]]


def write_rows(path: Path, rows: Rows) -> Path:
    path.write_text(
        "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8"
    )
    return path


@pytest.fixture(scope="module")
def some_rows(make_rows: Callable[[int], Rows]) -> Rows:
    return make_rows(120)


@pytest.fixture(scope="module")
def trained(
    tmp_path_factory: pytest.TempPathFactory, tiny_encoder: Path, some_rows: Rows
) -> tuple[CommandLine, Path, str]:
    line = CommandLine(tmp_path_factory.mktemp("trained"), tiny_encoder)
    reviews = write_rows(line.folder / "reviews.jsonl", some_rows)
    status, out, err = line.run(*line.training(reviews, "--json", "figures.json"))
    assert status == 0, err
    return line, reviews, out


@pytest.mark.slow
def test_train_tells_measures_and_keeps(trained: tuple[CommandLine, Path, str]) -> None:
    line, _, out = trained
    assert "Reviews: the file reviews.jsonl." in out
    assert "Encoder: the folder" in out
    assert all(part in out for part in ("train", "validation", "holdout"))
    figures = json.loads((line.folder / "figures.json").read_text())
    assert figures["comparison"]["verdict"] in out
    keys = "accuracy weighted_f1 macro_f1 weighted_precision rating_mae rating_within_1 ece"
    assert set(keys.split()) <= figures["cls"].keys() & figures["mean"].keys()
    champion = (line.models / "champion").read_text().strip()
    version = line.models / champion
    assert json.loads((version / "metrics.json").read_text()) == figures
    for name in ("report.html", "README.md", "cls/README.md", "plots/confusion.png"):
        assert (version / name).stat().st_size > 0
    reference = Version(version).reference()
    assert reference is not None
    watched = ["length", "unknown", "cls_sentiment", "cls_confidence"]
    assert list(reference) == [*watched, "mean_sentiment", "mean_confidence"]
    assert not list((line.models / ".unfinished").iterdir())


@pytest.mark.slow
def test_evaluate_compare_and_models(trained: tuple[CommandLine, Path, str]) -> None:
    line, reviews, _ = trained
    of_file = ("evaluate", "champion", "--reviews", str(reviews), "--json", "e.json")
    status, out, err = line.here(*of_file)
    assert status == 0, err
    figures = json.loads((line.folder / "e.json").read_text())
    # Every class is there, and it was trained on most of them: both are said.
    assert figures["cls"]["rows"] > 0
    assert f"with the ids of {figures['trained_on']:,} of these" in " ".join(out.split())
    status, out, err = line.here("evaluate", "champion")
    assert (status, "its own holdout" in out) == (0, True), err
    both = ("compare", "champion", "champion", "--reviews", str(reviews))
    status, out, err = line.here(*both)
    assert status == 0, err
    assert out.lower().count("no difference shown") >= 2
    status, out, _ = line.here("models", "list")
    assert (line.models / "champion").read_text().strip() + " ★" in out
    status, _, err = line.here("models", "rollback")
    assert (status, "no earlier champion" in err) == (1, True)


@pytest.mark.slow
def test_predict_a_text_lines_and_a_file(trained: tuple[CommandLine, Path, str]) -> None:
    line, reviews, _ = trained
    status, out, err = line.here("predict", "Прекрасный фильм. 10 из 10", "--json", "p.json")
    assert (status, out.count("/10")) == (0, 2), err
    answered = json.loads((line.folder / "p.json").read_text())
    assert answered[0]["cls"]["rating"] in range(11)
    status, out, _ = line.here("predict", stdin="Скучно.\n\nОтлично!\n")
    assert (status, out.count("CLS")) == (0, 2)
    status, _, err = line.here("predict", "8/10")
    assert (status, "Error: Nothing to rate" in err) == (1, True)
    status, out, err = line.here("predict", "--file", str(reviews), "--out", "out.csv")
    assert status == 0, err
    assert len((line.folder / "out.csv").read_text().splitlines()) == 1 + len(
        reviews.read_text().splitlines()
    )


def test_a_file_is_refused_the_texts_that_single_ones_are(
    two_versions: Path, tmp_path: Path, tiny_encoder: Path
) -> None:
    """Of some nothing is left without the ratings written in them."""
    line = CommandLine(tmp_path, tiny_encoder)
    texts = ["8/10", "Хорошо, 8 из 10", "8 баллов из 10", "Скучно"]
    write_rows(line.folder / "texts.jsonl", [{"content": text} for text in texts])
    models = ("--models", str(two_versions))
    status, out, _ = line.here("predict", "--file", "texts.jsonl", "--out", "o.jsonl", *models)
    assert (status, "2 reviews predicted" in out, "2 rows can't be used" in out) == (0, True, True)
    rows = [json.loads(each) for each in (line.folder / "o.jsonl").read_text().splitlines()]
    reasons = ["content without letters", None, "nothing but written ratings", None]
    assert [row.get("error") for row in rows] == reasons
    assert ["cls" in row for row in rows] == [False, True] * 2
    singly = [line.here("predict", text, *models)[0] for text in texts]
    assert singly == [1, 0, 1, 0]


def test_a_challenger_is_promoted_in_the_place_of_the_champion_it_was_compared_with(
    two_versions: Path, tmp_path: Path, tiny_encoder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = CommandLine(tmp_path, tiny_encoder)
    registry = Registry(Path(shutil.copytree(two_versions, line.models)))
    first, second = (version.name for version in registry.versions())

    def retrain(*_: object) -> Decision:
        registry.promote(first)  # an admin has, meanwhile
        return Decision(second, first, 100, 0, [])

    monkeypatch.setattr("classifier.training.retraining.retrain", retrain)
    arguments = ("retrain", "--extra", "e.jsonl", "--promote", "--json", "decision.json")
    status, _, err = line.here(*arguments)
    assert status == 1
    assert f"{first} has become the champion meanwhile" in " ".join(err.split())
    assert (line.folder / "decision.json").is_file()


@pytest.mark.slow
def test_predict_takes_other_encodings_and_pipes(trained: tuple[CommandLine, Path, str]) -> None:
    line, _, _ = trained
    text = "Прекрасный фильм, актёры хороши, сюжет увлекает.\n"
    status, out, err = line.here("predict", stdin=text.encode("cp1251"))
    assert (status, "CLS" in out, err) == (0, True, "")
    status, out, err = line.here("predict", stdin=bytes(range(128, 256)))
    assert (status, out, err.count("\n")) == (1, "", 1)
    assert "Standard input, line 1: it is not UTF-8" in err
    status, _, err = line.here("predict", "\udcd4\udce8\udceb\udcfc\udcec")
    assert (status, err) == (1, "Error: An argument is not UTF-8: b'\\xd4\\xe8\\xeb\\xfc\\xec'.\n")
    table = f"id;text\n1;{text}".encode("koi8-r")
    options = ("--file", "-", "--out", "-", "--columns", "content=text")
    status, out, err = line.here("predict", *options, stdin=table)
    assert (status, json.loads(out)["id"], json.loads(out)["text"]) == (0, "1", text.strip())
    assert "-: 1 reviews predicted" in err


@pytest.mark.slow
def test_other_columns_labels_and_scales_are_trained_and_judged_by(
    tmp_path: Path, tiny_encoder: Path, some_rows: Rows
) -> None:
    line = CommandLine(tmp_path, tiny_encoder)
    stars = {None: "NULL"} | {float(rating): f"{rating / 2:g}" for rating in range(11)}
    rows = [
        {"text": row["content"], "label": f"x{row['grade3']}", "stars": stars[row["grade10"]]}
        for row in some_rows
    ]
    path = write_rows(line.folder / "reviews.jsonl", rows)
    options: list[str] = []
    for option, value, said in (
        ("--columns", "content=text,grade3=label,grade10=stars", "--columns content=TEXT"),
        ("--labels", "xGood=Good,xBad=Bad,xNeutral=Neutral", "--labels "),
        ("--scale", "5", "--scale 5"),
    ):
        status, _, err = line.here(*line.training(path, *options))
        assert (status, said in err, len(err.splitlines())) == (1, True, 1), err
        options += [option, value]
    status, out, err = line.here(*line.training(path, "--epochs", "1", *options))
    assert status == 0, err
    [version] = line.models.glob("2*")
    schema = json.loads((version / "training.json").read_text())["schema"]
    assert [schema["columns"], schema["labels"], schema["scale"]] == options[1::2]
    status, out, err = line.here("evaluate", "champion", "--reviews", str(path), *options)
    assert (status, "120 read" in out) == (0, True), err
    status, out, err = line.here("evaluate", "champion", "--reviews", str(path))
    assert (status, "--columns" in err) == (1, True)
    extra = write_rows(line.folder / "extra.jsonl", [{"content": "Новый отзыв", "grade10": 3}])
    status, out, err = line.here("retrain", "--extra", str(extra))
    assert status == 0, err


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "does_without"),
    [
        # What trains, evaluates and draws takes two seconds to import and 150 MB to keep.
        (("predict", "Хорошо"), {"datasets", "matplotlib", "pandas", "pyarrow", "sklearn"}),
        (("models", "list"), {"torch", "transformers", "numpy"}),
    ],
)
def test_a_command_imports_what_it_needs_alone(
    arguments: tuple[str, ...], does_without: set[str], trained: tuple[CommandLine, Path, str]
) -> None:
    line, _, _ = trained
    status, out, err = line.run(*arguments, python=("-X", "importtime", "-m", "classifier"))
    assert status == 0, err
    assert ("CLS" if "predict" in arguments else "★") in out
    imported = {row.rpartition("|")[2].strip() for row in err.splitlines()}
    assert "classifier.registry.registry" in imported
    assert not imported & does_without


@pytest.mark.slow
def test_a_killed_training_resumes_to_the_same_figures(
    trained: tuple[CommandLine, Path, str], tmp_path: Path
) -> None:
    first, reviews, _ = trained
    line = CommandLine(tmp_path, first.encoder)
    process = line.start("-m", "classifier", *line.training(reviews))
    while not list(line.models.glob(".unfinished/*/*.safetensors")):
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert not list(line.models.glob("2*")), "a killed training left a version"
    status, out, err = line.here(*line.training(reviews, "--resume", "--json", "figures.json"))
    assert status == 0, err
    assert "Resuming " in out
    resumed, whole = (
        json.loads((folder / "figures.json").read_text()) for folder in (line.folder, first.folder)
    )
    assert resumed == whole


def spoil(rows: Rows, **values: Any) -> Rows:
    return [row | values for row in rows]


@pytest.mark.slow
@pytest.mark.parametrize(
    "case",
    [
        "no such file",
        "missing column",
        "unknown grades",
        "empty",
        "cut gzip",
        "one class",
        "too few",
    ],
)
def test_bad_reviews_are_one_sentence(
    case: str, tmp_path: Path, tiny_encoder: Path, some_rows: Rows
) -> None:
    line = CommandLine(tmp_path, tiny_encoder)
    path = line.folder / "bad.jsonl"
    if case == "missing column":
        write_rows(path, [{"text": row["content"], "grade3": row["grade3"]} for row in some_rows])
    elif case == "unknown grades":
        write_rows(path, spoil(some_rows, grade3="Superb"))
    elif case == "empty":
        path.write_text("")
    elif case == "one class":
        write_rows(path, spoil(some_rows, grade3="Good", grade10=None))
    elif case == "too few":
        write_rows(path, some_rows[:3])
    elif case == "cut gzip":
        whole = gzip.compress(write_rows(path, some_rows).read_bytes())
        path = line.folder / "bad.jsonl.gz"
        path.write_bytes(whole[: len(whole) // 2])
    status, _, err = line.here(*line.training(path))
    assert status == 1
    assert err.startswith("Error: ")
    assert str(path) in err
    assert len(err.strip().splitlines()) == 1, err
    assert not list(line.models.glob("2*"))


@pytest.mark.slow
def test_bad_rows_are_listed_and_training_goes_on(
    tmp_path: Path, tiny_encoder: Path, some_rows: Rows
) -> None:
    line = CommandLine(tmp_path, tiny_encoder)
    bad = [{"content": "", "grade3": "Good"}, {"content": "Так себе", "grade3": "Superb"}]
    path = write_rows(line.folder / "reviews.jsonl", [*bad, *some_rows])
    status, out, err = line.here(*line.training(path, "--epochs", "1"))
    assert status == 0, err
    assert "2 rows can't be used" in out
    listed = (line.models / "reviews.jsonl.rejected.jsonl").read_text().splitlines()
    assert [json.loads(reject)["row"] for reject in listed] == [1, 2]


@pytest.mark.slow
def test_a_machine_without_bfloat16_is_told_so_by_train_alone(
    tmp_path: Path, tiny_encoder: Path, some_rows: Rows
) -> None:
    line = CommandLine(tmp_path, tiny_encoder)
    line.environment["ATEN_CPU_CAPABILITY"] = "avx2"
    reviews = write_rows(line.folder / "reviews.jsonl", some_rows)
    status, out, err = line.run(*line.training(reviews, "--epochs", "1"))
    assert (status, out.count("no bfloat16"), err) == (0, 1, "")
    status, out, err = line.run("predict", "Хорошо")
    assert (status, "CLS" in out, err) == (0, True, "")  # named again where the two disagree
    assert "bfloat16" not in out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("predict", "Хорошо"), "no champion yet"),
        (("models", "promote", "2026"), "no version"),
        (("predict", "--file", "a.jsonl"), "--file and --out go together"),
        (("predict", "--file", "a", "--out", "b", "--json", "c"), "--json is of single reviews"),
        (("train", "--recipe", "cake"), "--recipe cake"),
        (("train", "--reviews", "sample", "--encoder", "./none"), "no such folder"),
    ],
)
def test_other_bad_input_is_one_sentence(
    arguments: tuple[str, ...], said: str, tmp_path: Path, tiny_encoder: Path
) -> None:
    line = CommandLine(tmp_path, tiny_encoder)
    run = line.run if arguments[0] == "models" else line.here  # that one needs no torch
    status, _, err = run(*arguments)
    assert status == 1
    assert err.startswith("Error: ")
    assert said in err
    assert len(err.strip().splitlines()) == 1, err
