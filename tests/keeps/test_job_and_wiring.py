"""The background job's rounds, and how a watch is put together: which providers, whose wallet, which address."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.devnet.tbtc.fixtures import NO_ANVIL
from tests.keeps.places import Key
from valtrac.core.errors import BadInput, ChainUnreachable, Refused
from valtrac.devnet.tbtc import anvil, owner, process
from valtrac.keeps import audit_log, overview
from valtrac.keeps.producer import NAME
from valtrac.loggers.jobs.keeps import ONE_PROVIDER, Job
from valtrac.rehearsal import keeps as rehearsal
from valtrac.secrets import keystore
from valtrac.settings import Settings, load
from valtrac.wiring.keeps import NOBODY, KeepsApp

pytestmark = pytest.mark.skipif(anvil.found() is None, reason=NO_ANVIL)

PASSWORD = "correct horse"
NAMES = {
    "FACTORY": "BondedECDSAKeepFactory",
    "SYSTEM": "TBTCSystem",
    "TOKEN": "TBTCToken",
    "MACHINE": "VendingMachine",
    "DEPOSIT_TOKEN": "TBTCDepositToken",
}
Make = Callable[..., KeepsApp]


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    settings = load({"VALTRAC_HOME": str(tmp_path_factory.mktemp("keeps"))}, Path(os.devnull))
    rehearsal.prepare(settings)
    yield settings
    process.stop(settings.keeps_folder)


@pytest.fixture
def make(held: Settings) -> Iterator[Make]:
    """Opens the rehearsal's watch."""
    made: list[KeepsApp] = []

    def act(**given: str) -> KeepsApp:
        names = {f"VALTRAC_{name}": value for name, value in given.items()}
        made.append(KeepsApp(load({"VALTRAC_HOME": str(held.home), **names}, Path(os.devnull))))
        return made[-1]

    yield act
    for app in made:
        app.close()


@pytest.fixture
def abroad(held: Settings, make: Make, tmp_path: Path) -> Make:
    """Opens the same contracts as a network that is no rehearsal."""
    note = process.start(held.keeps_folder)
    given = {
        "HOME": str(tmp_path),
        "KEEPS_NETWORK": "localnet",
        "KEEPS_CHAIN_ID": str(note["chain_id"]),
        "KEEPS_NODES": note["ethereum_url"],
        "KEEPS_OPERATORS": "all",
        "KEEPS_STALE_S": "86400",
        "KEEPS_FINAL_BLOCKS": "2",
        **{f"KEEPS_{ours}": note["addresses"][theirs] for ours, theirs in NAMES.items()},
    }
    return lambda **more: make(**{**given, **more})


def lasting(app: KeepsApp) -> set[Any]:
    return {each["kind"] for each in overview.lasting(app.engine)}


def test_locked_the_job_sees_and_tells_and_unlocked_it_redeems(make: Make, held: Settings) -> None:
    app = make()
    job = Job(app)
    assert "5 keeps are new" in job.tick().words
    assert job.tick().words == ""
    rehearsal.set_percent(held, 124)
    said = job.tick()
    assert "4 keeps in danger" in said.words
    assert "locked: nothing is redeemed" in said.words
    assert {"danger", "waits"} <= lasting(app)
    app.unlock()
    assert "redeem 0x" in job.tick().words
    assert "waits" not in lasting(app)
    rehearsal.let_pass(held, rehearsal.amount("1", field="hours"))
    assert "signature for 0x" in job.tick().words
    assert audit_log.file_of(app.settings.logs, app.watching.now().date()).exists()


def test_a_provider_that_is_away_is_told_and_waited_for(abroad: Make) -> None:
    app = abroad(KEEPS_NODES="http://127.0.0.1:1")
    with pytest.raises(ChainUnreachable):
        Job(app).tick()
    assert lasting(app) == {"providers"}


def test_one_provider_is_named_as_the_weak_point_now_and_then(abroad: Make) -> None:
    job = Job(abroad())
    assert ONE_PROVIDER in job.tick().words
    assert ONE_PROVIDER not in job.tick().words


def test_a_job_and_a_menu_follow_a_rehearsal_that_was_started_anew(make: Make, held: Settings) -> None:
    app = make()
    app.unlock()
    before = app.watching
    assert app.watching is before
    process.stop(held.keeps_folder)
    with pytest.raises(ChainUnreachable, match="does not run"):
        _ = app.watching
    process.start(held.keeps_folder)
    assert app.watching is not before
    assert not app.locked
    assert app.watching.agreed_head().number > 0
    Job(app).tick()


def test_a_rehearsal_watches_the_keeps_of_its_first_two_operators_unless_others_are_named(make: Make) -> None:
    assert len(make().watching.settings.keeps_operators) == 2
    assert make(KEEPS_OPERATORS="all").watching.settings.keeps_operators == ("all",)
    assert make().wallet == owner.ADDRESS


def test_every_second_provider_is_in_the_other_group(abroad: Make) -> None:
    urls = [f"https://{name}.example" for name in ("one", "two", "three")]
    assert len(abroad(KEEPS_NODES=urls[0]).groups) == 1
    assert len(abroad(KEEPS_NODES=",".join(urls)).groups) == 2


def test_what_is_not_set_is_named(abroad: Make) -> None:
    with pytest.raises(BadInput, match="no provider of Ethereum"):
        _ = abroad(KEEPS_NODES="").groups
    app = abroad()
    assert app.wallet == ""
    assert app.watching.wallet == NOBODY
    assert app.watching.script == b""
    assert app.watching.bitcoin is None
    with pytest.raises(BadInput, match="no wallet is set"):
        app.unlock(PASSWORD)
    with pytest.raises(Refused, match="the wallet is locked"):
        app.payer()
    with pytest.raises(BadInput, match="KEEPS_BITCOIN_ADDRESS"):
        _ = abroad(KEEPS_BITCOIN_ADDRESS="bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5").watching
    with pytest.raises(BadInput, match="KEEPS_BITCOIN_ADDRESS"):
        _ = abroad(KEEPS_BITCOIN_ADDRESS="tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx").watching


def test_a_wallet_is_known_by_its_file_and_that_of_another_address_is_not_opened(abroad: Make, tmp_path: Path) -> None:
    file = tmp_path / "wallet.json"
    address = keystore.create(file, PASSWORD, rounds=2)
    app = abroad(KEEPS_WALLET_FILE=str(file))
    assert app.wallet == address.lower()
    assert app.needs_password
    with pytest.raises(Refused):
        app.unlock("wrong password")
    assert app.locked
    app.unlock(PASSWORD)
    assert not app.locked
    other = abroad(KEEPS_WALLET_FILE=str(file), KEEPS_WALLET=Key().address)
    with pytest.raises(Refused, match="the wallet's file is of"):
        other.unlock(PASSWORD)
    assert other.locked
    assert abroad(KEEPS_WALLET_FILE=str(tmp_path / "none.json")).wallet == ""


def test_the_alerts_of_keeps_have_names_of_their_own(make: Make) -> None:
    from valtrac.wiring.alerts import AlertsApp

    app = AlertsApp(make().settings)
    kinds = [kind.name for kind in app.kinds() if kind.name.startswith(f"{NAME}.")]
    app.close()
    assert len(kinds) == len(set(kinds)) > 15
