"""Unicode normal forms of what people send, in linear time.

`unicodedata.normalize` sorts the combining marks after a letter by insertion: 20,000 alternating
marks take it a second, and twice as many four.
"""

import re
import unicodedata
from functools import cache
from itertools import groupby, islice
from typing import Literal

_MOST_MARKS = 30  # after one letter; no language needs more (Unicode's Stream-Safe Text Format)
# What is neither ASCII nor one of the common letters of Cyrillic may be a mark.
_MAY_BE_MARKS = re.compile(rf"[^\x00-\x7f\u0400-\u0482\u048a-\u052f]{{{_MOST_MARKS + 1}}}")


def normalized(form: Literal["NFC", "NFKC"], text: str) -> str:
    """The text in a normal form; of more than 30 marks after one letter the first 30 stay."""
    if _MAY_BE_MARKS.search(text):
        text = "".join(
            "".join(islice(run, _MOST_MARKS if marks else None))
            for marks, run in groupby(text, _is_mark)
        )
    return unicodedata.normalize(form, text)


@cache
def _is_mark(char: str) -> bool:
    """Whether normalization may move it; a half-width voicing sign becomes a mark by NFKC."""
    return unicodedata.combining(unicodedata.normalize("NFKD", char)[0]) != 0
