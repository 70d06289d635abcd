"""Whose account a name is, and which keys it has, stands in no block: two nodes have to say the same."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from valtrac.chains.bitshares import connect
from valtrac.chains.bitshares.node import BitSharesChain
from valtrac.core.errors import ChainUnreachable
from valtrac.devnet import bitshares

Lie = Callable[[dict[str, Any]], None]
LIES: dict[str, Lie] = {
    "another's number": lambda account: account.update(id="1.2.6"),
    "a membership": lambda account: account.update(membership_expiration_date="1969-12-31T23:59:59"),
    "a memo key": lambda account: account["options"].update(memo_key=bitshares.dev_public("thief")),
    "other keys": lambda account: account["active"].update(key_auths=[[bitshares.dev_public("thief"), 1]]),
}


@pytest.fixture
def nodes(tmp_path: Path) -> Iterator[tuple[BitSharesChain, BitSharesChain]]:
    path = tmp_path / "chain.sqlite"
    bitshares.seed(path, accounts=[bitshares.dev_account(name) for name in ("custodian", "ann", "exchange")])
    bitshares.produce(path, 10)
    first, second = (connect.open_devnet(path, timeout_s=10) for _ in range(2))
    first.second, second.second = second, first
    yield first, second
    first.close()
    second.close()


def lies(node: BitSharesChain, monkeypatch: pytest.MonkeyPatch, lie: Lie) -> None:
    """Of the exchange's account, whichever way it is asked for."""
    tell = node.rpc.call

    def call(api: Any, method: str, *args: Any) -> Any:
        answer = copy.deepcopy(tell(api, method, *args))
        for account in answer if method in ("lookup_account_names", "get_objects") else ():
            if isinstance(account, dict) and account.get("name") == "exchange":
                lie(account)
        return answer

    monkeypatch.setattr(node.rpc, "call", call)


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES)
@pytest.mark.parametrize("liar", [0, 1], ids=["the first", "the second"])
def test_accounts_count_only_as_both_nodes_tell_them(
    nodes: tuple[BitSharesChain, BitSharesChain], monkeypatch: pytest.MonkeyPatch, liar: int, lie: Lie
) -> None:
    first = nodes[0]
    true = first.named(["exchange", "ann"])
    number = true["exchange"].id
    assert (set(true), set(first.accounts([number]))) == ({"exchange", "ann"}, {number})
    lies(nodes[liar], monkeypatch, lie)
    asked: list[Callable[[], object]] = [
        lambda: first.named(["ann", "exchange"]),
        lambda: first.accounts([number]),
        lambda: first.member("exchange"),
        lambda: first.members([number]),
    ]
    for question in asked:
        with pytest.raises(ChainUnreachable):
            question()
    assert first.named(["ann"]) == {"ann": true["ann"]}
