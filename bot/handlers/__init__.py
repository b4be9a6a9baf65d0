"""Parse updates, call services, send what views format; registration.py lists all of them.

Imports services, texts and views; decisions belong to services.
"""
