"""A version as a folder of ONNX models with all that is needed to use them."""

import shutil
from collections.abc import Callable
from importlib.metadata import version as installed
from pathlib import Path
from typing import Any

from classifier.data import rating_patterns, written_ratings
from classifier.data.tokenizer import FastTokenizer
from classifier.evaluation.figures import POOLING_TITLES
from classifier.evaluation.version_scores import score
from classifier.export.models import Judging, write_models
from classifier.export.parity import BOUNDS
from classifier.files import new_folder, write_json, write_text
from classifier.labels import SENTIMENTS
from classifier.modeling.device import default_device
from classifier.modeling.loading import load_classifier
from classifier.modeling.modeling_kinorate import KinorateConfig
from classifier.modeling.pooling import POOLINGS
from classifier.registry.version import Version
from classifier.reports.templates import template

_HERE = Path(__file__).parent
_LIBRARIES = ("torch", "onnx", "onnxruntime", "tokenizers")


def export(
    version: Version, target: Path, *, int8: bool, cache: Path, say: Callable[[str], None]
) -> dict[str, Any]:
    """Write `version` to the new folder `target`; returns what its parity.json holds.

    `say` gets a line when another part of the work begins. Raises ClassifierError for a damaged
    version, a target that exists and isn't empty or can't be written, and an export that misses
    `parity.BOUNDS`: then nothing is written.
    """
    with new_folder(target) as folder:
        version.verify()
        judging = Judging.of(version)
        say(f"Compared with the version on {judging.name}.")
        scores = score(version, judging.rows, default_device(), cache) if int8 else None
        files: dict[str, Any] = {}
        for pooling in POOLINGS:
            say(f"Exporting the model with {POOLING_TITLES[pooling]}.")
            model = load_classifier(version.path / pooling).eval()
            files |= write_models(version, model, folder, judging, scores)
        parity = {
            "version": version.name,
            "compared_on": judging.name,
            "files": files,
            "libraries": {name: installed(name) for name in _LIBRARIES},
        }
        write_json(folder / "parity.json", parity)
        _write_beside(folder, version, model.config, parity)
    return parity


def _write_beside(
    folder: Path, version: Version, config: KinorateConfig, parity: dict[str, Any]
) -> None:
    """What a program needs beside the models, and what its author does."""
    source = version.path / "cls"  # both have the same tokenizer and, in `config`, the same limits
    shutil.copyfile(source / "tokenizer.json", folder / "tokenizer.json")
    settings = {
        "sentiments": SENTIMENTS,
        "strip_ratings": not config.keep_ratings,
        "tokens": FastTokenizer(source).rule(config.max_tokens, config.head_share),
    }
    write_json(folder / "settings.json", settings)
    write_text(folder / "example.py", (_HERE / "example.py.txt").read_text("utf-8"))
    _copy_written_ratings(folder)
    readme = template(_HERE / "README.md.jinja").render(
        version=version.name,
        encoder=version.training().get("encoder", {}),
        parity=parity,
        settings=settings,
        rated=config.rating_head,
        most_tokens=config.max_tokens,
        bounds=BOUNDS,
    )
    write_text(folder / "README.md", readme)


def _copy_written_ratings(folder: Path) -> None:
    """The package's own modules, which need nothing but Python; one of them imports the other."""
    patterns, finder = (Path(str(m.__file__)) for m in (rating_patterns, written_ratings))
    shutil.copyfile(patterns, folder / patterns.name)
    source = finder.read_text("utf-8")
    own = f"from {rating_patterns.__name__} import"
    assert own in source
    write_text(folder / finder.name, source.replace(own, f"from {patterns.stem} import"))
