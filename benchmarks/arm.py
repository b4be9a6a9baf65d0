"""`python -m benchmarks.arm JOB FIGURES`: one arm, in a process of its own."""

import importlib
import json
import sys
from pathlib import Path

from classifier.memory import keep_freed_pages


def main() -> None:
    job, figures = map(Path, sys.argv[1:])
    order = json.loads(job.read_bytes())
    if order["keep_freed_pages"]:
        keep_freed_pages()  # before torch is imported and starts its threads
    function = getattr(importlib.import_module(order["module"]), order["function"])
    measured = function(order["job"])
    figures.write_text(json.dumps(measured, ensure_ascii=False), encoding="utf-8")


if __name__ == "__main__":
    main()
