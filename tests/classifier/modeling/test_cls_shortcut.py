"""The shortcut to the [CLS] token's output is the whole computation's first token."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor

from classifier.data.tokens import Tokens
from classifier.modeling.classifier import PoolingClassifier
from classifier.modeling.cls_shortcut import cls_output
from classifier.training.recipe import NOTEBOOK

NewModel = Callable[..., PoolingClassifier]


def output_and_gradients(
    model: PoolingClassifier, tokens: Tokens, *, shortcut: bool
) -> tuple[Tensor, dict[str, Tensor]]:
    """Of the first token, `[batch, hidden]`, and what it teaches each parameter of the encoder."""
    model.zero_grad()
    batch = tokens.batch(np.arange(len(tokens)))
    if shortcut:
        output = cls_output(model.encoder, *batch)[:, 0]
    else:
        output = model.encoder(*batch).last_hidden_state[:, 0]
    upstream = torch.randn(output.shape, generator=torch.Generator().manual_seed(1))
    output.backward(upstream)
    gradients = {
        n: p.grad.clone() for n, p in model.encoder.named_parameters() if p.grad is not None
    }
    return output.detach(), gradients


def test_output_and_every_gradient_are_the_same(tiny_model: NewModel, ragged: Tokens) -> None:
    model = tiny_model("cls").eval()
    with torch.no_grad():  # as drawn, the biases are zero
        for name, parameter in model.encoder.named_parameters():
            if name.endswith("bias"):
                parameter.normal_(std=0.3, generator=torch.Generator().manual_seed(len(name)))
    wanted, wanted_gradients = output_and_gradients(model, ragged, shortcut=False)
    output, gradients = output_and_gradients(model, ragged, shortcut=True)
    torch.testing.assert_close(output, wanted, rtol=1e-4, atol=1e-5)
    assert (
        gradients.keys() == wanted_gradients.keys() == dict(model.encoder.named_parameters()).keys()
    )
    for name, gradient in gradients.items():
        largest = max(wanted_gradients[name].abs().max().item(), 1e-3)
        assert (gradient - wanted_gradients[name]).abs().max() < 1e-4 * largest + 1e-5, name


@pytest.mark.parametrize("pooling", ["cls", "mean"])
def test_the_notebook_s_model_and_mean_pooling_take_the_long_way(
    tiny_model: NewModel, pooling: str, ragged: Tokens, monkeypatch: pytest.MonkeyPatch
) -> None:
    shortcuts: list[object] = []

    def note(bert: object, *batch: Tensor) -> Tensor:
        shortcuts.append(bert)
        return cls_output(bert, *batch)  # type: ignore[arg-type]

    monkeypatch.setattr("classifier.modeling.classifier.cls_output", note)
    batch = ragged.batch(np.arange(3))
    notebook = tiny_model(pooling, NOTEBOOK)
    notebook(*batch)
    assert not shortcuts
    ours = tiny_model(pooling)
    ours(*batch)
    assert shortcuts == ([ours.encoder] if pooling == "cls" else [])
