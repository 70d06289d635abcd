"""The commands of keeps, each once for people and once for programs, on one small rehearsal."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import run
from tests.devnet.tbtc.fixtures import NO_ANVIL
from tests.homes import CHECKOUT
from valtrac.devnet.tbtc import anvil, process
from valtrac.rehearsal import keeps as rehearsal
from valtrac.secrets import keystore
from valtrac.settings import Settings, load

pytestmark = pytest.mark.skipif(anvil.found() is None, reason=NO_ANVIL)

Say = Callable[..., str]
PASSWORD = "correct horse"
CONTRACTS = {
    "FACTORY": "BondedECDSAKeepFactory",
    "SYSTEM": "TBTCSystem",
    "TOKEN": "TBTCToken",
    "MACHINE": "VendingMachine",
    "DEPOSIT_TOKEN": "TBTCDepositToken",
}
DECIMAL = re.compile(r"-?\d+\.\d+")


WALK = (
    ("find", "watch --once"),
    ("move", "rehearse --percent 124"),
    ("look", "watch --once --look-only"),
    ("ask", "watch --once"),
    ("hour", "rehearse --hours 1"),
    ("sign", "watch --once"),
    ("send", "watch --once"),
    ("hours", "rehearse --hours 2"),
    ("prove", "watch --once"),
    ("back", "rehearse --percent 150"),
    ("end", "watch --once"),
)


@dataclass(frozen=True, slots=True)
class Walked:
    """A rehearsal in which the walk of docs/tutorial/first-keep.md was made: exit code and words of each step."""

    settings: Settings
    steps: dict[str, tuple[int, str]]


@pytest.fixture(scope="module")
def walked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Walked]:
    """Three deposits of ours were redeemed; one is another's to redeem."""
    settings = load({"VALTRAC_HOME": str(tmp_path_factory.mktemp("keeps"))}, Path(os.devnull))
    steps = {}
    with pytest.MonkeyPatch.context() as patch:
        _move_in(patch, settings)
        rehearsal.prepare(settings)
        for name, words in WALK:
            heard = io.StringIO()
            with redirect_stdout(heard), redirect_stderr(heard):
                code = run.main(["keeps", *words.split()])
            steps[name] = (code, " ".join(heard.getvalue().split()))
    yield Walked(settings, steps)
    process.stop(settings.keeps_folder)


@pytest.fixture
def held(walked: Walked) -> Settings:
    return walked.settings


def _move_in(patch: pytest.MonkeyPatch, settings: Settings) -> None:
    for name in [name for name in os.environ if name.startswith("VALTRAC_")]:
        patch.delenv(name)
    patch.setenv("VALTRAC_HOME", str(settings.home))
    patch.setenv("VALTRAC_ENV_FILE", os.devnull)
    patch.setenv("COLUMNS", "160")


@pytest.fixture
def say(held: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Say:
    """Run a command there; what it wrote, its words on one line. code: the exit code that it has to have; piped: what
    stands on stdin."""
    _move_in(monkeypatch, held)

    def act(*words: str, code: int = 0, piped: str = "") -> str:
        capsys.readouterr()
        monkeypatch.setattr(sys, "stdin", io.StringIO(piped))
        assert run.main(["keeps", *words]) == code, capsys.readouterr()
        said = capsys.readouterr()
        return said.out if "--json" in words and not code else " ".join((said.out + said.err).split())

    return act


@pytest.fixture
def told(say: Say) -> Callable[..., Any]:
    """Run a command for a program: what it told, in which no amount is a float."""

    def act(*words: str) -> Any:
        return json.loads(say(*words, "--json"), parse_float=_no_float)

    return act


def _no_float(text: str) -> Any:
    raise AssertionError(f"{text} is a float")


@pytest.fixture
def abroad(held: Settings, monkeypatch: pytest.MonkeyPatch, say: Say, tmp_path: Path) -> Path:
    """The same contracts as a network that is no rehearsal, in another home; a wallet of its own, and its file."""
    note = rehearsal.running(held)
    assert note is not None
    file = tmp_path / "wallet.json"
    keystore.create(file, PASSWORD, rounds=2)
    given = {
        "HOME": str(tmp_path / "home"),
        "KEEPS_NETWORK": "localnet",
        "KEEPS_CHAIN_ID": str(note["chain_id"]),
        "KEEPS_NODES": note["ethereum_url"],
        "KEEPS_OPERATORS": "all",
        "KEEPS_STALE_S": "86400",
        "KEEPS_FINAL_BLOCKS": "2",
        "KEEPS_WALLET_FILE": str(file),
        **{f"KEEPS_{ours}": note["addresses"][theirs] for ours, theirs in CONTRACTS.items()},
    }
    for name, value in given.items():
        monkeypatch.setenv(f"VALTRAC_{name}", value)
    return file


def test_the_walk_of_the_docs_from_an_active_deposit_to_a_redeemed_one(walked: Walked) -> None:
    steps = walked.steps
    said = {name: words for name, (_, words) in steps.items()}
    assert "5 new keeps" in said["find"]
    assert "at 124 %" in said["move"]
    assert "Only looked: nothing is sent" in said["look"]
    assert said["ask"].count("Redemption asked for") == 3
    assert "through the VendingMachine" in said["ask"]
    assert "An hour went by" in said["hour"]
    assert "signature for 0x" in said["sign"]
    assert "its Bitcoin transaction is sent" in said["send"]
    assert "2 hours went by" in said["hours"]
    assert "proof for 0x" in said["prove"]
    assert "redeemed deposit 0x" in said["end"]


def test_the_commands_of_the_docs_are_those_that_were_walked() -> None:
    walk = [words for name, words in WALK if name not in ("look", "back")]
    assert _commands("docs/tutorial/first-keep.md") == ["rehearse", *walk, "log", "redemptions"]


def _commands(file: str) -> list[str]:
    block = (CHECKOUT / file).read_text(encoding="utf-8").split("```sh\n", 1)[1].split("```", 1)[0]
    return [line.partition("run.py keeps ")[2].partition("#")[0].strip() for line in block.strip().splitlines()]


def test_the_exit_code_of_a_pass_tells_whether_a_keep_is_in_danger_that_was_not_asked_back(walked: Walked) -> None:
    codes = {name: code for name, (code, _) in walked.steps.items() if name not in ("move", "hour", "hours", "back")}
    # from the price's fall on one is in danger that is another's to redeem
    assert codes == {"find": 0, "look": 3, "ask": 3, "sign": 3, "send": 3, "prove": 3, "end": 0}


def test_how_it_stands_and_the_list(say: Say, told: Callable[..., Any]) -> None:
    now = told("now")
    assert (now["known"], now["watched"], now["in_danger"], now["low"], now["lasting"]) == (5, 1, 0, 0, [])
    assert now["tbtc"] == "0.898950000000000000"
    assert "0.89895 TBTC" in say("now")
    (row,) = told("list")
    assert (row["lot_btc"], row["percent"], row["at_risk_eth"]) == ("0.10000000", 150, "5.000000000000000000")
    assert row["deposit"][:10] in say("list")


def test_everything_of_one_keep(say: Say, told: Callable[..., Any]) -> None:
    deposit = told("redemptions")[0]["deposit"]
    story = told("show", deposit[:12])
    assert [seen["state"] for seen in story["seen"]][-1] == "redeemed"
    assert [acted["action"] for acted in story["log"]] == ["redeem", "sign", "send", "prove", "seen"]
    assert len(story["redemptions"]) == 1
    assert "held by the VendingMachine" in say("show", deposit)
    assert "no keep is called" in say("show", "0xffffffff", code=2)
    assert "no keep is called" in say("show", "0x", code=2)


def test_the_log_and_its_file(say: Say, told: Callable[..., Any], held: Settings) -> None:
    rows = told("log")
    assert [row["action"] for row in rows if row["deposit"] == ""] == ["approve"]
    assert all(DECIMAL.fullmatch(row["tbtc"]) and DECIMAL.fullmatch(row["eth"]) for row in rows)
    assert sum(row["tbtc"] == "1.000500000000000000" for row in rows) == 2
    assert len(told("log", "--limit", "2")) == 2
    assert "..." in say("log")  # names of transactions are shortened for people alone
    (file,) = held.logs.glob("keeps-*.csv")
    assert len(list(csv.DictReader(file.open(encoding="utf-8")))) == len(rows)
    assert "Invalid value" in say("log", "--limit", "0", code=2)


def test_what_the_wallet_holds(say: Say, told: Callable[..., Any]) -> None:
    wallet = told("wallet", "show")
    assert (wallet["tbtc"], wallet["allowed_tbtc"]) == ("0.898950000000000000", "0.000000000000000000")
    assert wallet["bitcoin_address"].startswith("bcrt1")
    assert "redeemed to" in say("wallet", "show")


def test_what_a_price_would_bring(say: Say, told: Callable[..., Any]) -> None:
    assert told("price", "60")[0]["percent"] == 125
    assert "125" in say("price", "60")
    for wrong in ("x", "0", "-1", "1e400", "nan"):
        assert "58.5" in say("price", "--", wrong, code=2)


def test_the_chart(say: Say, told: Callable[..., Any], tmp_path: Path) -> None:
    file = tmp_path / "chart.svg"
    said = told("chart", "--out", str(file))
    rows = said.pop("rows")
    assert said == {"chart": "keeps-collateral", "files": [str(file)]}
    assert rows["lowest"] and all(isinstance(percent, str) for percent in rows["lowest"])
    assert file.read_text(encoding="utf-8").startswith("<?xml")


def test_the_live_view_ends_after_so_long(say: Say) -> None:
    assert "keeps" in say("watch", "--seconds", "1")


def test_one_by_hand(say: Say) -> None:
    deposit = json.loads(say("list", "--json"))[0]["deposit"]
    assert "cannot be redeemed now" in say("redeem", deposit, "--yes", code=3)
    over = json.loads(say("redemptions", "--json"))[0]["deposit"]
    assert "is over" in say("redeem", over, "--yes", code=2)
    made = json.loads(say("rehearse", "--deposit", "0.01", "--json"))[0]["value"]
    say("watch", "--once")
    (sent,) = [each for each in json.loads(say("redeem", made, "--yes", "--json")) if "redeem" not in each["words"]][
        -1:
    ]
    assert sent["outcome"] == "landed"


def test_what_does_not_go_together_in_a_rehearsal(say: Say) -> None:
    for words in (["--percent", "124", "--price", "0"], ["--silent", "--speak"], ["--third-party"]):
        assert "do not go together" in say("rehearse", *words, code=2)
    assert "is no lot" in say("rehearse", "--deposit", "3", code=2)
    assert "is not an amount" in say("rehearse", "--fund", "x", code=2)
    assert "is no number" in say("rehearse", "--hours", "x", code=2)
    assert "cannot go by" in say("rehearse", "--hours", "100000", code=2)
    assert "no keep is called" in say("rehearse", "--call", "0xffff", code=2)
    say("watch", "--once")
    active = next(row["deposit"] for row in json.loads(say("list", "--json")) if row["state"] == "active")
    assert "sufficient collateral" in say("rehearse", "--liquidate", active, code=2)
    assert "What can happen there" in say("rehearse")


def test_a_replay_tells_of_itself_alone(say: Say, told: Callable[..., Any], tmp_path: Path) -> None:
    table = tmp_path / "prices.csv"
    table.write_text("time,price\n2020-11-26T09:00:00Z,50\n2020-11-26T10:00:00Z,0\n", encoding="utf-8")
    outcome = told("replay", str(table))
    assert (outcome["prices"], outcome["lost"], outcome["saved_eth"]) == (2, 0, "0.000000000000000000")
    assert outcome["redeemed"] == outcome["not_redeemed"] == 0
    assert [step["eth_per_btc"] for step in outcome["steps"]] == ["50", "0"]
    wrong = tmp_path / "wrong.csv"
    wrong.write_text("time,price\nfoo,3\n2020-11-26T09:00:00Z,x\n", encoding="utf-8")
    said = say("replay", str(wrong), code=2)
    assert "line 2: 'foo' is no time" in said
    assert "line 3: 'x' is no price" in said
    wrong.write_text("", encoding="utf-8")
    assert "holds no price" in say("replay", str(wrong), code=2)
    assert "does not exist" in say("replay", str(tmp_path / "nothing"), code=2)


def test_coming_over(say: Say, told: Callable[..., Any], tmp_path: Path) -> None:
    settings, secret = tmp_path / ".env", "4c0883a69102937d6231471b5dbb6204fe5129617082792ae468d01a3f362318"
    settings.write_text(f"INFURA_NETWORK=mainnet\nETH_WALLET_PRIVATE_KEY={secret}\n", encoding="utf-8")
    assert {row["name"] for row in told("import", str(settings)) if row["ask"]} == {
        "COLLATERALISATION_THRESHOLD",
        "MINBLOCK",
    }
    assert secret not in say("import", str(settings)) + say("import", str(settings), "--json")
    settings.write_text("nothing\n", encoding="utf-8")
    assert "none of its settings" in say("import", str(settings))
    cache, keep = tmp_path / "keeps.json", told("list")[0]
    hint = {"block": 1, "deposit": keep["deposit"], "lot": "0.1", "signers": keep["members"], "tdt": keep["deposit"]}
    cache.write_text(json.dumps({keep["keep"]: hint}), encoding="utf-8")
    assert told("import", str(cache), "--dry-run")["new"] == 0
    assert "1 keep of blocks" in say("import", str(cache))
    cache.write_text("{", encoding="utf-8")
    assert "no keeps.json" in say("import", str(cache), code=2)
    cache.write_bytes(b"\x99\x98")
    assert "it is no text" in say("import", str(cache), code=2)


def test_a_job_that_does_not_run_is_neither_unlocked_nor_stopped(say: Say) -> None:
    assert "does not run" in say("unlock", code=2)
    assert "does not run" in say("stop")


def test_a_wallets_password_is_asked_for_when_it_is_needed_alone(
    say: Say, abroad: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "no terminal to ask for it" in say("watch", "--once", code=2)
    assert "does not open" in say("watch", "--once", "--password-stdin", piped="wrong password\n", code=3)
    assert "no password on stdin" in say("watch", "--once", "--password-stdin", code=2)
    assert "new keeps" in say("watch", "--once", "--password-stdin", piped=f"{PASSWORD}\n")
    assert "One provider is trusted" in say("now")
    assert "no Bitcoin address is set" in say("wallet", "show")
    monkeypatch.setenv("VALTRAC_KEEPS_WALLET", "0x" + "11" * 20)
    assert "wallet's file is of" in say("watch", "--once", "--password-stdin", piped=f"{PASSWORD}\n", code=3)
    monkeypatch.delenv("VALTRAC_KEEPS_WALLET")
    abroad.unlink()
    assert "there is no wallet at" in say("watch", "--once", code=2)
    say("watch", "--once", "--look-only")
    monkeypatch.delenv("VALTRAC_KEEPS_WALLET_FILE")
    assert "No wallet is set: this pass looks" in say("watch", "--once")
    assert "none is set" in say("now")
    assert "this is no rehearsal" in say("rehearse", code=2)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("NODES", "ftp://x", "must be http"),
        ("NODES", "", "no provider of Ethereum is set"),
        ("OPERATORS", "hello", "must be addresses"),
        ("OPERATORS", "all,0x" + "11" * 20, "either `all` or addresses"),
        ("THRESHOLD", "100", "at least 111"),
        ("BITCOIN_ADDRESS", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5", "checksum is wrong"),
        ("ELECTRUM", "foo", "tcp://"),
        ("MACHINE", "", "VALTRAC_KEEPS_MACHINE"),
    ],
)
def test_a_wrong_setting_is_named(
    say: Say, abroad: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str, words: str
) -> None:
    monkeypatch.setenv(f"VALTRAC_KEEPS_{name}", value)
    assert words in " ".join(say("now", code=2).split())


def test_a_password_in_the_keyring_of_this_system_is_not_asked_for(
    say: Say, abroad: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = dict[tuple[str, str], str]()
    monkeypatch.setattr("keyring.set_password", lambda service, name, text: kept.update({(service, name): text}))
    monkeypatch.setattr("keyring.get_password", lambda service, name: kept.get((service, name)))
    monkeypatch.setattr("keyring.delete_password", lambda service, name: kept.pop((service, name)))
    assert "keeps no password" in say("wallet", "forget-password")
    assert "does not open" in say("wallet", "keep-password", "--password-stdin", piped="wrong password\n", code=3)
    assert kept == {}
    said = say("wallet", "keep-password", "--password-stdin", piped=f"{PASSWORD}\n")
    assert "is not asked for any more" in said
    assert PASSWORD not in said
    assert "new keeps" in say("watch", "--once")  # the wallet was opened, and nothing was asked for
    abroad.unlink()
    keystore.create(abroad, "another password", rounds=2)
    said = say("watch", "--once", code=2)
    assert "no terminal to ask for it" in said  # the kept one is of another wallet
    ((place, _),) = kept.items()
    kept[(place[0], keystore.address_of(abroad).lower())] = PASSWORD
    assert "in this system's keyring does not open it" in say("watch", "--once", code=2)
    assert "keeps the password of 0x" in say("wallet", "forget-password")
    assert list(kept) == [place]
    monkeypatch.setattr("keyring.set_password", lambda *_: None)  # one that forgets at once
    said = say("wallet", "keep-password", "--password-stdin", piped="another password\n", code=2)
    assert "no keyring that keeps it" in said
    monkeypatch.delenv("VALTRAC_KEEPS_WALLET_FILE")
    assert "no wallet is set" in say("wallet", "keep-password", code=2)


def test_a_provider_that_is_away_has_a_code_of_its_own(say: Say, abroad: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VALTRAC_KEEPS_NODES", "http://127.0.0.1:1")
    assert json.loads(say("watch", "--once", "--look-only", "--json", code=4))["exit_code"] == 4
    assert "No keep of these operators is known" in say("now")


def test_a_wallet_cannot_be_made_where_nobody_can_type_its_password(say: Say, abroad: Path, tmp_path: Path) -> None:
    assert "is there already" in say("wallet", "make", str(abroad), code=2)
    assert "no terminal" in say("wallet", "make", str(tmp_path / "new.json"), code=2)
    assert "there is no file called" in say(
        "wallet", "import", str(tmp_path / "new.json"), "--from", str(tmp_path / "nothing"), code=2
    )


def test_it_ends_and_is_not_there_then(say: Say) -> None:
    assert "has ended" in say("rehearse", "--stop")
    assert "does not run" in say("rehearse", "--stop")
    for words in (["now"], ["list"], ["watch", "--once"], ["wallet", "show"], ["price", "50"], ["chart"]):
        assert "start it: run.py keeps rehearse" in say(*words, code=4)
    assert "redeem" in say("log")
