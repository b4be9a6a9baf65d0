"""The work: from rows to a published version.

- recipe, settings: what a training and an experiment are to be; parts: rows as tokens and labels
- loop, loss, optimization, augmentation, dropout: one training
- both_poolings, experiment: CLS and mean with one seed, and with several
- budget, checkpoint, distributed, console: time, interruptions, processes, what is printed
- linear, out_of_fold: labels judged by models that did not learn from them
- publishing, additional_rows, retraining: a version on disk, and a challenger to the champion

Imports everything but commands.
"""
