"""The rows of a CSV file, of which a quote that is never closed swallows none but its own."""

import csv
import re
from collections import deque
from collections.abc import Collection, Iterable, Iterator
from itertools import chain, count, islice
from typing import Any, BinaryIO

from classifier.data.grades import Rejected
from classifier.data.text_lines import is_broken, text_lines

Row = tuple[int, dict[str, Any]]
"""A row's line in its file, from 1 (a table's row number), and its values by column."""

_SEPARATORS = ",;\t|"
_LONGEST_FIELD = 2**31 - 1  # the most that csv takes on every system; its default is 131,072
_MOST_LINES = 1000  # of one record; a quote opened that far above was not meant to be open still
_LINES_AHEAD = 200
_SHORT = 40  # characters of a value by which rows are told from prose
_OPEN = "a quote opens here that is not closed, or not before a separator"


def csv_rows(file: BinaryIO, wanted: Collection[str] = ()) -> Iterator[Row | Rejected]:
    """Every row; a Rejected for a line that holds none. `wanted` are columns hoped for.

    A record that can't be what was meant (its quote is not closed, or closed in the middle of a
    cell, or lines inside of it are rows themselves) costs its first line: reading goes on with the
    second.
    """
    csv.field_size_limit(_LONGEST_FIELD)
    lines = _Lines(text_lines(file))
    separator, header = _header(lines, wanted)
    known = _KnownValues(separator, len(header))
    known.learn_from(lines.ahead())
    reader = csv.reader(lines, delimiter=separator, strict=True)
    while True:
        number = lines.next_record()
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            swallowed = True
        else:
            swallowed = len(lines.taken) > 1 and known.has_rows(lines.taken)
        if swallowed:
            lines.take_back()
            yield Rejected(number, _OPEN)
        elif cells and len(cells) != len(header):
            yield Rejected(number, f"{len(cells)} fields under a header of {len(header)}")
        elif cells:
            yield number, dict(zip(header, cells, strict=True))


class _Lines:
    """The lines of a file, of which those that a record took by mistake are read again."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines
        self._again: deque[str] = deque()
        self._number = 0  # of lines before the record
        self.taken: list[str] = []  # by the record

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if len(self.taken) == _MOST_LINES:
            raise csv.Error(_OPEN)
        line = self._again.popleft() if self._again else next(self._lines)
        self.taken.append(line)
        return line

    def ahead(self) -> list[str]:
        """The next lines, which stay unread."""
        self._again.extend(islice(self._lines, _LINES_AHEAD - len(self._again)))
        return list(self._again)

    def next_record(self) -> int:
        """The number of the line that the next record begins with."""
        self._number += len(self.taken)
        self.taken = []
        return self._number + 1

    def take_back(self) -> None:
        """Read all lines of the record again but the first."""
        self._again.extendleft(reversed(self.taken[1:]))
        del self.taken[1:]


class _KnownValues:
    """Short values of the first rows, by which a row inside of a quoted cell is told from prose."""

    def __init__(self, separator: str, columns: int) -> None:
        self._separator = separator
        self._values: list[set[str]] = [set() for _ in range(columns)]

    def learn_from(self, lines: Iterable[str]) -> None:
        for line in lines:
            try:
                cells = next(csv.reader([line], delimiter=self._separator, strict=True), [])
            except csv.Error:
                continue
            if len(cells) == len(self._values):
                for values, cell in zip(self._values, cells, strict=True):
                    values.update({_shape(cell)} if 0 < len(cell) <= _SHORT else ())

    def has_rows(self, lines: list[str]) -> bool:
        """Whether lines of one record are rows themselves.

        Cells before the quote that the record's first line opens, and after the one that its last
        line closes, say nothing: they are its own.
        """
        first, last = (line.rstrip("\r\n").split(self._separator) for line in (lines[0], lines[-1]))
        opened = max((at for at, cell in enumerate(first) if cell[:1] == '"'), default=len(first))
        closed = next((at for at, cell in enumerate(last) if '"' in cell), 0)
        between = csv.reader(lines[1:-1], delimiter=self._separator, quoting=csv.QUOTE_NONE)
        return (
            self._is_row(first, range(opened + 1, len(first)))
            or self._is_row(last, range(closed))
            or any(self._is_row(cells, range(len(cells))) for cells in between)
        )

    def _is_row(self, cells: list[str], tell: range) -> bool:
        """Whether there are as many cells as columns, and one of `tell` is like its column's.

        Prose has a blank after its commas, and digits on both sides of that in «7,5».
        """
        if not 1 < len(cells) == len(self._values) or any(cell[:1] == " " for cell in cells):
            return False
        return any(
            _shape(cells[at]) in self._values[at]
            and not (at and cells[at - 1][-1:].isdigit() and cells[at][:1].isdigit())
            for at in tell
        )


def _shape(cell: str) -> str:
    """A number, perhaps behind a prefix, without its digits; all else as it is."""
    return re.sub(r"\d+", "9", cell) if re.fullmatch(r"\w{0,8}?[\d.:-]+", cell) else cell


def _header(lines: _Lines, wanted: Collection[str]) -> tuple[str, list[str]]:
    """The separator, and the column names, each once.

    The separator is the one that finds most of the wanted columns, or else most columns.
    """
    separators = _SEPARATORS
    if named := re.fullmatch(r"sep=(.)[\r\n]*", "".join(lines.ahead()[:1])):  # Excel's
        separators = named[1]
        next(lines)
    ahead = lines.ahead()
    found = {one: _names(csv.reader(ahead, delimiter=one)) for one in separators}
    best = max(found, key=lambda one: (len({*found[one]} & {*wanted}), len(found[one])))
    header = _names(csv.reader(lines, delimiter=best, strict=True))
    for name in header:
        if is_broken(name):
            raise csv.Error("its header is not UTF-8")
        if name in wanted and header.count(name) > 1:
            raise csv.Error(f"two columns are called {name!r}")
    unique: list[str] = []
    for name in header:
        again = (f"{name}.{times}" for times in count(2))
        unique.append(next(free for free in chain([name], again) if free not in unique))
    return best, unique


def _names(rows: Iterator[list[str]]) -> list[str]:
    return [name.strip() for name in next(filter(None, rows), [])]
