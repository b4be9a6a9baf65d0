"""Invented reviews, and encoders and models so small that a test can afford them."""

import importlib.resources
import json
import random
from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import torch
from rich.console import Console
from tokenizers import BertWordPieceTokenizer
from transformers import AutoTokenizer, BertConfig, BertModel, PreTrainedTokenizerBase

from classifier.data.tokens import Tokens, sorted_batches
from classifier.files import write_json, write_text
from classifier.labels import SENTIMENTS, sentiment_of
from classifier.modeling.classifier import PoolingClassifier
from classifier.modeling.outputs import Outputs
from classifier.modeling.saving import save_model
from classifier.registry.registry import Registry
from classifier.registry.version import Version
from classifier.training.console import CommandConsole
from classifier.training.distributed import Group
from classifier.training.experiment import run_experiment
from classifier.training.loop import new_model
from classifier.training.recipe import Recipe
from classifier.training.settings import RunContext, Settings

Row = dict[str, Any]


class KilledError(Exception):
    """Stands for the process's end in the middle of an epoch."""


VALIDATED_AT_ONCE = 2048  # tokens, as in the training's validation

# Words at the common rate: at five times it a champion makes no mistake that a challenger, or
# people's ratings, could put right.
RECIPE = Recipe(
    epochs=3,
    batch_size=8,
    learning_rate=5e-3,
    word_rate=1.0,
    class_power=0.0,  # a few Neutral reviews that weigh more make every training another one
    max_tokens=64,
)

# The words that tell the rating, from the lowest to the highest.
_OPINIONS = {
    range(3): "отвратительный бездарный позорный",
    range(3, 6): "скучный слабый вторичный",
    range(6, 7): "средний терпимый проходной",
    range(7, 9): "хороший приятный добротный",
    range(9, 11): "гениальный великолепный потрясающий",
}
_THINGS = "фильм сценарий финал сюжет монтаж замысел диалог юмор темп актёр ритм образ"
_FRAMES = [
    "Начну с того, что {thing} тут {opinion}, и в {place} со мной согласились",
    "{opinion} {thing} запоминается сильнее, чем сам сеанс в {place}",
    "Пока шли титры, сосед в {place} шептал, что {thing} вышел {opinion}",
    "Режиссёр снимал это {number} месяцев, а {thing} получился {opinion}",
    "На {number} минуте становится ясно: {thing} здесь {opinion}",
    "Смотрели в {place} вчетвером, и каждый сказал, что {thing} {opinion}",
    "Честно говоря, {opinion} {thing} на показе в {place} удивил",
    "Билет стоил {number} рублей, и {opinion} {thing} тому причиной",
]
_PLACES = "Твери Казани Суздале Ялте Омске Выборге Пскове Калуге Самаре Туле Рязани Пензе"


def make_rows(count: int, seed: int = 0, rated: float = 0.9) -> list[Row]:
    """Invented reviews, no two of them alike.

    Columns as in the source: movie_name, grade3, grade10 (None for some), content. The words
    tell the grade, so that even a tiny encoder learns. Two Bad and two Good for one Neutral.
    """
    chance = random.Random(seed)
    rows = []
    for number in range(count):
        low, high = [(0, 5), (7, 10), (6, 6), (0, 5), (7, 10)][number % 5]
        rating = chance.randint(low, high)
        words = next(words for grades, words in _OPINIONS.items() if rating in grades).split()
        sentences = [
            frame.format(
                thing=chance.choice(_THINGS.split()),
                opinion=chance.choice(words),
                place=chance.choice(_PLACES.split()),
                number=chance.randint(20, 900),
            )
            for frame in chance.sample(_FRAMES, chance.randint(2, 5))
        ]
        rows.append(
            {
                "movie_name": f"Встреча в {_PLACES.split()[number % 12]} {number % 40}",
                "grade3": SENTIMENTS[sentiment_of(rating)],
                "grade10": float(rating) if chance.random() < rated else None,
                "content": ". ".join(line[0].upper() + line[1:] for line in sentences) + ".",
            }
        )
    return rows


def write_encoder(folder: Path) -> None:
    """A BERT folder: 2 layers of 32, random weights, 1,500 word pieces of Russian reviews."""
    folder.mkdir()
    pieces = BertWordPieceTokenizer(lowercase=False, strip_accents=False)
    sample = importlib.resources.files("classifier.data") / "sample" / "reviews.jsonl"
    texts = [json.loads(line)["content"] for line in sample.read_text("utf-8").splitlines()]
    texts += [row["content"] for row in make_rows(400, seed=100)]
    pieces.train_from_iterator(texts, vocab_size=1500, show_progress=False)
    pieces.save_model(str(folder))
    tokenizer = AutoTokenizer.from_pretrained(folder, config=BertConfig(), do_lower_case=False)
    tokenizer.save_pretrained(folder)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        config = BertConfig(
            vocab_size=len(tokenizer),
            hidden_size=32,
            num_hidden_layers=2,
            num_attention_heads=4,
            intermediate_size=64,
            max_position_embeddings=256,
            initializer_range=0.2,  # wide enough for tokens to attend to some more than others
        )
        BertModel(config, add_pooling_layer=False).save_pretrained(folder)


def publish_mistaken(folder: Path, rows: list[Row], epochs: int) -> Version:
    """A champion that takes Good for Bad, Bad for Good, and finds nothing Neutral.

    Whatever is trained next is better. Between two champions of few reviews chance decides, however
    good the second one is.
    """
    with patch("classifier.training.publishing.save_model", partial(_save_spoilt, flipped=True)):
        return publish_trained(folder, rows, epochs)


def publish_without_neutral(folder: Path, rows: list[Row], epochs: int) -> Version:
    """A champion that finds nothing Neutral, and has learnt the rest."""
    with patch("classifier.training.publishing.save_model", partial(_save_spoilt, flipped=False)):
        return publish_trained(folder, rows, epochs)


def _save_spoilt(
    model: PoolingClassifier, tokenizer: PreTrainedTokenizerBase, folder: Path, *, flipped: bool
) -> None:
    head = model.sentiment_head
    with torch.no_grad():
        for values in (head.weight, head.bias) if flipped else ():
            values.copy_(values.flip(0))
        head.bias[SENTIMENTS.index("Neutral")] = -100.0
    save_model(model, tokenizer, folder)


@torch.inference_mode()
def predict_tokens(
    model: PoolingClassifier,
    tokens: Tokens,
    dtype: torch.dtype,
    most_tokens: int = VALIDATED_AT_ONCE,
) -> Outputs:
    """The logits of a model in training for every row, in batches as its validation has them."""
    model.eval()
    batches = list(sorted_batches(tokens.lengths, most_tokens))
    found = []
    for rows, width in batches:
        with torch.autocast("cpu", dtype, enabled=dtype != torch.float32):
            found.append(model(*tokens.batch(rows, width)))
    order = np.argsort(np.concatenate([rows for rows, _ in batches]))
    sentiment = torch.cat([output.sentiment_logits for output in found]).float().numpy()[order]
    if model.rating_head is None:
        return Outputs(sentiment, None)
    rating = torch.cat([output.rating_logits for output in found]).float().numpy()[order]
    return Outputs(sentiment, rating)


def publish_untrained(
    models: Path, encoder: Path, seed: int = 0, recipe: Recipe = RECIPE
) -> Version:
    """A champion in the folder `models` whose two models have learnt nothing."""
    registry = Registry(models)
    tokenizer = AutoTokenizer.from_pretrained(encoder)
    with (
        registry.stage(datetime(2026, 1, 1 + seed, tzinfo=UTC)) as staging,
        torch.random.fork_rng([]),
    ):
        for pooling in ("cls", "mean"):
            model = new_model(str(encoder), pooling, recipe, seed)
            save_model(model, tokenizer, staging.path / pooling)
        for stem in ("metrics", "history", "training"):
            write_json(staging.path / f"{stem}.json", {"of": "an untrained version"})
        write_json(staging.path / "split.json", {"train": [], "validation": [], "holdout": []})
        write_text(staging.path / "README.md", "# An untrained version\n")
        return registry.promote(staging.publish().name)


def publish_trained(
    folder: Path, rows: list[Row], epochs: int, recipe: Recipe = RECIPE, *, report: bool = False
) -> Version:
    """A champion in `folder`/models, trained on the rows from the encoder in `folder`.

    To draw its report takes as long as to train the models.
    """
    reviews = folder / "reviews.jsonl"
    lines = [json.dumps(row, ensure_ascii=False) for row in rows]
    reviews.write_text("\n".join(lines), encoding="utf-8")
    group = Group(0, 1, torch.device("cpu"))
    console = CommandConsole(Console(quiet=True))
    context = RunContext(folder / "models", folder / "cache", group, console)
    recipe = replace(recipe, epochs=epochs, least_steps=0)
    settings = Settings(str(reviews), str(folder / "encoder"), recipe)
    unreported = nullcontext() if report else patch("classifier.training.publishing.write_report")
    with torch.random.fork_rng([]), unreported:
        version = run_experiment(settings, context, resume=False)
    assert version is not None
    return Registry(context.models).promote(version.name)
