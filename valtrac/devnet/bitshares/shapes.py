"""The JSON objects of the wire, field by field, and the one oddity of its numbers."""

from __future__ import annotations

from typing import Any

from valtrac.devnet.bitshares import packing, rules, state, witnesses
from valtrac.devnet.bitshares.state import Block, Chain, Holder

_FOREVER, _NEVER = "1969-12-31T23:59:59", "1970-01-01T00:00:00"


def fc_json(value: Any) -> Any:
    """The same value with whole numbers above 2^32 - 1 as text, as the node's JSON writer does it."""
    if isinstance(value, dict):
        return {key: fc_json(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [fc_json(inner) for inner in value]
    if type(value) is int and abs(value) > 0xFFFFFFFF:
        return str(value)
    return value


def chain_properties(chain_id: str) -> dict[str, Any]:
    """Object 2.11.0."""
    return {
        "id": "2.11.0",
        "chain_id": chain_id,
        "immutable_parameters": {
            "min_committee_member_count": 1,
            "min_witness_count": 1,
            "num_special_accounts": 0,
            "num_special_assets": 0,
        },
    }


def dynamic_properties(top: Block, lib: int) -> dict[str, Any]:
    """Object 2.1.0: how far the chain has come."""
    now = state.stamp(top.at)
    return {
        "id": "2.1.0",
        "head_block_number": top.number,
        "head_block_id": top.id,
        "time": now,
        "current_witness": f"1.6.{top.witness}",
        "next_maintenance_time": state.stamp(top.at // 3600 * 3600 + 3600),
        "last_vote_tally_time": now,
        "last_budget_time": now,
        "witness_budget": 0,
        "total_pob": 0,
        "total_inactive": 0,
        "accounts_registered_this_interval": 0,
        "recently_missed_count": 0,
        "current_aslot": top.number,
        "recent_slots_filled": str(2**128 - 1),
        "dynamic_flags": 0,
        "last_irreversible_block_num": lib,
    }


def global_properties(chain: Chain) -> dict[str, Any]:
    """Object 2.0.0: fees, limits, and who signs blocks."""
    fee = {"fee": packing.FEE, "price_per_kbyte": packing.PRICE_PER_KBYTE}
    return {
        "id": "2.0.0",
        "parameters": {
            "current_fees": {"parameters": [[packing.TRANSFER, fee], [packing.CUSTOM, fee]], "scale": 10000},
            "block_interval": state.INTERVAL_S,
            "maintenance_interval": 3600,
            "maximum_time_until_expiration": rules.MAX_EXPIRATION_S,
        },
        "next_available_vote_id": 0,
        "active_committee_members": ["1.5.0"],
        "active_witnesses": [f"1.6.{number}" for number in range(1, witnesses.count(chain.lib_lag) + 1)],
    }


def account(holder: Holder) -> dict[str, Any]:
    """An account. A lifetime member refers itself and its membership never ends."""
    return {
        "id": holder.id,
        "membership_expiration_date": _FOREVER if holder.lifetime else _NEVER,
        "registrar": "1.2.0",
        "referrer": "1.2.0",
        "lifetime_referrer": holder.id if holder.lifetime else "1.2.0",
        "network_fee_percentage": 2000,
        "lifetime_referrer_fee_percentage": 3000,
        "referrer_rewards_percentage": 0,
        "name": holder.name,
        "owner": holder.owner,
        "active": holder.active,
        "options": {
            "memo_key": holder.memo,
            "voting_account": "1.2.5",
            "num_witness": 0,
            "num_committee": 0,
            "votes": [],
            "extensions": [],
        },
        "statistics": f"2.6.{holder.number}",
        "whitelisting_accounts": [],
        "blacklisting_accounts": [],
        "whitelisted_accounts": [],
        "blacklisted_accounts": [],
        "owner_special_authority": [0, {}],
        "active_special_authority": [0, {}],
        "top_n_control_flags": 0,
    }


def witness(number: int, key: str) -> dict[str, Any]:
    """Object 1.6.x: who signs blocks, and with which key."""
    return {
        "id": f"1.6.{number}",
        "witness_account": "1.2.1",
        "last_aslot": 0,
        "signing_key": key,
        "vote_id": f"1:{number}",
        "total_votes": 0,
        "url": "",
        "total_missed": 0,
        "last_confirmed_block_num": 0,
    }


def asset(which: str) -> dict[str, Any] | None:
    """BTS by its symbol or id; there is no other asset here."""
    if which not in ("BTS", packing.CORE):
        return None
    smallest = {"amount": 1, "asset_id": packing.CORE}
    return {
        "id": packing.CORE,
        "symbol": "BTS",
        "precision": 5,
        "issuer": "1.2.3",
        "options": {
            "max_supply": "360057050210207",
            "market_fee_percent": 0,
            "max_market_fee": 0,
            "issuer_permissions": 0,
            "flags": 0,
            "core_exchange_rate": {"base": smallest, "quote": smallest},
            "whitelist_authorities": [],
            "blacklist_authorities": [],
            "whitelist_markets": [],
            "blacklist_markets": [],
            "description": "",
            "extensions": {},
        },
        "dynamic_asset_data_id": "2.3.0",
        "total_in_collateral": 0,
    }


def header(block: Block) -> dict[str, Any]:
    """A block without its signature and transactions."""
    return {
        "previous": block.previous,
        "timestamp": state.stamp(block.at),
        "witness": f"1.6.{block.witness}",
        "transaction_merkle_root": block.root,
        "extensions": [],
    }


def processed(body: dict[str, Any]) -> dict[str, Any]:
    """A transaction as it stands in a block."""
    return {**body, "operation_results": [[0, {}] for _ in body["operations"]]}


def history(seq: int, block: int, position: int, op: int, at: int, body: dict[str, Any]) -> dict[str, Any]:
    """One line of an account's history."""
    return {
        "id": f"1.11.{seq}",
        "op": body["operations"][op],
        "result": [0, {}],
        "block_num": block,
        "trx_in_block": position,
        "op_in_trx": op,
        "virtual_op": 0,
        "is_virtual": False,
        "block_time": state.stamp(at),
    }


def error(code: int, name: str, message: str) -> dict[str, Any]:
    """What stands in place of a result."""
    told = message if code < 0 else f"Execution error: {'Assert Exception: ' if code == 10 else ''}{message}"
    stack = [{"context": {}, "format": message, "data": {}}]
    return {
        "code": code,
        "message": told,
        "data": {"code": code, "name": name, "message": message, "stack": stack},
    }
