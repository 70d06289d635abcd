"""Methods that make transactions: build, fund, sign, and the one that does all at once."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from typing import Any

from valtrac.devnet.qtum import codec, mempool, transactions
from valtrac.devnet.qtum import wallet as wallets
from valtrac.devnet.qtum.rpc import Call, entry, hashed, method, money, of_kind, only, whole
from valtrac.devnet.qtum.rpc_chain import transaction_bytes
from valtrac.devnet.qtum.rules import RELAY_FEE, NodeError
from valtrac.devnet.qtum.shapes import Money
from valtrac.devnet.qtum.transactions import FINAL, Input, Paid, Tx

_NO_INPUT = "TX decode failed. Make sure the tx has at least one input."


@method("createrawtransaction", inputs="array", outputs="array|object", locktime="number?", replaceable="bool?")
def create(call: Call) -> str:
    """The bytes of an unsigned transaction; one without inputs is for `fundrawtransaction`."""
    inputs, outputs, locktime, replaceable = call.args
    last = 0 if locktime is None else whole(locktime)
    if not 0 <= last <= FINAL:
        raise NodeError(-8, "Invalid parameter, locktime out of range")
    default = wallets.SEQUENCE if replaceable is not False else FINAL - 1 if last else FINAL
    ins = tuple(_input(given, default) for given in inputs)
    if replaceable and ins and all(tx_input.sequence > wallets.SEQUENCE for tx_input in ins):
        said = "Invalid parameter combination: Sequence number(s) contradict replaceable option"
        raise NodeError(-8, said)
    return transactions.packed(Tx(ins, tuple(_outputs(call, outputs)), last)).hex()


def _input(given: Any, default: int) -> Input:
    if not isinstance(given, dict):
        raise NodeError(-1, "JSON value of type string is not of expected type object")
    txid = hashed(given.get("txid"), "txid")
    if not of_kind(given.get("vout"), "number"):
        raise NodeError(-8, "Invalid parameter, missing vout key")
    if whole(given["vout"]) < 0:
        raise NodeError(-8, "Invalid parameter, vout cannot be negative")
    sequence = default if given.get("sequence") is None else whole(given["sequence"])
    if not 0 <= sequence <= FINAL:
        raise NodeError(-8, "Invalid parameter, sequence number is out of range")
    return Input(txid, whole(given["vout"]), sequence=sequence)


def _outputs(call: Call, given: Any) -> list[Paid]:
    pairs: list[tuple[str, Any]] = []
    if isinstance(given, dict):
        pairs = list(given.items())
    else:
        for output in given:
            if not isinstance(output, dict):
                raise NodeError(-8, "Invalid parameter, key-value pair not an object as expected")
            if len(output) != 1:
                raise NodeError(-8, "Invalid parameter, key-value pair must contain exactly one key")
            pairs += output.items()
    return _parsed(call, pairs)


def _parsed(call: Call, pairs: Sequence[tuple[str, Any]]) -> list[Paid]:
    made: list[Paid] = []
    seen: set[str] = set()
    for name, value in pairs:
        if name == "data":
            if name in seen:
                raise NodeError(-8, "Invalid parameter, duplicate key: data")
            made.append(Paid(0, b"\x6a" + codec.push(bytes.fromhex(value))))
        else:
            satoshi = money(value)
            try:
                script = call.network.script(name)
            except ValueError:
                raise NodeError(-5, f"Invalid Qtum address: {name}") from None
            if name in seen:
                raise NodeError(-8, f"Invalid parameter, duplicated address: {name}")
            made.append(Paid(satoshi, script))
        seen.add(name)
    return made


_OPTIONS = (
    *("add_inputs", "include_unsafe", "add_to_wallet", "changeAddress", "change_address", "changePosition"),
    *("change_position", "change_type", "includeWatching", "include_watching", "inputs", "lockUnspents"),
    *("lock_unspents", "locktime", "fee_rate", "feeRate", "psbt", "solving_data", "subtractFeeFromOutputs"),
    *("subtract_fee_from_outputs", "replaceable", "conf_target", "estimate_mode", "minconf", "maxconf"),
    "input_weights",
)


@method("fundrawtransaction", writes=True, hexstring="string", options="object|bool?", iswitness="bool?")
def fund(call: Call) -> dict[str, Any]:
    """Give a transaction inputs and change. Works while the wallet is locked."""
    name = call.wallet()
    raw = transaction_bytes(call.args[0], "TX decode failed")
    options: Mapping[str, Any] = call.args[1] if isinstance(call.args[1], dict) else {}
    only(options, _OPTIONS)
    tx = transactions.unpacked(raw)
    made = wallets.funded(
        call.db,
        name,
        tx,
        rate=_rate(options),
        change_script=_change_script(call, options),
        change_at=_change_place(options, len(tx.outs)),
        subtract=_subtract(options, len(tx.outs)),
    )
    if _either(options, "lockUnspents", "lock_unspents", "bool"):
        for tx_input in made.tx.ins:
            call.db.execute("INSERT OR IGNORE INTO locks VALUES (?, ?, ?, 0)", (name, *tx_input.place))
    return {"hex": transactions.packed(made.tx).hex(), "fee": Money(made.fee), "changepos": made.change}


def _either(options: Mapping[str, Any], name: str, other: str, kind: str) -> Any:
    value = entry(options, other, kind)
    return entry(options, name, kind) if value is None else value


def _rate(options: Mapping[str, Any]) -> int:
    whole_rate, small_rate = options.get("feeRate"), options.get("fee_rate")
    if whole_rate is not None and small_rate is not None:
        raise NodeError(-8, "Cannot specify both fee_rate (sat/vB) and feeRate (QTUM/kvB)")
    if whole_rate is not None and options.get("conf_target") is not None:
        raise NodeError(
            -8,
            "Cannot specify both conf_target and feeRate. Please provide either a confirmation target in blocks for"
            " automatic fee estimation, or an explicit fee rate.",
        )
    if small_rate is not None:
        return _small(small_rate)
    return RELAY_FEE if whole_rate is None else _enough(money(whole_rate))


def _small(given: Any) -> int:
    """A rate of satoshi a byte, for each 1000 bytes."""
    return _enough(money(given) // 100_000)


def _enough(rate: int) -> int:
    if rate < RELAY_FEE:
        said = f"Fee rate ({rate / 1000:.3f} sat/vB) is lower than the minimum fee rate setting"
        raise NodeError(-4, f"{said} ({RELAY_FEE / 1000:.3f} sat/vB)")
    return rate


def _change_script(call: Call, options: Mapping[str, Any]) -> bytes | None:
    given = _either(options, "changeAddress", "change_address", "string")
    try:
        return None if given is None else call.network.script(given)
    except ValueError:
        raise NodeError(-5, "Change address must be a valid qtum address") from None


def _change_place(options: Mapping[str, Any], count: int) -> int | None:
    given = _either(options, "changePosition", "change_position", "number")
    if given is not None and not 0 <= whole(given) <= count:
        raise NodeError(-8, "changePosition out of bounds")
    return None if given is None else whole(given)


def _subtract(options: Mapping[str, Any], count: int) -> list[int]:
    places: list[int] = []
    for given in _either(options, "subtractFeeFromOutputs", "subtract_fee_from_outputs", "array") or []:
        place = whole(given)
        if place in places:
            raise NodeError(-8, f"Invalid parameter, duplicated position: {place}")
        if place < 0:
            raise NodeError(-8, f"Invalid parameter, negative position: {place}")
        if place >= count:
            raise NodeError(-8, f"Invalid parameter, position too large: {place}")
        places.append(place)
    return places


@method("signrawtransactionwithwallet", hexstring="string", prevtxs="array?", sighashtype="string?")
def sign(call: Call) -> dict[str, Any]:
    """Sign what the wallet can. -13 while it is locked, or unlocked for staking only."""
    raw = transaction_bytes(call.args[0], _NO_INPUT)
    name = call.wallet()
    wallets.must_be_unlocked(call.db, name)
    if call.args[2] not in (None, "ALL", "DEFAULT"):
        raise NodeError(-8, f"'{call.args[2]}' is not a valid sighash parameter.")
    made, shut = wallets.signed(call.db, name, transactions.unpacked(raw))
    shown: dict[str, Any] = {"hex": transactions.packed(made).hex(), "complete": not shut}
    if shut:
        shown["errors"] = [_unsigned(call, made, index) for index in shut]
    return shown


def _unsigned(call: Call, tx: Tx, index: int) -> dict[str, Any]:
    tx_input = tx.ins[index]
    missing = mempool.unspent(call.db, tx_input.place) is None
    said = (
        "Input not found or already spent"
        if missing
        else "Unable to sign input, invalid stack size (possibly missing key)"
    )
    shown = {"txid": codec.shown(tx_input.txid), "vout": tx_input.n, "witness": [], "scriptSig": tx_input.script.hex()}
    return {**shown, "sequence": tx_input.sequence, "error": said}


@method(
    "sendmany",
    writes=True,
    dummy="string?",
    amounts="object",
    minconf="number?",
    comment="string?",
    subtractfeefrom="array?",
    replaceable="bool?",
    conf_target="number?",
    estimate_mode="string?",
    fee_rate="any?",
    verbose="bool?",
)
def send_many(call: Call) -> Any:
    """Build, sign and send at once. The id comes back even where the pool refused it, as in the real node."""
    name = call.wallet()
    if call.args[0]:
        raise NodeError(-8, 'Dummy value must be set to ""')
    outs = _parsed(call, list(call.args[1].items()))
    if not outs:
        raise NodeError(-6, "Transaction must have at least one recipient")
    wallets.must_be_unlocked(call.db, name)
    listed = list(call.args[1])
    subtract = [listed.index(address) for address in call.args[4] or [] if address in listed]
    rate = RELAY_FEE if call.args[8] is None else _small(call.args[8])
    try:
        tx = Tx((), tuple(outs))
        made = wallets.funded(call.db, name, tx, rate=rate, change_script=None, change_at=None, subtract=subtract)
    except NodeError as error:
        raise NodeError(-6, error.message) from None
    whole_tx, _ = wallets.signed(call.db, name, made.tx)
    raw = transactions.packed(whole_tx)
    txid = transactions.txid(raw)
    mempool.remember(call.db, txid, raw, whole_tx, now=call.now)
    if "claim_sent" not in call.hits:
        with contextlib.suppress(NodeError):
            mempool.admit(call.db, raw, max_fee=0, now=call.now)
    shown = codec.shown(txid)
    return {"txid": shown, "fee_reason": "Fallback fee"} if call.args[9] else shown
