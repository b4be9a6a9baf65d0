"""Kinorate measured beside its alternatives. Run it from the root of the repository."""

from pathlib import Path

RESULTS = Path(__file__).parent / "results"  # committed; README's tables are made of them
