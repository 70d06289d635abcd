"""What a redemption needs after it was asked for: the signature brought to the contract, the transaction to Bitcoin,
its fee increased where nobody mines it, the proof. Each step is seen on the chains, so that any can be gone on with.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from valtrac.core.bitcoin import SignedRedemption
from valtrac.core.chain import Head
from valtrac.core.errors import ChainUnreachable, Refused, ValtracError
from valtrac.core.keeps import KeepSignature, RedemptionRequest
from valtrac.core.text import plain
from valtrac.database.engine import reading, writing
from valtrac.keeps.model import bitcoin_fees, deadlines
from valtrac.keeps.model.lines import Call
from valtrac.keeps.model.progress import Action, RedemptionState
from valtrac.keeps.model.states import DepositState
from valtrac.keeps.store import keeps as store
from valtrac.keeps.store import redemptions
from valtrac.keeps.store.redemptions import Redemption
from valtrac.keeps.watching import Watching

CONFIRMATIONS = 6
EXCHANGED = 1_000  # blocks
WARN_BEFORE_S = 30 * 60  # a deadline is told of so long before it passes
DEPOSIT_LOST = (
    DepositState.LIQUIDATION_IN_PROGRESS,
    DepositState.FRAUD_LIQUIDATION_IN_PROGRESS,
    DepositState.LIQUIDATED,
)


@dataclass(frozen=True, slots=True)
class Step:
    """A call that brings a redemption on, and what it is."""

    call: Call
    action: Action
    words: str


@dataclass(slots=True)
class Steps:
    """What is to be sent now, and what has to be told. late: deposit -> the deadline that is near or has passed."""

    steps: list[Step] = field(default_factory=list)
    late: dict[str, str] = field(default_factory=dict)
    words: list[str] = field(default_factory=list)


def next_steps(watching: Watching, head: Head) -> Steps:
    """Look after every open redemption. What fails for one holds no other. Raises ChainUnreachable where the chain is
    not told."""
    found = Steps()
    with reading(watching.engine) as conn:
        still_open = redemptions.listed(conn, still_open=True)
        known = store.of_deposits(conn, [each.deposit for each in still_open])
    if not still_open:
        return found
    deposits = [each.deposit for each in still_open]
    states, settled = watching.states(deposits, head), watching.states(deposits, watching.final_head())
    for each in still_open:
        state = DepositState(states[each.deposit][0])
        if state in (DepositState.REDEEMED, *DEPOSIT_LOST) and settled[each.deposit][0] != state:
            continue  # what says so may still be undone
        try:
            _one(watching, each, state, known[each.deposit].block, head, found)
        except ValtracError as error:
            found.words.append(f"{each.deposit[:10]}: {plain(error)}")
            if isinstance(error, ChainUnreachable):
                found.late.setdefault(each.deposit, plain(error))
    return found


def _one(watching: Watching, each: Redemption, state: DepositState, born: int, head: Head, found: Steps) -> None:
    if state is DepositState.REDEEMED:
        _ended(watching, each, RedemptionState.REDEEMED, _withdrawn(each), head)
        found.words.append(f"redeemed deposit {each.deposit} with Bitcoin transaction {each.bitcoin_tx or 'of others'}")
        return
    if state in DEPOSIT_LOST:
        _ended(watching, each, RedemptionState.LOST, f"the deposit is in {state.name.lower()}", head)
        found.words.append(f"{each.deposit[:10]}: lost, it is in liquidation")
        return
    if not state.being_redeemed or each.state is RedemptionState.ASKED:
        return
    # a block that was exchanged may hold it earlier than the one that did
    first = born if each.requested_block is None else max(born, each.requested_block - EXCHANGED)
    requests = watching.agreed(
        "who has asked for a deposit", lambda side: side.contracts.requests(each.deposit, first, head.number)
    )
    if not requests:
        raise ChainUnreachable(
            "the providers do not tell who has asked for it",
            why="it is being redeemed, and no event says so",
            fix="ask another provider; its signature and its proof wait meanwhile",
        )
    if requests[-1].requester != watching.wallet:
        _words(watching, each, "somebody else has asked for it too, and looks after it")
        return
    _note_request(watching, each, requests, state)
    if state is DepositState.AWAITING_WITHDRAWAL_SIGNATURE:
        _signature(watching, each, requests[-1], head, found)
    elif watching.bitcoin is None or watching.settings.keeps_proof == "others":
        _deadline(found, each, requests[-1].at + deadlines.PROOF_S, head, "the proof, which is left to others,")
    else:
        _bitcoin(watching, each, requests, head, found)


def _signature(watching: Watching, each: Redemption, request: RedemptionRequest, head: Head, found: Steps) -> None:
    """Bring the signature to the contract once the members have submitted it to their keep."""
    _deadline(found, each, request.at + deadlines.SIGNATURE_S, head, "the signature")  # told also where it is refused
    signature = _submitted(watching, each, request, head)
    if signature is None:
        return
    text = f"provideRedemptionSignature({27 + signature.recovery}, 0x{signature.r:064x}, 0x{signature.s:064x})"
    call = Call(each.deposit, text, 0, f"signature for {each.deposit[:10]}", each.deposit)
    found.steps.append(Step(call, Action.SIGN, "the members have signed"))


def _submitted(watching: Watching, each: Redemption, request: RedemptionRequest, head: Head) -> KeepSignature | None:
    """The members' signature of a request, as both groups of providers tell of it: kept back by one, it is not missed
    in silence."""
    return watching.agreed(
        "a signature",
        lambda side: side.contracts.signature(each.keep, request.digest, request.block, head.number),
    )


def _bitcoin(
    watching: Watching, each: Redemption, requests: Sequence[RedemptionRequest], head: Head, found: Steps
) -> None:
    """Have the transaction mined, and prove it: any of those that were signed will do, the one that is deepest."""
    assert watching.bitcoin is not None
    _deadline(found, each, requests[-1].at + deadlines.PROOF_S, head, "the proof")  # told also where a server is away
    signed = _signed(watching, each, requests, head)
    if not signed:
        return
    depths = [(watching.bitcoin.confirmations(transaction.raw), transaction) for transaction in signed]
    mined = [(depth, transaction) for depth, transaction in depths if depth]
    if mined:
        depth, transaction = max(mined, key=lambda pair: pair[0])
        _note_bitcoin(watching, each, transaction.tx_id, depth)
        if depth >= CONFIRMATIONS and (step := _proof(watching, each, transaction)):
            found.steps.append(step)
        return
    newest = signed[-1]
    if depths[-1][0] is None:
        try:
            _send(watching, each, newest, head)
            found.words.append(f"{each.deposit[:10]}: its Bitcoin transaction is sent")
        except ValtracError as error:  # where its fee is too small to be relayed, increasing it is what helps
            found.words.append(f"{each.deposit[:10]}: {plain(error)}")
    _note_bitcoin(watching, each, newest.tx_id, 0)
    if deadlines.fee_may_be_increased(requests[-1].at, int(head.at.timestamp())):
        found.steps += _increase(each, requests)


def _signed(
    watching: Watching, each: Redemption, requests: Sequence[RedemptionRequest], head: Head
) -> list[SignedRedemption]:
    """The Bitcoin transactions of a redemption, one for each fee that was asked for and signed."""
    signed: list[SignedRedemption] = []
    key = watching.agreed("a keep's key", lambda side: bytes(side.contracts.one(each.keep, "getPublicKey", at=head)))
    for request in requests:
        signature = _submitted(watching, each, request, head)
        if signature is None:
            continue
        try:
            signed.append(watching.transactions.signed(request, key, signature))
        except ValueError as error:
            raise ChainUnreachable(
                "what the contracts tell of a redemption does not fit together",
                why=plain(error),
                fix="ask another provider; nothing is sent to Bitcoin meanwhile",
            ) from error
    return signed


def _send(watching: Watching, each: Redemption, transaction: SignedRedemption, head: Head) -> None:
    assert watching.bitcoin is not None
    with writing(watching.engine) as conn:
        words = f"Bitcoin transaction {transaction.tx_id}"
        if redemptions.last_words(conn, each.keep_id, Action.SEND) != words:
            redemptions.act(conn, Action.SEND, words, keep_id=each.keep_id, tx_id=transaction.tx_id, block=head.number)
    try:
        watching.bitcoin.relay(transaction.raw)
    except Refused as error:
        raise Refused(f"Bitcoin does not take {transaction.tx_id}", why=plain(error)) from error


def _proof(watching: Watching, each: Redemption, transaction: SignedRedemption) -> Step | None:
    assert watching.bitcoin is not None
    proof = watching.bitcoin.proof(transaction.raw, CONFIRMATIONS)
    if proof is None:
        return None
    parts = (transaction.version, transaction.inputs, transaction.outputs, transaction.locktime, proof.merkle)
    written = ", ".join(f"0x{part.hex()}" for part in parts)
    text = f"provideRedemptionProof({written}, {proof.index}, 0x{proof.headers.hex()})"
    call = Call(each.deposit, text, 0, f"proof for {each.deposit[:10]}", each.deposit)
    return Step(call, Action.PROVE, f"Bitcoin transaction {transaction.tx_id} lies {CONFIRMATIONS} blocks deep")


def _increase(each: Redemption, requests: Sequence[RedemptionRequest]) -> list[Step]:
    """Raise the fee of the Bitcoin transaction by the first fee, where that leaves anything."""
    coin, first, latest = requests[0].coin, requests[0].fee, requests[-1].fee
    before = coin - latest
    after = before - first
    if after < bitcoin_fees.LEAST_FEE:
        return []
    values = (bitcoin_fees.eight_bytes(value).hex() for value in (before, after))
    text = "increaseRedemptionFee(0x{}, 0x{})".format(*values)
    call = Call(each.deposit, text, 0, f"fee increase of {each.deposit[:10]}", each.deposit)
    return [Step(call, Action.INCREASE, f"nobody has mined it for 4 hours; its fee becomes {coin - after} satoshi")]


def _note_request(
    watching: Watching, each: Redemption, requests: Sequence[RedemptionRequest], state: DepositState
) -> None:
    signed = state is DepositState.AWAITING_WITHDRAWAL_PROOF
    with writing(watching.engine) as conn:
        redemptions.change(
            conn,
            each.id,
            state=RedemptionState.SIGNED if signed else RedemptionState.REQUESTED,
            requested_block=requests[0].block,
            since=requests[-1].at,
            increases=len(requests) - 1,
        )


def _note_bitcoin(watching: Watching, each: Redemption, tx_id: str, depth: int) -> None:
    words = f"{min(depth, CONFIRMATIONS)} of {CONFIRMATIONS} confirmations" if depth else "waits to be mined"
    with writing(watching.engine) as conn:
        redemptions.change(conn, each.id, bitcoin_tx=tx_id, confirmations=depth, words=words)


def _words(watching: Watching, each: Redemption, words: str) -> None:
    with writing(watching.engine) as conn:
        redemptions.change(conn, each.id, words=words)


def _ended(watching: Watching, each: Redemption, state: RedemptionState, words: str, head: Head) -> None:
    with writing(watching.engine) as conn:
        redemptions.change(conn, each.id, state=state, words=words)
        redemptions.act(conn, Action.SEEN, words, keep_id=each.keep_id, tx_id=each.bitcoin_tx, block=head.number)


def _withdrawn(each: Redemption) -> str:
    return f"Redeemed deposit {each.deposit} with Bitcoin transaction {each.bitcoin_tx or 'that others proved'}."


def _deadline(found: Steps, each: Redemption, until: int, head: Head, what: str) -> None:
    """Note a deadline that is near, or has passed."""
    left = until - int(head.at.timestamp())
    if left < 0:
        found.late[each.deposit] = f"{what} is {-left // 60} minutes late: anybody may have it liquidated"
    elif left < WARN_BEFORE_S:
        found.late[each.deposit] = f"{what} is due within {left // 60} minutes"
