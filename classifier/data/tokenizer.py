"""The tokenizer for prediction, which needs the `tokenizers` library alone.

`tokens.load_tokenizer` reads any tokenizer that transformers knows, but importing transformers
takes a second or two. A published version has the one file that is needed here.
"""

import json
from pathlib import Path

from tokenizers import Tokenizer

from classifier.data.tokens import Tokens, cut
from classifier.errors import ClassifierError


class FastTokenizer:
    """Turns texts into the same tokens as the tokenizer with which the model was trained."""

    def __init__(self, folder: Path) -> None:
        """Raises ClassifierError where there is no tokenizer.json that can be read."""
        file = folder / "tokenizer.json"
        if not file.exists():
            raise ClassifierError(f"{folder} has no tokenizer: no tokenizer.json.")
        try:
            self._tokenizer = Tokenizer.from_file(str(file))
            self._tokenizer.no_truncation()
            self._tokenizer.no_padding()
            cls, sep = self._tokenizer.encode("").ids
            self._ends = (cls, sep)
            unknown = getattr(self._tokenizer.model, "unk_token", None)
            self.unknown_id = None if unknown is None else self._tokenizer.token_to_id(unknown)
            self._pad_id = int(
                json.loads((folder / "config.json").read_text("utf-8"))["pad_token_id"]
            )
        except Exception as error:  # tokenizers raises Exception itself
            raise ClassifierError(
                f"{folder} has no tokenizer that can be loaded: {error}"
            ) from error

    def tokens(self, texts: list[str], max_tokens: int, head_share: float) -> Tokens:
        """As `tokens.tokenize`."""
        encoded = self._tokenizer.encode_batch_fast(texts, add_special_tokens=False)
        pieces = (text.ids for text in encoded)
        return cut(pieces, self._ends, self._pad_id, max_tokens, head_share)
