"""What a supervisor sees: health, metrics, and the server that shows them.

Imports delivery and prediction.
"""
