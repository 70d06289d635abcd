"""Nodes that answer and stand still: how far each has got, and going over to one that is further."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from valtrac.chains.bitshares.node import BitSharesChain
from valtrac.chains.bitshares.rpc import DATABASE, Rpc, RpcError
from valtrac.core.endpoints import shown
from valtrac.core.errors import ValtracError

BEHIND = timedelta(minutes=2)  # nodes that keep up are seconds apart
OLD = timedelta(minutes=10)
LONGEST_S = 5.0


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a node has got: the time of its newest block."""

    url: str
    at: datetime


def keep_up(chain: BitSharesChain, now: datetime, *, rehearsing: bool) -> str:
    """Go over to a node that is further where the one in use has stood still; words about that, or "".

    A node that claims to be far ahead wins nothing by it: its blocks are read and checked like any other's. rehearsing:
    the chain has a time of its own, which is not compared with the one of this machine.
    """
    rpc = chain.rpc
    if len(rpc.urls) < 2 and rehearsing:
        return ""
    if not rpc.chain_id:
        rpc.call(DATABASE, "get_chain_properties")  # so that no node of another chain is compared
    standings = [standing for url in rpc.urls if (standing := _standing(rpc, url)) is not None]
    mine = next((standing for standing in standings if standing.url == rpc.in_use), None)
    if mine is None:
        return ""
    best = max(standings, key=lambda standing: standing.at)
    if best.at - mine.at > BEHIND:
        rpc.use(best.url)
        return (
            f"the node {shown(mine.url)} is {_minutes(best.at - mine.at)} behind {shown(best.url)}: it stands still, "
            "and the other one is asked from now on"
        )
    if not rehearsing and now - best.at > OLD:
        age = _minutes(now - best.at)
        return f"the newest block of {shown(best.url)} is {age} old: it stands still, or this clock is off"
    return ""


def _minutes(span: timedelta) -> str:
    return f"{span.total_seconds() // 60:,.0f} minutes"


def _standing(rpc: Rpc, url: str) -> Standing | None:
    """How far one node has got, asked over a connection of its own; None where it does not tell."""
    alone = Rpc([url], min(rpc.timeout_s, LONGEST_S), expect_chain_id=rpc.chain_id, key_prefix=rpc.key_prefix)
    try:
        said = alone.call(DATABASE, "get_dynamic_global_properties")
        head_time = datetime.fromisoformat(said["time"]).replace(tzinfo=UTC)
        return Standing(url, head_time)
    except (ValtracError, RpcError, KeyError, TypeError, ValueError):
        return None
    finally:
        alone.close()
