"""How updates come in and none is lost: the inbox, its transactions, polling.

Knows nothing of reviews.
"""
