"""What can be typed after `python -m classifier`: a file a command, and app.py, which has them all.

Imports everything below; nothing imports it but `__main__`.
"""
