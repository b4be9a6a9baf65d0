from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from datasets import Dataset
from hypothesis import given
from hypothesis import strategies as st
from transformers import (
    AutoTokenizer,
    BertTokenizer,
    PreTrainedTokenizerBase,
    PreTrainedTokenizerFast,
)

from classifier.data import tokenizer as tokenizer_module
from classifier.data.tokenizer import load_tokenizer, tokenize, tokenize_cached
from classifier.data.tokens import Tokens, shuffled_batches, slot, sorted_batches
from classifier.labels import NO_RATING
from classifier.training.parts import Part
from classifier.training.recipe import DEFAULT

LONG = "Начну с того, что сюжет тут скучный, а на 83 минуте становится ясно: финал хороший."
TEXTS = ["Фильм хороший.", "", LONG, "Скучный фильм!"]


def of(tokens: Tokens, row: int) -> list[int]:
    return tokens.ids[tokens.starts[row] : tokens.starts[row + 1]].tolist()  # type: ignore[no-any-return]


def plain_ids(tokenizer: PreTrainedTokenizerBase, text: str) -> list[int]:
    ids: list[int] = tokenizer(text, add_special_tokens=False)["input_ids"]
    return ids


@pytest.mark.parametrize(
    ("head_share", "head", "tail"),
    [(0.5, 5, 5), (0.25, 2, 8), (0.7, 7, 3), (1.0, 10, 0), (0.0, 0, 10)],
)
def test_a_long_text_keeps_its_head_and_its_tail(
    tokenizer: PreTrainedTokenizerBase, head_share: float, head: int, tail: int
) -> None:
    whole = plain_ids(tokenizer, LONG)
    assert len(whole) > 12
    kept = of(tokenize([LONG], tokenizer, 12, head_share), 0)
    last = whole[len(whole) - tail :]
    assert kept == [tokenizer.cls_token_id, *whole[:head], *last, tokenizer.sep_token_id]


@pytest.mark.parametrize("head_share", [0.5, 0.25, 1.0, 0.0])
def test_shortened_tokens_are_those_of_fewer(
    tokenizer: PreTrainedTokenizerBase, head_share: float
) -> None:
    cut = tokenize(TEXTS, tokenizer, 15, head_share).shortened(9, head_share)
    fewer = tokenize(TEXTS, tokenizer, 9, head_share)
    assert cut.ids.tolist() == fewer.ids.tolist()
    assert cut.starts.tolist() == fewer.starts.tolist()


def test_a_text_that_fits_is_whole(tokenizer: PreTrainedTokenizerBase) -> None:
    whole = plain_ids(tokenizer, LONG)
    exactly = tokenize([LONG], tokenizer, len(whole) + 2, 0.5)
    assert of(exactly, 0) == [tokenizer.cls_token_id, *whole, tokenizer.sep_token_id]
    assert of(exactly, 0) == tokenizer(LONG)["input_ids"]


def test_an_empty_text_is_two_tokens_and_no_texts_are_none(
    tokenizer: PreTrainedTokenizerBase,
) -> None:
    tokens = tokenize(["", "  \n"], tokenizer, 12, 0.5)
    assert of(tokens, 0) == of(tokens, 1) == [tokenizer.cls_token_id, tokenizer.sep_token_id]
    nothing = tokenize([], tokenizer, 12, 0.5)
    assert (len(nothing), len(nothing.ids), len(nothing.lengths)) == (0, 0, 0)


@given(
    st.lists(st.text(max_size=200), max_size=4),
    st.integers(3, 40),
    st.floats(0, 1),
)
def test_never_too_long_and_each_text_for_itself(
    tokenizer: PreTrainedTokenizerBase, texts: list[str], max_tokens: int, head_share: float
) -> None:
    tokens = tokenize(texts, tokenizer, max_tokens, head_share)
    assert len(tokens) == len(texts)
    for row, text in enumerate(texts):
        ids = of(tokens, row)
        whole = len(plain_ids(tokenizer, text)) + 2
        assert len(ids) == tokens.lengths[row] == min(whole, max_tokens)
        assert (ids[0], ids[-1]) == (tokenizer.cls_token_id, tokenizer.sep_token_id)
        assert ids == of(tokenize([text], tokenizer, max_tokens, head_share), 0)


def test_more_texts_than_are_tokenized_at_once(tokenizer: PreTrainedTokenizerBase) -> None:
    texts = [f"Фильм {number}" for number in range(1100)]
    tokens = tokenize(texts, tokenizer, 12, 0.5)
    assert [of(tokens, row) for row in (0, 1023, 1024, 1099)] == [
        tokenizer(texts[row])["input_ids"] for row in (0, 1023, 1024, 1099)
    ]


TYPED = "[SEP] [MASK][CLS] Фильм[UNK] [PAD] хороший [SEP]"


def test_special_tokens_typed_in_a_text_are_text(
    tokenizer: PreTrainedTokenizerBase, tmp_path: Path
) -> None:
    plain_ids(tokenizer, TYPED)  # transformers turns its own reading of them on again
    own = set(tokenizer.all_special_ids) - {tokenizer.unk_token_id}
    ways = [
        tokenize([TYPED], tokenizer, 64, 0.5),
        tokenize(["", TYPED] * 600, tokenizer, 64, 0.5).head(2),
        tokenize_cached([TYPED], tokenizer, 64, 0.5, tmp_path),
    ]
    for tokens in ways:
        first, *inner, last = of(tokens, len(tokens) - 1)
        assert (first, last) == (tokenizer.cls_token_id, tokenizer.sep_token_id)
        assert own.isdisjoint(inner)
        assert len(inner) > 3 * 6, "brackets and letters are pieces of their own"


def test_a_published_tokenizer_says_that_special_tokens_are_text(
    tiny_encoder: Path, tmp_path: Path
) -> None:
    load_tokenizer(tiny_encoder).save_pretrained(tmp_path)
    inner = AutoTokenizer.from_pretrained(tmp_path)(TYPED)["input_ids"][1:-1]
    assert inner == of(tokenize([TYPED], load_tokenizer(tiny_encoder), 64, 0.5), 0)[1:-1]


@given(st.lists(st.sampled_from(["[SEP]", "[MASK]", "<s>", "</s>", " ", "кино"]), max_size=9))
def test_nor_do_tokenizers_that_keep_brackets_together_find_them(pieces: list[str]) -> None:
    from tokenizers import Tokenizer, models, pre_tokenizers, processors

    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "<s>", "</s>"]
    words = {word: number for number, word in enumerate([*special, "кино"])}
    whole = Tokenizer(models.WordLevel(words, unk_token="[UNK]"))
    whole.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    whole.add_special_tokens(special)
    whole.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    tokens = tokenize(
        ["".join(pieces)],
        PreTrainedTokenizerFast(tokenizer_object=whole, pad_token="[PAD]"),
        64,
        0.5,
    )
    first, *inner, last = of(tokens, 0)
    assert (first, last) == (2, 3)
    assert {1, 7}.issuperset(inner)


def test_a_cache_from_before_that_rule_is_not_used(
    tokenizer: PreTrainedTokenizerBase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tokenizer_module, "_RULE", "another rule")
    tokenize_cached([TYPED], tokenizer, 64, 0.5, tmp_path)
    monkeypatch.undo()
    kept = tokenize_cached([TYPED], tokenizer, 64, 0.5, tmp_path)
    assert np.array_equal(kept.ids, tokenize([TYPED], tokenizer, 64, 0.5).ids)
    assert len(list((tmp_path / "tokens").iterdir())) == 2


def test_a_batch_is_padded_to_full_slots() -> None:
    starts = np.cumsum([0, 3, 33, 90])
    tokens = Tokens(np.arange(starts[-1], dtype=np.int32), starts, pad_id=9)
    widths = [tokens.batch(np.array(rows))[0].shape for rows in ([0], [1, 0], [2])]
    assert widths == [(1, 32), (2, 64), (1, 90)]  # no text has 96 tokens, nor need the encoder
    input_ids, attention_mask = tokens.batch(np.array([1, 0]))
    assert input_ids[1].tolist() == [0, 1, 2] + [9] * 61
    assert attention_mask.sum(1).tolist() == [33, 3]


def test_a_batch_is_padded_to_the_longest_text_of_all_or_as_told() -> None:
    tokens = Tokens(np.arange(1, 8, dtype=np.int32), np.array([0, 1, 5, 7]), pad_id=9)
    input_ids, attention_mask = tokens.batch(np.array([2, 0]))
    assert input_ids.tolist() == [[6, 7, 9, 9], [1, 9, 9, 9]]
    assert attention_mask.tolist() == [[1, 1, 0, 0], [1, 0, 0, 0]]
    input_ids, attention_mask = tokens.batch(np.array([1]), pad_to=6)
    assert input_ids.tolist() == [[2, 3, 4, 5, 9, 9]]
    assert attention_mask.tolist() == [[1, 1, 1, 1, 0, 0]]
    head = tokens.head(2)
    assert (len(head), head.ids.tolist(), head.starts.tolist()) == (2, [1, 2, 3, 4, 5], [0, 1, 5])


@given(
    st.lists(st.integers(2, 512), min_size=1, max_size=300),
    st.integers(1, 40),
    st.integers(0, 2**32),
    st.booleans(),
)
def test_batches_hold_every_row_once(
    lengths: list[int], size: int, seed: int, like_length: bool
) -> None:
    array = np.array(lengths, dtype=np.int64)
    shuffled = shuffled_batches(array, size, np.random.default_rng(seed), like_length=like_length)
    again = shuffled_batches(array, size, np.random.default_rng(seed), like_length=like_length)
    assert sorted(row for batch in shuffled for row in batch.tolist()) == [*range(len(array))]
    whole, rest = divmod(len(array), size)
    assert sorted(map(len, shuffled)) == sorted([size] * whole + [rest] * (rest > 0))
    assert [batch.tolist() for batch in shuffled] == [batch.tolist() for batch in again]


@given(st.lists(st.integers(2, 512), min_size=1, max_size=300), st.integers(1, 2000))
def test_sorted_batches_are_as_large_as_their_tokens_allow(lengths: list[int], most: int) -> None:
    array = np.array(lengths, dtype=np.int64)
    batches = list(sorted_batches(array, most))
    assert sorted(row for batch, _ in batches for row in batch.tolist()) == [*range(len(array))]
    longest_first = [length for batch, _ in batches for length in array[batch].tolist()]
    assert longest_first == sorted(lengths, reverse=True)
    for number, (batch, width) in enumerate(batches):
        assert array[batch].max() <= width <= max(lengths)
        assert width % 128 == 0 or width == max(lengths)
        full = slot(width, 128)
        assert len(batch) == 1 or len(batch) * full <= most
        assert number + 1 == len(batches) or (len(batch) + 1) * full > most


def test_like_lengths_spare_padding_and_epochs_see_other_batches() -> None:
    lengths = np.random.default_rng(0).integers(2, 257, size=2000)

    def batches(seed: int, like_length: bool) -> list[list[int]]:
        rng = np.random.default_rng(seed)
        rows = shuffled_batches(lengths, 16, rng, like_length=like_length)
        return [batch.tolist() for batch in rows]

    def computed(epoch: list[list[int]]) -> int:
        return sum(int(lengths[batch].max()) * len(batch) for batch in epoch)

    assert computed(batches(0, True)) < 1.03 * lengths.sum()
    assert computed(batches(0, False)) > 1.5 * lengths.sum()
    first, second = ({frozenset(batch) for batch in batches(seed, True)} for seed in (0, 1))
    assert len(first & second) < 5
    widths = [lengths[batch].max() for batch in batches(0, True)]
    assert abs(np.corrcoef(widths, np.arange(len(widths)))[0, 1]) < 0.3  # not from short to long


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many texts each call of `tokenize` was for."""
    counted: list[int] = []

    def counting(texts: list[str], *rest: Any) -> Tokens:
        counted.append(len(texts))
        return tokenize(texts, *rest)

    monkeypatch.setattr(tokenizer_module, "tokenize", counting)
    return counted


def test_the_cache_gives_the_same_tokens(
    tokenizer: PreTrainedTokenizerBase, tmp_path: Path, calls: list[int]
) -> None:
    fresh = tokenize(TEXTS, tokenizer, 12, 0.5)
    for _ in range(3):
        kept = tokenize_cached(TEXTS, tokenizer, 12, 0.5, tmp_path)
        assert np.array_equal(kept.ids, fresh.ids)
        assert np.array_equal(kept.starts, fresh.starts)
        assert (kept.pad_id, kept.ids.dtype) == (fresh.pad_id, fresh.ids.dtype)
    assert calls == [4]
    assert len(list(tmp_path.rglob("*.*"))) == 1


@pytest.mark.parametrize(
    "damage",
    [
        lambda whole: b"",
        lambda whole: whole[:5],
        lambda whole: whole[: len(whole) // 2],
        lambda whole: whole[:-1],
        lambda whole: b"not a safetensors file at all",
        lambda whole: bytes(len(whole)),
    ],
    ids=["empty", "5 bytes", "half", "all but one byte", "another format", "zeros"],
)
def test_a_damaged_cache_is_computed_again(
    tokenizer: PreTrainedTokenizerBase,
    tmp_path: Path,
    calls: list[int],
    damage: Callable[[bytes], bytes],
) -> None:
    fresh = tokenize_cached(TEXTS, tokenizer, 12, 0.5, tmp_path)
    (file,) = (tmp_path / "tokens").iterdir()
    whole = file.read_bytes()
    file.write_bytes(damage(whole))
    mended = tokenize_cached(TEXTS, tokenizer, 12, 0.5, tmp_path)
    assert np.array_equal(mended.ids, fresh.ids)
    assert np.array_equal(mended.starts, fresh.starts)
    assert len(calls) == 2
    assert file.read_bytes() == whole


def test_whatever_changes_the_tokens_has_a_cache_entry_of_its_own(
    tiny_encoder: Path, tokenizer: PreTrainedTokenizerBase, tmp_path: Path, calls: list[int]
) -> None:
    lowercase = BertTokenizer.from_pretrained(tiny_encoder, do_lower_case=True)
    asked: list[tuple[list[str], PreTrainedTokenizerBase, int, float]] = [
        (TEXTS, tokenizer, 12, 0.5),
        (TEXTS, tokenizer, 13, 0.5),
        (TEXTS, tokenizer, 12, 0.25),
        (TEXTS, lowercase, 12, 0.5),
        (TEXTS[::-1], tokenizer, 12, 0.5),
        (TEXTS[:3], tokenizer, 12, 0.5),
        (["ab", "c"], tokenizer, 12, 0.5),
        (["a", "bc"], tokenizer, 12, 0.5),
        (["a\0", "b"], tokenizer, 12, 0.5),
        (["a", "\0b"], tokenizer, 12, 0.5),
    ]
    for texts, own_tokenizer, max_tokens, head_share in asked * 2:
        kept = tokenize_cached(texts, own_tokenizer, max_tokens, head_share, tmp_path)
        fresh = tokenize(texts, own_tokenizer, max_tokens, head_share)
        assert np.array_equal(kept.ids, fresh.ids)
        assert np.array_equal(kept.starts, fresh.starts)
    assert len(calls) == len(asked)


def test_rows_become_token_ids_and_labels(
    tokenizer: PreTrainedTokenizerBase, tmp_path: Path
) -> None:
    rows = Dataset.from_dict({"text": TEXTS, "sentiment": [2, 1, 0, 0], "rating": [9, None, 0, 5]})
    rows = rows.add_column("weight", [1.0, 2.0, 1.0, 1.0])
    recipe = replace(DEFAULT, max_tokens=12, head_share=0.25)
    part = Part.of_rows(rows, tokenizer, recipe, tmp_path)
    assert part.labels.sentiment.tolist() == [2, 1, 0, 0]
    assert part.labels.rating.tolist() == [9, NO_RATING, 0, 5]
    assert part.labels.sentiment.dtype == part.labels.rating.dtype == np.int64
    fresh = tokenize(TEXTS, tokenizer, 12, 0.25)
    assert np.array_equal(part.tokens.ids, fresh.ids)
    head = part.head(2)
    assert (len(head.tokens), head.labels.rating.tolist()) == (2, [9, NO_RATING])
