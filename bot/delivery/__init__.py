"""How updates come in and none is lost: the inbox, its transactions, polling and the webhook.

Knows nothing of reviews.
"""
