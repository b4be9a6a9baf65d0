"""What answers: the encoder, one pooling, two heads.

- encoders, stand_in, families: where the encoder comes from, and what can be one
- modeling_kinorate: CLS or masked mean, the linear heads and the tokenizer, in the one file of
  code that goes into every model's folder; pooling: the names alone
- classifier, loading, saving: the model in training, from a folder, into a folder
- attention, cls_shortcut, device: the same numbers, faster
- outputs, temperature: logits, labels and probabilities of many reviews

Imports data and what is below it.
"""
