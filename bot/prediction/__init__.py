"""Texts to predictions, off the event loop: the queue before the models, and the live models."""
