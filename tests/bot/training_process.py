"""The process in which a retraining trains, as the system shows it: what it was given, its end."""

import asyncio
import json
import os
import signal
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PATIENCE = 180.0
"""Seconds: a training gives way to whatever else runs."""


@dataclass(frozen=True)
class SpawnedTraining:
    pid: int
    options: dict[str, str]

    @classmethod
    async def begun(cls, models: Path) -> "SpawnedTraining":
        """The one that trains for this folder of models, once there is one."""
        async with asyncio.timeout(PATIENCE):
            while True:
                for process in Path("/proc").glob("[0-9]*"):
                    with suppress(OSError):  # it has ended meanwhile
                        words = (process / "cmdline").read_bytes().decode().split("\0")
                        if {"classifier", "retrain", str(models)} <= set(words):
                            options = words[words.index("retrain") + 1 :]
                            named = dict(zip(options[::2], options[1::2], strict=False))
                            return cls(int(process.name), named)
                await asyncio.sleep(0.02)

    def given(self, option: str) -> list[dict[str, Any]]:
        """The reviews in the file of an option, which is there for as long as the process runs."""
        number = Path(self.options[option]).name  # the file has no name of its own
        text = Path(f"/proc/{self.pid}/fd/{number}").read_text("utf-8")
        return [json.loads(line) for line in text.splitlines()]

    def kill(self) -> None:
        """As the system does when memory is short."""
        os.kill(self.pid, signal.SIGKILL)
