"""Fast answers from a trained model.

- predictor: both models on texts; packed_config: their settings, and whether weights fit to them
- packed_model, packed_attention: the same numbers without padding
- bulk, bulk_source, partial_file: a file of reviews, predicted row by row

Imports modeling and what is below it.
"""
