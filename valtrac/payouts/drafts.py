"""Drafts: from what is stored to a plan that never changes, with the hash of all that it read."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa

from valtrac.core.addresses import BadAddress, key_of
from valtrac.core.chain import Payment
from valtrac.core.errors import BadInput, Refused
from valtrac.core.money import rao
from valtrac.core.text import plain
from valtrac.database.engine import claim_identity, reading, writing
from valtrac.payments.fees import estimate
from valtrac.payments.store import batches as stored
from valtrac.payouts import ranges
from valtrac.payouts.inputs import BY_SUMS, Inputs, inputs_hash, read_inputs
from valtrac.payouts.model import plans, sharing
from valtrac.payouts.model.batches import PayoutBatch
from valtrac.payouts.model.plans import PayoutPlan, Rules, as_values
from valtrac.payouts.model.weights import Weights
from valtrac.payouts.store import batches
from valtrac.payouts.weighing import weigh
from valtrac.people.model import policies
from valtrac.ports import PayingChain
from valtrac.snapshots.model import stakes
from valtrac.snapshots.model.newest import most_first
from valtrac.snapshots.store import bounds, claims, newest, snapshots

EXISTENTIAL_UNITS = 500


@dataclass(frozen=True, slots=True)
class Request:
    """What the owner asks for; None: the default. Amounts in rao, netuid None: all."""

    hotkey: str
    pool: int
    wallet: str
    by: policies.By = "users"
    method: stakes.Method = "mean-share"
    netuid: int | None = 0
    from_block: int | None = None
    to_block: int | None = None
    fee: int | None = None
    fee_policy: plans.FeePolicy = "pool"
    minimum: int = EXISTENTIAL_UNITS
    fee_per_payee: int = 0
    chunk_size: int = 300
    interval: int | None = None
    ignore_withdrawals: bool = False
    take_back_bps: int = 0
    persons: tuple[str, ...] = ()


def draft(engine: sa.Engine, request: Request, chain: PayingChain | None) -> PayoutBatch:
    """Make a plan, store it as a draft and return it.

    chain None: no node; the fee is taken from the setting, and the plan says so.
    Raises BadInput or Refused, in words, where there is nothing to share or a rule forbids it.
    """
    _check(request)
    rules = _rules(engine, request, chain)
    ranges.check(engine, request.hotkey, rules, chain)
    with reading(engine) as conn:
        inputs = read_inputs(conn, request.hotkey, rules)
        weights = weigh(conn, request.hotkey, rules, inputs.terms, interval=request.interval)
    fee, note = _fee(request, chain, rules, weights, inputs)
    plan = sharing.share_out(rules, weights, inputs.terms, inputs.held, fee, wallet=request.wallet)
    plan = replace(plan, notes=(*plan.notes, *note, *_warnings(engine, request.hotkey, rules)))
    return _stored(engine, request, rules, fee, plan, inputs, chain)


def draft_balances(engine: sa.Engine, request: Request, chain: PayingChain | None) -> PayoutBatch:
    """A draft that pays out held balances on request, whatever the minimum: of request.persons, or all.

    The wallet pays them beside any pool. Raises Refused where nothing is held, or nobody has an address.
    """
    _check(request)
    policy: plans.FeePolicy = "owner" if request.fee_policy == "pool" else request.fee_policy
    with reading(engine) as conn:
        present = bounds.present(conn, 0 if chain is None else chain.finalized().number)
    rules = Rules(
        0,
        0,
        -1,
        None,
        "mean-share",
        "balances",
        policy,
        0,
        least=_existential(chain),
        persons=tuple(sorted(request.persons)),
        as_of=present,
    )
    with reading(engine) as conn:
        inputs = read_inputs(conn, "", rules)
    weights = Weights({})
    fee, note = _fee(request, chain, rules, weights, inputs)
    plan = sharing.share_out(rules, weights, inputs.terms, inputs.held, fee, wallet=request.wallet)
    if not plan.lines:
        raise Refused(
            "there is no held balance that can be paid",
            why="; ".join(sorted({kept.reason for kept in plan.held})) or "nothing is held",
            fix="see what is held and why: run.py ledger show",
        )
    left = [f"{kept.user} is not paid: {kept.reason}" for kept in plan.held]
    plan = replace(plan, notes=(*note, *left), held=())
    return _stored(engine, replace(request, hotkey=""), rules, fee, plan, inputs, chain)


def _stored(
    engine: sa.Engine,
    request: Request,
    rules: Rules,
    fee: int,
    plan: PayoutPlan,
    inputs: Inputs,
    chain: PayingChain | None,
) -> PayoutBatch:
    """Store a plan as a draft, unless what it read is not what is stored any more."""
    sealed = inputs_hash(request.hotkey, request.wallet, rules, fee, inputs)
    with writing(engine) as conn:
        if chain is not None:
            identity = chain.identity()
            claim_identity(conn, identity.genesis_hash, identity.network, chain.asset)
        if inputs_hash(request.hotkey, request.wallet, rules, fee, read_inputs(conn, request.hotkey, rules)) != sealed:
            raise Refused(
                "something changed while the plan was made",
                why="a snapshot, a term or a balance is new",
                fix="make the plan again",
            )
        batch_id = stored.insert_draft(
            conn,
            producer=batches.NAME,
            wallet=request.wallet,
            total=plan.total,
            fee=plan.fee,
            spec=rules.spec(),
            plan=as_values(plan),
            inputs_hash=sealed,
            lines=[line_values(line) for line in plan.lines],
        )
        if request.hotkey:
            netuid = claims.netuid_text(rules.netuid)
            claims.plan(conn, batch_id, request.hotkey, netuid, rules.from_block, rules.to_block)
        return batches.get(conn, batch_id)


def replan(conn: sa.Connection, batch: PayoutBatch) -> tuple[PayoutPlan, str]:
    """The plan that a batch's rules would give now, and the hash of what it reads now."""
    rules = batch.rules
    inputs = read_inputs(conn, batch.hotkey, rules, before_batch=batch.id)
    weights = Weights({})
    if rules.by != "balances":
        weights = weigh(conn, batch.hotkey, rules, inputs.terms)
    plan = sharing.share_out(rules, weights, inputs.terms, inputs.held, batch.fee, wallet=batch.wallet)
    return plan, inputs_hash(batch.hotkey, batch.wallet, rules, batch.fee, inputs)


def differences(batch: PayoutBatch, plan: PayoutPlan) -> list[str]:
    """What a new plan would pay otherwise, line by line."""
    old = {line.user: (line.address, line.amount) for line in batch.payout.lines}
    new = {line.user: (line.address, line.amount) for line in plan.lines}
    lines = []
    for name in sorted(old | new):
        was, now = old.get(name), new.get(name)
        if was == now:
            continue
        if was is None or now is None:
            lines.append(
                f"{name}: {'not paid' if was is None else rao(was[1])} -> {'not paid' if now is None else rao(now[1])}"
            )
        else:
            moved = "" if was[0] == now[0] else f", address {was[0]} -> {now[0]}"
            lines.append(f"{name}: {rao(was[1])} -> {rao(now[1])}{moved}")
    return lines or ["the payments are the same, but something that they were computed from changed"]


def line_values(line: plans.Line) -> dict[str, Any]:
    """A line as a row of the database."""
    return {
        "name": line.user,
        "person": line.person,
        "address": line.address,
        "from_pool": line.from_pool,
        "released": line.released,
        "fee_share": line.fee_share,
        "amount": line.amount,
    }


def _check(request: Request) -> None:
    """Raise BadInput, naming the field, for what the rules do not say: the wallet, fees and sizes."""
    try:
        key_of(request.wallet)
    except BadAddress as error:
        raise BadInput(
            f"wallet: {plain(request.wallet, 60)!r} is no address of this network",
            why=str(error),
            fix="name the wallet that pays",
        ) from error
    least = {
        "fee": (request.fee, 0),
        "fee-per-payee": (request.fee_per_payee, 0),
        "chunk-size": (request.chunk_size, 1),
        "minimum": (request.minimum, 0),
    }
    for field, (value, bound) in least.items():
        if value is not None and (type(value) is not int or value < bound):
            raise BadInput(
                f"{field}: {plain(value, 40)!r} is no whole number from {bound} upwards", fix="give a larger one"
            )


def _warnings(engine: sa.Engine, hotkey: str, rules: Rules) -> list[str]:
    """What the owner should know before approving: ranges that meet."""
    with reading(engine) as conn:
        met = batches.overlaps(conn, hotkey, claims.netuid_text(rules.netuid), rules.from_block, rules.to_block)
    return [
        f"batch #{other.batch_id} pays for blocks {other.from_block} to {other.to_block} already: "
        "approving this one needs --allow-overlap"
        for other in met
    ]


def _no_snapshot(engine: sa.Engine, request: Request) -> BadInput:
    """The error where the subnet that is asked for has no snapshot: it names those that have."""
    with reading(engine) as conn:
        recorded = most_first(newest.by_subnet(conn, request.hotkey))
    known = "" if request.netuid is None else f" on netuid {request.netuid}"
    fix = f"take one: run.py snapshot take --hotkey {request.hotkey}, or start the logger"
    if recorded:
        fix = f"the stake is recorded on netuid {', '.join(map(str, recorded[:5]))}: name one, --netuid {recorded[0]}"
    return BadInput(f"there is no snapshot of {request.hotkey}{known} yet", fix=fix)


def _rules(engine: sa.Engine, request: Request, chain: PayingChain | None) -> Rules:
    """The request with every default filled in."""
    with reading(engine) as conn:
        first = snapshots.first_block(conn, request.hotkey, request.netuid)
        last = snapshots.last_block(conn, request.hotkey, request.netuid)
        paid = ranges.paid_up_to(conn, request.hotkey, request.netuid)
    if first is None or last is None:
        raise _no_snapshot(engine, request)
    from_block = request.from_block if request.from_block is not None else (first if paid is None else paid + 1)
    to_block = request.to_block if request.to_block is not None else last
    if request.from_block is None and request.to_block is None and from_block > to_block:
        raise Refused(
            f"everything up to block {paid} is in a batch already, or was paid before this ledger",
            why="there is no snapshot after it",
            fix="wait for the next snapshot, or name a range with --from and --to",
        )
    rules = Rules(
        request.pool,
        from_block,
        to_block,
        request.netuid,
        request.method,
        request.by,
        request.fee_policy,
        max(request.minimum, _existential(chain)),
        request.ignore_withdrawals,
        _existential(chain),
        request.take_back_bps,
        sealed=BY_SUMS,
    )
    plans.check_rules(rules)
    return rules


def _existential(chain: PayingChain | None) -> int:
    """The least that an account may hold: asked of the node, the chain's long-standing figure without one."""
    return EXISTENTIAL_UNITS if chain is None else chain.limits().existential_units


def _fee(
    request: Request, chain: PayingChain | None, rules: Rules, weights: Weights, inputs: Inputs
) -> tuple[int, list[str]]:
    """The network fee for paying everyone with something due, and a note where it is not the node's word."""
    if request.fee is not None:
        return request.fee, []
    payees = sharing.due(rules, weights, inputs.terms, inputs.held, wallet=request.wallet)
    if chain is not None:
        payments = [Payment(payee.address, payee.amount) for payee in payees]
        return estimate(chain, request.wallet, payments, request.chunk_size), []
    fee = request.fee_per_payee * len(payees)
    return fee, [f"no node was asked: the network fee of {rao(fee)} comes from the setting VALTRAC_FEE_PER_PAYEE"]
