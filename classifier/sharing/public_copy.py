"""What of a version a stranger may read, as a version of its own.

A version's folder tells of the reviews that it was made from: report.html quotes them, split.json
has their ids, which may be digests of their texts, training.json and the cards name files and
folders, and sometimes the way to the hub. Where the reviews are not public themselves, none of that
leaves; nothing leaves that `layout.may_leave` does not name.
"""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from classifier.errors import ClassifierError
from classifier.evaluation.figures import POOLING_NAMES
from classifier.files import link_or_copy, write_json, write_text
from classifier.modeling.saving import MODELING_FILE
from classifier.registry.registry import Staging
from classifier.registry.version import UNPUBLISHED, Version
from classifier.reports.model_card import model_card
from classifier.sharing.layout import may_leave, root_pooling

_PUBLISHED = {"hub", "sample"}  # sources of reviews that anybody can have
_PRIVATE_DEFAULTS = {"source": UNPUBLISHED, "reason": "reviews that are not published"}
_REWRITTEN = {"README.md", "split.json", "training.json"}


@dataclass(frozen=True)
class PublicCopy:
    """A staged copy of a version."""

    folder: Path
    version: str  # the name of the version copied
    names: list[str]  # paths below the folder, the manifest's too
    stays: list[str]  # paths below the version's folder that are not in the copy
    root: str  # the pooling that a program gets which asks for no other
    learnt_more: int  # reviews trained on beside the split's, such as a bot's


def copy_public(version: Version, staging: Staging, repository: str) -> PublicCopy:
    """Fill the staged folder; `repository` is the owner/name that its card speaks of.

    Raises ClassifierError for a version that is damaged, or whose documents lack something.
    """
    version.verify()
    names = sorted(filter(may_leave, version.manifest()))
    for name in names:
        if Path(name).name not in _REWRITTEN:
            link_or_copy(version.path / name, staging.path / name)
    for pooling in POOLING_NAMES:
        if f"{pooling}/{MODELING_FILE}" not in names:
            _save_as_today(version.path / pooling, staging.path / pooling)
    metrics = version.metrics()
    try:
        training, split = public_documents(version.training(), version.split())
        root = root_pooling(metrics)
        card = model_card(training, metrics, repository=repository, root=root)
        cards = {pooling: model_card(training, metrics, [pooling]) for pooling in POOLING_NAMES}
    except Exception as error:  # documents of other shapes fail in as many ways
        raise ClassifierError(
            f"{version.path} lacks what its model card is made of: {type(error).__name__}, {error}."
        ) from error
    write_json(staging.path / "training.json", training)
    write_json(staging.path / "split.json", split)
    write_text(staging.path / "README.md", card)
    for pooling, of_model in cards.items():
        write_text(staging.path / pooling / "README.md", of_model)
    staging.seal()
    copied = sorted(
        path.relative_to(staging.path).as_posix()
        for path in staging.path.rglob("*")
        if path.is_file()
    )
    stays = sorted(set(version.manifest()) - set(copied))
    extra = training.get("extra", {})
    return PublicCopy(staging.path, version.name, copied, stays, root, extra.get("kept", 0))


def _save_as_today(folder: Path, target: Path) -> None:
    """A model of earlier code, which transformers could not load by itself."""
    from classifier.data.tokenizer import load_tokenizer
    from classifier.modeling.loading import load_classifier
    from classifier.modeling.saving import save_model

    model, tokenizer = load_classifier(folder), load_tokenizer(folder)
    shutil.rmtree(target)
    save_model(model, tokenizer, target)


def public_documents(
    training: dict[str, Any], split: dict[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """training.json and split.json for strangers."""
    learnt = training["reviews"]["source"] in _PUBLISHED
    held_out = training.get("holdout")
    judged = learnt if held_out is None else held_out["source"] in _PUBLISHED
    public = training | {"reviews": _source(training["reviews"], published=learnt)}
    if held_out is not None:
        public["holdout"] = _source(held_out, published=judged)
        if not (learnt and judged):
            public["holdout"]["same_ids"] = {}
    if not (learnt and judged):
        public.pop("schema", None)  # names of columns and labels
    public["encoder"] = _encoder(training["encoder"])
    shown = {"train": learnt, "validation": learnt, "holdout": judged}
    return public, {part: ids if shown.get(part) else [] for part, ids in split.items()}


def _source(record: dict[str, Any], *, published: bool) -> dict[str, Any]:
    if not published:
        return record | _PRIVATE_DEFAULTS
    return record | {"reason": _without_why(record["reason"])}


def _encoder(record: dict[str, Any]) -> dict[str, Any]:
    public = record | {"origin": _without_why(record["origin"])}
    if record["origin"].startswith("the folder "):
        public["name"] = Path(record["name"]).name
    return public


def _without_why(reason: str) -> str:
    """Less why the hub could not be asked, which may name a proxy or a mirror."""
    return reason.partition(": ")[0]
