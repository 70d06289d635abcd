"""What the views of the ledger say."""

from __future__ import annotations

import pytest

from menus.frame.ui import Ui
from menus.payouts.ledger_views import liquidity
from valtrac.payouts.liquidity import Liquidity

WALLET = "5FTyuyEQQZs8tCcPTUFqotkm2SYfDnpefn9FitRgmTHnFDBD"
SHORT = Liquidity(WALLET, 10**9, 3 * 10**9, 0, 0, 2_000_000_001, 0, None, 0)


@pytest.mark.parametrize(
    ("network", "said"),
    [
        ("finney", f"btcli wallet transfer --wallet FROM --dest {WALLET} --amount 2.000000001 --network finney"),
        ("wss://node.example/secret-key", f"--dest {WALLET} --amount 2.000000001 --network NODE"),
        ("devnet", ""),
    ],
)
def test_what_is_missing_comes_with_the_command_that_sends_it(
    network: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    liquidity(Ui(), SHORT, network)
    shown = capsys.readouterr()
    everything = shown.out + shown.err
    assert said in everything and "2.000000001 TAO is missing" in everything
    assert ("btcli" in everything) == bool(said)
    assert "secret-key" not in everything
