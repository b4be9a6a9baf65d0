"""Keeps the libraries' own bars and warnings out of the commands' output."""

import sys
import warnings


def quiet_libraries() -> None:
    """Let only errors through: otherwise every load of an encoder reports its missing heads.

    Call it after the imports: it imports none of these libraries, which take seconds to load.
    """
    if "transformers" in sys.modules:
        sys.modules["transformers"].logging.set_verbosity_error()
        sys.modules["transformers"].logging.disable_progress_bar()
    if "huggingface_hub" in sys.modules and not sys.stderr.isatty():
        sys.modules["huggingface_hub"].utils.disable_progress_bars()
    if "datasets" in sys.modules:
        sys.modules["datasets"].disable_progress_bars()
    warnings.filterwarnings("ignore", module="torch")
