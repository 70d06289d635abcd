"""Who signs blocks is written down at the first contact, agreed by both nodes, and held against every node then."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.chains.bitshares.lying import Liar, in_blocks
from tests.contracts_world import NOTHING, World
from valtrac.chains.bitshares.keys import dev_keys
from valtrac.contracts import listener
from valtrac.contracts.rosters import KeptRosters
from valtrac.contracts.store import contracts
from valtrac.core.chain import Roster
from valtrac.core.errors import ChainUnreachable
from valtrac.database.engine import reading
from valtrac.database.opening import open_engine
from valtrac.devnet import bitshares
from valtrac.settings import load
from valtrac.wiring.contracts import ContractsApp


def app(world: World, first: Liar, second: Liar | None = None) -> ContractsApp:
    given = {"HOME": str(world.folder / "other"), "BITSHARES_NETWORK": "test", "BITSHARES_NODES": first.url}
    given["CONTRACTS_AMOUNTS"] = "25000"
    if second is not None:
        given["BITSHARES_SECOND_NODE"] = second.url
    (world.folder / "other" / "data").mkdir(parents=True, exist_ok=True)
    return ContractsApp(load({f"VALTRAC_{name}": value for name, value in given.items()}, NOTHING))


def liar_key(method: str, _args: list[Any], answer: Any) -> Any:
    if method == "get_objects":
        return [
            {**one, "signing_key": bitshares.dev_public("liar")} if one and one["id"][:4] == "1.6." else one
            for one in answer
        ]
    return answer


def test_the_start_is_written_down_once_and_read_by_the_next_run(world: World) -> None:
    with Liar(world.path) as node:
        for _ in range(2):
            opened = app(world, node)
            assert opened.account.name == "custodian"
            opened.chain.finalized()
            kept = KeptRosters(opened.engine).load()
            opened.close()
            world.blocks(5)
        assert len(kept) == 1 and len(kept[0].keys) == 4
        node.lie = liar_key  # nobody asks for keys any more
        opened = app(world, node)
        opened.chain.finalized()
        opened.close()


@pytest.mark.parametrize("liar", [0, 1])
def test_the_start_is_not_taken_from_one_node_where_there_are_two(world: World, liar: int) -> None:
    with Liar(world.path) as first, Liar(world.path) as second:
        (first, second)[liar].lie = liar_key
        opened = app(world, first, second)
        assert opened.account.name == "custodian"
        for chain in (opened.chain, opened.witnesses[0]):
            with pytest.raises(ChainUnreachable, match="cannot be trusted"):
                chain.finalized()
        assert KeptRosters(opened.engine).load() == []
        (first, second)[liar].lie = None
        opened.witnesses[0].finalized()
        opened.chain.finalized()
        assert len(KeptRosters(opened.engine).load()) == 1
        opened.close()


def another_account(method: str, _args: list[Any], answer: Any) -> Any:
    """The name of the exchange leads to the thief, and his number to that name."""
    if method in ("lookup_account_names", "get_objects"):
        thief = "1.2.999"
        return [{**one, "id": thief} if one and one.get("name") == "exchange" else one for one in answer]
    return answer


@pytest.mark.parametrize("liar", [0, 1])
def test_whose_account_a_name_is_is_not_taken_from_one_node_where_there_are_two(world: World, liar: int) -> None:
    with Liar(world.path) as first, Liar(world.path) as second:
        opened = app(world, first, second)
        assert opened.custodian.chain.named(["exchange"])["exchange"].name == "exchange"
        (first, second)[liar].lie = another_account
        with pytest.raises(ChainUnreachable, match="different things of the account exchange"):
            opened.custodian.chain.named(["exchange"])
        opened.close()


def test_what_is_learned_before_the_database_is_tied_to_a_chain_is_kept_afterwards(tmp_path: Path) -> None:
    engine = open_engine(tmp_path / "new.sqlite")
    kept = KeptRosters(engine)
    start, later = Roster(5, "00", {"1.6.1": "02"}), Roster(9, "01", {"1.6.2": "03"})
    kept.save(start)
    assert kept.load() == []
    from valtrac.core.money import BTS
    from valtrac.database.engine import claim_identity, writing

    with writing(engine) as conn:
        claim_identity(conn, "ab" * 32, "test", BTS)
    kept.save(later)
    kept.save(later)
    assert kept.load() == [start, later]
    engine.dispose()


def test_what_comes_in_counts_only_where_both_nodes_tell_the_same_block(world: World) -> None:
    with Liar(world.path) as first, Liar(world.path) as second:
        opened = app(world, first, second)
        listener.listen(opened.custodian)
        world.send("ann", 25_000, "three_months")
        world.blocks(6)
        second.lie = lambda method, args, answer: None if method == "get_block" and args[0] > 60_700_000 else answer
        with pytest.raises(ChainUnreachable):
            listener.listen(opened.custodian)
        assert opened_contracts(opened) == 0
        second.lie = in_blocks(lambda block: block["transactions"].clear())
        with pytest.raises(ChainUnreachable):
            listener.listen(opened.custodian)
        assert opened_contracts(opened) == 0
        second.lie = None
        opened.chain.keys = dev_keys("custodian")
        listener.listen(opened.custodian)
        assert opened_contracts(opened) == 1
        opened.close()


def opened_contracts(opened: ContractsApp) -> int:
    with reading(opened.engine) as conn:
        return len(contracts.contracts(conn))
