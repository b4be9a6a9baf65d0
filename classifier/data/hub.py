"""Whether the model and dataset hub answers, checked once and quickly; and what went wrong.

The libraries retry an unreachable hub for 26 to 52 seconds. One request with a short time limit
tells the same; without it everything uses the local cache or the offline fallback.
"""

import os
import threading
from functools import cache
from urllib.parse import urlsplit
from urllib.request import proxy_bypass

from classifier.errors import ClassifierError

DEFAULT_ENCODER = "cointegrated/rubert-tiny2"
ENCODER_REVISION = "e8ed3b0c8bbf4fb6984c3de043bf7d2f4e5969ae"  # of the default one
PROBE_SECONDS = 4.0
_DEFAULT_ADDRESS = "https://huggingface.co"
_NO_ADDRESS = f"HF_ENDPOINT is no web address such as {_DEFAULT_ADDRESS}"
_OFF = {"", "0", "OFF", "NO", "FALSE"}
_OF_THE_WAY = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE")


def hub_address() -> str:
    """HF_ENDPOINT, which may lack its scheme; ClassifierError where it is no web address."""
    address = os.environ.get("HF_ENDPOINT", "").strip() or _DEFAULT_ADDRESS
    if "://" not in address:
        address = f"https://{address}"
    try:
        parts = urlsplit(address)
        sound = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:  # brackets, or a port that is no number or too large
        sound = False
    if not sound or any(sign.isspace() for sign in address):
        raise ClassifierError(_NO_ADDRESS)
    return address.rstrip("/")


def check_address() -> None:
    """Raise ClassifierError for an HF_ENDPOINT at which importing the hub's client would fail."""
    try:
        urlsplit(os.environ.get("HF_ENDPOINT", ""))
    except ValueError:
        raise ClassifierError(f"{_NO_ADDRESS}.") from None


@cache
def hub_unreachable() -> str | None:
    """Why the hub can't be used (a phrase for the user), or None where it answers.

    It is asked by the hub's own client, which knows the proxies and certificates.
    """
    for variable in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_DATASETS_OFFLINE"):
        if os.environ.get(variable, "").upper() not in _OFF:
            return f"{variable} is set"
    try:
        address = hub_address()
    except ClassifierError as error:
        return str(error)
    host = urlsplit(address).hostname or ""
    failure = [f"no answer within {PROBE_SECONDS:g} seconds"]

    def probe() -> None:
        from huggingface_hub import get_session

        try:
            session = get_session()
        except Exception as error:  # in as many ways as there are settings
            failure[:] = [f"{_settings_of_the_way()} can't be used: {_in_a_line(error)}"]
            return
        try:
            session.head(address, follow_redirects=False, timeout=PROBE_SECONDS)
            failure.clear()
        except Exception as error:  # httpx2's, which are no OSError
            failure[:] = [_in_a_line(error)]

    # In a thread, because the client's time limit does not cover a server that drips its answer.
    thread = threading.Thread(target=probe, daemon=True)
    thread.start()
    thread.join(PROBE_SECONDS)
    return f"{host} can't be reached{_by_proxy(address)} ({failure[0]})" if failure else None


def why_failed(error: BaseException, name: str) -> str:
    """A phrase about an error of huggingface_hub while it read the repository `name`."""
    from huggingface_hub import get_token

    token = get_token()
    cause: BaseException | None = error
    while cause is not None:
        status = getattr(getattr(cause, "response", None), "status_code", None)
        if status is not None:
            refused = " and may refuse the token of HF_TOKEN" * bool(token and status in (401, 403))
            return f"the hub answered {status} for {name}{refused}"
        cause = cause.__cause__
    return f"the download failed ({_in_a_line(error)})".replace(token or "\0", "…")


def _in_a_line(error: BaseException) -> str:
    said = str(error).partition("\n")[0].rstrip(". ")
    return f"{type(error).__name__}: {said}" if said else type(error).__name__


def _by_proxy(address: str) -> str:
    """Names the variable of the proxy that is asked for the address; empty without a proxy."""
    parts = urlsplit(address)
    for name in (f"{parts.scheme}_proxy", "all_proxy"):
        for variable in (name, name.upper()):
            if os.environ.get(variable) and not proxy_bypass(parts.hostname or ""):
                return f" through the proxy of {variable}"
    return ""


def _settings_of_the_way() -> str:
    found = [name for name in os.environ if name.upper() in _OF_THE_WAY and os.environ[name]]
    return ", ".join(sorted(found)) or "the settings of its client"
