"""What is peculiar about a file as a whole: its header, its line ends, its quoting."""

from dataclasses import dataclass
from typing import Final

from etl.generation.shapes import SHAPES, Shape
from etl.kinds import Note


@dataclass(frozen=True, slots=True)
class Look:
    """How a file is written. The quotes are dropped wherever a spreadsheet wrote the line ends."""

    byte_order_mark: bool = False
    carriage_return: bool = False
    no_final_newline: bool = False
    padded_header: bool = False
    key_last: bool = False
    """The columns stand in another order: the key comes last."""
    extra_column: bool = False

    def header(self, shape: Shape) -> str:
        """Return the header line without its line end."""
        names = [column.name for column in shape.columns]
        if self.key_last:
            names = [*names[1:], names[0]]
        if self.extra_column:
            names.append("imported_by")
        if self.padded_header:
            names[1::2] = [f" {name}  " for name in names[1::2]]
        return ",".join(names)

    def notes(self, shape: Shape, lines: int) -> dict[Note, int]:
        """Return the notes of the file, which has so many lines of rows (and blank ones)."""
        columns = len(shape.columns) + self.extra_column
        counts = {
            Note.BYTE_ORDER_MARK: int(self.byte_order_mark),
            Note.CARRIAGE_RETURN: (1 + lines - self.no_final_newline) * self.carriage_return,
            Note.NO_FINAL_NEWLINE: int(self.no_final_newline),
            Note.PADDED_HEADER: columns // 2 * self.padded_header,
            Note.REORDERED_HEADER: int(self.key_last),
            Note.EXTRA_COLUMN: int(self.extra_column),
        }
        return {note: count for note, count in counts.items() if count}


_DIRTY_LOOKS: Final = (
    Look(byte_order_mark=True, key_last=True),
    Look(carriage_return=True, extra_column=True),
    Look(padded_header=True, no_final_newline=True),
    Look(byte_order_mark=True, carriage_return=True, padded_header=True),
    Look(key_last=True, extra_column=True, padded_header=True),
)
_DIRTY_PHOTO_LOOKS: Final = (
    Look(byte_order_mark=True, carriage_return=True),
    Look(padded_header=True, no_final_newline=True),
)
"""Photos keep order and number of columns: joined lines are split at the fifth field."""


def look_of(shape: Shape, *, seed: int, dirty: bool) -> Look:
    """Return how this file is written.

    In a dirty set the looks go round with the seed, so that any five seeds that follow one another
    show every look in every file, and each set has every look among the files of products.
    """
    if not dirty:
        return Look(byte_order_mark=shape.spreadsheet, carriage_return=shape.spreadsheet)
    if shape.one_line_rows:
        return _DIRTY_PHOTO_LOOKS[seed % len(_DIRTY_PHOTO_LOOKS)]
    others = [other.name for other in SHAPES if not other.one_line_rows]
    return _DIRTY_LOOKS[(others.index(shape.name) + seed) % len(_DIRTY_LOOKS)]
