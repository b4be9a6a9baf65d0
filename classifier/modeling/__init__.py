"""What answers: the encoder, one pooling, two heads.

- encoders, stand_in: where the encoder comes from
- pooling, classifier: CLS or masked mean, and the linear heads
- attention, cls_shortcut, device: the same numbers, faster
- outputs: logits and labels of many reviews

Imports data and what is below it.
"""
