"""Which encoders are taken: of any family that reads both ways, and no others, in one sentence."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from transformers import (
    AutoModel,
    BartConfig,
    BertConfig,
    FNetConfig,
    PreTrainedConfig,
    ViTConfig,
)

from classifier.data.tokenizer import load_tokenizer, stands_for_cls, tokenize
from classifier.errors import ClassifierError
from classifier.modeling.encoders import find_encoder
from classifier.modeling.families import UnsuitableError

EncoderOf = Callable[[str], Path]

# Of each family how many tokens it reads at once, and what stands before a text.
TAKEN = {
    "roberta": (128, "<s>"),
    "xlm-roberta": (128, "<s>"),
    "modernbert": (128, "[CLS]"),
    "distilbert": (128, "[CLS]"),
    "electra": (128, "[CLS]"),
    "deberta-v2": (128, "[CLS]"),
    "t5": (None, None),
}


@pytest.mark.parametrize("family", TAKEN)
def test_what_an_encoder_of_a_family_reads(
    family: str, encoder_of: EncoderOf, tmp_path: Path
) -> None:
    found = find_encoder(str(encoder_of(family)), tmp_path)
    tokenizer = load_tokenizer(found.folder)
    assert (found.positions, stands_for_cls(tokenizer)) == TAKEN[family]
    assert f"It is no BERT ({family})" in found.ways()


@pytest.mark.parametrize("family", TAKEN)
def test_a_cut_text_keeps_what_stands_around_it(family: str, encoder_of: EncoderOf) -> None:
    tokenizer = load_tokenizer(encoder_of(family))
    long = "Режиссёр снимал это 30 месяцев, а финал получился скучный. " * 5
    whole, cut = (tokenize([long, ""], tokenizer, most, 0.5) for most in (1000, 20))
    assert list(cut.lengths) == [20, cut.before + cut.after]
    text, full = cut.ids[:20], whole.ids[: whole.starts[1]]
    room = 20 - cut.before - cut.after
    begun, ended = cut.before + round(room / 2), cut.after + room - round(room / 2)
    assert np.array_equal(text[:begun], full[:begun])
    assert np.array_equal(text[-ended:], full[-ended:])


def test_a_text_of_nothing_is_read_where_there_are_no_special_tokens(
    encoder_of: EncoderOf,
) -> None:
    tokens = tokenize(["", "фильм"], load_tokenizer(encoder_of("gpt2")), 8, 0.5)
    assert (tokens.before, tokens.after, tokens.lengths[0]) == (0, 0, 1)


def as_encoder(folder: Path, config: PreTrainedConfig, tokenizer: Path) -> Path:
    shutil.copytree(tokenizer, folder)
    AutoModel.from_config(config).save_pretrained(folder)
    return folder


def refused(folder: Path, cache: Path) -> str:
    with pytest.raises(UnsuitableError) as raised:
        find_encoder(str(folder), cache)
    said = str(raised.value)
    assert "\n" not in said
    assert len(said) < 500
    return said


SIZE: dict[str, Any] = {
    "hidden_size": 32,
    "num_hidden_layers": 1,
    "intermediate_size": 32,
    "vocab_size": 1500,
}
UNSUITABLE = {
    "a decoder among BERTs": (
        BertConfig(**SIZE, num_attention_heads=4, is_decoder=True),
        "a bert reads from left to right",
    ),
    "an encoder with a decoder": (
        BartConfig(
            vocab_size=1500, d_model=32, encoder_layers=1, decoder_layers=1, encoder_ffn_dim=32
        ),
        "an encoder with a decoder (bart)",
    ),
    "one that knows no padding": (FNetConfig(**SIZE), "in a fnet padding changes the vectors"),
    "one of pictures": (
        ViTConfig(hidden_size=32, num_hidden_layers=1, num_attention_heads=4, image_size=32),
        "a vit has no vocabulary",
    ),
}


@pytest.mark.parametrize("name", UNSUITABLE)
def test_what_can_t_be_pooled_is_one_sentence(
    name: str, tiny_encoder: Path, tmp_path: Path
) -> None:
    config, why = UNSUITABLE[name]
    assert why in refused(as_encoder(tmp_path / "encoder", config, tiny_encoder), tmp_path)


def test_what_reads_from_left_to_right_is_refused_before_it_is_loaded(
    encoder_of: EncoderOf, tmp_path: Path
) -> None:
    folder = shutil.copytree(encoder_of("gpt2"), tmp_path / "encoder")
    (folder / "model.safetensors").write_bytes(b"never read")
    assert "a gpt2 reads from left to right" in refused(folder, tmp_path)


def test_an_encoder_with_code_of_its_own_is_not_taken(tiny_encoder: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(tiny_encoder, tmp_path / "encoder")
    own = {"model_type": "own", "auto_map": {"AutoConfig": "own.Config", "AutoModel": "own.Model"}}
    (folder / "config.json").write_text(json.dumps(own))
    (folder / "own.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\nclass Config: ...\n")
    assert "needs code of its own (auto_map), which is never run" in refused(folder, tmp_path)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("config", [{"model_type": "nobodys"}, {"hidden_size": 32}])
def test_an_unknown_family_is_said(
    config: dict[str, object], tiny_encoder: Path, tmp_path: Path
) -> None:
    folder = shutil.copytree(tiny_encoder, tmp_path / "encoder")
    (folder / "config.json").write_text(json.dumps(config))
    assert "no encoder that this transformers knows" in refused(folder, tmp_path)


def test_a_slow_tokenizer_is_refused(tiny_encoder: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(tiny_encoder, tmp_path / "encoder")
    for file in folder.glob("*token*"):
        file.unlink()
    (folder / "vocab.json").write_text(json.dumps({"<unk>": 0, "фильм</w>": 1}))
    (folder / "merges.txt").write_text("#version: 0.2\nф и\n")
    (folder / "tokenizer_config.json").write_text('{"tokenizer_class": "CTRLTokenizer"}')
    with pytest.raises(ClassifierError, match=r"has a slow tokenizer alone \(CTRLTokenizer\)"):
        load_tokenizer(folder)
