"""Whatever a hub, or what answers in its place, does: one sentence, and nothing half done."""

import hashlib
import json
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from classifier.registry.version import Version
from classifier.sharing import pull, push
from tests.classifier.command_line import CommandLine
from tests.classifier.conftest import forget_the_way
from tests.classifier.sharing.model_hub import ModelHub, Repo, manifest_of
from tests.classifier.small_versions import leftovers

NAME = "anna/kinorate"
Answer = tuple[int, str] | None


def all_slow_but(quick: object, cases: Iterable[Any]) -> list[Any]:
    """The cases, of which one stands for its kind in the quick tests."""
    return [one if one == quick else pytest.param(one, marks=pytest.mark.slow) for one in cases]


def refused(line: CommandLine, *arguments: str) -> str:
    """The sentence of a command that ends in one."""
    status, _, err = line.here("models", *arguments)
    assert (status, len(err.splitlines())) == (1, 1), err
    assert err.startswith("Error: ")
    assert "hf_" not in err
    assert leftovers(line.folder / "pulled") == leftovers(line.models) == []
    return err


@pytest.mark.parametrize(
    ("token", "said"),
    [
        (None, "There is no token for the hub: set HF_TOKEN to one that may write"),
        ("hf_stranger", "it refuses the token, 401: make another at http://127.0.0.1"),
        ("hf_reader", "the token of anna may only read"),
        ("hf_\x01", "was not changed on the hub"),
    ],
)
def test_tokens(
    token: str | None,
    said: str,
    line: CommandLine,
    hub: ModelHub,
    version: Version,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if token is None:
        monkeypatch.delenv("HF_TOKEN")
    else:
        monkeypatch.setenv("HF_TOKEN", token)
    assert said in refused(line, "push", version.name, NAME)
    assert not hub.repos
    assert not hub.large


NAMES = {
    "kinorate": "the owner is missing",
    "anna/kino/rate": "is no OWNER/NAME of the hub",
    "anna/ki--no": "Cannot have -- or ..",
    "anna/кино": "is no OWNER/NAME of the hub",
    "../kinorate": "is no OWNER/NAME of the hub",
    "anna/" + "k" * 100: "is no OWNER/NAME of the hub",
}


def test_names(line: CommandLine, hub: ModelHub, version: Version) -> None:
    for name, said in NAMES.items():
        assert said in refused(line, "push", version.name, name)
        assert said in refused(line, "pull", name)
    assert hub.asked == []
    said = "403 (You don't have the rights to create a model under the namespace"
    assert said in refused(line, "push", version.name, "boris/kinorate")
    assert not hub.large


PUSH_CALLS = ["GET /api/whoami", "POST /api/repos/create", "GET /api/models/", "POST .*/preupload/"]
PUSH_CALLS += ["POST .*/batch", "PUT /large/", "POST /api/validate-yaml", "POST .*/commit/"]
PULL_CALLS = ["HEAD .*/manifest.json", "GET .*/mean/model.safetensors"]
ANSWERS = [(400, "no"), (409, "no"), (500, "no"), (200, "page"), (404, "")]


@pytest.mark.parametrize("call", all_slow_but("POST .*/commit/", PUSH_CALLS))
@pytest.mark.parametrize("answer", all_slow_but((500, "no"), ANSWERS))
def test_a_push_that_the_hub_answers_otherwise_at_any_call(
    call: str,
    answer: Answer,
    line: CommandLine,
    hub: ModelHub,
    version: Version,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The repository is as it was, and the same push ends what was begun."""
    monkeypatch.setattr(
        "huggingface_hub.utils._http.time.sleep", lambda _: None
    )  # between the library's retries
    hub.before = lambda asked: answer if re.match(call, asked) else None
    if answer == (409, "no") and "create" in call:
        answer = (422, "no")  # 409 is the hub's word for one that exists
    if answer == (200, "page") and "PUT" in call:
        answer = (501, "page")  # a store's answer has no content of its own
    said = refused(line, "push", version.name, NAME)
    assert said.startswith(f"Error: {NAME} was not changed on the hub: ")
    if NAME in hub.repos:
        assert set(hub.repos[NAME].files) == {".gitattributes"}
    hub.before = lambda asked: None
    status, _, err = line.here("models", "push", version.name, NAME)
    assert (status, err) == (0, "")
    assert "README.md" in hub.repos[NAME].files


@pytest.mark.parametrize("call", all_slow_but("PUT /large/", PUSH_CALLS))
def test_a_hub_that_falls_silent_is_given_up(
    call: str,
    line: CommandLine,
    hub: ModelHub,
    version: Version,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(push, "SILENCE_SECONDS", 0.5)

    def before(asked: str) -> Answer:
        if re.match(call, asked):
            hub.closing.wait(30)
            return 0, ""
        return None

    hub.before = before
    said = refused(line, "push", version.name, NAME)
    assert "no data came from the hub for 0.5 seconds" in said
    assert NAME not in hub.repos or set(hub.repos[NAME].files) == {".gitattributes"}


@pytest.mark.parametrize("command", ["push", "pull"])
def test_no_hub_and_other_addresses(
    command: str,
    line: CommandLine,
    hub: ModelHub,
    version: Version,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    arguments = (command, version.name, NAME) if command == "push" else (command, NAME)
    for address, said in {
        "http://127.0.0.1:9": "127.0.0.1 can't be reached",
        "no address": "HF_ENDPOINT is no web address",
        "http://[": "HF_ENDPOINT is no web address",
    }.items():
        monkeypatch.setenv("HF_ENDPOINT", address)
        forget_the_way()
        assert said in refused(line, *arguments)
    monkeypatch.setenv("HF_ENDPOINT", hub.address)
    forget_the_way()
    hub.before = lambda asked: (200, "page")
    assert "something else than the hub answers at" in refused(line, *arguments)
    line.environment["HF_HUB_OFFLINE"] = "1"
    forget_the_way()
    assert "HF_HUB_OFFLINE is set" in refused(line, *arguments)


def test_another_repository_is_not_overwritten(
    line: CommandLine, hub: ModelHub, version: Version
) -> None:
    repo = hub.new_repo(NAME)
    repo.commit(repo.files | {"config.json": b"{}", "pytorch_model.bin": b"1"})
    before = dict(repo.files)
    said = refused(line, "push", version.name, NAME)
    assert "it holds something else than a version, config.json for one" in said
    assert (repo.files, hub.large) == (before, {})
    repo.commit(dict.fromkeys(("cls/config.json", "mean/config.json", "manifest.json"), b""))
    repo.commit(repo.files | {".gitignore": b"*.safetensors"})
    assert "it has a .gitignore" in refused(line, "push", version.name, NAME)


def test_of_two_pushes_at_once_one_is_told_of_the_other(
    line: CommandLine, hub: ModelHub, version: Version
) -> None:
    repo = hub.new_repo(NAME)

    def before(asked: str) -> Answer:
        if asked.startswith("POST /api/validate-yaml"):
            repo.commit(repo.files | {"LICENSE": b"MIT"})
        return None

    hub.before = before
    said = refused(line, "push", version.name, NAME)
    assert "somebody else changed it at the same time; try again" in said


@pytest.fixture
def pushed(line: CommandLine, hub: ModelHub, version: Version) -> Repo:
    status, _, err = line.here("models", "push", version.name, NAME)
    assert (status, err) == (0, "")
    return hub.repos[NAME]


def pull_refused(line: CommandLine, *more: str) -> str:
    said = refused(line, "pull", NAME, "--models", "pulled", *more)
    assert list((line.folder / "pulled").glob("2*")) == []
    return said


OTHER_FILES = [
    *("../evil.txt", "/etc/evil", "cls/../../evil", "cls\\..\\evil", "cls/pytorch_model.bin"),
    *("cls/model.pkl", "run.py", "other/config.json", "cls/deep/config.json", "", ".lock"),
    *("manifest.json", "champion", "cls/config.json\n", "cls/CONFIG.JSON", "report.html"),
]


def test_a_manifest_that_names_other_files(line: CommandLine, pushed: Repo) -> None:
    sound = dict(pushed.files)
    for path in OTHER_FILES:
        manifest = json.loads(sound["manifest.json"])
        manifest["files"][path] = {"size": 4, "sha256": hashlib.sha256(b"evil").hexdigest()}
        pushed.commit(sound | {path: b"evil", "manifest.json": json.dumps(manifest).encode()})
        assert "is no file of one" in pull_refused(line)


def test_a_stray_file_is_not_fetched(line: CommandLine, hub: ModelHub, pushed: Repo) -> None:
    pushed.commit(pushed.files | {"pytorch_model.bin": b"evil", "cls/training_args.bin": b"evil"})
    status, _, err = line.here("models", "pull", NAME, "--models", "pulled")
    assert (status, err) == (0, "")
    assert hub.count(r"GET .*\.bin") == 0


def cut(files: dict[str, bytes], path: str) -> None:
    files[path] = files[path][: len(files[path]) // 2]


TAMPERED = ["cls/model.safetensors", "training.json", "mean/tokenizer.json"]
SPOILT: dict[str, tuple[Callable[[dict[str, bytes]], None], str]] = {
    "weights cut": (lambda files: cut(files, "cls/model.safetensors"), "no version that can be"),
    "weights gone": (
        lambda files: files.update({"cls/model.safetensors": b""}),
        "no version that can be",
    ),
    "configuration": (lambda files: files.update({"mean/config.json": b"[]"}), "mean/config.json"),
    "tokenizer": (lambda files: cut(files, "cls/tokenizer.json"), "cls has no tokenizer"),
    "no JSON": (lambda files: files.update({"metrics.json": b"{"}), "metrics.json"),
    "other figures": (
        lambda files: files.update({"metrics.json": b'{"cls": 1}'}),
        "not a version's",
    ),
    "no encoder": (lambda files: files.update({"training.json": b"{}"}), "not a version's"),
    "no ids": (lambda files: files.update({"split.json": b'{"train": 3}'}), "not a version's"),
}


@pytest.mark.parametrize("case", all_slow_but("configuration", SPOILT))
def test_a_version_whose_files_are_as_told_but_of_no_use(
    case: str, line: CommandLine, pushed: Repo
) -> None:
    change, said = SPOILT[case]
    files = dict(pushed.files)
    change(files)
    pushed.commit(files | {"manifest.json": manifest_of(files)})
    assert said in pull_refused(line)


@pytest.mark.parametrize("path", all_slow_but("cls/model.safetensors", TAMPERED))
def test_a_file_that_is_not_the_one_of_the_manifest(
    path: str, line: CommandLine, pushed: Repo
) -> None:
    sound = dict(pushed.files)
    pushed.commit(sound | {path: sound[path][:-1] + b"?"})
    said = pull_refused(line)
    assert f"{path} is not the file that its manifest.json tells of" in said
    pushed.commit(sound | {"LICENSE": b"MIT"})
    status, _, err = line.here("models", "pull", NAME, "--models", "pulled")
    assert (status, err) == (0, "")


OTHER_MANIFESTS = [
    *(b"", b"[]", b"{", b'{"files": {}}', b'{"made": "x", "files": {}}', b"\xff", b"[" * 10**5),
    *(b'{"made": "20260132T000000Z", "files": {}}', b'{"made": 1, "files": {"README.md": 1}}'),
    *(b'{"made": "../..", "files": {}}', b'{"made": "29990101T000000Z", "files": {}}'),
    b'{"made": "20260101T000000Z", "files": {"README.md": {"size": Infinity, "sha256": ""}}}',
    b'{"made": "20260101T000000Z", "files": {"README.md": {"size": "x", "sha256": 1}}}',
    b'{"made": "20260101T000000Z", "files": {"README.md": {"size": 1e15, "sha256": ""}}}',
]


def test_a_manifest_of_something_else(line: CommandLine, pushed: Repo) -> None:
    for manifest in OTHER_MANIFESTS:
        pushed.commit(pushed.files | {"manifest.json": manifest})
        assert f"Error: {NAME} " in pull_refused(line)


def test_repositories_that_hold_no_version(
    line: CommandLine, hub: ModelHub, version: Version, pushed: Repo
) -> None:
    assert "it has no revision 'v9'" in pull_refused(line, "--revision", "v9")
    assert "it has no revision" in pull_refused(line, "--revision", "0" * 40)
    assert "it has no revision" in pull_refused(line, "--revision", "../../x")
    hub.new_repo(NAME)
    assert "it is no version: it has no manifest.json" in pull_refused(line)
    del hub.repos[NAME]
    assert "has no such model, or not for you" in pull_refused(line)


@pytest.mark.parametrize("call", all_slow_but("GET .*/mean/model.safetensors", PULL_CALLS))
@pytest.mark.parametrize("answer", all_slow_but("silent", ["silent", *ANSWERS, (401, "")]))
def test_a_pull_that_the_hub_answers_otherwise(
    call: str,
    answer: str | tuple[int, str],
    line: CommandLine,
    hub: ModelHub,
    pushed: Repo,
    end_work: Callable[[], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("huggingface_hub.utils._http.time.sleep", lambda _: None)
    monkeypatch.setattr(pull, "SILENCE_SECONDS", 0.5)

    def before(asked: str) -> Answer:
        if not re.match(call, asked):
            return None
        if isinstance(answer, tuple):
            return answer
        hub.closing.wait(30)
        return 0, ""

    hub.before = before
    assert f"Error: {NAME} was not pulled: " in pull_refused(line)
    hub.closing.set()
    end_work()
    hub.closing.clear()
    hub.before = lambda asked: None
    status, _, err = line.here("models", "pull", NAME, "--models", "pulled")
    assert (status, err) == (0, "")
    assert hub.count("GET .*/cls/model.safetensors") == 1


def test_a_version_that_is_here_but_damaged_is_said(
    line: CommandLine, pushed: Repo, tmp_path: Path
) -> None:
    status, out, err = line.here("models", "pull", NAME, "--models", "pulled")
    assert (status, err) == (0, "")
    weights = line.folder / "pulled" / out.split()[-1] / "cls" / "model.safetensors"
    content = weights.read_bytes()
    weights.unlink()  # a name of the cache's file
    weights.write_bytes(content[:-1] + b"?")
    assert "its SHA-256 differs" in refused(line, "pull", NAME, "--models", "pulled")
