"""How updates come in and none is lost: polling and the webhook, the inbox that processes share,
the lease under which they claim from it, the processor; and how calls go out: the requests, their
route, and each chat's turn.

Knows nothing of reviews.
"""
