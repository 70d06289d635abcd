"""Minting TBTC with one's own bitcoin, to have some to redeem with: off unless it is switched on.

A deposit is asked for, its members make a key, the owner pays the lot to its address from a Bitcoin wallet of his (no
Bitcoin key is ever held here), the payment is proven, and the token of the deposit is turned into TBTC.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from valtrac.core.chain import Head
from valtrac.core.errors import BadInput, ChainUnreachable, OutcomeUnknown, Refused, ValtracError
from valtrac.core.money import ETH, Amount
from valtrac.core.text import plain
from valtrac.database.engine import reading, writing
from valtrac.keeps.calling import send_calls
from valtrac.keeps.carrying_out import close_allowances, go_on
from valtrac.keeps.model import deadlines, minting
from valtrac.keeps.model.lines import Call
from valtrac.keeps.model.minting import CONFIRMATIONS, Addresses, MintState
from valtrac.keeps.model.states import DepositState
from valtrac.keeps.store import mints as store
from valtrac.keeps.store.mints import Mint
from valtrac.keeps.watching import Watching, tie
from valtrac.payments.model.states import LineState
from valtrac.payments.store import attempts, batches
from valtrac.ports import ReplacingPayer

GAS_OF_ALL = 2_000_000 + 250_000 + 2 * 800_000 + 60_000  # asking, key, proof, minting, handing in
TO_BE_PROVEN_S = 90 * 60  # six blocks of Bitcoin, and the proof, may take as long
SWITCHED_OFF = "minting is switched off"
WORDS = {
    MintState.SETUP: "the members are to make a key, within 3 hours",
    MintState.ACTIVE: "proven; its token is turned in next",
    MintState.MINTED: "TBTC was minted",
}


@dataclass(frozen=True, slots=True)
class Lot:
    """A lot that can be asked for, or why not. lot: satoshi; fee: ether in wei for the contracts, needs: that its whole
    way reserves; words: why the contracts would say no, or what is missing; "" where it can be asked for."""

    lot: int
    fee: int
    needs: int
    words: str


def possible(watching: Watching) -> list[Lot]:
    """Every lot, and whether it can be asked for now. Raises ChainUnreachable, Refused where minting is not set up."""
    tie(watching)
    addresses, head = _addresses(watching), watching.agreed_head()
    system = watching.first.contracts.system
    lots = _told(watching, system, "getAllowedLotSizes", head=head)
    fee = int(_told(watching, system, "getNewDepositFeeEstimate", head=head))
    needs = fee + GAS_OF_ALL * watching.settings.keeps_gas_cap
    _, ether = watching.balances(head)
    found = []
    for lot in lots:
        words = f"{Amount(needs - ether, ETH)} are missing" if ether < needs else ""
        words = words or watching.refusals([(addresses.factory, minting.create(lot, fee, addresses).text)])[0]
        found.append(Lot(int(lot), fee, needs, words))
    return found


def ask(watching: Watching, payer: ReplacingPayer, lot: int, *, most: int) -> Mint:
    """Ask for a deposit of a lot. most: the ether in wei that its whole way may reserve, as its owner was shown it.
    Raises Refused where it is switched off, it would take more, or the contracts would say no."""
    if not watching.settings.keeps_mint:
        raise Refused(SWITCHED_OFF, why="VALTRAC_KEEPS_MINT=no", fix="set it to yes, where you mean it")
    go_on(watching, payer)
    chosen = next((each for each in possible(watching) if each.lot == lot), None)
    if chosen is None:
        raise BadInput(f"{lot} satoshi is no lot", fix="see: run.py keeps mint lots")
    if chosen.words:
        raise Refused(f"no deposit of {lot} satoshi can be asked for", why=chosen.words)
    if chosen.needs > most:
        raise Refused(
            f"a deposit of {lot} satoshi reserves {Amount(chosen.needs, ETH)} by now",
            why=f"{Amount(most, ETH)} were agreed to",
            fix="ask for it again, where you mean it",
        )
    send_calls(
        watching,
        payer,
        [minting.create(lot, chosen.fee, _addresses(watching))],
        watching.agreed_head(),
        why="to mint TBTC",
        begin=lambda conn, lines: store.begin(conn, lot=lot, batch_id=lines[0].batch_id, line_id=lines[0].id),
    )
    advance(watching, payer)
    with reading(watching.engine) as conn:
        return store.listed(conn)[-1]


def advance(watching: Watching, payer: ReplacingPayer | None) -> list[str]:
    """Bring every open one on as far as it goes now; words of what is to be done by hand. payer: None while the wallet
    is locked: then it is only looked at."""
    if payer is not None:
        go_on(watching, payer)
    with reading(watching.engine) as conn:
        still_open = store.listed(conn, still_open=True)
    said: list[str] = []
    for each in still_open:
        try:
            _bring_on(watching, payer, each, said)
        except OutcomeUnknown:
            raise
        except ValtracError as error:  # what one is stuck on holds no other
            said.append(f"{each.deposit[:10] or f'mint {each.id}'}: {plain(error, 300)}")
    return said


def _bring_on(watching: Watching, payer: ReplacingPayer | None, each: Mint, said: list[str]) -> None:
    head = watching.agreed_head()
    calls = _next(watching, _found(watching, each), head, said)
    if not calls or payer is None or not watching.settings.keeps_mint:
        return
    if words := watching.refusals([(call.to, call.text) for call in calls[:1]])[0]:
        said.append(f"{calls[0].name}: not now: {words}")
        return
    send_calls(watching, payer, calls, head, why="to mint TBTC", deposits=(each.deposit,))
    close_allowances(watching, payer)
    _next(watching, _again(watching, each.id), watching.agreed_head(), said)


def _found(watching: Watching, each: Mint) -> Mint:
    """The same with the deposit that its transaction has made; failed where that never landed."""
    if each.state is not MintState.ASKED:
        return each
    with reading(watching.engine) as conn:
        line = batches.line(conn, each.line_id)
        landed = [attempt for attempt in attempts.of_line(conn, each.line_id) if attempt.block is not None]
    made = _created_by(watching, landed[-1].tx_id) if landed else None
    with writing(watching.engine) as conn:
        if made is not None:
            store.change(conn, each.id, deposit=made[0], keep=made[1], state=MintState.SETUP)
        elif line.state == LineState.VOID:
            store.change(conn, each.id, state=MintState.FAILED, words="the contracts did not take it")
    return _again(watching, each.id)


def _created_by(watching: Watching, tx_id: str) -> tuple[str, str] | None:
    return watching.agreed("what a transaction has made", lambda side: side.contracts.created_by(tx_id))


def _told(watching: Watching, to: str, name: str, *values: object, head: Head) -> Any:
    """What a contract answers, as both groups of providers tell it."""
    return watching.agreed(name, lambda side: side.contracts.one(to, name, *values, at=head))


def _state(watching: Watching, each: Mint, head: Head) -> tuple[DepositState, bool]:
    """(the state of its deposit, whether the wallet has its token)."""
    token = watching.first.contracts.deposit_token
    state = DepositState(watching.states([each.deposit], head)[each.deposit][0])
    holder = str(_told(watching, token, "ownerOf", int(each.deposit, 16), head=head)).lower()
    return state, holder == watching.wallet


def _next(watching: Watching, each: Mint, head: Head, said: list[str]) -> list[Call]:
    """What brings one on now; notes how far it is."""
    if each.state not in minting.STILL_OPEN or not each.deposit:
        return []
    addresses = _addresses(watching)
    state, ours = _state(watching, each, head)
    now = minting.state_of(state, holds_token=ours)
    if now not in minting.STILL_OPEN and _state(watching, each, watching.final_head()) != (state, ours):
        return []  # what says so may still be undone
    words = _failed(state) if now is MintState.FAILED else WORDS.get(now, "")
    if now is each.state or each.state.may_become(now):  # else a block was exchanged: it is brought on once more
        _note(watching, each, state=now, **({"words": words} if words else {}))
    if now is MintState.FAILED:
        said.append(f"{each.deposit[:10]}: {words}")
    if now is MintState.SETUP:
        key = bytes(_told(watching, each.keep, "getPublicKey", head=head))
        created_at = int(_told(watching, each.keep, "getOpenedTimestamp", head=head))
        call = minting.setup(each.deposit, created_at, int(head.at.timestamp()), has_key=len(key) == 64)
        return [] if call is None else [call]
    if now is MintState.FUNDING:
        return _funding(watching, each, head, said)
    return minting.turn_in(each.deposit, addresses) if now is MintState.ACTIVE else []


def _failed(state: DepositState) -> str:
    if state is DepositState.FAILED_SETUP:
        return "its setup or funding failed in time; where bitcoin was paid to it, ask for it back: keeps mint abort"
    return f"the deposit is in {state.name.lower()}"


def _funding(watching: Watching, each: Mint, head: Head, said: list[str]) -> list[Call]:
    """Say where Bitcoin is to be paid; prove it once it lies deep enough."""
    network = watching.bitcoin
    if (
        watching.states([each.deposit], watching.final_head())[each.deposit][0]
        != DepositState.AWAITING_BTC_FUNDING_PROOF
    ):
        said.append(f"{each.deposit[:10]}: its key is not final yet")
        return []
    script, pay_to = _to_be_paid(watching, each, watching.final_head())
    words = _how_to_pay(each, pay_to, _seconds_left(watching, each, head))
    _note(watching, each, pay_to=pay_to, words=words)
    if network is None:
        said.append("no Electrum server is set: a payment cannot be found")
        return []
    for entry in network.history(script):
        raw = network.transaction(entry.tx_id)
        paying = [] if raw is None else watching.transactions.paying(raw, script)
        enough = [(place, satoshi) for place, satoshi in paying if satoshi >= each.lot]
        if raw is None or not enough:
            continue
        depth = network.confirmations(raw) or 0
        _note(
            watching,
            each,
            bitcoin_tx=entry.tx_id,
            confirmations=depth,
            words=f"{depth} of {CONFIRMATIONS} confirmations",
        )
        proof = network.proof(raw, CONFIRMATIONS) if depth >= CONFIRMATIONS else None
        if proof is None:
            return []
        parts = watching.transactions.parts(raw)
        written = ", ".join(f"0x{part.hex()}" for part in parts)
        place = f"{enough[0][0]}, 0x{proof.merkle.hex()}, {proof.index}, 0x{proof.headers.hex()}"
        text = f"provideBTCFundingProof({written}, {place})"
        return [Call(each.deposit, text, 0, f"proof of funding for {each.deposit[:10]}", each.deposit)]
    said.append(f"{each.deposit[:10]}: {words}")
    return []


def _how_to_pay(each: Mint, pay_to: str, left_s: int) -> str:
    """In words; what cannot be proven in its time any more is not to be paid: nothing makes the members pay it back."""
    if left_s < TO_BE_PROVEN_S:
        return f"pay nothing more to {pay_to}: it could not be proven in its time"
    return f"pay just {each.lot} satoshi to {pay_to} within {(left_s - TO_BE_PROVEN_S) // 60} minutes"


def _seconds_left(watching: Watching, each: Mint, head: Head) -> int:
    """Until anybody may call its funding failed; since its key was registered."""
    with reading(watching.engine) as conn:
        first = min((attempt.block or 0 for attempt in attempts.of_line(conn, each.line_id)), default=0)
    registered = watching.agreed(
        "when a key was registered",
        lambda side: side.contracts.times("RegisteredPubkey", each.deposit, first, head.number),
    )
    return registered[-1][1] + deadlines.FUNDING_PROOF_S - int(head.at.timestamp()) if registered else 0


def _to_be_paid(watching: Watching, each: Mint, head: Head) -> tuple[bytes, str]:
    """(script, address) that the lot is to be paid to: what goes elsewhere is lost, so that nothing is taken from the
    database alone, and nothing from one group of providers. Raises ChainUnreachable, Refused."""
    keep = str(_told(watching, each.deposit, "keepAddress", head=head)).lower()
    lot = int(_told(watching, each.deposit, "lotSizeSatoshis", head=head))
    _, ours = _state(watching, each, head)
    if not ours or (keep, lot) != (each.keep, each.lot):
        raise Refused(
            f"deposit {each.deposit} is not the one that was asked for",
            why="its keep, its lot, or who has its token is another one than is written down",
            fix="pay nothing to it; the database was changed by other hands: bring a backup back",
        )
    key = bytes(_told(watching, keep, "getPublicKey", head=head))
    try:
        return (
            watching.transactions.keeps_script(key),
            watching.transactions.keeps_address(key, watching.bitcoin_network),
        )
    except ValueError as error:
        raise ChainUnreachable(f"the key of keep {keep} is none", why=plain(error), fix="pay nothing to it") from error


def abort(watching: Watching, payer: ReplacingPayer, mint_id: int) -> None:
    """Ask the members of a deposit that has failed to pay the bitcoin back to the address that is set. Raises BadInput,
    Refused."""
    each = _again(watching, mint_id)
    if each.state is not MintState.FAILED or not each.deposit:
        raise Refused(f"mint {mint_id} has not failed", fix="see: run.py keeps mint list")
    if not watching.script:
        raise BadInput("no Bitcoin address is set", fix="set VALTRAC_KEEPS_BITCOIN_ADDRESS")
    head = watching.agreed_head()
    send_calls(watching, payer, [minting.abort(each.deposit, watching.script)], head, why="its funding failed")
    _note(watching, each, words="the members were asked to pay the bitcoin back; nothing makes them")


def _addresses(watching: Watching) -> Addresses:
    contracts = watching.first.contracts
    if not watching.deposit_factory:
        raise Refused("the factory of deposits is not known", fix="set VALTRAC_KEEPS_DEPOSIT_FACTORY")
    return Addresses(watching.deposit_factory, contracts.deposit_token, contracts.machine)


def _note(watching: Watching, each: Mint, **values: object) -> None:
    with writing(watching.engine) as conn:
        store.change(conn, each.id, **values)


def _again(watching: Watching, mint_id: int) -> Mint:
    with reading(watching.engine) as conn:
        found = next((each for each in store.listed(conn) if each.id == mint_id), None)
    if found is None:
        raise BadInput(f"there is no mint {mint_id}", fix="see: run.py keeps mint list")
    return found
