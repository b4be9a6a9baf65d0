"""Text files as people have them on their disks."""

LARGEST = 100 * 1024  # bytes


def decode(content: bytes) -> str | None:
    """The text of a file, None if it is none: UTF-8, UTF-16 by its mark, or Windows' Cyrillic."""
    encodings = ["utf-8-sig", "cp1251"]
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        encodings = ["utf-16"]
    for encoding in encodings:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        return None if "\x00" in text else text
    return None
