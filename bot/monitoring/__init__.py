"""What a supervisor sees: health, metrics, and the server that shows them.

May import delivery and prediction.
"""
