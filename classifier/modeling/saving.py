"""A model's folder, which transformers loads by itself: weights, settings, tokenizer, code."""

import json
import shutil
from pathlib import Path
from typing import Any

from transformers import PreTrainedTokenizerBase

from classifier.files import write_json
from classifier.modeling import modeling_kinorate
from classifier.modeling.classifier import PoolingClassifier
from classifier.modeling.modeling_kinorate import KinorateForSequenceClassification

MODELING_FILE = "modeling_kinorate.py"
_OF_LOADING = ("is_local", "local_files_only")  # that transformers keeps in a tokenizer's settings


def save_model(model: PoolingClassifier, tokenizer: PreTrainedTokenizerBase, folder: Path) -> None:
    """Write all that `AutoModelForSequenceClassification` and `pipeline` need of a model.

    The code in it is this package's own, and needs nothing else of the package.
    """
    model.save_pretrained(folder, save_original_format=False)  # not in that of an old version
    _change(folder / "config.json", architectures=[KinorateForSequenceClassification.__name__])
    tokenizer.save_pretrained(folder)
    _change(
        folder / "tokenizer_config.json",
        auto_map={"AutoTokenizer": [None, f"{modeling_kinorate.FILE}.KinorateTokenizer"]},
        head_share=model.config.head_share,
        model_max_length=model.config.max_tokens,
        # For those who load the tokenizer without this code too:
        model_input_names=["input_ids", "attention_mask"],
        split_special_tokens=True,
    )
    shutil.copyfile(str(modeling_kinorate.__file__), folder / MODELING_FILE)


def _change(file: Path, **values: Any) -> None:
    kept = json.loads(file.read_text("utf-8"))
    write_json(file, {name: kept[name] for name in kept if name not in _OF_LOADING} | values)
