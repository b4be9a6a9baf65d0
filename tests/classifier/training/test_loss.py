from dataclasses import dataclass

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score
from torch.nn.functional import cross_entropy

from classifier.labels import NO_RATING
from classifier.modeling.modeling_kinorate import KinorateOutput
from classifier.modeling.outputs import Outputs, rating_distribution, shown_rating
from classifier.training.distributed import Group
from classifier.training.loss import LossMeter, Targets, class_weights, loss_sums


@dataclass
class Batch:
    output: KinorateOutput
    targets: Targets


@pytest.fixture
def batch() -> Batch:
    """Sixty rows, logits around the truth, a third of the rows without a rating."""
    draw = torch.Generator().manual_seed(0)
    sentiment = torch.randint(3, (60,), generator=draw)
    rating = torch.randint(11, (60,), generator=draw)
    output = KinorateOutput(
        sentiment_logits=torch.randn(60, 3, generator=draw) + 2 * torch.eye(3)[sentiment],
        rating_logits=torch.randn(60, 11, generator=draw) + 2.5 * torch.eye(11)[rating],
    )
    rating[::3] = NO_RATING
    return Batch(output, Targets(sentiment, rating))


def figures(*batches: Batch) -> dict[str, float]:
    meter = LossMeter(torch.device("cpu"))
    for one in batches:
        meter.add(one.output, one.targets, loss_sums(one.output, one.targets))
    return meter.figures("validation", Group(0, 1, torch.device("cpu")))


def rows(batch: Batch, start: int, stop: int) -> Batch:
    sentiment, rating = batch.output.sentiment_logits, batch.output.rating_logits
    assert sentiment is not None
    return Batch(
        KinorateOutput(
            sentiment_logits=sentiment[start:stop],
            rating_logits=None if rating is None else rating[start:stop],
        ),
        Targets(batch.targets.sentiment[start:stop], batch.targets.rating[start:stop]),
    )


def test_figures_are_those_of_torch_and_scikit_learn(batch: Batch) -> None:
    sentiment_logits, rating_logits = batch.output.sentiment_logits, batch.output.rating_logits
    assert sentiment_logits is not None
    assert rating_logits is not None
    truth, ratings = batch.targets.sentiment, batch.targets.rating
    rated = ratings != NO_RATING
    shown = shown_rating(
        rating_distribution(Outputs(sentiment_logits.numpy(), rating_logits.numpy()))
    )
    sentiment_loss = cross_entropy(sentiment_logits, truth).item()
    rating_loss = cross_entropy(rating_logits[rated], ratings[rated]).item()
    wanted = {
        "validation_loss": sentiment_loss + rating_loss,
        "validation_accuracy": accuracy_score(truth, sentiment_logits.argmax(1)),
        "validation_rating_loss": rating_loss,
        "validation_rating_accuracy": accuracy_score(ratings[rated], shown[rated.numpy()]),
    }
    assert 0.4 < wanted["validation_accuracy"] < 1
    assert 0.4 < wanted["validation_rating_accuracy"] < 1
    assert figures(batch) == pytest.approx(wanted, rel=1e-6)
    in_parts = [rows(batch, at, at + 7) for at in range(0, 60, 7)]
    assert figures(*in_parts) == pytest.approx(wanted, rel=1e-6)


def test_loss_sums_are_over_the_rows_that_have_a_label(batch: Batch) -> None:
    sentiment, rating = loss_sums(batch.output, batch.targets)
    by_hand = np.zeros(2)
    for one in range(60):
        row = rows(batch, one, one + 1)
        for head, (logits, label) in enumerate(
            [
                (row.output.sentiment_logits, row.targets.sentiment),
                (row.output.rating_logits, row.targets.rating),
            ]
        ):
            assert logits is not None
            if label.item() != NO_RATING:
                by_hand[head] -= logits.log_softmax(1)[0, int(label)].item()
    assert [sentiment.item(), rating.item()] == pytest.approx(by_hand, rel=1e-5)


def test_bfloat16_logits_are_summed_up_in_float32(batch: Batch) -> None:
    logits = {name: value for name, value in batch.output.items() if name.endswith("_logits")}
    rounded = KinorateOutput(**{name: value.bfloat16() for name, value in logits.items()})
    losses = loss_sums(rounded, batch.targets)
    assert [loss.dtype for loss in losses] == [torch.float32] * 2
    exact = KinorateOutput(**{name: value.double() for name, value in rounded.items()})
    torch.testing.assert_close(losses, loss_sums(exact, batch.targets))


@pytest.mark.parametrize("heads", [1, 2])
def test_without_ratings_there_are_no_rating_figures_and_no_nan(batch: Batch, heads: int) -> None:
    unrated = Batch(batch.output, Targets(batch.targets.sentiment, torch.full((60,), NO_RATING)))
    if heads == 1:
        assert batch.output.sentiment_logits is not None
        unrated.output = KinorateOutput(sentiment_logits=batch.output.sentiment_logits)
    logits, truth = batch.output.sentiment_logits, batch.targets.sentiment
    assert logits is not None
    assert figures(unrated) == pytest.approx(
        {
            "validation_loss": cross_entropy(logits, truth).item(),
            "validation_accuracy": accuracy_score(truth, logits.argmax(1)),
        },
        rel=1e-6,
    )


def test_a_model_with_one_head_ignores_the_ratings(batch: Batch) -> None:
    one_head = KinorateOutput(sentiment_logits=batch.output.sentiment_logits)
    assert set(figures(Batch(one_head, batch.targets))) == {
        "validation_loss",
        "validation_accuracy",
    }
    assert loss_sums(one_head, batch.targets)[1].item() == 0


def test_a_batch_without_ratings_among_others_counts_for_the_sentiment_alone(
    batch: Batch,
) -> None:
    unrated = rows(batch, 0, 1)
    assert unrated.targets.rating.tolist() == [NO_RATING]
    with_it = figures(rows(batch, 1, 10), unrated)
    assert with_it == pytest.approx(figures(rows(batch, 0, 10)), rel=1e-6)


def test_a_row_of_weight_two_counts_as_two(batch: Batch) -> None:
    output, targets = batch.output, batch.targets
    assert output.sentiment_logits is not None
    assert output.rating_logits is not None
    weights = torch.ones(60)
    weights[10:20] = 2
    twice = torch.cat([torch.arange(60), torch.arange(10, 20)])
    repeated = KinorateOutput(
        sentiment_logits=output.sentiment_logits[twice], rating_logits=output.rating_logits[twice]
    )
    weighted = loss_sums(output, Targets(targets.sentiment, targets.rating, weights))
    plain = loss_sums(repeated, Targets(targets.sentiment[twice], targets.rating[twice]))
    for one, other in zip(weighted, plain, strict=True):
        assert one.item() == pytest.approx(other.item(), rel=1e-5)


@given(
    counts=st.tuples(*[st.integers(0, 40)] * 3).filter(any),
    power=st.floats(0, 1),
)
def test_rarer_sentiments_weigh_more_and_a_row_weighs_one_in_the_mean(
    counts: tuple[int, int, int], power: float
) -> None:
    sentiment = np.repeat(np.arange(3), counts)
    weights = class_weights(sentiment, power)
    assert weights[sentiment].mean().item() == pytest.approx(1, rel=1e-5)
    present = [(count, weights[label].item()) for label, count in enumerate(counts) if count]
    for count, weight in present:
        expected = (present[0][0] / count) ** power
        assert weight / present[0][1] == pytest.approx(expected, rel=1e-5)


def test_classes_weigh_in_the_loss_of_the_sentiment_alone(batch: Batch) -> None:
    by_class = torch.tensor([2.0, 0.5, 1.0])
    sentiment, rating = loss_sums(batch.output, batch.targets, by_class)
    logits, truth = batch.output.sentiment_logits, batch.targets.sentiment
    assert logits is not None
    wanted = cross_entropy(logits, truth, weight=by_class, reduction="sum")
    assert sentiment.item() == pytest.approx(wanted.item(), rel=1e-5)
    assert rating.item() == loss_sums(batch.output, batch.targets)[1].item()
