"""What reads text of people, of other programs and of nodes; each with good inputs to begin from."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path
from typing import Any

import pandas as pd

from tests.coming_over.old_valtrac import usual
from tests.contracts_world import World as Custody
from tests.keeps.model.test_old_files import cache, entry
from tests.payout_world import HOTKEY, address
from tests.payout_world import World as Payouts
from valtrac import settings as config
from valtrac.chains.asking import Asker
from valtrac.chains.bitcoin import answers as of_bitcoin
from valtrac.chains.bitcoin import session
from valtrac.chains.bitcoin import transactions as bitcoin_transactions
from valtrac.chains.bitcoin.lines import Broken
from valtrac.chains.bitshares import answers as of_bitshares
from valtrac.chains.bitshares import bodies
from valtrac.chains.bitshares import transactions as bitshares_transactions
from valtrac.chains.bitshares.link import Link, LinkError, RpcError
from valtrac.chains.bittensor import answers as of_bittensor
from valtrac.chains.bittensor import extrinsics
from valtrac.chains.qtum import blocks as qtum_blocks
from valtrac.chains.untrusted import Untrusted
from valtrac.coming_over import from_valtrac
from valtrac.contracts import import_stakebts
from valtrac.contracts.model import memos
from valtrac.contracts.read_stakebts import read_text
from valtrac.devnet import bitshares as bitshares_devnet
from valtrac.keeps.model import old_cache, old_settings
from valtrac.payments import log_file
from valtrac.people import referral_import, user_import, users
from valtrac.pool.model import old_config
from valtrac.reports import prices
from valtrac.snapshots import files, paid_before

Read = Callable[[bytes], object]
NOISE = ("Qtum: a block", "Bittensor: stakes", "Bittensor: an extrinsic", "Bittensor: a call")  # need a signer's hand


@dataclass(frozen=True)
class Target:
    """good: inputs that are taken. refusals: what else than an error of ours is a refusal in words. stores: whether a
    good input may change the database."""

    name: str
    good: Sequence[bytes]
    read: Read
    refusals: tuple[type[Exception], ...] = ()
    stores: bool = False


class World:
    """The databases of payouts and of contracts, with people, stakes and a custodian in them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.payouts = Payouts(folder / "payouts", heads=4).people().day(2)
        self.custody = Custody(folder / "custody", custodian=1_000_000)
        self.custody.send("ann", 25_000, "three_months")
        self.custody.listen()
        self.empty = Payouts(folder / "empty", heads=4)  # for those who come over
        users.list_users(self.empty.engine)
        databases = [
            path
            for home in ("payouts", "empty", "custody")
            for path in (folder / home / "data").glob("valtrac*.sqlite")
        ]
        self.watchers = [sqlite3.connect(f"file:{path}?mode=ro", uri=True) for path in databases]

    def close(self) -> None:
        """Let go of everything."""
        for watcher in self.watchers:
            watcher.close()
        self.payouts.app.close()
        self.empty.app.close()
        self.custody.close()


def targets(world: World) -> list[Target]:
    """Everything that is fed."""
    return [*_sheets(world), *_of_old_programs(world), *_words(world), *_of_nodes(world)]


def _as_file(world: World, name: str, read: Callable[[Path], object]) -> Read:
    """Reads bytes as a file of that name."""
    path = world.folder / "input" / name

    def put(text: bytes) -> object:
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(text)
        return read(path)

    return put


def _table(world: World, name: str, rows: list[list[str]]) -> bytes:
    path = world.folder / name
    frame = pd.DataFrame(rows[1:], columns=rows[0])
    if name.endswith(".parquet"):
        frame.to_parquet(path)
    else:
        frame.to_excel(path, index=False, engine="odf" if name.endswith(".ods") else "openpyxl")
    return path.read_bytes()


def _csv(rows: list[list[str]], delimiter: str = ",") -> bytes:
    return "".join(delimiter.join(row) + "\n" for row in rows).encode()


def _sheets(world: World) -> list[Target]:
    engine = world.payouts.engine
    people = [["Name", "Address1", "Address2"], ["ann", address(11), address(12)], ["bob é", address(13), ""]]
    brought = [["Referrer", "Referee", "Rate"], ["u001", "u002", "0.25"], ["u001", "u003", "25%"]]
    of_prices = [["Date", "Price"], ["2026-01-01", "412.5"], ["2026-01-02 00:00", "1"]]
    files.export(engine, exported := world.folder / "stakes.csv", HOTKEY, 0, 0, 10**9)
    stakes = exported.read_bytes().replace(b",50,", b",51,")
    log = ",".join(log_file.COLUMNS) + "\n"
    paid = f"u001,{address(1)},1.500000000,0,898,2.000000000,2,0x{'ab' * 32},901,paid,{'cd' * 32}\n"

    def people_of(path: Path) -> object:
        return user_import.preview_import(engine, path, replace=len(path.read_bytes()) % 2 == 0)

    return [
        Target("users: CSV", [_csv(people), _csv(people, ";")], _as_file(world, "users.csv", people_of)),
        Target("users: xlsx", [_table(world, "p.xlsx", people)], _as_file(world, "users.xlsx", people_of)),
        Target("users: ods", [_table(world, "p.ods", people)], _as_file(world, "users.ods", people_of)),
        Target("users: Parquet", [_table(world, "p.parquet", people)], _as_file(world, "users.parquet", people_of)),
        Target(
            "referrals",
            [_csv(brought)],
            _as_file(world, "referrals.csv", lambda path: referral_import.import_file(engine, path)),
            stores=True,
        ),
        Target(
            "prices",
            [_csv(of_prices), _csv(of_prices, ";")],
            _as_file(world, "prices.csv", lambda path: prices.import_file(engine, path, "usd")),
            stores=True,
        ),
        Target(
            "stakes",
            [stakes],
            _as_file(world, "stakes.csv", lambda path: files.import_file(engine, path, head=10_000)),
            stores=True,
        ),
        Target("log of payments", [(log + paid + paid).encode()], lambda text: log_file.parse(text, "payout_log.csv")),
    ]


def _of_old_programs(world: World) -> list[Target]:
    old = usual()
    folder = world.folder / "old"
    old.write(folder)
    written = {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    engine = world.empty.engine

    def come_over(name: str) -> Read:
        place = next(path for path in folder.rglob(name))

        def read(text: bytes) -> object:
            place.write_bytes(text)
            try:
                return from_valtrac.come_over(engine, from_valtrac.files_in(folder), UTC, head=10**7, dry=True)
            finally:
                place.write_bytes(written[name])

        return read

    def contracts(text: bytes) -> object:
        custodian = world.custody.custodian
        listed = read_text(text.decode("utf-8", "replace"), custodian.settings.contract_terms)
        return import_stakebts._repeated(listed)

    found = [Target(f"ValTrac: {name}", [written[name]], come_over(name)) for name in sorted(written)]
    return [
        *found,
        Target(
            "ValTrac: payments alone",
            [content for name, content in written.items() if name.startswith("payout_log")],
            _as_file(world, "old_log.csv", paid_before.read_log),
        ),
        Target("StakeBTS: list", [b"ann 1700000000000 25000 3 1\nbob\t1700000000001 50000 12 0\n"], contracts),
        Target(
            "tBTC bot: cache",
            [cache(a=entry(100), b=entry(150, "ACTIVE")).encode()],
            lambda text: old_cache.read(text.decode("utf-8", "replace")),
            (old_cache.NotACache,),
        ),
        Target(
            "tBTC bot: settings",
            [b"ETH_ADDRESS=0x00\nTHRESHOLD=145\nMIN=1.3\n# words\nRPC_URL='http://127.0.0.1:8545'\n"],
            lambda text: old_settings.read(text.decode("utf-8", "replace")),
        ),
        Target(
            "pool manager: settings",
            [b"poolFee=10\nminPayout=1\npaymentHour=18\nqtumPath=/opt/qtum\n[pool]\nx = 1\n"],
            lambda text: old_config.read(text.decode("utf-8", "replace")),
        ),
    ]


def _words(world: World) -> list[Target]:
    words = frozenset({"three_months", "six_months", "twelve_months"})
    memo = [b"three_months", b'{"type":"six_months"}', b"stop", b"loan", b'"twelve_months"', b"STOP:1.2.3"]
    env = [
        b"VALTRAC_NETWORK=devnet\nVALTRAC_HOTKEYS=" + HOTKEY.encode() + b"\nVALTRAC_CHUNK_SIZE=20\n",
        b"VALTRAC_CAP_DAY='12.5'\nexport VALTRAC_CURRENCY=usd # money\nOTHER=1\n",
    ]

    def settings(path: Path) -> object:
        return config.load({"VALTRAC_HOME": str(world.folder / "home")}, path)

    return [
        Target("memos", memo, lambda text: memos.shown(memos.parse(text.decode("utf-8", "replace"), words))),
        Target("settings", env, _as_file(world, ".env", settings)),
    ]


class _Replying:
    """A connection over which one frame comes, and then nothing."""

    def __init__(self, frame: bytes) -> None:
        self.frames = [frame]

    def send(self, frame: bytes, *, text: bool) -> None:
        pass

    def recv(self, timeout: float, *, decode: bool) -> bytes:
        if not self.frames:
            raise TimeoutError
        return self.frames.pop()

    def close_socket(self) -> None:
        pass


def _of_nodes(world: World) -> list[Target]:
    client = bitshares_devnet.Client(world.custody.path)
    block = client.call("get_block", bitshares_devnet.status(world.custody.path)["head"])
    head = bitshares_devnet.status(world.custody.path)["head"]
    told = ((place, client.call("get_block", place)) for place in range(head, 0, -1))
    number = next(place for place, seen in told if seen and seen["transactions"])
    full = client.call("get_block", number)
    raw = bitshares_transactions.canonical(
        {name: value for name, value in full["transactions"][0].items() if name != "operation_results"}
    )

    def reply(text: bytes) -> object:
        link = Link("ws://127.0.0.1", 0.0, connect=lambda url, until: _Replying(text))
        try:
            link.send(1, b"[]", 10.0**9)
            return of_bitshares.tip(link.receive(1, 10.0**9))
        finally:
            link.close()

    def body(text: bytes) -> object:
        told = json.loads(text.decode("utf-8", "replace"))
        bodies.sealed(told, number)
        return bodies.fits(told, number, lambda trx: "")

    def bitcoin(text: bytes) -> object:
        result = session._result(session._message(text))
        if isinstance(result, list):
            return of_bitcoin.entries(result)
        return of_bitcoin.tip(result) if isinstance(result, dict) else of_bitcoin.fee_rate(result)

    def bittensor(text: bytes) -> object:
        return of_bittensor.stakes_by_netuid(json.loads(text.decode("utf-8", "replace")), HOTKEY)

    tip = client.call("get_dynamic_global_properties")
    transaction = bytes.fromhex(
        "01000000010000000000000000000000000000000000000000000000000000000000000000ffffffff0704ffff001d0104ffffffff01"
        "00f2052a0100000043410496b538e853519c726a2c91e61ec11600ae1390813a627c66fb8be7947be63c52da7589379515d4e0a604f8"
        "141781e62294721166bf621e73a82cbf2342c858eeac00000000"
    )
    stakes: Any = {"hotkey": HOTKEY, "stakes": [[address(1), [[0, 5], [1, 6]]]]}
    # what whoever asks a node puts into words, that its answer cannot be so
    unlike_an_answer: tuple[type[Exception], ...] = (Untrusted, *Asker.malformed)
    json_faults = (*unlike_an_answer, ValueError, RecursionError)
    return [
        Target(
            "BitShares: a reply",
            [json.dumps({"id": 1, "result": tip}).encode(), json.dumps({"id": 1, "error": {"code": 1}}).encode()],
            reply,
            (LinkError, RpcError, *unlike_an_answer),
        ),
        Target("BitShares: a block", [json.dumps(full).encode(), json.dumps(block).encode()], body, json_faults),
        Target("BitShares: a transaction", [raw], bitshares_transactions.read, (ValueError,)),
        Target(
            "Bitcoin: a reply",
            [b'{"id":1,"result":[{"tx_hash":"' + b"ab" * 32 + b'","height":5,"value":1}]}', b'{"id":1,"result":0.5}'],
            bitcoin,
            (Broken, session.ServerError, *unlike_an_answer),
        ),
        Target("Bitcoin: a transaction", [transaction], bitcoin_transactions.read, (ValueError,)),
        Target("Qtum: a block", [transaction], lambda text: qtum_blocks.read_block(text, "00" * 32), (Untrusted,)),
        Target("Bittensor: stakes", [json.dumps(stakes).encode()], bittensor, json_faults),
        Target("Bittensor: an extrinsic", [bytes(range(120))], extrinsics.envelope, (ValueError,)),
        Target("Bittensor: a call", [bytes(range(120))], extrinsics.payments_in, (ValueError,)),
    ]
