"""What can be typed after `python -m classifier`, a file a command."""

from classifier.commands.app import main

__all__ = ["main"]
