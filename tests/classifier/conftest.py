"""A tiny encoder, invented reviews, and what the tests of models and trainings share."""

import importlib.resources
import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
import torch
from tokenizers import BertWordPieceTokenizer
from transformers import AutoTokenizer, BertConfig, BertModel, PreTrainedTokenizerBase

from classifier.distributed import Group
from classifier.evaluation import Labels
from classifier.grades import SENTIMENTS, sentiment_of
from classifier.model import PoolingClassifier
from classifier.recipe import Recipe
from classifier.tokens import Tokens, tokenize
from classifier.training import Part, new_model

Row = dict[str, Any]
MakeRows = Callable[..., list[Row]]
NewModel = Callable[..., PoolingClassifier]

_RECIPE = Recipe(epochs=3, batch_size=8, learning_rate=5e-3, max_tokens=64)

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


@pytest.fixture(scope="session", autouse=True)
def _few_threads() -> None:
    torch.set_num_threads(min(2, torch.get_num_threads()))


@pytest.fixture
def keep_default_rng() -> Iterator[None]:
    """The global random state as it was, for tests that look at it."""
    with torch.random.fork_rng(devices=[]):
        yield


@pytest.fixture(scope="session")
def make_rows() -> MakeRows:
    """`make_rows(count, seed=0, rated=0.9)`: invented reviews, no two of them alike.

    Columns as in the source: movie_name, grade3, grade10 (None for some), content. The words
    tell the grade, so that even a tiny encoder learns. Two Bad and two Good for one Neutral.
    """

    def make(count: int, seed: int = 0, rated: float = 0.9) -> list[Row]:
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

    return make


@pytest.fixture(scope="session")
def tiny_encoder(tmp_path_factory: pytest.TempPathFactory, make_rows: MakeRows) -> Path:
    """A BERT folder: 2 layers of 32, random weights, 1,500 word pieces of Russian reviews."""
    folder = tmp_path_factory.mktemp("encoders") / "tiny"
    folder.mkdir()
    pieces = BertWordPieceTokenizer(lowercase=False, strip_accents=False)
    sample = importlib.resources.files("classifier") / "sample" / "reviews.jsonl"
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
    return folder


@pytest.fixture(scope="session")
def tokenizer(tiny_encoder: Path) -> PreTrainedTokenizerBase:
    return AutoTokenizer.from_pretrained(tiny_encoder)


@pytest.fixture(scope="session")
def tiny_recipe() -> Recipe:
    """The default recipe at a tiny encoder's size: 3 epochs, batches of 8, 64 tokens."""
    return _RECIPE


@pytest.fixture
def tiny_model(tiny_encoder: Path) -> NewModel:
    """`tiny_model(pooling="mean", recipe=tiny_recipe, seed=0)`: untrained, in training mode."""

    def make(pooling: str = "mean", recipe: Recipe = _RECIPE, seed: int = 0) -> PoolingClassifier:
        return new_model(str(tiny_encoder), pooling, recipe, seed)

    return make


@pytest.fixture(scope="session")
def make_part(make_rows: MakeRows, tokenizer: PreTrainedTokenizerBase) -> Callable[..., Part]:
    """`make_part(count, seed=0, rated=0.9)`: `make_rows` as token ids and labels."""

    def make(count: int, seed: int = 0, rated: float = 0.9) -> Part:
        rows = make_rows(count, seed, rated)
        tokens = tokenize([row["content"] for row in rows], tokenizer, 64, 0.5)
        sentiments = [SENTIMENTS.index(row["grade3"]) for row in rows]
        ratings = [-1 if row["grade10"] is None else int(row["grade10"]) for row in rows]
        return Part(tokens, Labels(np.array(sentiments), np.array(ratings)))

    return make


@pytest.fixture(scope="session")
def alone() -> Group:
    """The group of a training in one process, on the CPU."""
    return Group(rank=0, size=1, device=torch.device("cpu"))


@pytest.fixture(params=["float32", "bfloat16"])
def arithmetic(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Literal["float32", "bfloat16"]:
    """Each number format that a training can run in, whatever this CPU is good at."""
    has_bfloat16 = request.param == "bfloat16"
    monkeypatch.setattr("classifier.attention.cpu_has_bfloat16", lambda: has_bfloat16)
    chosen: Literal["float32", "bfloat16"] = request.param
    return chosen


@pytest.fixture(scope="session")
def ragged() -> Tokens:
    """Twenty texts of 2 to 60 tokens that a tiny encoder takes; ids drawn at random."""
    rng = np.random.default_rng(3)
    lengths = rng.permutation(np.linspace(2, 60, 20).astype(np.int64))
    ids = rng.integers(5, 200, size=int(lengths.sum()), dtype=np.int32)
    return Tokens(ids, np.cumsum([0, *lengths], dtype=np.int64), pad_id=0)
