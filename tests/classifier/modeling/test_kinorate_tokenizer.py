"""The tokenizer in a model's folder: the tokens are those of `predict`."""

import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from transformers import AutoTokenizer

from classifier.data.tokenizer import FastTokenizer
from tests.classifier.modeling.saved_models import TEXTS

pytestmark = pytest.mark.usefixtures("code_cache")


@pytest.fixture
def tokenizers(version: Path) -> tuple[Any, FastTokenizer]:
    folder = version / "cls"
    return AutoTokenizer.from_pretrained(folder, trust_remote_code=True), FastTokenizer(folder)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.text()
        | st.lists(st.sampled_from(["[CLS]", "[SEP]", "[PAD]", " ", "фильм", "хорош", "."])).map(
            "".join
        )
        | st.integers(40, 400).map(lambda times: "фильм " * times + "[SEP] хорош"),
        min_size=1,
        max_size=4,
    )
)
def test_the_tokens_are_those_of_predict(
    tokenizers: tuple[Any, FastTokenizer], texts: list[str]
) -> None:
    theirs, ours = tokenizers
    wanted = ours.tokens(texts, 64, 0.5)
    found = theirs(texts)
    assert found["input_ids"] == [
        wanted.ids[wanted.starts[row] : wanted.starts[row + 1]].tolist()
        for row in range(len(texts))
    ]
    assert [sum(mask) for mask in found["attention_mask"]] == wanted.lengths.tolist()
    assert theirs(texts[0]) == {name: values[0] for name, values in found.items()}


def test_the_tokenizer_pads_and_cuts_as_it_is_asked(version: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(version / "cls", trust_remote_code=True)
    assert tokenizer(TEXTS, padding="max_length", return_tensors="pt")["input_ids"].shape == (5, 64)
    assert tokenizer(TEXTS[2], truncation=True, max_length=16, return_tensors="pt")[
        "input_ids"
    ].shape == (1, 16)
    assert tokenizer(TEXTS[:1], padding=True, pad_to_multiple_of=32)["attention_mask"][0][-1] == 0
    one = tokenizer(TEXTS[0], padding=True, pad_to_multiple_of=32)
    assert (len(one["input_ids"]), one["attention_mask"][-1]) == (32, 0)
    assert tokenizer([])["input_ids"] == []
    assert len(tokenizer(TEXTS[0], max_length=1)["input_ids"]) == 2  # [CLS] and [SEP] stay
    with pytest.raises(ValueError, match="no text_pair"):
        tokenizer("Один.", text_pair="Другой.")


def test_the_tokenizer_without_trust_knows_all_but_the_end_of_long_texts(
    version: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    trusted = AutoTokenizer.from_pretrained(version / "cls", trust_remote_code=True)
    plain = AutoTokenizer.from_pretrained(version / "cls")
    assert type(plain).__name__ == "BertTokenizer"
    assert plain(TEXTS[3]).data == trusted(TEXTS[3]).data
    cut = plain(TEXTS[2], truncation=True)["input_ids"]
    assert len(cut) == 64
    assert cut != trusted(TEXTS[2])["input_ids"]
