"""The way to the server, as the environment sets it."""

from pathlib import Path

import certifi
import pytest

from bot.delivery.route import route_to
from bot.errors import BotError
from bot.local.server import LocalServer
from tests.bot.conftest import RunningBot
from tests.bot.local_client import Person, chat_client
from tests.bot.talking import ANYA, REVIEW

pytestmark = pytest.mark.anyio

TELEGRAM = "https://api.telegram.org"
LOOPBACK = ("127.0.0.1", "127.1.2.3", "[::1]", "localhost", "bot.localhost", "0.0.0.0")
VARIABLES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize("no_proxy", ["", "[::1]", "::1", "localhost,[::1],127.0.0.0/8"])
async def test_the_local_chat_needs_no_proxy(
    running_bot: RunningBot, telegram: LocalServer, monkeypatch: pytest.MonkeyPatch, no_proxy: str
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")  # nobody listens there
    monkeypatch.setenv("ALL_PROXY", "nonsense://")
    monkeypatch.setenv("NO_PROXY", no_proxy)
    async with running_bot(), chat_client(telegram.url) as http:
        await Person(http, ANYA).ask(REVIEW)


@pytest.mark.parametrize("host", LOOPBACK)
def test_loopback_never_goes_through_a_proxy(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    monkeypatch.setenv("http_proxy", "http://proxy.example:3128")
    assert route_to(f"http://{host}:8081")["proxy"] is None


@pytest.mark.parametrize(
    ("variables", "used"),
    [
        ({}, None),
        ({"HTTPS_PROXY": "http://proxy:3128"}, "http://proxy:3128"),
        ({"https_proxy": "proxy:3128"}, "http://proxy:3128"),
        ({"ALL_PROXY": "socks5://proxy:1080"}, "socks5://proxy:1080"),
        ({"ALL_PROXY": "socks5h://a:b@proxy:1080"}, "socks5h://proxy:1080"),
        ({"HTTPS_PROXY": "http://one:1", "ALL_PROXY": "http://two:2"}, "http://one:1"),
        ({"HTTP_PROXY": "http://proxy:3128"}, None),
        ({"HTTP_PROXY": "nonsense"}, None),
        ({"HTTPS_PROXY": "http://proxy:3128", "NO_PROXY": "[::1]"}, "http://proxy:3128"),
        ({"HTTPS_PROXY": "http://proxy:3128", "NO_PROXY": "telegram.org"}, None),
        ({"HTTPS_PROXY": "http://proxy:3128", "NO_PROXY": "example.org, .telegram.org"}, None),
        ({"HTTPS_PROXY": "http://proxy:3128", "NO_PROXY": "*"}, None),
    ],
)
def test_which_proxy_is_used(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], used: str | None
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    proxy = route_to(TELEGRAM)["proxy"]
    assert (None if proxy is None else str(proxy.url)) == used


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"])
@pytest.mark.parametrize(
    "value",
    [
        *("http://", "http://:3128", "ftp://proxy", "socks4://proxy:1080", "http://proxy:port"),
        *("http://proxy:99999", "http://proxy:0", "http://[::1", "://proxy", "http://u:secret@"),
        *("http://u:secret@proxy:x", "http://\x00", "http://a b:1", "http://xn--\u2603\u2603.:1"),
    ],
)
def test_a_proxy_that_can_not_be_used_is_a_sentence(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    try:
        monkeypatch.setenv(name, value)
    except ValueError:
        return  # no environment can hold it
    with pytest.raises(BotError, match=rf"^{name} must be the address of a proxy") as refused:
        route_to(TELEGRAM)
    assert "secret" not in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("kind", ["missing", "text", "empty", "folder", "binary"])
@pytest.mark.parametrize("name", ["SSL_CERT_FILE", "SSL_CERT_DIR"])
def test_certificates_that_can_not_be_used_are_a_sentence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, kind: str
) -> None:
    path = tmp_path / kind
    if kind == "folder":
        path.mkdir()
    elif kind != "missing":
        path.write_bytes({"text": b"hello", "empty": b"", "binary": bytes(range(256))}[kind])
    monkeypatch.setenv(name, str(path))
    with pytest.raises(BotError, match=rf"^{name} must name "):
        route_to(TELEGRAM)
    route_to("http://127.0.0.1:8081")  # needs none


def test_certificates_of_ones_own_are_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", certifi.where())
    assert route_to(TELEGRAM)["verify"].get_ca_certs()
