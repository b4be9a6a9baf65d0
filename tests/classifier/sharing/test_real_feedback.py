"""A champion retrained on what a bot's users wrote, pushed: nothing that they wrote is sent."""

import base64
import json
import shutil
from pathlib import Path

import pytest

from tests.classifier.command_line import CommandLine
from tests.classifier.sharing.model_hub import ModelHub
from tests.tiny import make_rows

NAME = "anna/kinorate"
_OPENING = 25  # characters of a text by which it would be recognised


@pytest.mark.slow
def test_no_text_and_no_id_of_a_retraining_is_sent(
    line: CommandLine, hub: ModelHub, trained_on_few: Path
) -> None:
    shutil.copytree(trained_on_few / "models", line.models)
    rated = [
        {"content": f"{row['content']} Так писал я.", "grade10": int(row["grade10"] or 5)}
        | {"person": f"person-{number % 7}-4815", "review_id": f"review-{number}-4815"}
        for number, row in enumerate(make_rows(40, seed=9))
    ]
    for name, rows in {"extra": rated[:30], "holdout": rated[30:]}.items():
        lines = (json.dumps(row, ensure_ascii=False) for row in rows)
        (line.folder / f"{name}.jsonl").write_text("\n".join(lines), encoding="utf-8")
    files = ("--extra", "extra.jsonl", "--holdout", "holdout.jsonl")
    status, out, err = line.here("retrain", *files)
    assert status == 0, err
    newest = max(path.name for path in line.models.glob("2*"))
    assert (line.models / newest / "report.html").exists()
    status, out, err = line.here("models", "push", newest, NAME)
    assert (status, err) == (0, "")
    assert "It has learnt from" in out
    sent = [*hub.large.values(), *hub.repos[NAME].files.values(), *hub.received.values()]
    for body in list(hub.received.values()):  # some of what is sent is base64 within JSON
        for one in body.splitlines():
            if b'"content"' in one and b'"encoding": "base64"' in one:
                sent.append(base64.b64decode(json.loads(one)["value"]["content"]))
    reviews = (trained_on_few / "reviews.jsonl").read_text("utf-8").splitlines()
    texts = [json.loads(one)["content"] for one in reviews] + [row["content"] for row in rated]
    split = json.loads((line.models / newest / "split.json").read_text("utf-8"))
    hidden = [text[:_OPENING] for text in texts]
    hidden += [one for ids in split.values() for one in ids]
    hidden += [row[key] for row in rated for key in ("person", "review_id")]
    hidden += ["Так писал я", "extra.jsonl", str(trained_on_few), str(line.folder)]
    everything = b"\n".join(sent)
    assert len(everything) > 100_000
    assert [one for one in hidden if one.encode() in everything] == []
