"""Stands in for `python -m classifier retrain`: takes its options, says what it is told to say.

Told by the first argument: accept or refuse (then the second is the challenger), fail, or hang.
"""

import json
import subprocess
import sys
import time
from pathlib import Path


def main() -> None:
    what, challenger, *options = sys.argv[1:]
    given = dict(zip(options[::2], options[1::2], strict=False))
    extra = Path(given["--extra"])
    kept = Path(given["--models"]) / "seen.jsonl"
    kept.write_bytes(extra.read_bytes())
    progress = {"epoch": 1, "epochs": 3, "share": 0.25, "seconds_left": 90}
    print(json.dumps(progress), flush=True)
    if what == "fail":
        sys.exit("Error: there is no champion")
    if what == "hang":
        child = subprocess.Popen(["sleep", "600"])
        (Path(given["--models"]) / "child").write_text(str(child.pid))
        time.sleep(600)
    is_good = what == "accept"
    check = {
        "name": "macro_f1",
        "pooling": "cls",
        "passed": is_good,
        "value": -0.01,
        "limit": -0.05,
    }
    decision = {
        "champion": "a",
        "challenger": challenger,
        "accepted": is_good,
        "reason": f"{challenger} is {what}ed",
        "holdout_rows": 20,
        "rated_rows": 5,
        "rated_persons": 2,
        "checks": [check | {"sentiment": None}],
        "figures": {},
    }
    print(json.dumps({"decision": decision}), flush=True)


main()
