def check() -> None:
    """."""
