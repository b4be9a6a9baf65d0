"""The registry, also under concurrent processes.

Run as a script, this file is the child process that those tests start.
"""

import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from classifier.errors import ClassifierError
from classifier.registry.registry import EARLIER_CHAMPIONS, Registry
from classifier.registry.version import Version
from tests.classifier.small_versions import NOON, fill, leftovers, publish


@pytest.fixture
def registry(in_memory: Path) -> Registry:
    return Registry(in_memory / "my models")


def test_the_whole_life_of_two_versions(registry: Registry) -> None:
    assert registry.versions() == []
    assert registry.champion() is None
    first = publish(registry, 1)
    assert first.name.startswith("20250102T120001Z-")
    assert registry.champion() is None
    assert registry.promote(first.name) == first
    second = publish(registry, 2)
    assert registry.versions() == [first, second]
    assert registry.champion() == registry.get("champion") == first
    registry.promote(second.name)
    assert registry.champion() == second
    assert registry.rollback() == first
    assert registry.champion() == first
    registry.promote("champion")  # changes nothing, so that there is nothing to roll back to
    with pytest.raises(ClassifierError, match="no earlier champion"):
        registry.rollback()
    assert registry.prune(keep=1) == []
    third = publish(registry, 3)
    assert registry.prune(keep=1) == [second.name]
    assert registry.versions() == [first, third]
    assert not second.path.exists()
    assert leftovers(registry.root) == []


def test_a_version_is_read_when_asked(registry: Registry) -> None:
    version = publish(registry, 7)
    assert version.metrics() == {"of": "metrics", "seed": 7}
    assert version.training() == {"of": "training", "seed": 7}
    assert version.history() == {"of": "history", "seed": 7}
    assert version.split() == {"of": "split", "seed": 7}
    (version.path / "metrics.json").write_text("[1]")
    with pytest.raises(ClassifierError, match=r"metrics\.json can't be read"):
        version.metrics()


def test_the_name_is_utc_and_depends_on_the_contents(registry: Registry) -> None:
    names = []
    for seed in (1, 2):
        with registry.stage(NOON.astimezone(timezone(timedelta(hours=7)))) as staging:
            fill(staging.path, seed)
            names.append(staging.publish().name)
    assert names[0] != names[1]
    assert {name[:17] for name in names} == {"20250102T120000Z-"}
    with pytest.raises(ValueError, match="aware"), registry.stage(datetime(2025, 1, 2)):
        pass


def test_publishing_the_same_version_twice_is_refused(registry: Registry) -> None:
    first = publish(registry, 1)
    with pytest.raises(ClassifierError, match="published before"):
        publish(registry, 1)
    first.verify()
    assert leftovers(registry.root) == []


def test_get_by_prefix(registry: Registry) -> None:
    first, second = publish(registry, 1), publish(registry, 2)
    assert registry.get(second.name[:16]) == second
    with pytest.raises(ClassifierError, match=f"any of {first.name}, {second.name}"):
        registry.get("2025")
    for wrong in ("20260102", "", "..", "../my models", first.name + "0"):
        with pytest.raises(ClassifierError, match=f"the nearest are .*{first.name[:8]}"):
            registry.get(wrong)
    with pytest.raises(ClassifierError, match="no champion yet"):
        registry.get("champion")
    with pytest.raises(ClassifierError, match="there is none yet"):
        Registry(registry.root / "elsewhere").get("2025")


def test_a_folder_that_is_no_model(registry: Registry) -> None:
    version = publish(registry, 1)
    (registry.root / "holiday photos").mkdir()
    assert registry.versions() == [version]
    with pytest.raises(ClassifierError, match=r"holiday photos is no complete model version"):
        registry.get("holiday")


def delete(path: Path) -> None:
    path.unlink()


def empty(path: Path) -> None:
    path.write_bytes(b"")


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-9])


@pytest.mark.parametrize("damage", [delete, truncate])
@pytest.mark.parametrize("name", ["cls/model.safetensors", "training.json", "manifest.json"])
def test_a_half_written_version_is_passed_over_and_named(
    registry: Registry, damage: Callable[[Path], None], name: str
) -> None:
    version = publish(registry, 1)
    damage(version.path / name)
    assert registry.versions() == []
    for act in (registry.get, registry.promote):
        with pytest.raises(ClassifierError, match=Path(name).name):
            act(version.name)
    assert registry.champion() is None


@pytest.mark.parametrize("name", ["mean/model.safetensors", "manifest.json"])
def test_changed_contents_are_found_before_promoting(registry: Registry, name: str) -> None:
    first, second = publish(registry, 1), publish(registry, 2)
    registry.promote(first.name)
    path = second.path / name
    path.write_bytes(path.read_bytes().translate(bytes.maketrans(b"aeb0", b"bfa1")))
    with pytest.raises(ClassifierError, match=path.name):
        second.verify()
    with pytest.raises(ClassifierError, match=path.name):
        registry.promote(second.name)
    assert registry.champion() == first


@pytest.mark.parametrize("damage", [delete, empty])
@pytest.mark.parametrize(
    "missing",
    ["cls/config.json", "mean/model.safetensors", "mean/tokenizer.json", "README.md", "split.json"],
)
def test_an_incomplete_version_is_not_published(
    registry: Registry, missing: str, damage: Callable[[Path], None]
) -> None:
    with pytest.raises(ClassifierError, match=f"{missing}.* is missing or empty"):
        publish(registry, 1, lambda folder: damage(folder / missing))
    assert registry.versions() == []
    assert leftovers(registry.root) == []


def test_vocab_txt_serves_as_tokenizer(registry: Registry) -> None:
    def rename(folder: Path) -> None:
        for pooling in ("cls", "mean"):
            (folder / pooling / "tokenizer.json").rename(folder / pooling / "vocab.txt")

    publish(registry, 1, rename).verify()


@pytest.mark.parametrize("name", ["cls/pytorch_model.bin", "mean/optimizer.PT", "cls/weights.pkl"])
def test_pickles_are_not_published(registry: Registry, name: str) -> None:
    with pytest.raises(ClassifierError, match=f"{name} is a pickle"):
        publish(registry, 1, lambda folder: (folder / name).write_bytes(b"\x80\x04."))
    assert registry.versions() == []


def test_links_are_not_published(registry: Registry, tmp_path: Path) -> None:
    with pytest.raises(ClassifierError, match="plots is a link"):
        publish(registry, 1, lambda folder: (folder / "plots").symlink_to(tmp_path))


def test_an_exception_while_staging_leaves_nothing(registry: Registry) -> None:
    def interrupt(_: Path) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        publish(registry, 1, interrupt)
    assert registry.versions() == []
    assert leftovers(registry.root) == []


def test_only_dead_owners_staging_folders_are_swept(registry: Registry) -> None:
    with registry.stage(NOON) as staging:
        fill(staging.path)
        (registry.root / ".staging-dead").mkdir()
        (registry.root / ".pruned-dead").mkdir()
        (registry.root / ".champion.dead.tmp").write_text("half")
        publish(registry, 1)
        assert leftovers(registry.root) == [staging.path.name]
        registry.prune(keep=5)
        version = staging.publish()
    assert version in registry.versions()


def test_rollback_and_prune_agree_on_what_stays(registry: Registry) -> None:
    names = [publish(registry, seed).name for seed in range(5)]
    for name in names[:4]:
        registry.promote(name)
    shutil.rmtree(registry.root / names[2])
    assert registry.prune(keep=0) == [names[0], names[4]]
    assert registry.rollback().name == names[1]
    with pytest.raises(ClassifierError, match="no earlier champion"):
        registry.rollback()
    with pytest.raises(ClassifierError, match="negative"):
        registry.prune(keep=-1)


def test_what_has_been_champion_is_not_discarded(registry: Registry) -> None:
    names = [publish(registry, seed).name for seed in range(4)]
    for name in names[:2]:
        registry.promote(name)
    (registry.root / ".staging-dead").mkdir()
    assert registry.discard([*names[:3], "20250102T030405Z-0a1b2c3d"]) == [names[2]]
    assert [version.name for version in registry.versions()] == [*names[:2], names[3]]
    assert leftovers(registry.root) == []


def test_leftovers_are_swept_on_demand(registry: Registry) -> None:
    with registry.stage(NOON) as staging:
        (registry.root / ".staging-dead").mkdir()
        registry.discard([])
        assert leftovers(registry.root) == [staging.path.name]


def test_a_champion_that_moves_on_while_it_is_looked_up(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = publish(registry, 1), publish(registry, 2)
    shutil.rmtree(first.path)  # as a prune may, once the second is champion
    looks = iter([[first.name], [second.name]])
    monkeypatch.setattr(registry, "_champions", lambda: next(looks))
    assert registry.champion() == second


@pytest.mark.parametrize("way_out", ["promote", "rollback"])
def test_a_champion_that_is_gone(registry: Registry, way_out: str) -> None:
    first, second = publish(registry, 1), publish(registry, 2)
    registry.promote(first.name)
    registry.promote(second.name)
    shutil.rmtree(second.path)
    for name in ("champion", second.name):
        with pytest.raises(ClassifierError, match=second.name if name == "champion" else "nearest"):
            registry.get(name)
    with pytest.raises(ClassifierError, match="Promote another version, or roll back"):
        registry.champion()
    assert (registry.promote(first.name) if way_out == "promote" else registry.rollback()) == first
    assert registry.champion() == first


def test_a_damaged_earlier_champion_is_not_rolled_back_to(registry: Registry) -> None:
    first, second = publish(registry, 1), publish(registry, 2)
    registry.promote(first.name)
    registry.promote(second.name)
    (first.path / "cls" / "model.safetensors").write_bytes(bytes(4096))
    with pytest.raises(ClassifierError, match=r"cls/model\.safetensors is damaged"):
        registry.rollback()
    assert registry.champion() == second


def test_the_champion_file_is_small_text_newest_first(registry: Registry) -> None:
    first, second = publish(registry, 1), publish(registry, 2)
    for version in [first, second] * EARLIER_CHAMPIONS:
        registry.promote(version.name)
    lines = (registry.root / "champion").read_text().splitlines()
    assert lines[:2] == [second.name, first.name]
    assert len(lines) == 1 + EARLIER_CHAMPIONS
    (registry.root / "champion").write_bytes(b"\xff\xfe")
    with pytest.raises(ClassifierError, match="champion can't be read"):
        registry.champion()


def test_a_folder_that_can_not_be_made(tmp_path: Path) -> None:
    (tmp_path / "models").write_text("a file")
    registry = Registry(tmp_path / "models")
    assert registry.versions() == []
    with pytest.raises(ClassifierError, match="can't be written to"), registry.stage(NOON):
        pass


def test_importing_it_stays_light() -> None:
    code = "import classifier.registry.registry, sys; sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[3])


# Several processes


def start(*arguments: str) -> "subprocess.Popen[bytes]":
    """This file as a child process, once it says that it is ready."""
    root = Path(__file__).parents[3]
    child = subprocess.Popen(
        [sys.executable, __file__, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(root)},
    )
    assert child.stdout is not None
    assert child.stdout.readline() == b"ready\n"
    return child


def test_concurrent_promotions_are_all_remembered(registry: Registry) -> None:
    names = [publish(registry, seed).name for seed in range(4)]
    children = [start(str(registry.root), *pair) for pair in (names[:2], names[2:])]
    with registry._locked():
        for child in children:
            assert child.stdin is not None
            child.stdin.close()  # both begin at this, and have to wait
        time.sleep(0.2)
        assert registry.champion() is None
    assert [child.wait() for child in children] == [0, 0]
    lines = (registry.root / "champion").read_text().split()
    assert len(lines) == 20  # each of twice five pairs was seen, and added to, by the next
    for pair in (names[:2], names[2:]):
        assert [name for name in reversed(lines) if name in pair] == pair * 5


def test_readers_always_see_a_champion(registry: Registry) -> None:
    registry.promote(publish(registry, 0).name)
    seen: list[Version | None] = []
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            seen.append(Registry(registry.root).champion())

    reader = threading.Thread(target=read)
    reader.start()
    for seed in range(1, 41):
        registry.promote(publish(registry, seed).name)
        if seed % 3 == 0:
            registry.rollback()
        registry.prune(keep=0)  # what a rollback left behind is deleted under the reader's hands
    done.set()
    reader.join()
    assert None not in seen
    assert len(set(seen)) > 5


def main(root: str, *names: str) -> None:
    print("ready", flush=True)
    sys.stdin.read()
    for name in names * 5:
        Registry(Path(root)).promote(name)


if __name__ == "__main__":
    main(*sys.argv[1:])
