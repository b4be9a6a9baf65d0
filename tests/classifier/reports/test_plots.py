import io
from typing import Any

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.image import imread
from matplotlib.text import Text
from numpy.typing import NDArray
from scipy.stats import binomtest

from classifier.evaluation.metrics import evaluate
from classifier.labels import NO_RATING
from classifier.modeling.outputs import Labels, Outputs
from classifier.reports import drawing
from classifier.reports.length_errors import errors_by_length
from classifier.reports.plots import Plot, draw_plots
from classifier.reports.theme import DARK, LIGHT, Theme

NAMES = {"loss", "accuracy", "confusion", "per_class_f1", "reliability", "error_by_length"}


def simulated(rows: int, seed: int, *, rating_head: bool = True) -> Outputs:
    """A model somewhat better than chance on the labels that `truth` gives for as many rows."""
    labels, rng = truth(rows), np.random.default_rng(seed)
    sentiment_logits = rng.normal(size=(rows, 3)) + 2 * np.eye(3)[labels.sentiment]
    centre = labels.rating + rng.normal(scale=1.5, size=rows)
    rating_logits = -((np.arange(11) - centre[:, None]) ** 2) / 3
    return Outputs(sentiment_logits, rating_logits if rating_head else None)


def truth(rows: int) -> Labels:
    rng = np.random.default_rng(0)
    rating = rng.integers(0, 11, rows)
    rating[rng.random(rows) < 0.2] = NO_RATING
    return Labels(rng.choice(3, rows, p=[0.3, 0.1, 0.6]), rating)


def trained(epochs: int, *, rating_head: bool = True) -> list[dict[str, Any]]:
    names = ["loss", "accuracy"] + ["rating_loss", "rating_accuracy"] * rating_head
    return [
        {"epoch": epoch}
        | {f"{part}_{name}": 0.5 + epoch / 9 for part in ("train", "validation") for name in names}
        for epoch in range(1, epochs + 1)
    ]


def drawn(
    outputs: dict[str, Outputs],
    labels: Labels,
    *,
    lengths: NDArray[np.int64] | None = None,
    epochs: int = 3,
) -> dict[str, Plot]:
    if lengths is None:
        lengths = np.random.default_rng(2).integers(80, 12_000, len(labels.sentiment))
    history = {
        name: trained(epochs, rating_head=of_model.rating_logits is not None)
        for name, of_model in outputs.items()
    }
    metrics = {name: evaluate(of, labels, resamples=2) for name, of in outputs.items()}
    return draw_plots(history, metrics, lengths, labels, outputs)


def pixels(png: bytes) -> NDArray[np.float32]:
    """[height, width, 4], 0 to 1."""
    return np.asarray(imread(io.BytesIO(png), format="png"))


def has_colour(png: bytes, colour: str) -> bool:
    return bool((np.abs(pixels(png)[..., :3] - to_rgb(colour)).max(axis=-1) < 0.01).any())


@pytest.fixture(scope="module")
def figures() -> list[Figure]:
    return []


@pytest.fixture(scope="module")
def usual(figures: list[Figure]) -> dict[str, Plot]:
    """The plots of two models with both heads; the figures they were made from are in `figures`."""

    class Recorded(Figure):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            figures.append(self)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(drawing, "Figure", Recorded)
        return drawn({"cls": simulated(3_700, 1), "mean": simulated(3_700, 2)}, truth(3_700))


def test_every_plot_is_a_sharp_png_in_both_themes(usual: dict[str, Plot]) -> None:
    assert set(usual) == NAMES
    for plot in usual.values():
        assert plot.width == 336  # what a phone of 360 pixels shows, less its margins
        for png, theme in ((plot.light, LIGHT), (plot.dark, DARK)):
            image = pixels(png)
            assert image.shape[1] >= 2.5 * plot.width
            assert image.shape[0] / image.shape[1] == pytest.approx(
                plot.height / plot.width, abs=0.01
            )
            assert image[0, 0, :3] == pytest.approx(to_rgb(theme.background), abs=0.01)


def test_the_poolings_have_their_colours_in_every_plot(usual: dict[str, Plot]) -> None:
    for plot in (plot for name, plot in usual.items() if name != "confusion"):  # that one shades
        for png, theme in ((plot.light, LIGHT), (plot.dark, DARK)):
            assert has_colour(png, theme.cls)
            assert has_colour(png, theme.mean)


@pytest.mark.usefixtures("usual")
def test_letters_fit_a_phone_and_each_other(figures: list[Figure]) -> None:
    assert len(figures) == 2 * len(NAMES)
    for figure in figures:
        assert figure.get_figwidth() * 96 <= 336
        figure.draw_without_rendering()  # saving puts the layout back to how it was
        texts = texts_seen(figure)
        assert len(texts) > 10
        assert min(float(text.get_fontsize()) for text in texts) >= 11
        boxes = [text.get_window_extent() for text in texts]
        picture = figure.bbox.padded(1)
        for index, box in enumerate(boxes):
            assert picture.count_contains([box.min, box.max]) == 2, texts[index]
            overlapping = [other for other in boxes[:index] if box.overlaps(other)]
            assert not overlapping, (texts[index], overlapping)


def texts_seen(figure: Figure) -> list[Text]:
    """Titles, names of axes, legends, notes, and the labels of the ticks within the limits."""
    texts = [text for legend in figure.legends for text in legend.get_texts()]
    for axes in figure.axes:
        texts += [child for child in axes.get_children() if isinstance(child, Text)]
        texts += [axes.xaxis.label, axes.yaxis.label]
        for axis, limits in ((axes.xaxis, axes.get_xlim()), (axes.yaxis, axes.get_ylim())):
            low, high = sorted(limits)
            texts += [
                tick.label1 for tick in axis.get_major_ticks() if low <= tick.get_loc() <= high
            ]
    return [text for text in texts if text.get_text() and text.get_visible()]


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_the_colours_can_be_read(theme: Theme) -> None:
    assert contrast(theme.text, theme.background) >= 7
    for colour in (theme.muted, theme.cls, theme.mean):
        assert contrast(colour, theme.background) >= 4.5


def contrast(first: str, second: str) -> float:
    """https://www.w3.org/TR/WCAG21/#dfn-contrast-ratio"""

    def luminance(colour: str) -> float:
        channels = np.array(to_rgb(colour))
        linear = np.where(
            channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4
        )
        return float(linear @ [0.2126, 0.7152, 0.0722])

    dark, light = sorted((luminance(first), luminance(second)))
    return (light + 0.05) / (dark + 0.05)


def test_drawing_leaves_no_global_trace_and_gives_the_same_bytes_again(
    usual: dict[str, Plot],
) -> None:
    before = mpl.rcParams.copy()
    again = drawn({"cls": simulated(3_700, 1), "mean": simulated(3_700, 2)}, truth(3_700))
    assert again == usual
    assert mpl.rcParams.copy() == before  # a copy, since comparing the original chooses a backend


def test_one_head_draws_fewer_panels(usual: dict[str, Plot]) -> None:
    outputs = {
        "cls": simulated(60, 1, rating_head=False),
        "mean": simulated(60, 2, rating_head=False),
    }
    one_head = drawn(outputs, truth(60))
    for name in NAMES:
        shorter = name in ("loss", "accuracy", "error_by_length")
        assert (one_head[name].height < usual[name].height) == shorter


@pytest.mark.filterwarnings("error")
def test_one_epoch_one_length_and_an_empty_class_can_be_drawn() -> None:
    outputs = {"cls": simulated(20, 1, rating_head=False), "mean": simulated(20, 2)}
    labels = truth(20)
    labels.sentiment[labels.sentiment == 1] = 0
    result = drawn(outputs, labels, lengths=np.full(20, 100), epochs=1)
    for name in ("loss", "accuracy"):
        assert has_colour(result[name].light, LIGHT.cls)
        assert has_colour(result[name].light, LIGHT.mean)


@pytest.mark.filterwarnings("error")
def test_a_single_row_and_no_epoch_can_be_drawn() -> None:
    labels = Labels(np.array([2]), np.array([9]))
    certain = Outputs(np.array([[0.0, 0.0, 900.0]]), np.zeros((1, 11)))
    outputs = {"cls": certain, "mean": certain}
    assert set(drawn(outputs, labels, lengths=np.array([5]), epochs=0)) == NAMES


def certain(answers: list[int], classes: int) -> NDArray[np.float64]:
    return 50 * np.eye(classes)[answers]


def test_errors_by_length_by_hand() -> None:
    lengths = np.array([50, 10, 40, 20, 30, 60, 70, 80, 90, 100])
    labels = Labels(np.full(10, 2), np.array([10, 10, NO_RATING, 10, 10, 10, 10, 10, 9, 8]))
    sentiment = [2, 0, 2, 0, 2, 2, 2, 2, 2, 0]
    rating = [10, 7, 0, 9, 10, 4, 10, 10, 10, 10]
    model = Outputs(certain(sentiment, 3), certain(rating, 11))
    found = errors_by_length(lengths, labels, {"cls": model, "mean": model})
    assert found.shortest.tolist() == [10, 30, 50, 70, 90]
    assert found.longest.tolist() == [20, 40, 60, 80, 100]
    assert found.rows.tolist() == [2] * 5
    assert found.rated_rows.tolist() == [2, 1, 2, 2, 2]
    accuracy, low, high = found.accuracy["cls"]
    assert accuracy.tolist() == [0, 1, 1, 1, 0.5]
    wilson = binomtest(1, 2).proportion_ci(method="wilson")
    assert (low[4], high[4]) == (wilson.low, wilson.high)
    mae, low, high = found.rating_mae["mean"]
    assert mae.tolist() == [2, 0, 3, 0, 1.5]
    assert np.isnan(low[1])  # one rating tells nothing of the spread
    assert high[0] == pytest.approx(2 + 1.96 * np.sqrt(2) / np.sqrt(2))
    assert low[2] == 0  # no error is below zero
    np.testing.assert_array_equal(found.accuracy["cls"], found.accuracy["mean"])


def test_rows_of_one_length_share_a_bin() -> None:
    labels = truth(50)
    lengths = np.array([100] * 40 + list(range(200, 210)))
    found = errors_by_length(lengths, labels, {"cls": simulated(50, 1)})
    assert found.rows.sum() == 50
    assert (found.rows > 0).all()
    assert found.rows[0] == 40
    assert (found.longest[:-1] < found.shortest[1:]).all()


def test_no_rated_rows_leave_no_rating_error() -> None:
    labels = Labels(truth(20).sentiment, np.full(20, NO_RATING))
    found = errors_by_length(np.arange(20), labels, {"cls": simulated(20, 1)})
    assert not found.has_ratings
    assert found.rated_rows.tolist() == [0] * len(found.rows)
