"""What comes in: reviews from a file or the hub, cleaned, split and cut into tokens.

- readers, csv_rows, parquet_rows, text_lines, decoding: the rows of a file; schema: its columns
- hub, hub_files, hub_watch, hub_reviews: files of the hub
- reviews: the usable rows of a source
- cleaning, duplicates, garbling: what is kept; grades: labels and ratings
- written_ratings, rating_patterns, unicode_form: ratings in the text
- splits, holdout: what is trained on and what is judged by; mixing: more reviews out of few
- tokenizer, tokens: token ids, cut and cached; batches

Imports errors, labels and files alone.
"""
