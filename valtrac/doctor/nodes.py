"""Nodes of any chain: whether they answer, keep up, and say the same; and the clock of this machine against theirs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from valtrac.core.checks import Check, bad, good, warning
from valtrac.core.errors import ValtracError
from valtrac.ports import PayingChain

SLOW_CLOCK_S = 15.0  # a block cannot be younger than now


@dataclass(frozen=True, slots=True)
class Node:
    """What one node said; error: why it did not, with the fix of whoever asked it. at: its newest final block's."""

    genesis: str = ""
    spec_version: int = 0
    block: int = 0
    at: datetime | None = None
    error: str = ""
    fix: str = ""


@dataclass(frozen=True, slots=True)
class Facts:
    """second: None where none is set. hashes: of one block, as both tell it; None where they were not compared.
    own_time: of a rehearsal, whose blocks are not of this moment. late_after_s: so old a final block may be."""

    first: Node
    second: Node | None
    hashes: tuple[str, str] | None
    now: datetime
    own_time: bool
    late_after_s: float


def look(
    chain: Callable[[], PayingChain],
    second: Callable[[], Sequence[PayingChain]],
    now: datetime,
    *,
    own_time: bool,
    late_after_s: float,
) -> Facts:
    """Ask both. chain, second: opened here, so that one that cannot be is told like one that does not answer."""
    first, others = _asked(chain), list[Node]()
    hashes = None
    try:
        witnesses = list(second())
    except ValtracError as error:
        witnesses, others = [], [Node(error=str(error), fix=error.fix)]
    if witnesses:
        other = witnesses[0]
        others = [_asked(lambda: other)]
        if not first.error and not others[0].error:
            hashes = _compared(chain(), other, min(first.block, others[0].block))
    return Facts(first, others[0] if others else None, hashes, now, own_time, late_after_s)


def judged(name: str, facts: Facts, first_setting: str, second_setting: str) -> list[Check]:
    """name: of the business; the settings that name its nodes."""
    return [
        _answers(name, facts, first_setting),
        _second(name, facts, second_setting),
        *_in_step(name, facts, first_setting),
        *_alike(name, facts, second_setting),
    ]


def _answers(name: str, facts: Facts, setting: str) -> Check:
    if facts.first.error:
        fix = facts.first.fix or f"name another node: {setting}"
        return bad(f"{name}.node", f"The node does not answer: {facts.first.error}.", fix)
    return good(f"{name}.node", f"The node answers; its last final block is {facts.first.block}.")


def _second(name: str, facts: Facts, setting: str) -> Check:
    if facts.second is None:
        if facts.own_time:
            return good(f"{name}.second-node", "A rehearsal needs no second node.")
        words = "One node is trusted with what became of payments."
        return warning(f"{name}.second-node", words, f"name a second one, run by somebody else: {setting}")
    if facts.second.error:
        words = f"The second node does not answer: {facts.second.error}."
        return bad(f"{name}.second-node", words, facts.second.fix or f"name another one: {setting}")
    return good(f"{name}.second-node", "The second node answers.")


def _in_step(name: str, facts: Facts, setting: str) -> list[Check]:
    """Whether the node keeps up, and this machine's clock with it."""
    known = [node.at for node in (facts.first, facts.second) if node is not None and node.at is not None]
    if facts.first.error or not known or facts.first.at is None:
        return []
    if facts.own_time:
        return [good(f"{name}.synced", f"The rehearsal chain is at block {facts.first.block}.")]
    ahead_s = (max(known) - facts.now).total_seconds()
    late_s = (facts.now - facts.first.at).total_seconds()
    if ahead_s > SLOW_CLOCK_S:
        fix = "set the clock of this machine right, and let it be kept so: timedatectl set-ntp true"
        clock = bad(f"{name}.clock", f"The clock of this machine is at least {ahead_s:.0f} s slow.", fix)
    elif -ahead_s > facts.late_after_s:
        fix = "compare this machine's clock with another one; if it is right, the chain or your nodes stand still"
        clock = warning(f"{name}.clock", f"The newest block is {-ahead_s:.0f} s old by this machine's clock.", fix)
    else:
        clock = good(f"{name}.clock", "The clock of this machine and that of the chain agree.")
    if late_s > facts.late_after_s:
        fix = f"wait until the node has caught up, or name another one: {setting}"
        return [bad(f"{name}.synced", f"The node's last final block is {late_s:.0f} s old.", fix), clock]
    return [good(f"{name}.synced", f"The node keeps up: its last final block is {max(late_s, 0):.0f} s old."), clock]


def _alike(name: str, facts: Facts, setting: str) -> list[Check]:
    """Whether both nodes tell of the same chain."""
    first, second = facts.first, facts.second
    if first.error or second is None or second.error:
        return []
    checks, other = [], f"pay nothing, and find out which of them is right; name another one: {setting}"
    if first.genesis != second.genesis:
        checks.append(bad(f"{name}.same-chain", "The two nodes serve different chains.", other))
    else:
        checks.append(good(f"{name}.same-chain", "Both nodes serve the same chain."))
    if facts.hashes is not None:
        if facts.hashes[0] != facts.hashes[1]:
            words = "The two nodes tell of different final blocks at one height."
            checks.append(bad(f"{name}.same-blocks", words, other))
        else:
            checks.append(good(f"{name}.same-blocks", "Both nodes tell of the same final block."))
    if first.spec_version != second.spec_version:
        words = f"The nodes run versions {first.spec_version} and {second.spec_version} of the chain's rules."
        fix = "look again in a few minutes: at an upgrade of the chain they differ for a moment"
        checks.append(warning(f"{name}.spec-version", words, fix))
    elif first.spec_version:
        checks.append(good(f"{name}.spec-version", f"Both run version {first.spec_version} of the chain's rules."))
    return checks


def _asked(chain: Callable[[], PayingChain]) -> Node:
    try:
        opened = chain()
        identity, head = opened.identity(), opened.finalized()
    except ValtracError as error:
        return Node(error=str(error), fix=error.fix)
    return Node(identity.genesis_hash, identity.spec_version, head.number, head.at)


def _compared(first: PayingChain, second: PayingChain, number: int) -> tuple[str, str] | None:
    """A block's hash as both tell it; None where one of them has it no longer."""
    try:
        return first.block(number).head.hash, second.block(number).head.hash
    except ValtracError:
        return None
