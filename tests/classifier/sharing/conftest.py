"""The model hub on loopback, and a command line that uses it."""

import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from huggingface_hub import constants

from classifier.registry.registry import Registry
from classifier.registry.version import Version
from tests.classifier.command_line import CommandLine
from tests.classifier.conftest import forget_the_way
from tests.classifier.sharing import versions
from tests.classifier.sharing.model_hub import ModelHub


@pytest.fixture
def hub(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, end_work: Callable[[], None]
) -> Iterator[ModelHub]:
    """The hub, with empty caches; the environment has its address and a token that writes."""
    hub = ModelHub()
    thread = threading.Thread(target=hub.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    for variable in ("TRANSFORMERS_OFFLINE", "HF_DATASETS_OFFLINE", "HF_HUB_CACHE"):
        monkeypatch.delenv(variable, raising=False)
    home = tmp_path / "hub home"
    for variable, value in {
        "HF_ENDPOINT": hub.address,
        "HF_TOKEN": "hf_writer",
        "HF_HOME": str(home),
        "NO_PROXY": "127.0.0.1",
    }.items():
        monkeypatch.setenv(variable, value)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(home / "hub"))
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(home / "token"))
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", False)
    forget_the_way()
    yield hub
    hub.closing.set()
    end_work()
    forget_the_way()
    hub.shutdown()
    hub.server_close()


@pytest.fixture
def line(tmp_path: Path, tiny_encoder: Path, hub: ModelHub) -> CommandLine:
    line = CommandLine(tmp_path, tiny_encoder)
    line.environment["HF_HUB_OFFLINE"] = "0"
    return line


@pytest.fixture(scope="session")
def one_version(tmp_path_factory: pytest.TempPathFactory, tiny_encoder: Path) -> Path:
    """A folder of one version of public reviews, to be copied."""
    models = tmp_path_factory.mktemp("shared") / "models"
    versions.publish(models, tiny_encoder)
    return models


@pytest.fixture
def version(line: CommandLine, one_version: Path) -> Version:
    """It, in the command line's folder of models."""
    shutil.copytree(one_version, line.models)
    [version] = Registry(line.models).versions()
    return version
