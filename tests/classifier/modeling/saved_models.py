"""What tests of saved models share: texts of all kinds, and the pipeline of a folder."""

from pathlib import Path
from typing import Any

from transformers import pipeline

from classifier.modeling import modeling_kinorate

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
