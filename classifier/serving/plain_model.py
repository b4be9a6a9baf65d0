"""A trained classifier that only predicts, whatever its encoder is: by transformers' own code.

`packed_model` is faster, and for a BERT alone. Here the texts of a batch are padded to the longest.
"""

import copy
from pathlib import Path
from typing import Self

import numpy as np
import torch
from torch import nn

from classifier.data.tokens import Tokens
from classifier.modeling.classifier import PoolingClassifier
from classifier.modeling.device import compute_dtype
from classifier.modeling.loading import load_classifier
from classifier.modeling.outputs import Outputs
from classifier.serving.model import Model
from classifier.serving.packed_config import ServedConfig


class PlainModel(Model):
    """One encoder, its pooling and its heads, on one device."""

    @classmethod
    def load(cls, folder: Path, device: torch.device, dtype: torch.dtype) -> Self:
        """The model in `folder`, to compute in `dtype`; raises ClassifierError."""
        config = ServedConfig.read(folder)
        model = load_classifier(folder)
        model.to(device)  # type: ignore[arg-type]
        return cls(config, model, dtype)

    @classmethod
    def of(cls, model: PoolingClassifier) -> Self:
        """A copy of a trained model, as `load` will give it once it is saved."""
        config = ServedConfig.of(model.config.to_dict(), Path(str(model.name_or_path)))
        return cls(config, copy.deepcopy(model), compute_dtype(model.device))

    def __init__(self, config: ServedConfig, model: PoolingClassifier, dtype: torch.dtype) -> None:
        """`model` is changed: the weights of the encoder's linear layers are kept in `dtype`."""
        self.config = config
        self._model, self._dtype = model.eval(), dtype
        for module in model.encoder.modules():
            if type(module) is nn.Linear:  # else autocast would convert them anew for each batch
                module.to(dtype)

    @torch.inference_mode()
    def predict_batch(self, tokens: Tokens, rows: range) -> Outputs:
        device, dtype = self._model.device, self._dtype
        ids, mask = (part.to(device) for part in tokens.batch(np.asarray(rows, dtype=np.int64)))
        with torch.autocast(device.type, dtype, enabled=dtype != torch.float32):
            pooled = self._model.pooled(self._model.encoded(ids, mask), mask)
        sentiment = self._model.sentiment_head(pooled.float()).cpu().numpy()
        if self._model.rating_head is None:
            return Outputs(sentiment, None)
        return Outputs(sentiment, self._model.rating_head(pooled.float()).cpu().numpy())
