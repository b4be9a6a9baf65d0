"""A push and a pull killed at any point: nobody sees half of it, and the same command ends it."""

import signal
import threading

import pytest

from classifier.registry.registry import Registry
from classifier.registry.version import Version
from tests.classifier.command_line import CommandLine
from tests.classifier.sharing.model_hub import ModelHub
from tests.classifier.small_versions import leftovers

NAME = "anna/kinorate"
ATTRIBUTES = {".gitattributes"}


def killed(
    line: CommandLine,
    hub: ModelHub,
    arguments: tuple[str, ...],
    call: str,
    nth: int,
    by: signal.Signals = signal.SIGKILL,
) -> tuple[int, str]:
    """Run the command until its `nth` call that begins so, and end it there.

    Returns its exit status, and what it wrote to the standard error.
    """
    reached, count = threading.Event(), 0

    def before(asked: str) -> tuple[int, str] | None:
        nonlocal count
        count += asked.startswith(call)
        if count < nth or not asked.startswith(call):
            return None
        reached.set()
        hub.closing.wait(60)
        return 0, ""

    hub.before = before
    process = line.start("-m", "classifier", "models", *arguments)
    assert reached.wait(120), process.communicate()
    process.send_signal(by)
    _, err = process.communicate(timeout=30)  # it waits for no answer of the hub
    hub.before = lambda asked: None
    hub.end_silence()
    return process.returncode, err


@pytest.mark.slow
@pytest.mark.parametrize(
    ("call", "nth", "sent_again"),
    [
        ("POST /api/repos/create", 1, 2),
        ("PUT /large/", 2, 1),  # one of the two is there
        ("POST /api/validate-yaml", 1, 0),
        ("POST /api/models/anna/kinorate/commit/", 1, 0),
    ],
)
def test_a_killed_push_goes_on(
    call: str, nth: int, sent_again: int, line: CommandLine, hub: ModelHub, version: Version
) -> None:
    push = ("push", version.name, NAME)
    killed(line, hub, push, call, nth)
    assert NAME not in hub.repos or set(hub.repos[NAME].files) == ATTRIBUTES
    hub.asked.clear()
    status, out, err = line.run("models", *push, python=("-m", "classifier"))
    assert (status, err) == (0, "")
    assert "Pushed to" in out
    assert hub.count("PUT /large/") == sent_again
    assert len(hub.repos[NAME].commits) == 2
    assert leftovers(line.models) == []  # what the killed one had staged too
    status, _, err = line.here("models", "pull", NAME, "--models", "pulled")
    assert (status, err) == (0, "")


@pytest.mark.slow
def test_a_push_killed_after_its_commit_was_done_all_the_same(
    line: CommandLine, hub: ModelHub, version: Version
) -> None:
    done = threading.Event()

    def after() -> None:
        done.set()
        hub.closing.wait(60)

    hub.after_commit = after
    process = line.start("-m", "classifier", "models", "push", version.name, NAME)
    assert done.wait(120), process.communicate()
    process.send_signal(signal.SIGKILL)
    process.communicate()
    hub.after_commit = lambda: None
    hub.end_silence()
    status, out, err = line.here("models", "push", version.name, NAME)
    assert (status, "All of it was already in" in out) == (0, True), err
    assert len(hub.repos[NAME].commits) == 2


@pytest.mark.slow
@pytest.mark.parametrize(
    ("path", "fetched_again"),
    [("cls/model.safetensors", 2), ("mean/model.safetensors", 1), ("training.json", 1)],
)
def test_a_killed_pull_goes_on(
    path: str, fetched_again: int, line: CommandLine, hub: ModelHub, version: Version
) -> None:
    status, _, err = line.here("models", "push", version.name, NAME)
    assert (status, err) == (0, "")
    pull = ("pull", NAME, "--models", "pulled")
    commit = hub.repos[NAME].head
    killed(line, hub, pull, f"GET /{NAME}/resolve/{commit}/{path}", 1)
    assert not list((line.folder / "pulled").glob("2*"))
    hub.asked.clear()
    status, out, err = line.run("models", *pull, python=("-m", "classifier"))
    assert (status, err) == (0, "")
    assert hub.count(r"GET .*/model\.safetensors") == fetched_again - (path == "training.json")
    pulled = Registry(line.folder / "pulled").get(out.split()[-1])
    pulled.verify()
    assert leftovers(line.folder / "pulled") == []


@pytest.mark.slow
def test_an_interrupted_push_says_how_it_goes_on(
    line: CommandLine, hub: ModelHub, version: Version
) -> None:
    push = ("push", version.name, NAME)
    ended = killed(line, hub, push, "PUT /large/", 2, signal.SIGINT)
    assert ended == (130, "Interrupted. The same command goes on from there.\n")
    assert leftovers(line.models) == []
    assert len(hub.large) == 1
