"""What is wrong with a file, and where."""

from __future__ import annotations

from dataclasses import dataclass, field

MOST_PROBLEMS = 100


@dataclass(frozen=True)
class Problem:
    """What is wrong where; the line is the one in the file, counted from 1, the cell that of a workbook."""

    line: int
    column: str
    text: str
    cell: str = ""


@dataclass
class Problems:
    """The first hundred problems of a file, and how many lines have any."""

    listed: list[Problem] = field(default_factory=list)
    lines: set[int] = field(default_factory=set)

    def add(self, problem: Problem) -> None:
        """Take note of one more."""
        self.lines.add(problem.line)
        if len(self.listed) < MOST_PROBLEMS:
            self.listed.append(problem)


class FileRefused(Exception):
    """The file cannot be read at all."""

    def __init__(self, text: str, line: int = 0) -> None:
        """Keep what is wrong, and where reading ended."""
        super().__init__(text)
        self.text, self.line = text, line
