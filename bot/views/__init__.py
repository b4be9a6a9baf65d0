"""What a person sees: text, keyboards, charts and pages made of what services decided.

Imports texts and services, and does no work of theirs.
"""
