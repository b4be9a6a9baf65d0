"""The file of blinoff/kinopoisk, from the hub or its local cache, whatever the hub does."""

import logging
import os
import threading
from pathlib import Path
from queue import Empty, SimpleQueue

from huggingface_hub import constants, get_hf_file_metadata, hf_hub_download, hf_hub_url
from huggingface_hub.utils.tqdm import tqdm

from classifier.data.hub import why_failed
from classifier.data.readers import read_rows
from classifier.errors import ClassifierError

REPOSITORY = "blinoff/kinopoisk"
_FILE = "kinopoisk.jsonl"
SILENCE_SECONDS = 9.0
_CHUNK = 2**16  # bytes; with chunks of 10 MB, the library's, a slow download is not seen to grow


def hub_file(*, from_cache: bool, silence_seconds: float = SILENCE_SECONDS) -> Path:
    """The repository's file; with `from_cache` the one that was downloaded before.

    A download may take as long as it needs, but is given up when nothing has arrived for
    `silence_seconds`. A thread does it, because the time limits of huggingface_hub do not cover
    a server that accepts a connection and stays silent.
    Raises ClassifierError, its message a phrase that says why.
    """
    arrived: SimpleQueue[Path | Exception | None] = SimpleQueue()  # None for any sign of life
    given_up = threading.Event()

    class Bar(tqdm):
        received = furthest = 0.0  # bytes; the library begins again where the file was cut

        def update(self, n: float | None = 1) -> bool | None:
            if given_up.is_set():
                raise InterruptedError
            self.received += n or 0
            if self.received > self.furthest:
                self.furthest = self.received
                arrived.put(None)
            shown: bool | None = super().update(n)
            return shown

    def download() -> None:
        try:
            if not from_cache:
                _expect_the_hub()
                arrived.put(None)
            arrived.put(_downloaded(from_cache, Bar))
        except Exception as error:  # httpx2's, which are no OSError, among them
            arrived.put(error)

    thread = threading.Thread(target=download, daemon=True)
    thread.start()
    # The reason for taking another source says what matters of its retries.
    logger = logging.getLogger("huggingface_hub.file_download")
    logger.addFilter(lambda record: record.thread != thread.ident)
    result = None
    while result is None:
        try:
            result = arrived.get(timeout=silence_seconds)
        except Empty:
            given_up.set()
            why = f"no data came from the hub for {silence_seconds:g} seconds"
            raise ClassifierError(why) from None
    if isinstance(result, Path):
        return result
    if isinstance(result, ClassifierError):
        raise result
    raise ClassifierError(why_failed(result, REPOSITORY)) from result


def _expect_the_hub() -> None:
    """Raise where the hub doesn't answer: `hf_hub_download` would take the cache in silence."""
    endpoint = os.environ.get("HF_ENDPOINT")
    url = hf_hub_url(REPOSITORY, _FILE, repo_type="dataset", endpoint=endpoint)
    if get_hf_file_metadata(url, endpoint=endpoint).commit_hash is None:
        raise ClassifierError("something else than the hub answers at its address")


def _downloaded(from_cache: bool, bar: type[tqdm]) -> Path:
    """The file if it begins with a review; what a proxy may have sent instead is removed."""
    constants.DOWNLOAD_CHUNK_SIZE = _CHUNK
    constants.HF_HUB_DISABLE_XET = True  # the hub's other protocol, whose pieces are large too
    path = hf_hub_download(
        REPOSITORY,
        _FILE,
        repo_type="dataset",
        cache_dir=constants.HF_HUB_CACHE,
        local_files_only=from_cache,
        endpoint=os.environ.get("HF_ENDPOINT"),
        tqdm_class=bar,
    )
    file = Path(path)
    first = next(read_rows(file), None)
    if not isinstance(first, tuple) or "content" not in first[1]:
        file.resolve().unlink()
        raise ClassifierError(f"{_FILE} from the hub holds no reviews")
    return file
