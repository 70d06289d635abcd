"""A folder as ValTrac left it, and what its formulas would have paid: floats and all, written from its documents."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.payout_world import HOTKEY, address

OWNER_KEY = 999_999
FEE_TAO = 0.000000144
BEGAN = datetime(2023, 11, 20, 12, 0, 0, tzinfo=UTC)
BLOCKS = 300  # between two snapshots


@dataclass
class OldValTrac:
    """Users, layers, stakes by snapshot (rao) and payments; `write` makes its folder."""

    users: dict[str, list[str]]
    layers: list[tuple[str, str, str, list[str]]] = field(default_factory=list)
    stakes: list[dict[str, int]] = field(default_factory=list)
    paid: list[tuple[str, str, str, int, int, str]] = field(default_factory=list)
    own: int = 500 * 10**9
    take: float = 0.18
    first_block: int = 1_800_300

    def block(self, place: int) -> int:
        return self.first_block + BLOCKS * place

    def line(self, place: int, **changes: Any) -> str:
        """The line of stakes of one snapshot, as ValTrac's logger wrote it."""
        stakes = {address(OWNER_KEY): self.own, **self.stakes[place]}
        total = sum(stakes.values())
        body = {
            "hotkey_ss58": HOTKEY,
            "total_stake": total / 10**9,
            "nominators": [[who, units / 10**9] for who, units in stakes.items()],
            "nominators_percent": [[who, units / (total - self.own)] for who, units in stakes.items()],
            "owner_ss58": address(OWNER_KEY),
            "delegate_stake": self.own / 10**9,
            "take": self.take,
            "validator_permits": [1, 3],
            "registrations": [1, 3, 11],
            "return_per_1000": 0.4123456789,
            "total_daily_return": 88.5,
        } | changes
        at = BEGAN + timedelta(seconds=12 * BLOCKS * place)
        return (
            f"{at:%Y-%m-%d %H:%M:%S},123 - INFO - Timestamp: {at:%Y-%m-%d %H:%M:%S}, Block: {self.block(place)}, "
            f"Delegate info for {HOTKEY}: {json.dumps(body)}"
        )

    def price(self, place: int, dollars: str = "231.5") -> str:
        return f"2023-11-20 12:00:00,001 - INFO - Reporting for block number: {self.block(place)}, Price: {dollars}"

    def log(self) -> str:
        lines = [line for place in range(len(self.stakes)) for line in (self.price(place), self.line(place))]
        return "".join(f"{line}\n" for line in lines)

    def write(self, folder: Path) -> Path:
        """The folder with data/ and logs/."""
        for name in ("data", "logs"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        (folder / "data" / "user_data.json").write_text(json.dumps(self.users, indent=4))
        if self.layers:
            width = max(len(referees) for *_, referees in self.layers)
            rows = [["Layer", "Referrer", "Tax", *(f"Referee {n}" for n in range(1, width + 1))]]
            rows += [[label, who, tax, *below, *[""] * (width - len(below))] for label, who, tax, below in self.layers]
            with open(folder / "data" / "referral_layers.csv", "w", newline="") as file:
                csv.writer(file).writerows(rows)
        if self.stakes:
            (folder / "logs" / "delegate_info.log").write_text(self.log())
        if self.paid:
            header = ["Username", "Address", "Amount Paid", "Start Block", "End Block", "Total Payout Pool"]
            with open(folder / "logs" / "payout_log.csv", "w", newline="") as file:
                csv.writer(file).writerows([header, *self.paid])
        return folder

    def would_pay(self, pool: float, places: Sequence[int]) -> Mapping[str, float]:
        """TAO for each user by ValTrac's payout by referral structure over some snapshots."""
        parts = dict.fromkeys(self.users, 0.0)
        for place in places:
            shares = self.stakes[place]
            remaining = sum(shares.values())
            for name, addresses in self.users.items():
                parts[name] += sum(shares.get(who, 0) / remaining for who in addresses) / len(places)
        for label in sorted({label for label, *_ in self.layers}, reverse=True):
            for layer, referrer, tax, referees in self.layers:
                for referee in referees if layer == label and referrer in parts else []:
                    if referee in parts:
                        handed = float(tax) * parts[referee]
                        parts[referee] -= handed
                        parts[referrer] += handed
        return {name: round(part * pool - FEE_TAO, 9) for name, part in parts.items()}


def grown(heads: int, snapshots: int) -> list[dict[str, int]]:
    """Stakes of addresses 1.. that grow and shrink a little from snapshot to snapshot."""
    return [
        {address(n): n * 10**9 + place * (n % 5) * 12_345_678 + (n * 7 + place) % 1000 for n in range(1, heads + 1)}
        for place in range(snapshots)
    ]


def usual() -> OldValTrac:
    """Twelve nominators, five users, a tree of three layers, a payout that ends within the log."""
    users = {
        "ann": [address(1), address(2)],
        "bob": [address(3)],
        "cleo": [address(4), address(5), address(6)],
        "dän": [address(7)],
        "eve, the 5th": [address(8)],
    }
    layers = [
        ("L1", "ann", "0.25", ["bob", "cleo"]),
        ("L2", "cleo", "0.1", ["dän"]),
        ("L3", "dän", "0", ["eve, the 5th"]),
    ]
    old = OldValTrac(users, layers, grown(12, 30))
    old.paid = [("ann", address(1), "1.234567891", old.block(0), old.block(9), "12.5")]
    return old
