"""How updates come in and none is lost: the inbox, its transactions, polling and the webhook;
and how calls go out: the requests, their route, and each chat's turn.

Knows nothing of reviews.
"""
