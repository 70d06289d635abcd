"""What was decided, made a batch and sent by the door; what became of it, written into the audit log."""

from __future__ import annotations

import re
from collections.abc import Sequence

import sqlalchemy as sa

from valtrac.core.chain import Head
from valtrac.core.errors import Refused
from valtrac.core.hashing import hash_of
from valtrac.core.keeps import GasPaid
from valtrac.core.money import TBTC, Amount
from valtrac.database.engine import reading, writing
from valtrac.keeps.deciding import Plan
from valtrac.keeps.model.lines import Call, approve, calls_for, leave_call
from valtrac.keeps.model.progress import Action, RedemptionState
from valtrac.keeps.model.states import DepositState
from valtrac.keeps.producer import NAME
from valtrac.keeps.steps import Step
from valtrac.keeps.store import keeps as store
from valtrac.keeps.store import redemptions
from valtrac.keeps.store.redemptions import Redemption
from valtrac.keeps.watching import Watching
from valtrac.payments import side_by_side, standing_batches
from valtrac.payments.model.batches import Attempt, BatchLine
from valtrac.payments.model.states import INCLUDED, AttemptState, LineState
from valtrac.payments.reconcile import Finding
from valtrac.payments.store import attempts, batches, ledger
from valtrac.ports import ReplacingPayer

GWEI = 10**9
NO_GAS = GasPaid(0, 0)
RECENT = 10  # batches whose allowances are looked at
_SPENDER = re.compile(r"approve\((0x[0-9a-f]{40}), ")
ACTIONS = {
    "approve": Action.APPROVE,
    "notifyCourtesyCall": Action.COURTESY_CALL,
    "exitCourtesyCall": Action.LEAVE_CALL,
    "tbtcToBtc": Action.REDEEM,
    "requestRedemption": Action.REDEEM,
    "provideRedemptionSignature": Action.SIGN,
    "increaseRedemptionFee": Action.INCREASE,
    "provideRedemptionProof": Action.PROVE,
    "createDeposit": Action.MINT,
    "retrieveSignerPubkey": Action.MINT,
    "provideBTCFundingProof": Action.MINT,
    "tdtToTbtc": Action.MINT,
    "notifySignerSetupFailed": Action.MINT,
    "requestFunderAbort": Action.MINT,
}


def carry_out(watching: Watching, payer: ReplacingPayer, plan: Plan, steps: Sequence[Step]) -> list[Finding]:
    """Send a plan and the next steps of what was asked for before, once each; what became of each. Steps that the
    contract would refuse by now, because somebody else was faster, are left out.

    Raises Refused where nothing may be sent, OutcomeUnknown where what was sent has not been seen again.
    """
    asked = [each.asked for each in plan.redeem]
    machine = watching.first.contracts.machine
    calls = calls_for(asked, token=watching.token, machine=machine, script=watching.script)
    calls += [leave_call(each.keep.deposit) for each in plan.leave]
    refusals = watching.refusals([(step.call.to, step.call.text) for step in steps])
    timely = [step for step, words in zip(steps, refusals, strict=True) if not words]
    calls += [step.call for step in timely]
    if not calls:
        return []
    batch_id = _batch(watching, plan, calls, {step.call.text: step.words for step in timely})
    ended = side_by_side.send(watching.door(), payer, batch_id)
    drop_unsent(watching)
    record(watching)
    close_allowances(watching, payer)
    return ended


def too_dear(watching: Watching) -> str:
    """Why nothing is signed now, since gas costs more than its owner lets it pay; else ""."""
    base, cap = watching.first.chain.gas().base, watching.settings.keeps_gas_cap
    if base < cap:
        return ""
    return f"gas costs {base / GWEI:,.1f} gwei, above VALTRAC_KEEPS_GAS_CAP of {cap / GWEI:,.1f}: it is waited for"


def _batch(watching: Watching, plan: Plan, calls: Sequence[Call], reasons: dict[str, str]) -> int:
    """The approved batch of these calls, and the redemptions in it, in one transaction."""
    decided = {each.watched.keep.deposit: each for each in plan.redeem}
    for each in plan.redeem:
        reasons[each.watched.keep.deposit] = each.watched.wish.why
    reasons |= {call.text: f"for {len(plan.redeem)} redemptions" for call in calls if call.text.startswith("approve(")}
    stored = [each.asked.stored() for each in plan.redeem]
    written = [[call.to, call.text] for call in calls]
    with writing(watching.engine) as conn:
        attempts.lock_wallet(conn, watching.wallet)
        _refuse_what_is_asked_for(conn, plan)
        lines = standing_batches.approved(
            conn,
            producer=NAME,
            wallet=watching.wallet,
            fee=0,
            lines=[line_of(call) for call in calls],
            spec={"block": plan.look.head.number, "hash": plan.look.head.hash},
            plan={"redemptions": stored, "script": watching.script.hex(), "calls": written, "reasons": reasons},
            inputs_hash=hash_of([stored, written]),
            cause=f"decided at block {plan.look.head.number}",
        )
        for call, line in zip(calls, lines, strict=True):
            if not call.redeems:
                continue
            each = decided[call.deposit]
            redemptions.begin(
                conn,
                each.watched.keep.id,
                {
                    "batch_id": line.batch_id,
                    "line_id": line.id,
                    "route": each.asked.route.value,
                    "cost": each.asked.cost,
                    "value": each.watched.value,
                    "coin": each.coin,
                    "fee": each.coin - each.asked.output,
                    "script": watching.script.hex(),
                    "reason": each.watched.wish.why,
                },
            )
    return lines[0].batch_id


def _refuse_what_is_asked_for(conn: sa.Connection, plan: Plan) -> None:
    """Raise Refused where another process has asked for a keep since it was decided on."""
    still_open = {each.keep_id for each in redemptions.listed(conn, still_open=True)}
    for each in plan.redeem:
        if each.watched.keep.id in still_open:
            raise Refused(
                f"deposit {each.watched.keep.deposit} was asked for meanwhile",
                why="another process of ValTrac has done it",
                fix="nothing was sent by this one; what is left is decided anew",
            )


def line_of(call: Call) -> dict[str, object]:
    """A call as a line of a batch."""
    person = f"keep:{call.deposit}" if call.deposit else "keeps"
    return {"name": call.name, "person": person, "address": call.to, "amount": call.most, "memo": call.text}


def go_on(watching: Watching, payer: ReplacingPayer) -> list[Finding]:
    """Bring to its end what an earlier run has sent, take back what it did not get to send, and leave no allowance.

    Raises OutcomeUnknown where something has not been seen again.
    """
    door = watching.door()
    with reading(watching.engine) as conn:
        unfinished = standing_batches.unfinished(conn)
        waiting = attempts.unresolved(conn, watching.wallet)
    if not unfinished and not waiting:
        record(watching)
        return []
    ended = side_by_side.go_on(door, payer)
    for batch_id in unfinished:
        side_by_side.give_up(door, batch_id)
    drop_unsent(watching)
    record(watching)
    return ended


def drop_unsent(watching: Watching) -> None:
    """Redemptions whose line was taken back before it was sent are decided anew."""
    with writing(watching.engine) as conn:
        for each in redemptions.listed(conn, still_open=True):
            if each.state is RedemptionState.ASKED and batches.line(conn, each.line_id).state == LineState.VOID:
                redemptions.change(conn, each.id, state=RedemptionState.FAILED, words="not sent in its time")


def close_allowances(watching: Watching, payer: ReplacingPayer) -> None:
    """Set to 0 whatever was allowed lately and not used: its redemption failed, or cost less."""
    with reading(watching.engine) as conn:
        recent = [batch.id for batch in batches.listed(conn, limit=RECENT)]
        memos = [line.memo for batch_id in recent for line in batches.lines_of(conn, batch_id)]
        if attempts.unresolved(conn, watching.wallet):
            return  # what is on its way may still use it
    head = watching.final_head()
    spenders = dict.fromkeys(match[1] for match in map(_SPENDER.match, memos) if match)
    left = {spender: units for spender in spenders if (units := _allowed(watching, spender, head))}
    if not left or too_dear(watching):
        return
    calls = [approve(watching.token, spender, 0) for spender in left]
    unused = zip(calls, left.values(), strict=True)
    reasons = {call.text: f"{units} wei were allowed and not used" for call, units in unused}
    with writing(watching.engine) as conn:
        attempts.lock_wallet(conn, watching.wallet)
        written = [[call.to, call.text] for call in calls]
        stored = standing_batches.approved(
            conn,
            producer=NAME,
            wallet=watching.wallet,
            fee=0,
            lines=[line_of(call) for call in calls],
            spec={"block": head.number, "hash": head.hash},
            plan={"redemptions": [], "script": "", "calls": written, "reasons": reasons},
            inputs_hash=hash_of(written),
            cause="allowances that were not used",
        )
    side_by_side.send(watching.door(), payer, stored[0].batch_id)
    record(watching)


def _allowed(watching: Watching, spender: str, head: Head) -> int:
    """What a spender may still take, as both groups of providers tell: what one keeps back stays open for good."""
    return watching.agreed("an allowance", lambda side: side.chain.allowance(watching.wallet, spender, head))


def record(watching: Watching) -> int:
    """Write into the audit log what became of each transaction that has ended and is not in it yet; how many."""
    with reading(watching.engine) as conn:
        noted = {each.tx_id for each in redemptions.actions(conn)}
        ended = [attempt for attempt in attempts.ended(conn, NAME) if attempt.tx_id not in noted]
    failed: list[Redemption] = []
    for attempt in ended:
        paid = watching.first.chain.gas_paid(attempt.tx_id) if attempt.state in INCLUDED else NO_GAS
        if paid is None:
            continue  # it is told later
        with writing(watching.engine) as conn:
            lines = attempts.lines_of_chunk(conn, attempt.chunk_id)
            for line in lines:
                _note(watching, conn, attempt, line, paid.wei)
            concerned = redemptions.of_lines(conn, [line.id for line in lines]).values()
        failed += [each for each in concerned if each.state is RedemptionState.FAILED]
    _note_saved(watching, failed)
    return len(ended)


def _note_saved(watching: Watching, failed: Sequence[Redemption]) -> None:
    """Say of redemptions that failed whether somebody else was faster: such a keep is saved, and not lost."""
    if not failed:
        return
    head = watching.agreed_head()
    states = watching.states([each.deposit for each in failed], head)
    for each in failed:
        state = DepositState(states[each.deposit][0])
        if not state.being_redeemed and state is not DepositState.REDEEMED:
            continue
        with writing(watching.engine) as conn:
            redemptions.change(conn, each.id, words=redemptions.SAVED_BY_ANOTHER)
            redemptions.act(conn, Action.SEEN, redemptions.SAVED_BY_ANOTHER, keep_id=each.keep_id, block=head.number)


def _note(watching: Watching, conn: sa.Connection, attempt: Attempt, line: BatchLine, ether: int) -> None:
    batch = batches.get(conn, attempt.batch_id)
    deposit = line.person.partition(":")[2]
    keep = store.of_deposits(conn, [deposit]).get(deposit) if deposit else None
    reasons = batch.plan["reasons"]
    reason = str(reasons.get(line.memo) or reasons.get(deposit) or line.name)
    went = "" if attempt.state is AttemptState.LANDED else f"; {attempt.state}: {attempt.error or 'never included'}"
    taken, action = ledger.paid_for(conn, line.id), _action(line)
    fee = taken * watching.settings.keeps_service_fee // 10_000 if action is Action.REDEEM else 0
    agreed = f"; the agreed fee is {Amount(fee, TBTC)}" if fee else ""
    redemptions.act(
        conn,
        action,
        f"{line.name}: {reason}{went}{agreed}",
        keep_id=keep.id if keep else None,
        batch_id=batch.id,
        tx_id=attempt.tx_id,
        tbtc=taken,
        ether=ether,
        block=attempt.block or 0,
    )
    for redemption in redemptions.of_lines(conn, [line.id]).values():
        redemptions.change(conn, redemption.id, taken=taken)


def _action(line: BatchLine) -> Action:
    name = line.memo.partition("(")[0]
    if name == "approve" and line.memo.endswith(", 0)"):
        return Action.CLOSE
    return ACTIONS.get(name, Action.SEEN)
