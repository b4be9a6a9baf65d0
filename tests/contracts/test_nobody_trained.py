"""What no row says is not answered, and what no row is keeps the macro figures down: both said."""

from pathlib import Path

import pytest
import torch

from classifier.data.reviews import load_reviews
from classifier.evaluation.gate import judge
from classifier.evaluation.version_scores import score, versus
from classifier.modeling.pooling import POOLINGS
from classifier.registry.version import Version
from classifier.serving.packed_config import PackedConfig
from tests import tiny

CPU = torch.device("cpu")
NOTE = "none of them Neutral (so macro F1 is at most 0.667)"


@pytest.fixture(scope="module")
def version(tmp_path_factory: pytest.TempPathFactory, tiny_encoder: Path) -> Version:
    """Trained with the default recipe on reviews without a rating, none of them Neutral."""
    folder = tmp_path_factory.mktemp("two classes")
    (folder / "encoder").symlink_to(tiny_encoder)
    rows = [row for row in tiny.make_rows(150, rated=0) if row["grade3"] != "Neutral"]
    return tiny.publish_trained(folder, rows, 1, report=True)


def test_without_a_rated_row_there_is_no_rating_head(version: Version) -> None:
    assert version.training()["recipe"]["rating_head"] is False
    for pooling in POOLINGS:
        assert PackedConfig.read(version.path / pooling).rating_head is False
    assert "its rating from 0 to 10" not in (version.path / "README.md").read_text("utf-8")


def test_absent_classes_are_named_wherever_macro_figures_stand(version: Version) -> None:
    metrics = version.metrics()
    for pooling in POOLINGS:
        assert metrics[pooling]["absent_classes"] == ["Neutral"]
        assert metrics[pooling]["macro_f1"] <= 2 / 3
        assert NOTE in (version.path / pooling / "README.md").read_text("utf-8")
    assert NOTE in metrics["comparison"]["verdict"]
    for name in ("README.md", "report.html"):
        assert NOTE in (version.path / name).read_text("utf-8")


def test_also_by_the_gate_and_between_versions(version: Version, tmp_path: Path) -> None:
    rows = load_reviews(version.training()["reviews"]["source"]).rows
    decision = judge(version, version, rows, None, device=CPU, cache=tmp_path)
    assert NOTE in decision.reason
    scores = score(version, rows, CPU, tmp_path)
    assert NOTE in versus(scores, scores)["cls"]["verdict"]
