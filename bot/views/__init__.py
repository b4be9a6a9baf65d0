"""What users see: messages, keyboards, charts and pages, made of what services return.

Imports texts and services; decides nothing.
"""
