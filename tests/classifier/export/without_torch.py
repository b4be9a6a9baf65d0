"""A Python in which nothing can be imported but itself, onnxruntime, tokenizers and numpy."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ODD = [
    "Скучно до зевоты, зато музыка хороша.",
    "Шедевр! 10 из 10. Моя оценка: 9",
    "[CLS] фильм [SEP] хорош [MASK] [PAD] <s></s><unk>",
    "",
    "😀",
    "Очень длинная рецензия: «хорошо» сменяется на «плохо»! " * 60,
]
"""Texts that tokenizers and programs trip over."""

_ASK = """
import json, sys
sys.path.insert(0, sys.argv[1])
import example
texts = json.load(sys.stdin)
answered = {}
for model in sys.argv[2:]:
    answered[model] = [
        {name: getattr(value, "tolist", lambda: value)() for name, value in one.items()}
        for one in example.rate(texts, model)
    ]
stripped = [example.strip_ratings(text) for text in texts]
print(json.dumps({"ids": list(example.token_ids(stripped)), "answered": answered}))
"""
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

    def rate(self, exported: Path, texts: list[str], *models: str) -> dict[str, Any]:
        """What the functions of the example in an exported folder give for all texts in one batch.

        "ids": each text's tokens; "answered": by model, each text's answer.
        """
        program = self.folder / "ask.py"
        program.write_text(_ASK)
        status, out, err = self.run(program, exported, *models, stdin=json.dumps(texts))
        assert (status, err) == (0, "")
        found: dict[str, Any] = json.loads(out)
        return found

    def run(self, *arguments: str | Path, stdin: str = "") -> tuple[int, str, str]:
        """The exit status of `python` with these arguments, and what it wrote to its outputs."""
        process = subprocess.run(
            [sys.executable, "-S", *map(str, arguments)],  # -S: without the environment's packages
            env={"PYTHONPATH": str(self.folder), "PATH": os.environ["PATH"], "LANG": "C.UTF-8"},
            cwd=self.folder,
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        return process.returncode, process.stdout, process.stderr
