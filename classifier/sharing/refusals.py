"""What the hub, or something in its place, answered to a push or a pull, in a sentence."""

from collections.abc import Iterator
from contextlib import contextmanager

from huggingface_hub import get_token
from huggingface_hub.errors import HfHubHTTPError

from classifier.data.hub import hub_address, why_failed
from classifier.errors import ClassifierError

_LONGEST = 200  # characters of what the hub says


@contextmanager
def explain_refusals(name: str) -> Iterator[None]:
    """Turn whatever goes wrong while the repository is written to into a ClassifierError."""
    try:
        yield
    except Exception as error:  # httpx2's, which are no OSError, among them
        why = str(error).rstrip(".") if isinstance(error, ClassifierError) else _why(error, name)
        raise ClassifierError(f"{name} was not changed on the hub: {why}.") from error


def _why(error: Exception, name: str) -> str:
    refused = _answered(error)
    if refused is None:
        if isinstance(error, (ValueError, KeyError, TypeError, AttributeError)):
            if "\n" in str(error):  # the library's words, and below them the hub's
                return f"it refuses what was sent: {_in_a_line(str(error))}"
            return f"something else than the hub answers at {hub_address()}"
        return why_failed(error, name)
    status = refused.response.status_code
    said = _in_a_line(refused.server_message or "")
    said = f" ({said})" if said else ""
    if status == 401:
        return f"it refuses the token, 401{said}: make another at {hub_address()}/settings/tokens"
    if status == 403:
        return f"the token may not write there, 403{said}"
    if status in (400, 409, 422):
        return f"it refuses the name or what was sent, {status}{said}"
    if status == 412:
        return "somebody else changed it at the same time; try again"
    if status == 404:
        return (
            f"404{said}: there is none, or something else than the hub answers at {hub_address()}"
        )
    return f"the hub answered {status}{said}; the same command goes on from there"


def _in_a_line(said: str) -> str:
    line = " ".join(said.split()).replace(get_token() or "\0", "…")
    return line[:_LONGEST].rstrip(". ")


def _answered(error: BaseException | None) -> HfHubHTTPError | None:
    """The hub's answer that the error is about: an upload's stands behind another error."""
    while error is not None:
        if isinstance(error, HfHubHTTPError):
            return error
        error = error.__cause__
    return None
