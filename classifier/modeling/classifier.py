"""The classifier in training: encoder → pooling → one linear layer a head."""

import torch
from torch import Tensor

from classifier.modeling.cls_shortcut import cls_output
from classifier.modeling.families import is_bert
from classifier.modeling.modeling_kinorate import KinorateForSequenceClassification


class PoolingClassifier(KinorateForSequenceClassification):
    """The model that a version holds, by a shorter way to the [CLS] token of a BERT."""

    def encoded(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """The tokens' vectors, `[batch, tokens, hidden]`; by the shortcut [CLS]'s alone."""
        shortcut = is_bert(self.encoder) and self.encoder.config.attention_probs_dropout_prob == 0
        if self.config.pooling == "cls" and shortcut:
            return cls_output(self.encoder, input_ids, attention_mask)
        return super().encoded(input_ids, attention_mask)


@torch.no_grad()
def reset_heads(model: PoolingClassifier) -> None:
    """Draw the heads anew as `nn.Linear` does, from torch's current seed."""
    for head in (model.sentiment_head, model.rating_head):
        if head is not None:
            head.reset_parameters()
