"""Reviews that are unlike those trained on are told from reviews that merely vary."""

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from transformers import PreTrainedTokenizerBase

from classifier.data.tokenizer import tokenize
from classifier.evaluation import drift
from classifier.evaluation.drift import Shift, Values
from tests import tiny


def drawn(
    count: int, seed: int, *, length: float = 7.0, good: float = 0.74, emoji: float = 0.02
) -> Values:
    """What is watched of invented reviews."""
    rng = np.random.default_rng(seed)
    shares = [(1 - good) / 2, (1 - good) / 2, good]
    return {
        "length": np.round(rng.lognormal(length, 0.6, count)),
        "unknown": np.where(rng.random(count) < emoji, 0.05, 0.0),
        "cls_sentiment": rng.choice(3, count, p=shares).astype(np.float64),
        "cls_confidence": rng.beta(6, 1.5, count),
    }


def shifted(values: Values, bins: dict[str, object]) -> set[str]:
    return {shift.name for shift in drift.compare(bins, values) if shift.is_shifted}


def test_the_index_is_the_textbook_one() -> None:
    """Checked by hand: shares 0.5, 0.3, 0.2 against 0.2, 0.3, 0.5 give 0.6 ln 2.5."""
    then = {"cls_sentiment": np.repeat([0.0, 1.0, 2.0], [50_000, 30_000, 20_000])}
    now = {"cls_sentiment": np.repeat([0.0, 1.0, 2.0], [20_000, 30_000, 50_000])}
    (shift,) = drift.compare(drift.reference(then), now)
    assert shift.index == pytest.approx(0.6 * np.log(2.5), abs=1e-3)
    assert shift.is_shifted
    assert not shift.is_settled
    assert (shift.mean_then, shift.mean_now) == pytest.approx((0.7, 1.3))
    assert shift.shares_then == pytest.approx((0.5, 0.3, 0.2))
    assert shift.shares_now == pytest.approx((0.2, 0.3, 0.5))


def test_the_reference_survives_json_and_fits_itself() -> None:
    values = drawn(2_000, seed=0)
    bins = json.loads(json.dumps(drift.reference(values)))
    for shift in drift.compare(bins, values):
        assert shift.index == pytest.approx(0, abs=1e-9)
        assert shift.is_settled
    counts = bins["length"]["counts"]
    assert sum(counts) == 2_000
    assert max(counts) - min(counts) < 20  # fifths


@pytest.mark.parametrize("count", [100, 1_000])
def test_chance_is_no_shift(count: int) -> None:
    bins = drift.reference(drawn(400, seed=1))
    alarms = sum(len(shifted(drawn(count, seed), bins)) for seed in range(2, 102))
    assert alarms <= 2  # of 400


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"length": 6.0}, "length"),
        ({"good": 0.4}, "cls_sentiment"),
        ({"emoji": 0.4}, "unknown"),
    ],
)
def test_a_change_is_a_shift_of_what_has_changed_alone(change: dict[str, float], name: str) -> None:
    bins = drift.reference(drawn(1_000, seed=3))
    assert shifted(drawn(300, seed=4, **change), bins) == {name}


def test_a_vocabulary_that_knew_every_word_makes_unknown_ones_a_shift() -> None:
    bins = drift.reference({"unknown": np.zeros(800)})
    assert not shifted({"unknown": np.zeros(200)}, bins)
    assert shifted({"unknown": np.repeat([0.0, 0.1], [120, 80])}, bins) == {"unknown"}


def test_few_reviews_may_differ_more() -> None:
    bins = drift.reference({"cls_sentiment": np.repeat([0.0, 1.0, 2.0], [13, 12, 75])})
    few, many = (np.repeat([0.0, 2.0], [part, part]) for part in (4, 100))
    assert not shifted({"cls_sentiment": few}, bins)
    assert shifted({"cls_sentiment": many}, bins) == {"cls_sentiment"}


def test_between_settled_and_shifted_lies_what_is_neither() -> None:
    def shift(index: float, by_chance: float) -> Shift:
        return Shift("length", index, by_chance, 1.0, 1.0, (), ())

    states = [(s.is_settled, s.is_shifted) for s in (shift(0.09, 0.0), shift(0.2, 0.0))]
    assert states == [(True, False), (False, False)]
    assert (shift(0.3, 0.4).is_settled, shift(0.3, 0.4).is_shifted) == (True, False)
    assert (shift(0.3, 0.2).is_settled, shift(0.3, 0.2).is_shifted) == (False, True)


def test_unknown_tokens_are_counted_without_the_special_ones(
    tokenizer: PreTrainedTokenizerBase,
) -> None:
    texts = ["фильм", "фильм 🜁", ""]
    values = drift.of_texts(texts, tokenize(texts, tokenizer, 64, 0.5), tokenizer.unk_token_id)
    assert values["length"].tolist() == [5, 7, 0]
    assert values["unknown"].tolist() == [0, 0.5, 0]


def test_both_sides_see_the_same_reviews_alike(tmp_path: Path, tiny_encoder: Path) -> None:
    """The values of a version's reviews, as training has them and as the bot has them."""
    version = tiny.publish_untrained(tmp_path / "models", tiny_encoder)
    contents = [str(row["content"]) + " Оценка: 8 из 10" for row in tiny.make_rows(60)]
    probabilities: NDArray[np.float64] = np.tile([0.1, 0.2, 0.7], (60, 1))
    values = drift.of_reviews(version.path, contents, {"cls": probabilities})
    assert set(values) == {"length", "unknown", "cls_sentiment", "cls_confidence"}
    assert values["length"].tolist() == [len(content) for content in contents]
    assert set(values["cls_sentiment"]) == {2.0}
    assert set(values["cls_confidence"]) == {0.7}
    assert not [s for s in drift.compare(drift.reference(values), values) if s.is_shifted]
