"""Methods about the wallet: what it holds, its lock, the coins that its owner locked, its transactions."""

from __future__ import annotations

from typing import Any

from valtrac.devnet.qtum import codec, mempool, shapes, state, transactions
from valtrac.devnet.qtum import wallet as wallets
from valtrac.devnet.qtum.rpc import Call, entry, hashed, method, mismatch, money, named, of_kind, only, whole
from valtrac.devnet.qtum.rules import NodeError
from valtrac.devnet.qtum.shapes import Money


def last_block(call: Call) -> dict[str, Any]:
    """Up to which block the wallet has read."""
    tip = state.tip(call.db)
    return {"lastprocessedblock": {"hash": codec.shown(tip.hash), "height": tip.height}}


def _sums(call: Call, name: str) -> dict[str, int]:
    sums = {"trusted": 0, "untrusted_pending": 0, "immature": 0, "stake": 0}
    for held in wallets.held(call.db, name):
        if held.depth == 0:
            kind = "trusted" if held.trusted else "untrusted_pending"
        elif held.ripe:
            kind = "trusted"
        else:
            kind = "stake" if held.coin.kind == state.STAKED else "immature"
        sums[kind] += held.coin.value
    return sums


@method("getbalances")
def balances(call: Call) -> dict[str, Any]:
    """What the wallet holds, by how far it can be spent."""
    sums = _sums(call, call.wallet())
    return {"mine": {kind: Money(satoshi) for kind, satoshi in sums.items()}, **last_block(call)}


@method("getwalletinfo")
def wallet_info(call: Call) -> dict[str, Any]:
    """The wallet. That it is unlocked for staking only cannot be seen here, as in the real node."""
    name = call.wallet()
    sums = _sums(call, name)
    count = call.db.execute("SELECT COUNT(*) FROM wallet_transactions WHERE wallet = ?", (name,)).fetchone()[0]
    shown: dict[str, Any] = {
        "walletname": name,
        "walletversion": 169900,
        "format": "sqlite",
        "balance": Money(sums["trusted"]),
        "stake": Money(sums["stake"]),
        "unconfirmed_balance": Money(sums["untrusted_pending"]),
        "immature_balance": Money(sums["immature"]),
        "txcount": count,
        "keypoolsize": 1000,
        "keypoolsize_hd_internal": 1000,
    }
    until = wallets.unlocked_until(call.db, name)
    if until is not None:
        shown["unlocked_until"] = until
    return {
        **shown,
        "paytxfee": Money(0),
        "private_keys_enabled": True,
        "avoid_reuse": False,
        "scanning": False,
        "descriptors": True,
        "external_signer": False,
        "blank": False,
        **last_block(call),
    }


@method("listwallets")
def list_wallets(call: Call) -> list[str]:
    """The wallets that are loaded."""
    return [name for (name,) in call.db.execute("SELECT name FROM wallets WHERE loaded ORDER BY name")]


@method("loadwallet", writes=True, filename="string", load_on_startup="bool?")
def load_wallet(call: Call) -> dict[str, Any]:
    """Load a wallet. -35 where it is loaded, -18 where there is none."""
    name = call.args[0]
    row = call.db.execute("SELECT loaded FROM wallets WHERE name = ?", (name,)).fetchone()
    if row is None:
        raise NodeError(
            -18, f"Wallet file verification failed. Failed to load database path '{name}'. Path does not exist."
        )
    if row[0]:
        raise NodeError(-35, f'Wallet "{name}" is already loaded.')
    call.db.execute("UPDATE wallets SET loaded = 1, until = 0 WHERE name = ?", (name,))
    return {"name": name}


@method("unloadwallet", writes=True, wallet_name="string?", load_on_startup="bool?")
def unload_wallet(call: Call) -> dict[str, Any]:
    """Unload a wallet."""
    name = call.args[0] if call.args[0] is not None else call.wallet()
    changed = call.db.execute("UPDATE wallets SET loaded = 0, until = 0 WHERE name = ? AND loaded", (name,)).rowcount
    if not changed:
        raise NodeError(-18, "Requested wallet does not exist or is not loaded")
    return {}


@method("walletpassphrase", writes=True, passphrase="string", timeout="number", stakingonly="bool?")  # noqa: S106
def passphrase(call: Call) -> None:
    """Unlock the wallet for a while, or for staking only."""
    text, seconds, only_stake = call.args
    wallets.unlock(call.db, call.wallet(), text, whole(seconds), staking_only=bool(only_stake))


@method("walletlock", writes=True)
def lock(call: Call) -> None:
    """Lock the wallet."""
    wallets.lock(call.db, call.wallet())


@method("getnewaddress", writes=True, label="string?", address_type="string?")
def new_address(call: Call) -> str:
    """A fresh address of the wallet."""
    return call.network.address(wallets.new_address(call.db, call.wallet(), change=False))


@method("getrawchangeaddress", writes=True, address_type="string?")
def change_address(call: Call) -> str:
    """A fresh address for change."""
    return call.network.address(wallets.new_address(call.db, call.wallet(), change=True))


_FILTERS = ("minimumAmount", "maximumAmount", "minimumSumAmount", "maximumCount", "include_immature_coinbase")


@method(
    "listunspent",
    minconf="number?",
    maxconf="number?",
    addresses="array?",
    include_unsafe="bool?",
    query_options="object?",
)
def list_unspent(call: Call) -> list[dict[str, Any]]:
    """The coins of the wallet that may be spent, and that are not locked."""
    name = call.wallet()
    low = 1 if call.args[0] is None else whole(call.args[0])
    high = 9_999_999 if call.args[1] is None else whole(call.args[1])
    owners = _owners(call, call.args[2] or [])
    options = call.args[4] or {}
    only(options, _FILTERS)
    least, most = money(options.get("minimumAmount", 0)), options.get("maximumAmount")
    early = bool(entry(options, "include_immature_coinbase", "bool", False))
    barred, total, listed = wallets.locked_places(call.db, name), 0, []
    for held in wallets.held(call.db, name):
        safe = held.depth > 0 or held.trusted
        fits = low <= held.depth <= high and held.coin.place not in barred and held.coin.value >= least
        fits = fits and (held.ripe or held.depth == 0 or (early and held.coin.kind == state.MINED))
        fits = fits and (safe or call.args[3] is not False) and (not owners or held.coin.owner in owners)
        if not fits or (most is not None and held.coin.value > money(most)):
            continue
        listed.append(_unspent(call, held, safe))
        total += held.coin.value
        enough = options.get("minimumSumAmount")
        count = entry(options, "maximumCount", "number", 0)
        if (count and len(listed) >= count) or (enough is not None and total >= money(enough)):
            break
    return listed


def _owners(call: Call, addresses: list[Any]) -> set[bytes]:
    owners: set[bytes] = set()
    for text in addresses:
        try:
            owner = call.network.key_hash(text)
        except (ValueError, TypeError):
            raise NodeError(-5, f"Invalid Qtum address: {text}") from None
        if owner in owners:
            raise NodeError(-8, f"Invalid parameter, duplicated address: {text}")
        owners.add(owner or b"")
    return owners


def _unspent(call: Call, one: wallets.Held, safe: bool) -> dict[str, Any]:
    script = shapes.script(call.network, one.coin.script)
    return {
        "txid": codec.shown(one.coin.id),
        "vout": one.coin.n,
        "address": call.network.address(one.coin.owner or b""),
        "label": "",
        "scriptPubKey": one.coin.script.hex(),
        "amount": Money(one.coin.value),
        "confirmations": one.depth,
        "spendable": True,
        "solvable": True,
        "desc": script["desc"],
        "parent_descs": [],
        "safe": safe,
    }


@method("lockunspent", writes=True, unlock="bool", transactions="array?", persistent="bool?")
def lock_unspent(call: Call) -> bool:
    """Lock coins, so that neither the wallet nor the staker takes them, or unlock them; all of them or none."""
    name, (unlock, given, persistent) = call.wallet(), call.args
    if given is None:
        if unlock:
            call.db.execute("DELETE FROM locks WHERE wallet = ?", (name,))
        return True
    locked, places = wallets.locked_places(call.db, name), []
    for outpoint in given:
        if not isinstance(outpoint, dict):
            raise NodeError(-1, mismatch(outpoint, "object"))
        for key, kind in (("txid", "string"), ("vout", "number")):
            if not of_kind(outpoint.get(key), kind):
                raise NodeError(
                    -3, f"JSON value of type {named(outpoint.get(key))} for field {key} is not of expected type {kind}"
                )
        place = (hashed(outpoint["txid"], "txid"), whole(outpoint["vout"]))
        _lockable(call, name, place)
        if unlock and place not in locked:
            raise NodeError(-8, "Invalid parameter, expected locked output")
        if not unlock and place in locked and not persistent:
            raise NodeError(-8, "Invalid parameter, output already locked")
        places.append(place)
    for place in places:
        call.db.execute("DELETE FROM locks WHERE wallet = ? AND id = ? AND n = ?", (name, *place))
        if not unlock:
            call.db.execute("INSERT INTO locks VALUES (?, ?, ?, ?)", (name, *place, bool(persistent)))
    return True


def _lockable(call: Call, name: str, place: tuple[bytes, int]) -> None:
    if place[1] < 0:
        raise NodeError(-8, "Invalid parameter, vout cannot be negative")
    raw = wallets.known(call.db, name, place[0])
    if raw is None:
        raise NodeError(-8, "Invalid parameter, unknown transaction")
    if place[1] >= len(transactions.unpacked(raw).outs):
        raise NodeError(-8, "Invalid parameter, vout index out of bounds")
    waits = call.db.execute("SELECT 1 FROM pool_spends WHERE id = ? AND n = ?", place).fetchone()
    if waits or mempool.unspent(call.db, place) is None:
        raise NodeError(-8, "Invalid parameter, expected unspent output")


@method("listlockunspent")
def list_locked(call: Call) -> list[dict[str, Any]]:
    """The coins that are locked."""
    locked = sorted(wallets.locked_places(call.db, call.wallet()))
    return [{"txid": codec.shown(txid), "vout": n} for txid, n in locked]
