"""Keeps the libraries' own bars and warnings out of the commands' output."""

import sys
import warnings


def quiet_libraries() -> None:
    """Errors alone get through: every load of an encoder reports its missing heads otherwise.

    Call it after the imports: a prediction does without these libraries, which take seconds.
    """
    if "transformers" in sys.modules:
        sys.modules["transformers"].logging.set_verbosity_error()
        sys.modules["transformers"].logging.disable_progress_bar()
    if "datasets" in sys.modules:
        sys.modules["datasets"].disable_progress_bars()
    warnings.filterwarnings("ignore", module="torch")
