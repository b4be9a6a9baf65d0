import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoModel

from classifier.data.tokens import Tokens
from classifier.modeling.attention import CPU_BFLOAT16_ATTENTION
from classifier.modeling.classifier import PoolingClassifier
from classifier.modeling.modeling_kinorate import KinorateConfig
from classifier.modeling.pooling import POOLINGS
from classifier.training.recipe import NOTEBOOK, Recipe
from tests.tiny import predict_tokens

NewModel = Callable[..., PoolingClassifier]


def heads(model: PoolingClassifier) -> dict[str, torch.Tensor]:
    return {name: value for name, value in model.state_dict().items() if "_head." in name}


@pytest.fixture
def finished(tiny_model: NewModel) -> PoolingClassifier:
    """A model as it is after a training that made use of every setting."""
    recipe = Recipe(max_tokens=64, head_share=0.25)
    model = tiny_model("mean", recipe)
    model.encoder.set_attn_implementation(CPU_BFLOAT16_ATTENTION)
    model.encoder.embeddings.word_embeddings.sparse = True
    model.config.keep_ratings = True
    model.config.temperature = 1.625
    return model.eval()  # type: ignore[no-any-return]


def test_both_poolings_of_a_seed_start_from_the_same_weights(tiny_model: NewModel) -> None:
    torch.manual_seed(1)
    cls = tiny_model("cls", seed=5)
    torch.manual_seed(2)  # what was drawn before does not matter
    mean = tiny_model("mean", seed=5)
    assert (cls.config.pooling, mean.config.pooling) == ("cls", "mean")
    weights = mean.state_dict()
    assert cls.state_dict().keys() == weights.keys()
    assert all(torch.equal(value, weights[name]) for name, value in cls.state_dict().items())


def test_the_seed_decides_the_heads_and_the_heads_alone(
    tiny_encoder: Path, tiny_model: NewModel
) -> None:
    one, other = tiny_model(seed=0), tiny_model(seed=1)
    assert len(heads(one)) == 4
    for name, value in heads(one).items():
        assert not torch.equal(value, heads(other)[name])
        assert value.abs().max() <= 32**-0.5  # nn.Linear's own bound: 1 / sqrt(hidden)
    encoder = AutoModel.from_pretrained(tiny_encoder, add_pooling_layer=False).state_dict()
    for model in (one, other):
        weights = model.encoder.state_dict()
        assert weights.keys() == encoder.keys()
        assert all(torch.equal(weights[name], value) for name, value in encoder.items())


def test_the_heads_stand_on_the_pooled_vector(tiny_model: NewModel, ragged: Tokens) -> None:
    input_ids, attention_mask = ragged.batch(np.arange(5))
    for pooling in POOLINGS:
        model = tiny_model(pooling).eval()
        with torch.no_grad():
            output = model(input_ids, attention_mask)
            hidden = model.encoder(input_ids, attention_mask).last_hidden_state
            pooled = model.pooled(hidden, attention_mask)
            sentiment = pooled @ model.sentiment_head.weight.T + model.sentiment_head.bias
            assert model.rating_head is not None
            rating = pooled @ model.rating_head.weight.T + model.rating_head.bias
        torch.testing.assert_close(output.sentiment_logits, sentiment)
        torch.testing.assert_close(output.rating_logits, rating)
        assert (output.sentiment_logits.shape, output.rating_logits.shape) == ((5, 3), (5, 11))


def test_attention_dropout_is_the_encoders_in_the_notebook_recipe_alone(
    tiny_model: NewModel,
) -> None:
    assert tiny_model().config.encoder.attention_probs_dropout_prob == 0.0
    assert tiny_model(recipe=NOTEBOOK).config.encoder.attention_probs_dropout_prob == 0.1
    assert tiny_model().config.encoder.hidden_dropout_prob == 0.1


def test_saved_and_loaded_it_gives_the_same_logits(
    finished: PoolingClassifier, ragged: Tokens, tmp_path: Path
) -> None:
    finished.save_pretrained(tmp_path)
    assert {file.name for file in tmp_path.iterdir()} == {"config.json", "model.safetensors"}
    loaded = PoolingClassifier.from_pretrained(tmp_path)
    mine = predict_tokens(finished, ragged, torch.float32)
    loaded.encoder.set_attn_implementation(CPU_BFLOAT16_ATTENTION)
    theirs = predict_tokens(loaded, ragged, torch.float32)
    assert mine.rating_logits is not None
    assert theirs.rating_logits is not None
    assert np.array_equal(mine.sentiment_logits, theirs.sentiment_logits)
    assert np.array_equal(mine.rating_logits, theirs.rating_logits)


def test_the_config_knows_all_about_the_classifier(
    finished: PoolingClassifier, tiny_model: NewModel, tmp_path: Path
) -> None:
    finished.save_pretrained(tmp_path)
    config = KinorateConfig.from_pretrained(tmp_path)
    assert config.pooling == "mean"
    assert config.rating_head is True
    assert config.max_tokens == 64
    assert config.head_share == 0.25
    assert config.keep_ratings is True
    assert config.temperature == 1.625
    written = json.loads((tmp_path / "config.json").read_text())
    assert (written["model_type"], written["encoder"]["model_type"]) == ("kinorate", "bert")
    assert CPU_BFLOAT16_ATTENTION not in str(written)  # which other programs don't know

    tiny_model("cls", replace(NOTEBOOK, max_tokens=64)).save_pretrained(tmp_path / "one")
    one_head = PoolingClassifier.from_pretrained(tmp_path / "one")
    assert one_head.rating_head is None
    assert (one_head.config.pooling, one_head.config.rating_head) == ("cls", False)
