"""The options of payout commands, and how one of a few words is read."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from menus.frame.commands import LARGEST
from valtrac.core.errors import BadInput

Password = Annotated[bool, typer.Option("--password-stdin", help="Read the wallet's password from standard input.")]


AcceptFee = Annotated[bool, typer.Option("--accept-fee", help="Pay a network fee far above the draft's.")]


History = Annotated[
    bool, typer.Option("--accept-history", help="None of the wallet's older transactions was a payout.")
]


Pool = Annotated[str, typer.Option("--pool", help="What is shared out, in TAO.")]


Who = Annotated[str, typer.Option("--by", help="users (with referrals) or nominators.")]


HowWeighed = Annotated[str, typer.Option("--method", help="mean-share, stake-time or accrual.")]


Subnet = Annotated[str, typer.Option("--netuid", help="Whose stake counts: a subnet, or all in TAO.")]


FirstBlock = Annotated[
    int | None, typer.Option("--from", min=0, max=LARGEST, help="First block; default: after the last batch.")
]


LastBlock = Annotated[
    int | None, typer.Option("--to", min=0, max=LARGEST, help="Last block; default: the last snapshot's.")
]


FeePolicy = Annotated[str | None, typer.Option("--fee-policy", help="Who bears the fee: pool, payee, owner.")]


NetworkFee = Annotated[str | None, typer.Option("--fee", help="The network fee in TAO, instead of asking the node.")]


Minimum = Annotated[str | None, typer.Option("--minimum", help="Below this (TAO) an amount is held.")]


FallsAreZero = Annotated[bool, typer.Option("--ignore-withdrawals", help="accrual: count a fall as 0.")]


Offline = Annotated[bool, typer.Option("--offline", help="Do not ask the node.")]


def one_of(text: str, allowed: tuple[str, ...], field: str) -> Any:
    """The word as it is. Raises BadInput where it is none of those that are allowed."""
    if text not in allowed:
        raise BadInput(f"{field}: {text[:40]!r} is none of {', '.join(allowed)}", fix=f"--{field} {allowed[0]}")
    return text
