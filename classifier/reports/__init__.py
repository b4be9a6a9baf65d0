"""What people read: the report, its plots, the model card.

Imports evaluation and what is below it.
"""
