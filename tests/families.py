"""Encoders of several families, so small that a test can afford them: 2 layers of 32."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers
from transformers import (
    DebertaV2Config,
    DistilBertConfig,
    ElectraConfig,
    GPT2Config,
    ModernBertConfig,
    PreTrainedConfig,
    PreTrainedTokenizerFast,
    RobertaConfig,
    T5Config,
    XLMRobertaConfig,
)

from classifier.modeling.modeling_kinorate import auto_model, without_pooler
from tests import tiny

_SIZE: dict[str, Any] = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 64,
    "initializer_range": 0.2,
}
_POSITIONS = 128
_BERTS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
_ROBERTAS = ("<s>", "<pad>", "</s>", "<unk>", "<mask>")

Make = Callable[[int], PreTrainedConfig]  # from the number of words


def _plain(kind: type[PreTrainedConfig], **more: Any) -> Make:
    settings = {**_SIZE, "max_position_embeddings": _POSITIONS, "pad_token_id": 0, **more}
    return lambda words: kind(**{**settings, "vocab_size": words})


FAMILIES: dict[str, tuple[Make, str, tuple[str, ...]]] = {
    # Two positions more than texts have, and padding is number 1.
    "roberta": (
        _plain(RobertaConfig, max_position_embeddings=_POSITIONS + 2, pad_token_id=1),
        "bytes",
        _ROBERTAS,
    ),
    "xlm-roberta": (
        _plain(XLMRobertaConfig, max_position_embeddings=_POSITIONS + 2, pad_token_id=1),
        "unigram",
        _ROBERTAS,
    ),
    "modernbert": (
        _plain(ModernBertConfig, cls_token_id=2, sep_token_id=3, bos_token_id=2, eos_token_id=3),
        "bytes",
        _BERTS,
    ),
    "distilbert": (
        lambda words: DistilBertConfig(
            vocab_size=words,
            dim=32,
            n_layers=2,
            n_heads=4,
            hidden_dim=64,
            initializer_range=0.2,
            max_position_embeddings=_POSITIONS,
        ),
        "pieces",
        _BERTS,
    ),
    "electra": (_plain(ElectraConfig, embedding_size=16), "pieces", _BERTS),
    "deberta-v2": (
        _plain(DebertaV2Config, relative_attention=True, pos_att_type=["p2c", "c2p"]),
        "unigram",
        _BERTS,
    ),
    # No token before a text, and none that hides a word.
    "t5": (
        lambda words: T5Config(
            vocab_size=words, d_model=32, d_kv=8, d_ff=64, num_layers=2, num_heads=4
        ),
        "unigram",
        ("<pad>", "</s>", "<unk>"),
    ),
    "gpt2": (
        lambda words: GPT2Config(
            vocab_size=words, n_embd=32, n_layer=2, n_head=4, n_positions=_POSITIONS
        ),
        "bytes",
        ("<|endoftext|>",),
    ),
}
"""Its configuration, its tokenizer's kind, and the special tokens in the order of their ids."""


def write_encoder(folder: Path, family: str) -> Path:
    """A folder with an encoder of the family, random weights, and its tokenizer."""
    make, kind, special = FAMILIES[family]
    tokenizer = _tokenizer(kind, special)
    tokenizer.save_pretrained(folder)
    config = make(len(tokenizer))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        auto_model(config).from_config(config, **without_pooler(config)).save_pretrained(folder)
    return folder


def _tokenizer(kind: str, special: tuple[str, ...]) -> PreTrainedTokenizerFast:
    texts = [row["content"] for row in tiny.make_rows(300, seed=100)]
    unknown = next((token for token in special if "unk" in token.lower()), None)
    common: dict[str, Any] = {"vocab_size": 600, "special_tokens": list(special)}
    common["show_progress"] = False
    if kind == "pieces":
        trained = Tokenizer(models.WordPiece(unk_token=unknown))
        trained.normalizer = normalizers.BertNormalizer(lowercase=False)
        trained.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
        trained.train_from_iterator(texts, trainers.WordPieceTrainer(**common))
    elif kind == "unigram":
        trained = Tokenizer(models.Unigram())
        trained.pre_tokenizer = pre_tokenizers.Metaspace()
        trained.train_from_iterator(texts, trainers.UnigramTrainer(unk_token=unknown, **common))
    else:
        trained = Tokenizer(models.BPE(unk_token=unknown))
        trained.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        trained.train_from_iterator(texts, trainers.BpeTrainer(**common))
    names = {"[CLS]": "cls_token", "<s>": "cls_token", "[SEP]": "sep_token"}
    names |= {"[MASK]": "mask_token", "<mask>": "mask_token", "[PAD]": "pad_token"}
    names |= {"<pad>": "pad_token", "[UNK]": "unk_token", "<unk>": "unk_token"}
    if template := _template(trained, special):
        trained.post_processor = template
    return PreTrainedTokenizerFast(
        tokenizer_object=trained,
        model_max_length=_POSITIONS,
        **{names[token]: token for token in special if token in names},
    )


def _template(trained: Tokenizer, special: tuple[str, ...]) -> processors.TemplateProcessing | None:
    first = next((token for token in ("[CLS]", "<s>") if token in special), None)
    last = next((token for token in ("[SEP]", "</s>") if token in special), None)
    around = [token for token in (first, last) if token]
    if not around:
        return None
    single = " ".join(token for token in (first, "$A", last) if token)
    return processors.TemplateProcessing(
        single=single, special_tokens=[(token, trained.token_to_id(token)) for token in around]
    )
