"""Whether the model and dataset hub answers, checked once and quickly; and what went wrong.

The libraries retry an unreachable hub for 26 to 52 seconds. One plain connection with a short
time limit tells the same; without it everything uses the local cache (`local_files_only=True`)
or the offline fallback.
"""

import os
import socket
import threading
from functools import cache
from urllib.parse import urlsplit

DEFAULT_ENCODER = "cointegrated/rubert-tiny2"
PROBE_SECONDS = 3.0
_OFF = {"", "0", "OFF", "NO", "FALSE"}


@cache
def hub_unreachable() -> str | None:
    """Why the hub can't be used (a phrase for the user), or None where it answers."""
    for variable in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_DATASETS_OFFLINE"):
        if os.environ.get(variable, "").upper() not in _OFF:
            return f"{variable} is set"
    endpoint = urlsplit(os.environ.get("HF_ENDPOINT", "https://huggingface.co"))
    host = endpoint.hostname or "huggingface.co"
    port = endpoint.port or (80 if endpoint.scheme == "http" else 443)
    failure = [f"no answer within {PROBE_SECONDS:g} seconds"]

    def probe() -> None:
        try:
            socket.create_connection((host, port), timeout=PROBE_SECONDS).close()
            failure.clear()
        except OSError as error:
            failure[:] = [str(error.strerror or error)]

    # In a thread, because the time limit applies to each address that the name resolves to,
    # and not to the resolving.
    thread = threading.Thread(target=probe, daemon=True)
    thread.start()
    thread.join(PROBE_SECONDS)
    return f"{host} can't be reached ({failure[0]})" if failure else None


def why_failed(error: Exception, name: str) -> str:
    """A phrase about an error of huggingface_hub while it read the repository `name`."""
    status = getattr(getattr(error, "response", None), "status_code", None)
    if status is not None:
        return f"the hub answered {status} for {name}"
    first_line = str(error).partition("\n")[0].rstrip(". ")
    return f"the download failed ({type(error).__name__}: {first_line})"
