"""A version to a hub and back: what goes there, what stays, what comes of it."""

import json
import shutil
from pathlib import Path

import pytest
import torch
import yaml

from classifier.data.tokenizer import load_tokenizer
from classifier.modeling.loading import classifier_on
from classifier.modeling.saving import save_model
from classifier.registry.registry import Registry
from classifier.registry.version import Version
from classifier.serving.predictor import Predictor
from classifier.sharing.layout import may_leave
from tests.classifier.command_line import CommandLine
from tests.classifier.modeling.saved_models import make_old
from tests.classifier.sharing import versions
from tests.classifier.sharing.model_hub import ModelHub, manifest_of, metadata_errors
from tests.classifier.sharing.versions import SECRET
from tests.classifier.small_versions import leftovers
from tests.families import FAMILIES, write_encoder

NAME = "anna/kinorate"


def push(line: CommandLine, version: Version, *more: str) -> str:
    status, out, err = line.here("models", "push", version.name, NAME, *more)
    assert (status, err) == (0, ""), err
    assert leftovers(line.models) == []
    return out


def pull(line: CommandLine, *more: str, models: str = "pulled") -> Version:
    status, out, err = line.here("models", "pull", NAME, "--models", models, *more)
    assert (status, err) == (0, ""), err
    assert leftovers(line.folder / models) == []
    return Registry(line.folder / models).get(out.split()[-1])


def answers(version: Version) -> list[tuple[float, ...]]:
    predictor = Predictor(version.path, torch.device("cpu"))
    [found] = predictor.predict(["Скучно до зевоты, зато музыка хороша."])
    return [
        (*one.sentiment_probabilities, *(one.rating_probabilities or ())) for one in found.values()
    ]


def test_it_comes_back_as_it_was_and_can_be_used(
    line: CommandLine, hub: ModelHub, version: Version
) -> None:
    out = push(line, version)
    assert f"Pushed to {hub.address}/{NAME} (public), commit {hub.repos[NAME].head}." in out
    pulled = pull(line)
    pulled.verify()
    assert pulled.made() == version.made()
    assert answers(pulled) == answers(version)
    assert pulled.metrics() == version.metrics()
    assert pulled.split() == version.split()  # the sample's, which everybody has
    for command, said in (
        (("promote", pulled.name), f"Champion: {pulled.name}"),
        (("list",), "0.900/0.800"),
        (("card",), "In this repository"),
    ):
        status, out, err = line.here("models", *command, "--models", "pulled")
        assert (status, said in out) == (0, True), err
    status, out, err = line.here("evaluate", "champion", "--models", "pulled")
    assert (status, "its own holdout" in out) == (0, True), err


def test_the_repository_has_the_better_pooling_at_its_root_and_a_card_that_the_hub_takes(
    line: CommandLine, hub: ModelHub, version: Version
) -> None:
    push(line, version)
    files = hub.repos[NAME].files
    of_model = ["config.json", "model.safetensors", "modeling_kinorate.py"]
    of_model += ["tokenizer.json", "tokenizer_config.json"]
    assert set(files) == {
        *(".gitattributes", "manifest.json", "README.md"),
        *("history.json", "metrics.json", "split.json", "training.json"),
        *of_model,
        *(f"{pooling}/{name}" for pooling in ("cls", "mean") for name in [*of_model, "README.md"]),
    }
    assert all(files[name] == files[f"cls/{name}"] for name in of_model)
    assert files["model.safetensors"] != files["mean/model.safetensors"]
    assert hub.count("PUT /large/") == 2  # what the root has once more is not sent twice
    assert hub.count("POST .*/commit/") == 1
    assert hub.count("POST /api/validate-yaml") == 1
    for path in ("README.md", "cls/README.md", "mean/README.md"):
        assert metadata_errors(files[path].decode()) == []
    data = yaml.safe_load(files["README.md"].decode().split("---\n")[1])
    assert (data["license"], data["language"], data["library_name"]) == (
        "mit",
        "ru",
        "transformers",
    )
    assert {"cls-pooling", "mean-pooling"} <= set(data["tags"])
    index = {model["name"]: model["results"] for model in data["model-index"]}
    values = {
        name: {metric["name"]: metric["value"] for metric in results[0]["metrics"]}
        for name, results in index.items()
    }
    assert values["kinorate-cls"]["Accuracy"] == 0.9
    assert values["kinorate-mean"]["Accuracy"] == 0.8
    assert values["kinorate-mean"]["Rating MAE"] == 1.2
    assert all(str(line.folder.parent).encode() not in content for content in files.values())


def test_a_card_that_the_hub_would_refuse_is_told_from_one_that_it_takes() -> None:
    good = "---\nlanguage: ru\nlicense: mit\npipeline_tag: text-classification\n---\n# A model\n"
    assert metadata_errors(good) == []
    for spoilt in (
        good.removeprefix("---\n"),
        good.replace("mit", "none that there is"),
        good.replace("ru", "Russian"),
        good.replace("text-classification", "rating"),
        good.replace("---\n# ", "base_model: /home/me/encoder\n---\n# "),
        good.replace("---\n# ", "model-index:\n- results: []\n---\n# "),
    ):
        assert metadata_errors(spoilt)


@pytest.mark.parametrize(
    "holdout", [None, *(pytest.param(one, marks=pytest.mark.slow) for one in ("private", "sample"))]
)
def test_nothing_of_reviews_that_are_not_public_leaves(
    line: CommandLine, hub: ModelHub, holdout: str | None
) -> None:
    trained = versions.training(f"/home/{SECRET}/{SECRET}.jsonl")
    if holdout is not None:
        source = "sample" if holdout == "sample" else f"/home/{SECRET}/other.jsonl"
        record = trained["reviews"] | versions.training(source)["reviews"]
        trained["holdout"] = record | {"same_ids": {SECRET: SECRET}, "left_out": {"in_both": 1}}
    trained["extra"] = {"read": 7, "known": 2, "kept": 5}
    version = versions.publish(line.models, line.encoder, trained=trained, ids=SECRET)
    out = push(line, version)
    assert "Not sent, for it quotes reviews or nothing reads it: plots/, report.html." in out
    assert "It has learnt from 5 reviews beside those of its split" in out
    sent = [*hub.repos[NAME].files.items(), *hub.large.items(), *hub.received.items()]
    assert len(hub.received) > 5
    for path, content in sent:
        if not path.endswith("split.json") or holdout != "sample":
            assert SECRET.encode() not in content, path
    pulled = pull(line)
    assert pulled.split()["train"] == pulled.split()["validation"] == []
    assert bool(pulled.split()["holdout"]) == (holdout == "sample")
    assert "reviews that are not published" in hub.repos[NAME].files["README.md"].decode()

    reviews = line.folder / "reviews.jsonl"
    rows = [
        {"content": f"Фильм номер {number} удался.", "grade3": grade}
        for number, grade in enumerate(["Good", "Bad", "Neutral"] * 4)
    ]
    reviews.write_text("\n".join(json.dumps(row) for row in rows))
    of_file = ("evaluate", pulled.name, "--reviews", str(reviews), "--models", "pulled")
    status, out, err = line.here(*of_file)
    assert (status, "without the ids of its reviews" in out) == (0, True), err
    Registry(line.folder / "pulled").promote(pulled.name)
    status, _, err = line.here("retrain", "--extra", str(reviews), "--models", "pulled")
    assert (status, len(err.splitlines())) == (1, 1)
    if holdout != "sample":  # of this one it is found first that the figures are invented
        assert f"Error: {pulled.name} came from the hub without its reviews" in err


def test_the_way_to_the_hub_of_who_trained_is_left_out(
    line: CommandLine, hub: ModelHub, version: Version
) -> None:
    push(line, version)
    files = hub.repos[NAME].files
    assert all(b"ALL_PROXY" not in content for content in files.values())
    assert all(SECRET.encode() not in content for content in files.values())
    assert json.loads(files["training.json"])["reviews"]["reason"] == "the bundled sample"


def test_a_dry_run_shows_what_would_be_sent_and_sends_nothing(
    line: CommandLine, hub: ModelHub, version: Version, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HF_TOKEN")
    out = push(line, version, "--dry-run")
    assert hub.asked == []
    assert out.endswith("Nothing was sent.\n")
    size = (version.path / "mean" / "model.safetensors").stat().st_size
    assert f"  mean/model.safetensors  {size:,} bytes\n" in out
    assert "pipeline_tag: text-classification" in out
    assert "report.html" in out.partition("Not sent")[2]


def test_private_is_private_and_public_is_never_taken_for_it(
    line: CommandLine, hub: ModelHub, version: Version, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.new_repo(NAME)
    status, _, err = line.here("models", "push", version.name, NAME, "--private")
    assert (status, "everybody can read it" in err, hub.large) == (1, True, {})
    del hub.repos[NAME]
    assert "(private)" in push(line, version, "--private")
    assert hub.repos[NAME].private
    assert "(private)" in push(line, version)  # it stays so
    pull(line)
    monkeypatch.delenv("HF_TOKEN")
    status, _, err = line.here("models", "pull", NAME, "--models", "another")
    assert (status, "set HF_TOKEN for a private one" in err) == (1, True), err


def test_the_same_push_again_changes_nothing_and_another_version_is_one_more_commit(
    line: CommandLine, hub: ModelHub, version: Version
) -> None:
    push(line, version)
    repo, first = hub.repos[NAME], hub.repos[NAME].head
    assert "All of it was already in" in push(line, version)
    assert len(repo.commits) == 2
    repo.commit(repo.files | {"LICENSE": b"MIT", "cls/vocab.txt": b"an earlier version's"})
    other = versions.publish(line.models, line.encoder, seed=1)
    push(line, other)
    assert len(repo.commits) == 4
    assert repo.files["LICENSE"] == b"MIT"
    assert "cls/vocab.txt" not in repo.files
    repo.tags["v1"] = first
    assert answers(pull(line)) == answers(other)
    for revision in ("v1", first):
        assert answers(pull(line, "--revision", revision)) == answers(version)
    names = [one.name for one in Registry(line.folder / "pulled").versions()]
    assert len(names) == 2
    status, out, _ = line.here("models", "pull", NAME, "--models", "pulled")
    assert (status, out.startswith(f"Here already, and sound: {names[1]}")) == (0, True)


def test_what_was_pulled_has_one_name_everywhere_and_can_be_pushed_again(
    line: CommandLine, hub: ModelHub, version: Version
) -> None:
    push(line, version)
    first, second = pull(line), pull(line, models="elsewhere")
    assert first.name == second.name
    status, out, err = line.here("models", "push", first.name, NAME, "--models", "pulled")
    assert (status, err) == (0, "")
    assert "All of it was already in" in out


def test_code_that_is_not_ours_is_told(line: CommandLine, hub: ModelHub, version: Version) -> None:
    push(line, version)
    assert "trust_remote_code" not in line.here("models", "pull", NAME, "--models", "first")[1]
    repo = hub.repos[NAME]
    files = repo.files | {"cls/modeling_kinorate.py": b"raise SystemExit('run')"}
    repo.commit(files | {"manifest.json": manifest_of(files)})
    status, out, err = line.here("models", "pull", NAME, "--models", "pulled")
    assert (status, err) == (0, "")
    assert "cls/modeling_kinorate.py: not this Kinorate's code, which does not run it" in out
    [pulled] = Registry(line.folder / "pulled").versions()
    assert answers(pulled) == answers(version)


def test_a_version_of_earlier_code_goes_there_as_one_of_today(
    line: CommandLine, hub: ModelHub, version: Version
) -> None:
    make_old(version.path)
    (version.path / "manifest.json").unlink()
    registry = Registry(line.models)
    with registry.stage(version.made()) as staging:
        shutil.copytree(version.path, staging.path, dirs_exist_ok=True)
        old = staging.publish()
    push(line, old)
    files = hub.repos[NAME].files
    assert files["mean/modeling_kinorate.py"] == files["modeling_kinorate.py"]
    for found, wanted in zip(answers(pull(line)), answers(old), strict=True):
        assert found == pytest.approx(wanted, abs=1e-6)
    assert "All of it was already in" in push(line, old)


def test_a_damaged_version_is_not_pushed(
    line: CommandLine, hub: ModelHub, version: Version
) -> None:
    weights = version.path / "cls" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"?")
    status, _, err = line.here("models", "push", version.name, NAME)
    assert (status, "its SHA-256 differs" in err, hub.asked) == (1, True, [])
    untold = line.models / "20250101T000000Z-00000000"
    untold.mkdir()
    status, _, err = line.here("models", "push", untold.name, NAME)
    assert (status, "no complete model version" in err) == (1, True)


@pytest.mark.parametrize("family", sorted(FAMILIES.keys() - {"gpt2"}))
def test_all_that_a_model_is_loaded_from_may_leave(family: str, tmp_path: Path) -> None:
    encoder = write_encoder(tmp_path / family, family)
    model = classifier_on(encoder, attention_dropout=False, pooling="cls")
    save_model(model, load_tokenizer(encoder), tmp_path / "cls")
    names = {f"cls/{path.name}" for path in (tmp_path / "cls").iterdir()}
    assert "cls/model.safetensors" in names
    assert [name for name in names if not may_leave(name)] == []
    refused = "cls/predictions.csv", "cls/notes.txt", "cls/model.bin", "reviews.jsonl", "cls/a.py"
    assert not any(map(may_leave, refused))
