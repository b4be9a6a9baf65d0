"""The commands of `python -m classifier`, by name, and app.py, which registers them.

Imports everything below; nothing imports it but `__main__`.
"""
