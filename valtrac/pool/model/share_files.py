"""The files in which the pool's shares stand for people and other programs: `currentpoolshare.csv`. Pure.

One line each, ending in a comma, whole satoshi, as the pool payout manager wrote them; the database is the truth.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

_FIGURE = re.compile(r"-?[0-9]{1,18}(\.[0-9]{1,20})?")
_ADDRESS = re.compile(r"[1-9A-HJ-NP-Za-km-z]{26,35}")
MOST_LINES = 10
_NAMES = ("block", "poolbalance", "poolrevenue", "delegate", "poolshare")


@dataclass(frozen=True, slots=True)
class ShareFile:
    """block: the last one whose reward is in it. balance: what the pool holds for its delegates, by the old program
    with what it lost track of; revenue: what is the pool's own since the last payment. shares: delegate -> satoshi."""

    block: int
    balance: int
    revenue: int
    shares: Mapping[str, int]
    doubled: tuple[str, ...] = field(default=(), compare=False)

    @property
    def difference(self) -> int:
        """What the balance has beyond the shares: it belongs to no delegate, and is never paid out."""
        return self.balance - sum(self.shares.values())


class NotAShareFile(ValueError):
    """What is wrong in a file, each with its line. problems: in words."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


def text_of(file: ShareFile) -> str:
    """The file as the pool payout manager writes it."""
    lines = [f"block,{file.block},poolbalance,{file.balance},", f"poolrevenue,{file.revenue},"]
    lines += [f"delegate,{address},poolshare,{units}," for address, units in file.shares.items()]
    return "\n".join(lines) + "\n"


def read(text: str) -> ShareFile:
    """The shares in a file, its lines ended as on any system. A revenue with a fraction is cut, as the old program read
    it; an address that stands there twice has both its rows. Raises NotAShareFile with every line that is not so."""
    wrong_lines, shares, doubled = dict[str, list[int]](), dict[str, int](), list[str]()
    figures = dict[str, int]()
    for number, line in enumerate(text.splitlines(), 1):
        cells = [cell.strip() for cell in line.strip().rstrip(",").split(",")]
        if not any(cells):
            continue
        wrong = _row(cells, figures, shares, doubled)
        if wrong:
            wrong_lines.setdefault(wrong, []).append(number)
    problems = [f"{_lines(numbers)}: {wrong}" for wrong, numbers in wrong_lines.items()]
    problems += [f"it has no {name}" for name in ("block", "poolbalance", "poolrevenue") if name not in figures]
    if problems:
        raise NotAShareFile(problems)
    return ShareFile(figures["block"], figures["poolbalance"], figures["poolrevenue"], shares, tuple(doubled))


def _lines(numbers: list[int]) -> str:
    """`line 3`, `lines 3, 4`, and where many lines have one fault, how many more."""
    named = ", ".join(str(number) for number in numbers[:MOST_LINES])
    more = f" and {len(numbers) - MOST_LINES:,} more" if len(numbers) > MOST_LINES else ""
    return f"line{'s' if len(numbers) > 1 else ''} {named}{more}"


def _row(cells: list[str], figures: dict[str, int], shares: dict[str, int], doubled: list[str]) -> str:
    """Take one line in; what is wrong with it, or ""."""
    if cells[0] == "delegate":
        if len(cells) != 4 or cells[2] != "poolshare":
            return "a delegate's row is delegate,ADDRESS,poolshare,SATOSHI"
        if not _ADDRESS.fullmatch(cells[1]):
            return "what stands for the delegate is no address"
        if not re.fullmatch(r"[0-9]{1,18}", cells[3]):
            return "a share is a whole number of satoshi"
        if cells[1] in shares:
            doubled.append(cells[1])
        shares[cells[1]] = shares.get(cells[1], 0) + int(cells[3])
        return ""
    pairs = list(zip(cells[::2], cells[1::2], strict=False))
    if len(cells) % 2 or any(name not in _NAMES for name, _ in pairs):
        return "only block, poolbalance, poolrevenue and delegate begin a row, each with one figure after it"
    for name, figure in pairs:
        if name in figures:
            return f"{name} stands there twice"
        fraction_too = name == "poolrevenue"
        if not _FIGURE.fullmatch(figure) or ("." in figure and not fraction_too):
            return f"{name} is a whole number"
        figures[name] = int(figure.partition(".")[0])
    return ""
