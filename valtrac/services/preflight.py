"""What must hold before a transaction is signed, and before a signed one is written down. Nothing is sent here."""

from __future__ import annotations

import sqlalchemy as sa

from valtrac.domain.batches import Batch, Caps
from valtrac.domain.chain import Head, Payment, SignedTx
from valtrac.domain.money import Amount
from valtrac.domain.text import plain
from valtrac.errors import Refused
from valtrac.ports import Chain, Payer
from valtrac.services import approvals, plans
from valtrac.services.door import Door
from valtrac.store import attempts, batches
from valtrac.store.engine import asset_of, claim_identity, reading, writing

FEE_MARGIN_PERCENT = 20
FEE_SLACK = 100  # an estimate may be a little below what is charged: a hundredth is kept ready beside it


class Short(Refused):
    """The wallet does not hold what has to be paid."""


def check(door: Door, payer: Payer, batch_id: int, *, accept_fee: bool = False) -> None:
    """Everything that must hold before the next transaction is signed. Raises Refused in words."""
    identity = door.chain.identity()
    with writing(door.engine) as conn:
        claim_identity(conn, identity.genesis_hash, identity.network, door.chain.asset)
        batch = batches.get(conn, batch_id)
        if batch.genesis not in ("", identity.genesis_hash):
            raise Refused(f"batch #{batch_id} was made for another chain", "", "set VALTRAC_NETWORK back")
        approvals.check_sums(batch, batches.lines_of(conn, batch_id))
        if batch.state == "draft":
            raise Refused(
                f"batch #{batch_id} is a draft",
                "nobody has approved it",
                f"run.py payout approve {batch_id} --total ...",
            )
        if batch.state == "void":
            raise Refused(f"batch #{batch_id} was voided", plain(batch.note), "make a new draft")
    if batch.state == "approved" and not batch.standing:
        _void_if_changed(door, batch)
    with reading(door.engine) as conn:
        owed = batches.lines_of(conn, batch_id, "owed")
    if not owed:
        return
    if door.chain.swaps_announced([payer.address], door.chain.finalized()):
        raise Refused(
            "a coldkey swap of the payout wallet itself is announced on chain",
            "until it is carried out or taken back, the chain takes no payments from it",
            "see who announced it; if it was not you, dispute it at once",
        )
    payments = [Payment(line.address, line.amount, line.memo) for line in owed]
    fee = plans.estimate(door.chain, payer.address, payments, door.settings.chunk_size)
    if not accept_fee and not batch.standing and fee * 100 > batch.fee * (100 + FEE_MARGIN_PERCENT):
        raise Refused(
            f"the network fee is {Amount(fee, door.chain.asset)} now, the draft reckoned with "
            f"{Amount(batch.fee, door.chain.asset)}",
            f"more than {FEE_MARGIN_PERCENT} % above it",
            "wait for a lower one, mend VALTRAC_CHUNK_SIZE if you changed it, or pay it: --accept-fee",
        )
    _funded(door, payer, batch, sum(line.amount for line in owed), fee)


def check_wallet(engine: sa.Engine, payer: Payer, batch_id: int) -> None:
    """Raise Refused where the batch was made for another wallet, before anything is noted about this one."""
    with reading(engine) as conn:
        batch = batches.get(conn, batch_id)
    if batch.wallet != payer.address:
        raise Refused(
            f"batch #{batch_id} was made for wallet {batch.wallet}",
            f"this is wallet {payer.address}",
            "set VALTRAC_WALLET_NAME back, or make a new draft",
        )


def _void_if_changed(door: Door, batch: Batch) -> None:
    """What was shown is what is signed: an approval whose inputs changed is void."""
    with writing(door.engine) as conn:
        batch = batches.get(conn, batch.id)
        if batch.state != "approved":
            return
        try:
            approvals.check_unchanged(conn, batch)
            return
        except Refused as error:
            approvals.void_in(conn, batch, "what it was computed from changed before it was signed")
            changed = error
    raise Refused(
        f"batch #{batch.id} is void: what it was computed from changed after the approval",
        changed.why,
        "make a new draft and approve it",
        problems=changed.problems,
    )


def _funded(door: Door, payer: Payer, batch: Batch, owed: int, fee: int) -> None:
    """The wallet must hold all that is owed and stay alive, or nothing is paid at all."""
    limits, head = door.chain.limits(), door.chain.finalized()
    holds = door.chain.account(payer.address, head).free_units
    needs = owed + fee + fee // FEE_SLACK + 1 + limits.existential_units
    if holds < needs:
        asset = door.chain.asset
        raise Short(
            f"batch #{batch.id} needs {Amount(owed + fee, asset)}; the payout wallet holds {Amount(holds, asset)}",
            f"{Amount(needs - holds, asset)} is missing, fees and what an account must keep included",
            f"send it to {payer.address}, then send the batch again",
        )


def compare(chain: Chain, tx: SignedTx, payments: tuple[Payment, ...], signer: str, nonce: int) -> None:
    """Read the signed bytes back and refuse unless they say exactly what was meant.

    Raises Refused naming the part that differs; nothing was sent.
    """
    try:
        read = chain.decode(tx.raw)
    except ValueError as error:
        raise Refused(
            "the signed transaction cannot be read back", plain(error), "nothing was sent; please report this"
        ) from error
    said = {
        "transaction id": (read.tx_id, tx.tx_id),
        "signer": (read.signer, signer),
        "nonce": (read.nonce, nonce),
        "payments": (_worded(read.payments, payments), payments),
        "all or nothing": (read.all_or_nothing, True),
        "last valid block": (read.expires or tx.birth_number + read.era_period - 1, tx.valid_until),
        "runtime version": (chain.identity().spec_version, tx.spec_version),
    }
    wrong = [name for name, (got, meant) in said.items() if got != meant]
    if wrong:
        raise Refused(
            f"the signed transaction differs from what was approved: {', '.join(wrong)}",
            "the bytes were read back before sending, as always",
            "nothing was sent; please report this",
        )


def _worded(read: tuple[Payment, ...], meant: tuple[Payment, ...]) -> tuple[Payment, ...]:
    """What was read, with the words that were meant where it has none: an account without a memo key takes none."""
    if len(read) != len(meant):
        return read
    return tuple(
        Payment(got.address, got.units, want.memo if got.memo == "" else got.memo)
        for got, want in zip(read, meant, strict=True)
    )


def check_spent(conn: sa.Connection, caps: Caps, batch: Batch, wallet: str, units: int, head: Head) -> None:
    """The caps over time, summed in the transaction that writes the attempt. Raises Refused."""
    asset, prefix = asset_of(conn), "VALTRAC_CONTRACTS_" if batch.standing else "VALTRAC_"
    by_batch = attempts.spent_by_batch(conn, batch.id) + units
    if by_batch > caps.batch:
        raise Refused(
            f"batch #{batch.id} would have paid {Amount(by_batch, asset)}",
            f"the cap per batch is {Amount(caps.batch, asset)}",
            f"raise {prefix}CAP_{'DAY' if batch.standing else 'BATCH'} to go on",
        )
    by_day = attempts.spent_since(conn, wallet, head.at) + units
    if by_day > caps.day:
        raise Refused(
            f"the wallet would have paid {Amount(by_day, asset)} within 24 hours",
            f"the cap per day is {Amount(caps.day, asset)}",
            f"wait, or raise {prefix}CAP_DAY; what is left stays owed",
        )
