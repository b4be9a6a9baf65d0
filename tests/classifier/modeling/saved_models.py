"""What tests of saved models share: texts, the pipeline of a folder, the layout of before."""

import json
from pathlib import Path
from typing import Any

from safetensors.torch import load_file, save_file
from transformers import pipeline

from classifier.modeling import modeling_kinorate
from classifier.modeling.pooling import POOLINGS

SOURCE = Path(str(modeling_kinorate.__file__))
TEXTS = [
    "Скучно до зевоты, зато музыка хороша.",
    "",
    "Отлично снято, но финал скучный. " * 700,  # 23,100 characters
    "[SEP] ужас [CLS] [PAD] [MASK] [UNK] 😀\n\tи <br>",
    "и" * 5000,
]


def classify(folder: Path, texts: Any, **options: Any) -> Any:
    return pipeline("text-classification", model=str(folder), trust_remote_code=True, device="cpu")(
        texts, **options
    )


def make_old(version: Path) -> None:
    """The layout of versions of earlier code: a BERT's settings among ours, weights of "bert."."""
    for pooling in POOLINGS:
        folder = version / pooling
        config = json.loads((folder / "config.json").read_text("utf-8"))
        own = ("pooling", "rating_head", "max_tokens", "head_share", "keep_ratings", "temperature")
        old = config["encoder"] | {name: config[name] for name in own}
        old["architectures"] = ["PoolingClassifier"]
        (folder / "config.json").write_text(json.dumps(old))
        weights = load_file(folder / "model.safetensors")
        renamed = {
            "bert." + name.removeprefix("encoder.") if name.startswith("encoder.") else name: weight
            for name, weight in weights.items()
        }
        save_file(renamed, folder / "model.safetensors", metadata={"format": "pt"})
        (folder / SOURCE.name).unlink()
        settings_of_tokenizer = json.loads((folder / "tokenizer_config.json").read_text("utf-8"))
        for name in ("auto_map", "head_share", "split_special_tokens", "model_input_names"):
            del settings_of_tokenizer[name]
        (folder / "tokenizer_config.json").write_text(json.dumps(settings_of_tokenizer))
