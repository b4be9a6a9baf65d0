"""Fast answers from a trained model.

- predictor: both models on texts; packed_config: their settings, and whether weights fit to them
- model: what each model does; plain_model: by transformers' own code, whatever the encoder is
- packed_model, packed_attention: the same numbers without padding, for a BERT
- bulk, bulk_source, bulk_target, partial_file: a file of reviews, predicted row by row

Imports modeling and what is below it.
"""
