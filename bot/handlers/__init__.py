"""Parses what arrives and sends what views make of it; registration.py has all of it on one screen.

Imports services, texts and views; whatever decides stands in services.
"""
