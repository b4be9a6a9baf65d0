"""Kinorate measured beside what one would take instead. Run from the repository's root."""
