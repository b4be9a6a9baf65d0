"""Kinorate measured beside what one would take instead. Run from the repository's root."""

from pathlib import Path

RESULTS = Path(__file__).parent / "results"  # committed; README's tables are made of them
