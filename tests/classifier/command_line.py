"""`python -m classifier` in a folder of its own: as a process, or sooner in this one."""

import io
import os
import signal
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest

from classifier.commands.app import main
from classifier.interruption import SIGNALS

ROOT = Path(__file__).resolve().parents[2]
SMALL = ("--max-tokens", "32", "--epochs", "2")
PATIENCE = 300.0  # seconds; a busy machine takes several for the import of torch alone


class CommandLine:
    """Runs `python -m classifier` in a folder of its own, whose path has a blank."""

    def __init__(self, folder: Path, encoder: Path) -> None:
        self.folder = folder / "a folder"
        self.folder.mkdir()
        self.models = self.folder / "models"
        self.encoder = encoder
        self.environment = {
            "PYTHONPATH": str(ROOT),
            "HF_HUB_OFFLINE": "1",
            "OMP_NUM_THREADS": "1",
            "KINORATE_CACHE": str(self.folder / "cache"),
            "LANG": "en_US.UTF-8",
            "LC_ALL": "en_US.UTF-8",
            "COLUMNS": "200",
        }

    def start(self, *arguments: str, python: tuple[str, ...] = ()) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, *python, *arguments],
            cwd=self.folder,
            env=os.environ | self.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(
        self,
        *arguments: str,
        stdin: str = "",
        python: tuple[str, ...] = ("-m", "classifier"),
    ) -> tuple[int, str, str]:
        """The exit status of a process, and what it wrote to its two outputs."""
        process = self.start(*arguments, python=python)
        out, err = process.communicate(stdin, timeout=PATIENCE)
        return process.returncode, out, err

    def here(self, *arguments: str, stdin: str | bytes = "") -> tuple[int, str, str]:
        """As `run`, in this process: torch is imported already, and the coverage is measured."""
        out, err, status = io.StringIO(), io.StringIO(), 0
        handlers = {number: signal.getsignal(number) for number in SIGNALS}
        typed = stdin.encode() if isinstance(stdin, str) else stdin
        with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
            patch.chdir(self.folder)
            patch.setattr(sys, "argv", ["classifier", *arguments])
            patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(typed)))
            for name, value in self.environment.items():
                patch.setenv(name, value)
            try:
                main()
            except SystemExit as end:
                status = int(end.code or 0)
            finally:
                for number, handler in handlers.items():
                    signal.signal(number, handler)
        return status, out.getvalue(), err.getvalue()

    def training(self, reviews: Path, *more: str) -> tuple[str, ...]:
        """The arguments of a short training."""
        encoder = ("--encoder", str(self.encoder))
        return ("train", "--reviews", str(reviews), *encoder, *SMALL, *more)
