"""From texts to predictions: the queue before the models, and the models that answer now."""
