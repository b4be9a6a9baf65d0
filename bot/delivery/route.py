"""The way to the Bot API server: through which proxy, and which certificates count."""

import ipaddress
import os
import re
import ssl
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import httpx

from bot.errors import BotError


def route_to(server: str) -> dict[str, Any]:
    """httpx's options for the one server that is asked; raises BotError for a wrong setting.

    They are settled here, and httpx reads no environment: it would send requests for this machine
    through a proxy, and ends with an exception where NO_PROXY holds [::1].
    """
    address = urlsplit(server)
    # Over http:// there are no certificates to verify, and to load them takes a while.
    verify = _certificates() if address.scheme == "https" else False
    return {
        "trust_env": False,
        "proxy": _proxy_for(address.scheme, address.hostname or ""),
        "verify": verify,
    }


def _proxy_for(scheme: str, host: str) -> httpx.Proxy | None:
    if _is_this_machine(host) or proxy_bypass(host):
        return None
    proxies = getproxies()
    kind = next((kind for kind in (scheme, "all") if proxies.get(kind)), None)
    if kind is None:
        return None
    url = proxies[kind]
    try:
        proxy = httpx.Proxy(url if "://" in url else f"http://{url}")
    except (ValueError, httpx.InvalidURL):
        proxy = None
    if proxy is None or not _is_address(proxy.url):
        raise BotError(
            f"{_as_set(f'{kind}_proxy')} must be the address of a proxy, such as http://HOST:PORT"
            " or socks5://HOST:PORT. Correct it in the environment or remove it."
        )
    return proxy


def _is_address(url: httpx.URL) -> bool:
    port = url.port
    return bool(re.fullmatch(r"[\w.:-]+", url.host)) and (port is None or 1 <= port <= 65535)


def _is_this_machine(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


def _certificates() -> ssl.SSLContext:
    """Those of SSL_CERT_FILE or SSL_CERT_DIR, else those that httpx brings along."""
    file, folder = os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR")
    try:
        if not file and folder and not any(Path(folder).iterdir()):
            raise OSError("the folder is empty")
        return httpx.create_ssl_context()
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        name = "SSL_CERT_FILE" if file else "SSL_CERT_DIR"
        kind = "a file of certificates (PEM)" if file else "a folder of certificates"
        raise BotError(
            f"{name} must name {kind} that can be read. Correct it in the environment or remove it."
        ) from error


def _as_set(name: str) -> str:
    """The variable as it is spelt in the environment, where small letters come first."""
    return name if os.environ.get(name) else name.upper()
