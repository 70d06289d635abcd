"""One round of looking at many keeps, beside asking about one after the other as keep-collateral did."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.keeps.places import Place
from valtrac.core.keeps import CreatedKeep
from valtrac.database.engine import writing
from valtrac.devnet.tbtc import anvil, system
from valtrac.devnet.tbtc.bitcoin import Bitcoin
from valtrac.devnet.tbtc.chains import Chains
from valtrac.keeps import looking
from valtrac.keeps.store import keeps as store
from valtrac.keeps.watching import Watching, tie

# a contract that answers 4 (active) to currentState(), 250 to collateralizationPercentage() and 125 to everything else:
# as many of them as one likes
CODE = "0x60003560e01c80630c3f6acf14602157636e4668be14602a57607d5f5260205ff35b60045f5260205ff35b60fa5f5260205ff3"
ASKED = ("0x0c3f6acf", "0x6e4668be")  # currentState(), collateralizationPercentage()


@dataclass(frozen=True, slots=True)
class Looked:
    """seconds, requests: of one steady round, stored; old_seconds, old_requests: one by one, nothing stored."""

    seconds: float
    requests: int
    old_seconds: float
    old_requests: int


def looked(keeps: int) -> Looked | None:
    """The figures for so many keeps on a local node; None where there is no anvil."""
    if anvil.found() is None:
        return None
    with TemporaryDirectory() as folder:
        node, made = system.open_deployed(Path(folder))
        try:
            place = Place(Chains(node, made, Bitcoin()), Path(folder), given={"VALTRAC_KEEPS_OPERATORS": "all"})
            deposits = [f"0x{0xABC000000000 + number:040x}" for number in range(keeps)]
            for start in range(0, keeps, 500):
                node.batch([("anvil_setCode", deposit, CODE) for deposit in deposits[start : start + 500]])
            return _both(place.watching, deposits)
        finally:
            node.stop()


def _both(watching: Watching, deposits: list[str]) -> Looked:
    tie(watching)
    with writing(watching.engine) as conn:
        store.add(conn, [CreatedKeep(each, each, (f"0x{1:040x}",), 1, "0x" + "0" * 64) for each in deposits])
    looking.look(watching)  # the first one reads more of each
    failover = watching.first.chain.failover  # type: ignore[attr-defined]
    before, began = failover.requests, time.perf_counter()
    looking.look(watching)
    seconds, requests = time.perf_counter() - began, failover.requests - before
    few = deposits[:: max(1, len(deposits) // 350)]  # a tenth of them, reckoned up
    before, began = failover.requests, time.perf_counter()
    for deposit in few:
        for data in ASKED:
            failover.make_request("eth_call", [{"to": deposit, "data": data}, "latest"])
    times = len(deposits) / len(few)
    old = (time.perf_counter() - began) * times
    return Looked(seconds, requests, old, round((failover.requests - before) * times))
