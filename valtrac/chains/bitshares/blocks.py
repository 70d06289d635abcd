"""What a block holds that touches one account. Pure; raises Untrusted, KeyError or TypeError for what is no block."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from valtrac.chains.bitshares import answers
from valtrac.chains.bitshares.bodies import Sealed
from valtrac.chains.untrusted import Untrusted
from valtrac.core.chain import Transfer, TransferBlock


def touching(block: Any, head: Sealed, account: str, signers: Callable[[Any], frozenset[str]]) -> TransferBlock:
    """A block with the transfers that touch an account. head: its header, which it fits; signers: whose signatures a
    transaction carries, asked of what comes in."""
    number = head.number
    transfers: list[Transfer] = []
    for index, trx in enumerate(block["transactions"]):
        for position, operation in enumerate(trx["operations"]):
            if answers.is_transfer(operation):
                op = operation[1]
                if op["from"] == account or op["to"] == account:
                    by = signers(trx) if op["to"] == account else frozenset[str]()
                    transfers.append(_transfer(op, number, index, position, trx, by))
    return TransferBlock(number, head.previous, head.at, tuple(transfers), head.id)


def _transfer(op: Any, number: int, index: int, position: int, trx: Any, signers: frozenset[str]) -> Transfer:
    from valtrac.chains.bitshares import transactions

    amount, fee = op["amount"], op["fee"]
    if not isinstance(amount["asset_id"], str):
        raise Untrusted("an asset that is none")
    return Transfer(
        number,
        index,
        position,
        transactions.tx_id_of(trx),
        answers.account_id(op["from"]),
        answers.account_id(op["to"]),
        answers.whole(amount["amount"], "an amount"),
        amount["asset_id"],
        answers.whole(fee["amount"], "a fee") if fee["asset_id"] == answers.CORE else 0,
        answers.sealed(op.get("memo")),
        signers,
    )
