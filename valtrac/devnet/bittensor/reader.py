"""Reading a World from TOML; every problem is BadInput with the name of the key."""

from __future__ import annotations

import time
import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from valtrac.core.addresses import BadAddress, key_of
from valtrac.core.errors import BadInput
from valtrac.core.money import parse_bps, parse_units
from valtrac.devnet.bittensor.stakes import TAKE_WHOLE
from valtrac.devnet.bittensor.state import JUSTIFIES_EVERY
from valtrac.devnet.bittensor.world import Change, Clock, Hotkey, Subnet, World, generated, seed_world

_TOP = {
    "name",
    "block_time_s",
    "finality_lag",
    "tempo",
    "justification_period",
    "auto_finalize",
    "genesis_at",
    "accounts",
    "hotkeys",
    "changes",
    "proxies",
}
Table = dict[str, Any]


def seed(path: Path | str, toml_text: str, *, force: bool = False, clock: Clock = time.time) -> str:
    """Make a chain from TOML (see data/examples/devnet.toml); its genesis hash. BadInput names a bad key."""
    return seed_world(path, world_of(toml_text), force=force, clock=clock)


def world_of(toml_text: str) -> World:
    """The World that a TOML text describes. Amounts are TAO or alpha; who: //Uri, a name, or an address."""
    try:
        top = tomllib.loads(toml_text, parse_float=str)
    except tomllib.TOMLDecodeError as error:
        raise BadInput("the seed is not TOML", why=str(error), fix="see data/examples/devnet.toml") from error
    _known(top, _TOP, "")
    hotkeys = tuple(_hotkey(table, f"hotkeys[{number}]") for number, table in enumerate(_tables(top, "hotkeys")))
    accounts = top.get("accounts", {})
    if not isinstance(accounts, dict):
        raise BadInput("accounts: a table of who = TAO is needed")
    return World(
        name=_text(top, "name", ""),
        accounts={_address(who, f"accounts.{who}"): _units(tao, f"accounts.{who}") for who, tao in accounts.items()},
        hotkeys=hotkeys,
        changes=tuple(
            _change(table, f"changes[{number}]", hotkeys) for number, table in enumerate(_tables(top, "changes"))
        ),
        proxies=tuple(_proxy(table, f"proxies[{number}]") for number, table in enumerate(_tables(top, "proxies"))),
        block_time_s=_seconds(top.get("block_time_s", 0)),
        finality_lag=_whole(top, "finality_lag", "", 2),
        tempo=_whole(top, "tempo", "", 360),
        justifies_every=_whole(top, "justification_period", "", JUSTIFIES_EVERY),
        auto_finalize=_flag(top, "auto_finalize"),
        genesis_at=_moment(top.get("genesis_at")),
        text=toml_text,
    )


def _hotkey(table: Table, where: str) -> Hotkey:
    _known(table, {"hotkey", "owner", "take", "subnets"}, where)
    hotkey, owner = (
        _address(_text(table, "hotkey", where), f"{where}.hotkey"),
        _address(_text(table, "owner", where), f"{where}.owner"),
    )
    take_raw = parse_bps(str(table.get("take", "18%")), field=f"{where}.take") * TAKE_WHOLE // 10_000
    subnets = tuple(_subnet(inner, f"{where}.subnets[{n}]", owner) for n, inner in enumerate(_tables(table, "subnets")))
    return Hotkey(hotkey, owner, take_raw, subnets)


def _subnet(table: Table, where: str, owner: str) -> Subnet:
    _known(table, {"netuid", "owner_stake", "dividends", "price", "nominators", "generate"}, where)
    netuid = _whole(table, "netuid", where)
    stakes: dict[str, int] = {}
    if "owner_stake" in table:
        stakes[owner] = _units(table["owner_stake"], f"{where}.owner_stake")
    for n, inner in enumerate(_tables(table, "nominators")):
        _known(inner, {"who", "stake"}, f"{where}.nominators[{n}]")
        who = _address(_text(inner, "who", f"{where}.nominators[{n}]"), f"{where}.nominators[{n}].who")
        if who in stakes:
            raise BadInput(f"{where}.nominators[{n}].who: stands there a second time", fix="join the two stakes")
        stakes[who] = _units(inner.get("stake", ""), f"{where}.nominators[{n}].stake")
    stakes |= generated(f"nominator of {netuid}", _whole(table, "generate", where, 0))
    dividends = _units(table["dividends"], f"{where}.dividends") if "dividends" in table else None
    price_rao = _units(table.get("price", "1"), f"{where}.price")
    return Subnet(netuid, stakes, dividends, price_rao)


def _change(table: Table, where: str, hotkeys: tuple[Hotkey, ...]) -> Change:
    """One of: add = amount, remove = amount or "all", and with remove perhaps to = who."""
    _known(table, {"block", "hotkey", "netuid", "who", "add", "remove", "to"}, where)
    if ("add" in table) == ("remove" in table):
        raise BadInput(f"{where}: say either add or remove")
    if "hotkey" not in table and len(hotkeys) != 1:
        raise BadInput(f"{where}.hotkey: which one? There are {len(hotkeys)}")
    hotkey = _address(table["hotkey"], f"{where}.hotkey") if "hotkey" in table else hotkeys[0].hotkey
    units: int | None
    if "add" in table:
        units = _units(table["add"], f"{where}.add")
    else:
        units = None if table["remove"] == "all" else -_units(table["remove"], f"{where}.remove")
    return Change(
        _whole(table, "block", where),
        hotkey,
        _whole(table, "netuid", where),
        _address(_text(table, "who", where), f"{where}.who"),
        units,
        _address(table["to"], f"{where}.to") if "to" in table else None,
    )


def _proxy(table: Table, where: str) -> tuple[str, str, str]:
    _known(table, {"delegate", "real", "type"}, where)
    return (
        _address(_text(table, "delegate", where), f"{where}.delegate"),
        _address(_text(table, "real", where), f"{where}.real"),
        _text(table, "type", where),
    )


def _address(who: Any, where: str) -> str:
    """An SS58 address as it is; anything else is the derivation path of a rehearsal key."""
    text = str(who)
    try:
        key_of(text)
        return text
    except BadAddress:
        pass
    uri = text if text.startswith("//") else f"//{text}"
    if not uri.isascii() or len(uri) < 3 or any(letter.isspace() for letter in uri):
        raise BadInput(f"{where}: {text[:60]!r} is neither an address nor a key like //Alice")
    from valtrac.devnet.bittensor.codec import uri_address

    try:
        return uri_address(uri)
    except ValueError as error:
        raise BadInput(f"{where}: {text[:60]!r} is no key", why=str(error), fix="write it like //Alice") from error


def _known(table: Table, keys: set[str], where: str) -> None:
    for key in table:
        if key not in keys:
            raise BadInput(
                f"{where}{'.' if where else ''}{key}: no such key", fix=f"known are {', '.join(sorted(keys))}"
            )


def _tables(table: Table, key: str) -> list[Table]:
    values = table.get(key, [])
    if not isinstance(values, list) or not all(isinstance(inner, dict) for inner in values):
        raise BadInput(f"{key}: a list of tables is needed, like [[{key}]]")
    return values


def _text(table: Table, key: str, where: str) -> str:
    value = table.get(key)
    if not isinstance(value, str) or not value.strip():
        raise BadInput(f"{where}{'.' if where else ''}{key}: a text is needed")
    return value


def _whole(table: Table, key: str, where: str, default: int | None = None) -> int:
    value = table.get(key, default)
    if type(value) is not int or value < 0:
        raise BadInput(f"{where}{'.' if where else ''}{key}: a whole number, 0 or more, is needed")
    return value


def _flag(table: Table, key: str) -> bool | None:
    value = table.get(key)
    if value is not None and not isinstance(value, bool):
        raise BadInput(f"{key}: true or false is needed")
    return value


def _units(value: Any, where: str) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        raise BadInput(f"{where}: an amount is needed")
    return parse_units(str(value), field=where)


def _seconds(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        raise BadInput("block_time_s: seconds are needed")
    return parse_units(str(value), field="block_time_s", decimals=3) / 1000


def _moment(value: Any) -> datetime | None:
    if value is None:
        return None
    if not isinstance(value, datetime):
        raise BadInput("genesis_at: a time like 2026-01-01T00:00:00Z is needed")
    return value if value.tzinfo else value.replace(tzinfo=UTC)
