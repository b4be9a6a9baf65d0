"""What a check has found, a line each."""

from dataclasses import dataclass
from typing import Literal

Grade = Literal["ok", "warning", "wrong"]


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at; `wrong` is what keeps the bot from starting or answering."""

    grade: Grade
    subject: str
    says: str

    def __str__(self) -> str:
        says = " ".join(self.says.split()).rstrip(".")
        return f"{self.grade:<8} {self.subject}: {says}."
