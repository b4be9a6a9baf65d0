"""The work: from rows to a published version.

- recipe: the settings; loop, loss, optimization, augmentation: one training
- masked_words, adaptation: the encoder, adapted to the reviews first
- both_poolings, experiment: CLS and mean under one seed, for one seed or several
- budget, checkpoint, distributed, console: time, interruptions, processes, what is printed
- publishing, retraining: a version on disk, and a challenger against the champion

Imports everything but commands.
"""
