"""blinoff/kinopoisk through `datasets`, which may wait for minutes on a hub that stalls.

A process of its own reads it: that one can be killed, and can be kept off the network, which
`datasets` decides when it is imported. The rows come back as the Arrow files that `datasets`
leaves in its cache.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import datasets
import huggingface_hub.constants

from classifier.errors import ClassifierError

REPOSITORY = "blinoff/kinopoisk"
SILENCE_SECONDS = 9.0
_POLL_SECONDS = 0.1

# Small chunks, so that a slow download is seen to grow. The dataset viewer, another host that
# may stall, is not asked for what the file itself says.
_LOAD = """
import json, sys
import datasets, huggingface_hub.constants
huggingface_hub.constants.DOWNLOAD_CHUNK_SIZE = 2**16
datasets.config.USE_PARQUET_EXPORT = False
try:
    rows = datasets.load_dataset(sys.argv[1], split="train", keep_in_memory=False)
    answer = {"files": [file["filename"] for file in rows.cache_files]}
except Exception as error:
    answer = {"error": f"{type(error).__name__}: {error}"}
print(json.dumps(answer))
"""


def load_hub_rows(
    *, from_cache: bool, silence_seconds: float = SILENCE_SECONDS
) -> datasets.Dataset:
    """The rows as they are in the repository; `from_cache` keeps to what was downloaded before.

    A download may take as long as it needs, but is given up when nothing has arrived for
    `silence_seconds`. Raises ClassifierError, its message a phrase that says why.
    """
    hub_cache = huggingface_hub.constants.HF_HUB_CACHE
    rows_cache = datasets.config.HF_DATASETS_CACHE
    if from_cache:
        settings = {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1"}
    else:  # Xet, the hub's other protocol, writes in pieces too large to be seen to grow
        settings = {"HF_HUB_DISABLE_XET": "1"}
    child = subprocess.Popen(
        [sys.executable, "-P", "-c", _LOAD, REPOSITORY],
        env={
            **os.environ,
            **settings,
            "HF_HUB_CACHE": str(hub_cache),
            "HF_DATASETS_CACHE": str(rows_cache),
        },
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL if from_cache else None,  # progress bars go to the terminal
        text=True,
        start_new_session=True,  # Ctrl-C ends it through the finally below, without its traceback
    )
    folders = [
        Path(hub_cache) / f"datasets--{REPOSITORY.replace('/', '--')}",
        Path(rows_cache) / REPOSITORY.replace("/", "___"),
    ]
    try:
        answer = _answer_of(child, folders, silence_seconds)
    finally:
        child.kill()
        child.wait()
    if "error" in answer:
        raise ClassifierError(answer["error"].partition("\n")[0].rstrip("."))
    return datasets.concatenate_datasets([datasets.Dataset.from_file(f) for f in answer["files"]])


def _answer_of(
    child: subprocess.Popen[str], folders: Sequence[Path], silence_seconds: float
) -> dict[str, Any]:
    """What the child prints at its end; `folders` are where its download is seen to grow."""
    size, grew_at = -1, time.monotonic()
    while True:
        try:
            output, _ = child.communicate(timeout=_POLL_SECONDS)
            break
        except subprocess.TimeoutExpired:
            previous, size = size, sum(map(_bytes_in, folders))
            if size != previous:
                grew_at = time.monotonic()
            elif time.monotonic() - grew_at > silence_seconds:
                why = f"no data came from the hub for {silence_seconds:g} seconds"
                raise ClassifierError(why) from None
    try:
        answer: dict[str, Any] = json.loads(output)
    except ValueError:
        return {"error": f"reading the hub ended with exit code {child.returncode}"}
    return answer


def _bytes_in(folder: Path) -> int:
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.lstat(Path(parent, name)).st_size
            except FileNotFoundError:  # renamed since it was listed
                continue
    return total
