"""A Python in which nothing can be imported but itself, onnxruntime, tokenizers and numpy."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

PACKAGES = ("numpy", "numpy.libs", "onnxruntime", "tokenizers")


class WithoutTorch:
    """Runs programs with links to those packages alone on their path."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        found = importlib.util.find_spec("numpy")
        assert found is not None
        assert found.origin is not None
        packages = Path(found.origin).parents[1]
        for name in PACKAGES:
            if (packages / name).exists():
                (folder / name).symlink_to(packages / name)

    def run(self, *arguments: str | Path) -> tuple[int, str, str]:
        """The exit status of `python` with these arguments, and what it wrote to its outputs."""
        process = subprocess.run(
            [sys.executable, "-S", *map(str, arguments)],  # -S: without the environment's packages
            env={"PYTHONPATH": str(self.folder), "PATH": os.environ["PATH"], "LANG": "C.UTF-8"},
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        return process.returncode, process.stdout, process.stderr
