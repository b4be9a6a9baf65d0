"""The deletion test, where it is known which sentence decides."""

import json
import random
import shutil
from pathlib import Path

import pytest

from classifier.evaluation.faithfulness import faithfulness
from tests import tiny
from tests.classifier.command_line import CommandLine
from tests.classifier.explanation.word_weights import predict

PLAIN = ["Шёл дождь.", "Мы ели попкорн.", "Зал был полон.", "Рядом сидели дети.", "Был вечер."]


def review(judging: str, seed: int) -> str:
    """A text in which one sentence judges, at a random place."""
    chance = random.Random(seed)
    sentences = chance.sample(PLAIN, k=4)
    sentences.insert(chance.randrange(5), judging)
    return " ".join(sentences)


def nothing() -> None:
    pass


def test_the_deciding_sentence_moves_the_answer_and_a_random_one_does_not() -> None:
    texts = [review("Финал ужасно снят.", seed) for seed in range(20)]
    told: list[None] = []
    figures = faithfulness(predict, texts, on_text=lambda: told.append(None))
    assert (figures["reviews"], len(told)) == (20, 20)
    # 0.982 with the sentence, 0.5 of nothing.
    assert figures["cls"]["named"]["mean"] == pytest.approx(0.482, abs=0.001)
    assert figures["cls"]["random"] == {"mean": 0.0, "interval": [0.0, 0.0]}
    assert figures["cls"]["named_alone"]["mean"] == pytest.approx(0, abs=1e-9)
    assert figures["cls"]["random_alone"]["mean"] == pytest.approx(0.482, abs=0.001)
    assert figures["cls"]["times_as_far"] is None
    assert figures["same_sentence"] == {"mean": 1.0, "interval": [1.0, 1.0]}


def test_models_that_name_others_are_counted_apart() -> None:
    """CLS rests on one word, mean pooling on the other."""
    texts = [f"Начало великолепно. Потом хорошо. {review('Скучно.', seed)}" for seed in range(20)]
    texts += [review("Финал ужасно снят.", seed) for seed in range(20)]
    figures = faithfulness(predict, texts, on_text=nothing)
    assert figures["same_sentence"]["mean"] == 0.5
    low, high = figures["same_sentence"]["interval"]
    assert 0.3 < low < 0.5 < high < 0.7
    assert figures["cls"]["times_as_far"] > 3


def test_a_single_sentence_proves_nothing() -> None:
    assert faithfulness(predict, ["Ужасно", "", "10/10"], on_text=nothing) == {"reviews": 0}


def test_the_command(tmp_path: Path, tiny_encoder: Path, trained_on_few: Path) -> None:
    line = CommandLine(tmp_path, tiny_encoder)
    shutil.copytree(trained_on_few / "models", line.models)
    rows = tiny.make_rows(12)
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    (line.folder / "reviews.jsonl").write_text(text, encoding="utf-8")
    given = "--reviews", "reviews.jsonl", "--explanations", "5", "--json", "figures.json"
    status, out, err = line.here("evaluate", "champion", *given)
    assert (status, err) == (0, "")
    assert "What the answer rests on: 5 reviews" in out
    assert "Both models name the same sentence in " in out
    figures = json.loads((line.folder / "figures.json").read_text())
    assert figures["explanations"]["reviews"] == 5
    assert "Of 5 made-up texts, the share in which the only sentence that judges is" in out
    assert figures["explanations"]["made_up"]["texts"] == 5
    status, _, err = line.here("evaluate", "champion", "--explanations", "5")
    assert (status, "--explanations needs --reviews" in err) == (1, True)
