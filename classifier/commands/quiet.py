"""Keeps the libraries' own bars and warnings out of the commands' output."""

import sys
import warnings


def quiet_libraries() -> None:
    """Errors alone get through: every load of an encoder reports its missing heads otherwise."""
    import transformers

    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    if "datasets" in sys.modules:  # a prediction does without it
        sys.modules["datasets"].disable_progress_bars()
    warnings.filterwarnings("ignore", module="torch")
