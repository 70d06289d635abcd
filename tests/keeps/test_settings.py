"""The settings of keeps: each bad value is named with its key, and nothing spends by default."""

from __future__ import annotations

from pathlib import Path

import pytest

from valtrac.core.errors import BadInput, Refused
from valtrac.keeps import caps
from valtrac.keeps.settings import GWEI, NO_END
from valtrac.settings import Settings, load

NOTHING = Path("/dev/null")
A, B = "0x" + "aB" * 20, "0x" + "cd" * 20


def loaded(**values: str) -> Settings:
    return load({f"VALTRAC_KEEPS_{name}": value for name, value in values.items()}, NOTHING)


def test_what_is_written_is_what_holds_in_the_smallest_units() -> None:
    settings = loaded(
        OPERATORS=f"{A}, {B}",
        THRESHOLD="135",
        THRESHOLDS=f"{A}=140, {B}=120",
        GAS_CAP="55.5",
        CAP_PAYMENT="11",
        CAP_DAY="0.000000000000000001",
    )
    assert settings.keeps_operators == (A.lower(), B)
    assert settings.threshold_of((A.lower(), B)) == 140 and settings.threshold_of((B,)) == 120
    assert settings.threshold_of(("0x" + "00" * 20,)) == 135
    assert settings.keeps_gas_cap == 55_500_000_000 and settings.keeps_gas_cap // GWEI == 55
    assert (settings.keeps_cap_payment, settings.keeps_cap_day) == (11 * 10**18, 1)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("OPERATORS", "0x12"),
        ("OPERATORS", f"all,{A}"),
        ("THRESHOLD", "110"),
        ("THRESHOLD", "NaN"),
        ("THRESHOLD", "130.5"),
        ("THRESHOLDS", f"{A}=x"),
        ("THRESHOLDS", "bob=140"),
        ("NODES", "ws://one"),
        ("NODES", "https://one/x,https://one/y"),
        ("NODES", "https://one/x,https://one:443/y"),
        ("NODES", "https://one:secret/"),
        ("NODES", "https:///secret"),
        ("NODES", "https://[one/secret"),
        ("ELECTRUM", "http://one"),
        ("ELECTRUM", "ssl://one:50002,tcp://one:50001,ssl://two:50002"),
        ("ELECTRUM", "ssl://one:secret"),
        ("TOKEN", "0x12"),
        ("WALLET", "me"),
        ("NETWORK", "Main Net"),
        ("NETWORK", "elsewhere"),
        ("BITCOIN_NETWORK", "signet"),
        ("BITCOIN_FEE", "1999"),
        ("GAS_CAP", "0"),
        ("GAS_CAP", "-1"),
        ("GAS_CAP", "1e3"),
        ("CAP_DAY", "-1"),
        ("CAP_DAY", "0.0000000000000000001"),
        ("PARALLEL", "0"),
        ("PARALLEL", "101"),
        ("FINAL_BLOCKS", "0"),
        ("CHUNK_BLOCKS", "0"),
        ("LOOK_S", "nan"),
        ("PROOF", "nobody"),
        ("REDEEM", "perhaps"),
        ("DATABASE_URL", "postgresql://me:secret@host/db"),
    ],
)
def test_a_bad_value_is_named_with_its_key(name: str, value: str) -> None:
    with pytest.raises(BadInput) as wrong:
        loaded(**{name: value})
    told = " | ".join([wrong.value.what, wrong.value.why, *wrong.value.problems])
    assert f"VALTRAC_KEEPS_{name}" in told
    assert "secret" not in told


def test_a_network_that_is_not_known_needs_every_address() -> None:
    with pytest.raises(BadInput) as wrong:
        loaded(NETWORK="elsewhere", CHAIN_ID="5", TOKEN=A)
    assert "VALTRAC_KEEPS_FACTORY" in " ".join(wrong.value.problems) + wrong.value.why
    given = dict.fromkeys(("FACTORY", "SYSTEM", "TOKEN", "MACHINE", "DEPOSIT_TOKEN"), A)
    made = loaded(NETWORK="elsewhere", CHAIN_ID="5", **given).deployment
    assert made is not None and (made.chain_id, made.token) == (5, A.lower())


def test_a_real_wallet_needs_caps_with_an_end_and_a_rehearsal_none() -> None:
    assert loaded().keeps_cap_day == NO_END
    caps.refuse_without_end(loaded())
    with pytest.raises(Refused) as refused:
        caps.refuse_without_end(loaded(NETWORK="mainnet", CAP_PAYMENT="11"))
    assert "VALTRAC_KEEPS_CAP_DAY" in str(refused.value) + refused.value.fix
    caps.refuse_without_end(loaded(NETWORK="mainnet", CAP_PAYMENT="11", CAP_DAY="110"))


def test_the_contracts_of_the_main_network_are_known_and_may_be_given_otherwise() -> None:
    known = loaded(NETWORK="mainnet").deployment
    assert known is not None and known.chain_id == 1 and known.explorer.startswith("https://")
    other = loaded(NETWORK="mainnet", START_BLOCK="7", TOKEN=A).deployment
    assert other is not None and (other.start_block, other.token, other.factory) == (7, A.lower(), known.factory)
