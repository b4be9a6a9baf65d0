"""Invented reviews, and what the tests of models and trainings share."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

import numpy as np
import pytest
import torch
from huggingface_hub import close_session, constants
from transformers import AutoTokenizer, PreTrainedTokenizerBase

from classifier.data.hub import hub_unreachable
from classifier.data.hub_watch import WORK
from classifier.data.tokenizer import tokenize
from classifier.data.tokens import Tokens
from classifier.labels import SENTIMENTS
from classifier.modeling.classifier import PoolingClassifier
from classifier.modeling.outputs import Labels
from classifier.training.distributed import Group
from classifier.training.loop import new_model
from classifier.training.parts import Part
from classifier.training.recipe import Recipe
from classifier.training.settings import Settings
from tests import tiny
from tests.classifier.data.local_hub import LocalHub
from tests.families import write_encoder

MakeRows = Callable[..., list[tiny.Row]]
NewModel = Callable[..., PoolingClassifier]


@pytest.fixture(scope="session", autouse=True)
def _few_threads() -> None:
    torch.set_num_threads(min(2, torch.get_num_threads()))


@pytest.fixture
def keep_default_rng() -> Iterator[None]:
    """The global random state as it was, for tests that look at it."""
    with torch.random.fork_rng(devices=[]):
        yield


@pytest.fixture
def no_report(monkeypatch: pytest.MonkeyPatch) -> None:
    """Versions without a report: to draw it takes as long as to train two tiny models."""
    monkeypatch.setattr("classifier.training.publishing.write_report", lambda *_: None)


@pytest.fixture
def in_memory() -> Iterator[Path]:
    """A folder in memory where there can be one: a registry's changes wait for the disk often.

    Kills prove as much there: what a process has written outlives it, on the disk or not.
    """
    memory = Path("/dev/shm")
    with TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        yield Path(folder)


def forget_the_way() -> None:
    """Let the hub be probed again, by a client that reads the environment again."""
    hub_unreachable.cache_clear()
    close_session()


@pytest.fixture
def end_work(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Waits, once the hub is silent no more, until work with it that was given up has ended.

    huggingface_hub tries again after up to minutes, and closes the connections that all share:
    those of the next test.
    """
    over, sleep = threading.Event(), time.sleep

    def pause(seconds: float) -> None:
        if threading.current_thread().name == WORK:
            over.wait(seconds)
        else:
            sleep(seconds)

    def end() -> None:
        over.set()
        for thread in threading.enumerate():
            if thread.name == WORK:
                thread.join(60)
                assert not thread.is_alive()

    monkeypatch.setattr("time.sleep", pause)
    return end


@pytest.fixture
def local_hub(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, end_work: Callable[[], None]
) -> Iterator[Callable[[dict[str, bytes]], LocalHub]]:
    """`local_hub(files)`: the hub, on loopback; its cache is an empty folder."""
    for variable in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_DATASETS_OFFLINE", "HF_TOKEN"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(constants, "DOWNLOAD_CHUNK_SIZE", 2**16)
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", False)
    started: list[LocalHub] = []

    def start(files: dict[str, bytes]) -> LocalHub:
        hub = LocalHub(files)
        threading.Thread(target=hub.serve_forever, args=(0.02,), daemon=True).start()
        monkeypatch.setenv("HF_ENDPOINT", hub.address)
        started.append(hub)
        return hub

    forget_the_way()
    yield start
    for hub in started:
        hub.closing.set()
    end_work()
    forget_the_way()
    for hub in started:
        hub.shutdown()
        hub.server_close()


@pytest.fixture(scope="session")
def code_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where transformers copies the code of trusted folders to, instead of the home folder."""
    folder = tmp_path_factory.mktemp("code of models")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("transformers.dynamic_module_utils.HF_MODULES_CACHE", str(folder))
        yield folder


@pytest.fixture(scope="session")
def make_rows() -> MakeRows:
    """`make_rows(count, seed=0, rated=0.9)`: invented reviews, no two of them alike."""
    return tiny.make_rows


@pytest.fixture(scope="session")
def tokenizer(tiny_encoder: Path) -> PreTrainedTokenizerBase:
    return AutoTokenizer.from_pretrained(tiny_encoder)


@pytest.fixture(scope="session")
def tiny_recipe() -> Recipe:
    """The default recipe at a tiny encoder's size: 3 epochs, batches of 8, 64 tokens."""
    return tiny.RECIPE


@pytest.fixture
def tiny_model(tiny_encoder: Path) -> NewModel:
    """`tiny_model(pooling="mean", recipe=tiny_recipe, seed=0)`: untrained, in training mode."""

    def make(
        pooling: str = "mean", recipe: Recipe = tiny.RECIPE, seed: int = 0
    ) -> PoolingClassifier:
        return new_model(str(tiny_encoder), pooling, recipe, seed)

    return make


@pytest.fixture(scope="session")
def make_part(make_rows: MakeRows, tokenizer: PreTrainedTokenizerBase) -> Callable[..., Part]:
    """`make_part(count, seed=0, rated=0.9)`: `make_rows` as token ids and labels."""

    def make(count: int, seed: int = 0, rated: float = 0.9) -> Part:
        rows = make_rows(count, seed, rated)
        tokens = tokenize([row["content"] for row in rows], tokenizer, 64, 0.5)
        sentiments = [SENTIMENTS.index(row["grade3"]) for row in rows]
        ratings = [-1 if row["grade10"] is None else int(row["grade10"]) for row in rows]
        return Part(tokens, Labels(np.array(sentiments), np.array(ratings)))

    return make


@pytest.fixture(scope="session")
def encoder_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """`encoder_of("roberta")`: a folder with a tiny encoder of that family, made once."""
    made = tmp_path_factory.mktemp("families")

    def folder(family: str) -> Path:
        there = made / family
        return there if there.is_dir() else write_encoder(there, family)

    return folder


@pytest.fixture(scope="session")
def alone() -> Group:
    """The group of a training in one process, on the CPU."""
    return Group(rank=0, size=1, device=torch.device("cpu"))


@pytest.fixture(params=["float32", "bfloat16"])
def arithmetic(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Literal["float32", "bfloat16"]:
    """Each number format that a training can run in, whatever this CPU is good at."""
    has_bfloat16 = request.param == "bfloat16"
    monkeypatch.setattr("classifier.modeling.device.cpu_has_bfloat16", lambda: has_bfloat16)
    chosen: Literal["float32", "bfloat16"] = request.param
    return chosen


@pytest.fixture(scope="session")
def ragged() -> Tokens:
    """Twenty texts of 2 to 60 tokens that a tiny encoder takes; ids drawn at random."""
    rng = np.random.default_rng(3)
    lengths = rng.permutation(np.linspace(2, 60, 20).astype(np.int64))
    ids = rng.integers(5, 200, size=int(lengths.sum()), dtype=np.int32)
    return Tokens(ids, np.cumsum([0, *lengths], dtype=np.int64), pad_id=0)


@pytest.fixture
def settings(
    tmp_path: Path, tiny_encoder: Path, tiny_recipe: Recipe, make_rows: MakeRows
) -> Settings:
    """An experiment of one epoch over 80 reviews."""
    file = tmp_path / "reviews.jsonl"
    lines = (json.dumps(row, ensure_ascii=False) for row in make_rows(80))
    file.write_text("\n".join(lines), encoding="utf-8")
    recipe = replace(tiny_recipe, epochs=1, least_steps=0)
    return Settings(str(file), str(tiny_encoder), recipe)
