"""A review's words in one line, within quotation marks."""

import pytest

from classifier.explanation.quoting import quoted


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Скучно.", "Скучно."),
        ("«Сталкер» я видел дважды", "„Сталкер“ я виде…"),
        ("  Первая\n\tстрока \x1b[31m", "Первая строка [3…"),
        ("справа\u202e налево", "справа налево"),
        ("👨\u200d👩\u200d👧 рады", "👨\u200d👩\u200d👧 рады"),
        ("", ""),
    ],
)
def test_one_line_of_16_characters_at_most(text: str, shown: str) -> None:
    assert quoted(text, 16) == shown
