"""How the hub is reached: its address, proxies and certificates, as its own client takes them."""

import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from classifier.data.hub import hub_address, hub_unreachable
from classifier.data.hub_files import Repository, repository_files
from classifier.errors import ClassifierError
from tests.classifier.command_line import CommandLine
from tests.classifier.conftest import forget_the_way
from tests.classifier.data.local_hub import LocalHub

STARTED = Callable[[dict[str, bytes]], LocalHub]
PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


@pytest.fixture
def hub(local_hub: STARTED, monkeypatch: pytest.MonkeyPatch) -> LocalHub:
    """A hub with a file; no proxy is set."""
    started = local_hub({"a.txt": b"a text"})
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    forget_the_way()
    return started


def fetched() -> bytes:
    repository = Repository("owner/name", "dataset", ["a.txt"])
    return (repository_files(repository, lambda _: None, from_cache=False) / "a.txt").read_bytes()


@pytest.mark.parametrize(
    ("written", "address"),
    [
        ("", "https://huggingface.co"),
        ("  ", "https://huggingface.co"),
        ("hf-mirror.com", "https://hf-mirror.com"),
        ("hf-mirror.com:8443/", "https://hf-mirror.com:8443"),
        ("http://127.0.0.1:8080/hub/", "http://127.0.0.1:8080/hub"),
        ("https://зеркало.рф", "https://зеркало.рф"),
        ("[::1]:8080", "https://[::1]:8080"),
    ],
)
def test_an_address_may_lack_its_scheme(
    written: str, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", written)
    assert hub_address() == address


BAD = ("http://h:99999", "http://h:port", "http://h:0", "http://[::1", "ftp://h", "http://", "a b")


@pytest.mark.parametrize("written", BAD)
def test_an_address_that_is_none_is_named_by_its_variable(
    written: str, hub: LocalHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", written)
    why = "HF_ENDPOINT is no web address such as https://huggingface.co"
    assert hub_unreachable() == why
    with pytest.raises(ClassifierError, match=why):
        fetched()


def test_an_address_at_which_the_libraries_fail_is_a_sentence(
    tmp_path: Path, tiny_encoder: Path
) -> None:
    line = CommandLine(tmp_path, tiny_encoder)
    line.environment["HF_ENDPOINT"] = "http://[::1"
    status, _, err = line.here("train")
    said = "Error: HF_ENDPOINT is no web address such as https://huggingface.co.\n"
    assert (status, err) == (1, said)


def test_the_hub_is_reached_through_a_proxy(hub: LocalHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", hub.address)  # it takes the whole address for a path
    monkeypatch.setenv("HF_ENDPOINT", "http://hub.invalid")
    assert hub_unreachable() is None
    assert fetched() == b"a text"
    assert all("http://hub.invalid/" in asked for asked in hub.asked)


def closed_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
def test_a_proxy_that_is_away_is_named_and_may_be_bypassed(
    variable: str, hub: LocalHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, f"http://127.0.0.1:{closed_port()}")
    why = hub_unreachable()
    assert why is not None
    assert f"127.0.0.1 can't be reached through the proxy of {variable} (" in why
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    forget_the_way()
    assert hub_unreachable() is None
    assert fetched() == b"a text"


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("HTTPS_PROXY", "http://proxy:99999"),
        ("HTTP_PROXY", "gopher://proxy"),
        ("ALL_PROXY", "http://[::1"),
        ("NO_PROXY", "[::1]"),
        ("SSL_CERT_FILE", "/no/such/file.pem"),
    ],
)
def test_a_setting_that_can_not_work_is_named(
    variable: str, value: str, hub: LocalHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, value)
    why = hub_unreachable()
    if why is not None:  # else the client makes something of it
        assert variable in why
        assert "\n" not in why
        assert why.startswith("127.0.0.1 can't be reached")


@pytest.mark.parametrize("name", ["silent", "refuses"])
def test_a_hub_that_does_not_answer_the_probe(
    name: str, hub: LocalHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        if name == "silent":
            silent.listen()
            monkeypatch.setattr("classifier.data.hub.PROBE_SECONDS", 0.3)
        monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{silent.getsockname()[1]}")
        why = hub_unreachable()
    assert why is not None
    assert why.startswith("127.0.0.1 can't be reached (")
