"""Moving the rehearsal from another process: deposits are made, the price moves, time passes, members fall silent."""

from __future__ import annotations

import json
import secrets
import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from valtrac.core.errors import BadInput, ChainUnreachable, ValtracError
from valtrac.core.text import plain
from valtrac.devnet.tbtc import deposits, market
from valtrac.devnet.tbtc.evm import Contract
from valtrac.devnet.tbtc.signers import signing_key

if TYPE_CHECKING:
    from valtrac.devnet.tbtc.world import World

LARGEST = 1_000_000
MOST_DEPOSITS = 60


class Control:
    """Listens on this machine for who has read the rehearsal's own note, until it is closed."""

    def __init__(self, world: World) -> None:
        self.world, self.word = world, secrets.token_hex(16)
        self._server = _Server(self)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Listen no more."""
        self._server.shutdown()
        self._server.server_close()

    def answer(self, asked: Mapping[str, Any]) -> Any:
        """Do what is asked. Raises BadInput, Reverted, NodeSaid."""
        act = _ACTS.get(str(asked.get("do")))
        if act is None:
            raise BadInput(
                f"the rehearsal cannot {plain(str(asked.get('do')), 40)}", fix="use the same version for both"
            )
        return act(self.world, asked)


def ask(note: Mapping[str, Any], do: str, **what: Any) -> Any:
    """Have a running rehearsal do something; what it answers. note: its `world.json`. Raises BadInput in its words,
    ChainUnreachable where it does not answer."""
    import httpx

    try:
        body = {"do": do, "word": note["control_word"], **what}
        with httpx.Client(timeout=120, trust_env=False) as client:
            answer = client.post(str(note["control_url"]), json=body).json()
    except (httpx.HTTPError, ValueError, KeyError) as error:
        raise ChainUnreachable(
            "the rehearsal chain of keeps does not answer",
            why=plain(error),
            fix="end it, and start it anew",
        ) from error
    if "error" in answer:
        raise BadInput(plain(answer["error"], 300), fix=plain(answer.get("fix", ""), 200))
    return answer["answer"]


def _deposits(world: World, asked: Mapping[str, Any]) -> Any:
    lots = [int(lot) for lot in asked["lots"]]
    if not 0 < len(lots) <= MOST_DEPOSITS:
        raise BadInput(f"{len(lots)} deposits at once", fix=f"1 to {MOST_DEPOSITS}")
    holder = asked.get("holder") or None
    token = world.chains.system.third if holder == "third" else holder
    made = deposits.make(world.chains, lots, tdt=token)
    return [{"deposit": each.deposit, "keep": each.keep, "members": list(each.members)} for each in made]


def _price(world: World, asked: Mapping[str, Any]) -> Any:
    from decimal import Decimal

    price = Decimal(str(asked["eth_per_btc"]))
    if price == 0:
        market.set_feed(world.chains, 0)
        return 0
    return market.set_price(world.chains, price)


def _time(world: World, asked: Mapping[str, Any]) -> Any:
    seconds = int(asked["seconds"])
    world.chains.ethereum.warp(seconds)
    world.chains.bitcoin.mine(int(asked.get("bitcoin_blocks", 0)))
    return world.chains.ethereum.now()


def _blocks(world: World, asked: Mapping[str, Any]) -> Any:
    world.chains.ethereum.mine(int(asked.get("ethereum", 0)))
    world.chains.bitcoin.mine(int(asked.get("bitcoin", 0)))
    return world.chains.ethereum.height()


def _fund(world: World, asked: Mapping[str, Any]) -> Any:
    to, tbtc = str(asked["to"]), int(asked.get("tbtc", 0))
    market.give_eth(world.chains, to, int(asked.get("ether", 0)))
    lacking = tbtc - world.chains.tbtc(world.chains.system.depositor)
    if lacking > 0:  # TBTC is minted against deposits alone: as many lots of 10 as are needed
        lots = -(-lacking // (9_995 * 10**15))
        deposits.make(world.chains, [10**9] * int(lots))
    if tbtc:
        market.give_tbtc(world.chains, to, tbtc)
    return world.chains.tbtc(to)


def _keys(world: World, asked: Mapping[str, Any]) -> Any:
    """The members of a deposit that somebody has asked for make their key."""
    keep = Contract("BondedECDSAKeep", _keep_of(world, asked))
    node, key = world.chains.ethereum, signing_key(keep.address)
    members = keep.read(node, "getMembers")
    world.chains.send_all([keep.tx("submitPublicKey", key.public_key, sender=member) for member in members])
    return len(members)


def _pay(world: World, asked: Mapping[str, Any]) -> Any:
    """Somebody pays the lot of a deposit on Bitcoin."""
    lot = int(Contract("Deposit", str(asked["deposit"])).read(world.chains.ethereum, "lotSizeSatoshis"))
    paid = world.chains.bitcoin.fund(signing_key(_keep_of(world, asked)).script, lot)
    return {"satoshi": lot, "transaction": paid.txid}


def _keep_of(world: World, asked: Mapping[str, Any]) -> str:
    return str(Contract("Deposit", str(asked["deposit"])).read(world.chains.ethereum, "keepAddress"))


def _members(world: World, asked: Mapping[str, Any]) -> Any:
    world.signers.silent = bool(asked["silent"])
    return bool(asked["silent"])


def _call(world: World, asked: Mapping[str, Any]) -> Any:
    market.by_third(world.chains, str(asked["deposit"]), str(asked["call"]))
    return world.chains.state(str(asked["deposit"]))


_ACTS: dict[str, Callable[[World, Mapping[str, Any]], Any]] = {
    "deposits": _deposits,
    "price": _price,
    "time": _time,
    "blocks": _blocks,
    "fund": _fund,
    "members": _members,
    "keys": _keys,
    "pay": _pay,
    "call": _call,
    "tick": lambda world, asked: world.tick(),
}


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, control: Control) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.control = control


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_POST(self) -> None:
        """One thing to do."""
        try:
            asked = json.loads(self.rfile.read(min(int(self.headers.get("content-length", 0)), LARGEST)))
            if not secrets.compare_digest(str(asked.get("word", "")), self.server.control.word):
                raise BadInput("another rehearsal runs here by now", fix="look at its note again")
            said: dict[str, Any] = {"answer": self.server.control.answer(asked)}
        except ValtracError as error:
            said = {"error": str(error), "fix": error.fix}
        except Exception as error:  # whoever asked has to hear of it, whatever it is
            said = {"error": f"it cannot be done: {error or type(error).__name__}"}
        body = json.dumps(said).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing is logged."""
