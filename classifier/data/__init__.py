"""What comes in: reviews from a file or the hub, cleaned, split and cut into tokens.

- readers, hub, hub_files, hub_watch, hub_reviews: where rows come from
- reviews: the usable rows of a source
- cleaning, duplicates: what is kept; written_ratings, rating_patterns: ratings in the text
- splits, holdout: what is trained on and what is judged by; mixing: more reviews out of few
- tokenizer, tokens: token ids, cut and cached; batches

Imports errors, labels and files alone.
"""
