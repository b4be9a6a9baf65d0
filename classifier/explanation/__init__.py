"""Why a model answers as it does: what its answer would be without a sentence of the review.

- units: a review cut into sentences or words
- reasons: how far each of them pulls each model's answer
- quoting: a review's words in one line

Imports labels alone; whoever calls predicts the variants.
"""
