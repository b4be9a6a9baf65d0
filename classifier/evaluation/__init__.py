"""Which model is better.

- metrics, calibration: how right a model is, and how far its confidence can be trusted
- resampling: bootstrap intervals and paired tests, for rows offline and for users live
- comparison: whether a difference is more than chance; version_scores: a version on any rows
- figures: what poolings and metrics are called, and how figures are written
- faithfulness: whether the reasons that are given for an answer are true
- judging_sentences: the same for made-up texts in which it is known what decides
- label_errors: which labels are likely wrong
- gate, limits: whether a challenger becomes champion; drift: whether live reviews are still alike

Imports registry and what is below it.
"""
