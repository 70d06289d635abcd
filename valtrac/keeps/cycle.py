"""One round of the watch: which keeps there are, how they are, what is done about them, and what has to be told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from valtrac.core.errors import ChainUnreachable, OutcomeUnknown, ValtracError
from valtrac.core.money import Amount
from valtrac.core.text import plain
from valtrac.database.engine import reading, writing
from valtrac.keeps import minting, told
from valtrac.keeps.carrying_out import carry_out, close_allowances, go_on, too_dear
from valtrac.keeps.deciding import LeftOut, Plan, decide
from valtrac.keeps.discovery import Discovered, discover
from valtrac.keeps.looking import Look, look
from valtrac.keeps.model.funds import affordable, step_ether
from valtrac.keeps.model.policy import Group
from valtrac.keeps.model.progress import Action
from valtrac.keeps.steps import Step, Steps, next_steps
from valtrac.keeps.store import redemptions
from valtrac.keeps.watching import Watching, tie
from valtrac.payments import still_open
from valtrac.payments.reconcile import Finding
from valtrac.payments.store import attempts
from valtrac.ports import ReplacingPayer

LOCKED = "locked: nothing is redeemed; unlock it: run.py keeps unlock"
SWITCHED_OFF = "redeeming is switched off: VALTRAC_KEEPS_REDEEM=no"


@dataclass(slots=True)
class Round:
    """What one round saw and did. plan: None where nothing could be decided; sent: what became of each transaction."""

    discovered: Discovered
    look: Look
    plan: Plan | None = None
    steps: Steps = field(default_factory=Steps)
    sent: list[Finding] = field(default_factory=list)
    words: list[str] = field(default_factory=list)

    @property
    def to_be_sent(self) -> bool:
        """Whether anything is, were the wallet open."""
        return bool(self.steps.steps) or (self.plan is not None and not self.plan.nothing)

    @property
    def in_danger(self) -> int:
        """Keeps that are in courtesy call, or below a threshold of theirs, and were not asked back in this round."""
        redeemed = {each.watched.keep.deposit for each in self.plan.redeem} if self.plan else set()
        wanted = [each for each in self.look.watched if each.danger is not None]
        done = redeemed if self.sent else set()
        return sum(each.keep.deposit not in done for each in wanted)


def run(watching: Watching, payer: ReplacingPayer | None, *, pieces: int | None = None) -> Round:
    """One round. payer: None while the wallet is locked: then everything is seen and told, and nothing is sent.

    Raises ChainUnreachable where the chain is not told, Refused where nothing may be done at all, OutcomeUnknown where
    a transaction has not been seen again: the next round finds it.
    """
    tie(watching)
    try:
        return _round(watching, payer, pieces)
    except OutcomeUnknown:
        raise
    except ValtracError as error:
        raise still_open.with_what_is_open(
            error, still_open.of_journal(watching.engine), watching.producer.words.reconcile
        ) from None


def _round(watching: Watching, payer: ReplacingPayer | None, pieces: int | None) -> Round:
    """Keeps first: what is in danger does not wait for TBTC that is being minted."""
    this = _of_keeps(watching, payer, pieces)
    if watching.settings.keeps_mint:
        this.words += minting.advance(watching, None if payer is None or too_dear(watching) else payer)
    return this


def _of_keeps(watching: Watching, payer: ReplacingPayer | None, pieces: int | None) -> Round:
    stopped = None if payer is None else _what_is_open(watching, payer)
    this = Round(discover(watching, pieces=pieces), look(watching))
    this.steps = next_steps(watching, this.look.head)
    this.words += this.steps.words
    reserved = sum(step_ether(step.call.text, watching.settings.keeps_gas_cap) for step in this.steps.steps)
    this.plan = decide(watching, this.look, reserved=reserved)
    _note_left(watching, this.plan)
    dear = too_dear(watching) if this.to_be_sent else ""
    told.note(watching, this.look, this.plan, this.steps.late, waits=_waits(this, payer, dear, stopped))
    if stopped is not None:
        raise stopped
    if not this.to_be_sent:
        return this
    if payer is None or not watching.settings.keeps_redeem:
        this.words.append(LOCKED if payer is None else SWITCHED_OFF)
    elif dear:
        this.words.append(dear)
    else:
        try:
            this.sent = carry_out(watching, payer, this.plan, _paid_for(watching, this, reserved))
        except ValtracError as error:
            told.refused(watching, plain(error, 300))
            raise
        this.words += in_words(watching, this.sent)
        told.note(watching, look(watching), this.plan, this.steps.late, waits="")  # what was sent has changed them
    return this


def _what_is_open(watching: Watching, payer: ReplacingPayer) -> ValtracError | None:
    """Bring to its end what was sent before; why that cannot be done now. Keeps are looked at all the same, and their
    owner is told: it is when nothing gets through that he has to hear of them."""
    try:
        go_on(watching, payer)
        close_allowances(watching, payer)
    except ChainUnreachable:
        raise
    except ValtracError as error:
        return error
    return None


def _paid_for(watching: Watching, this: Round, reserved: int) -> list[Step]:
    """The steps that the ether at hand bears, the first ones first."""
    assert this.plan is not None
    texts = [step.call.text for step in this.steps.steps]
    number = affordable(texts, watching.settings.keeps_gas_cap, this.plan.ether + reserved)
    if number < len(texts):
        this.words.append(f"ether for {len(texts) - number} calls is missing")
    return this.steps.steps[:number]


def _waits(this: Round, payer: ReplacingPayer | None, dear: str, stopped: ValtracError | None) -> str | None:
    """Why what is to be sent is not, in words; "" where nothing is to be sent, None where it is tried now."""
    if payer is None and this.to_be_sent:
        return "the wallet is locked, and keeps are to be redeemed"
    if stopped is not None:
        return plain(stopped, 300)
    return dear or (None if this.to_be_sent else "")


def in_words(watching: Watching, sent: Sequence[Finding]) -> list[str]:
    """What became of each transaction, a line each."""
    asset, said = watching.first.chain.asset, []
    with reading(watching.engine) as conn:
        for finding in sent:
            names = ", ".join(line.name for line in attempts.lines_of_chunk(conn, finding.attempt.chunk_id))
            cost = f", at most {Amount(finding.attempt.units, asset)}" if finding.attempt.units else ""
            said.append(f"{plain(names, 80)}: {finding.called} {plain(finding.words, 200)}{cost}")
    return said


def _note_left(watching: Watching, plan: Plan) -> None:
    """Write down why a keep that is to be redeemed is not, once for each reason."""
    with writing(watching.engine) as conn:
        for each in plan.left:
            words = _left(each)
            if redemptions.last_words(conn, each.watched.keep.id, Action.LEFT) != words:
                redemptions.act(conn, Action.LEFT, words, keep_id=each.watched.keep.id, block=plan.look.head.number)


def _left(each: LeftOut) -> str:
    group = "in danger" if each.watched.wish.group is Group.DANGER else "low"
    return f"{group}, {each.watched.wish.why}; not redeemed: {each.words}"
