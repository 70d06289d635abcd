"""The screen of keeps, by keys: from an empty folder to a redeemed deposit, and everything that can be looked at."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from menus import actions
from menus.keeps import happenings
from menus.keeps.screens import tbtc_keeps
from tests.devnet.tbtc.fixtures import NO_ANVIL
from tests.menus.conftest import CTRL_C, line, menu, pick
from valtrac.devnet.tbtc import anvil, process
from valtrac.settings import load

pytestmark = pytest.mark.skipif(anvil.found() is None, reason=NO_ANVIL)

Press = Callable[..., str]
ENTRIES = [name for name, said in vars(tbtc_keeps).items() if said in actions.titles_of(tbtc_keeps)]
HAPPENINGS = list(happenings.ALL)
YES, NO = line("y"), line("n")


def entry(name: str) -> str:
    """The keys that choose an entry of the screen of keeps."""
    return pick(ENTRIES.index(name) + 1)


def happens(part: str, answer: str = "") -> str:
    """The keys that let something happen in the rehearsal."""
    (place,) = [place for place, words in enumerate(HAPPENINGS, 1) if part in words]
    return entry("REHEARSE") + pick(place) + answer


@pytest.fixture
def keeps(home: Path, press: Press) -> Iterator[Press]:
    """Press keys within the screen of keeps; what was on the screen, on one line."""
    yield lambda *keys: " ".join(press(menu(tbtc_keeps.TITLE), *keys).split())
    process.stop(home / "data" / "keeps")


def test_from_nothing_to_a_redeemed_deposit_in_the_menu(keeps: Press, home: Path) -> None:
    assert "tBTC does not run here yet" in keeps()
    said = keeps(entry("REHEARSE"), entry("PASS"))
    assert "with 5 deposits at 150 %" in said
    assert "5 new keeps" in said
    assert "Nothing has to be redeemed now" in said
    said = keeps(happens("Collateral", line("124")), entry("PASS"), YES)
    assert said.count("Redemption asked for") == 3
    assert "Redemption asked for" not in said.partition("Only looked")[0]
    said = keeps(happens("Hours", line("1")), entry("PASS"), YES, entry("PASS"))
    assert "signature for 0x" in said
    assert "its Bitcoin transaction is sent" in said
    said = keeps(happens("Hours", line("2")), entry("PASS"), YES, entry("PASS"))
    assert "proof for 0x" in said
    assert "redeemed deposit 0x" in said
    said = keeps(*map(entry, ("NOW", "REDEMPTIONS", "LOG", "WALLET")))
    assert "1 in danger" in said  # the one whose token is another's: this wallet makes no courtesy calls
    assert "0.89895 TBTC" in said
    assert "redeemed" in said
    assert "prove" in said
    said = keeps(entry("CHECK"), entry("MINT"), pick(3), entry("MINT"), CTRL_C)
    assert "unbroken chain" in said and "can be asked for" in said and "None was asked for" in said
    said = keeps(entry("ONE"), pick(1), entry("PRICE"), line("60"), entry("CHART"), entry("STOP"), entry("UNLOCK"))
    assert "notifyCourtesyCall" in said
    assert "If a bitcoin were worth 60 ETH" in said
    assert "does not run" in said
    assert {path.suffix for path in (home / "data" / "charts").iterdir()} == {".png", ".svg"}


def test_nothing_is_sent_before_it_was_agreed_to_and_a_rehearsal_that_was_started_anew_is_found(keeps: Press) -> None:
    said = keeps(entry("REHEARSE"), entry("PASS"), entry("REDEEM"), pick(1), NO)
    assert "To be redeemed: 0x" in said
    assert "Redemption asked for" not in said
    said = keeps(entry("REDEEM"), pick(1), YES, happens("Hours", line("1")), entry("PASS"), NO)
    assert "by hand, at 150 %" in said
    assert "Redemption asked for" in said
    assert "signature for 0x" not in said  # though the wallet is open by then
    said = keeps(entry("NOW"), happens("End it"), entry("NOW"), entry("REHEARSE"), CTRL_C, entry("NOW"))
    assert "the rehearsal chain of keeps does not run" in said
    assert "tBTC runs here again" in said
    assert said.count("4 watched of 5 known") == 2
    said = keeps(
        happens("A deposit", pick(1)),
        happens("10 TBTC"),
        happens("fall silent"),
        happens("sign again"),
        entry("WALLET"),
    )
    assert "is active" in said
    assert "The members are silent" in said
    assert "12." in said  # TBTC: 3 and 10, without what was redeemed
    said = keeps(happens("feed is off"), entry("PASS"), entry("NOW"))
    assert "its price is unknown" in said
    assert "is at many" not in keeps(happens("Collateral", line("many") + CTRL_C), happens("Hours", line("x") + CTRL_C))


def test_going_back_and_senseless_answers_change_nothing(keeps: Press, home: Path, tmp_path: Path) -> None:
    there = tmp_path / "wallet.json"
    there.write_text("{}", encoding="utf-8")
    settings = tmp_path / "old.env"
    settings.write_text("OPERATORS=0x70997970C51812dc3A010C7d01b50e0d17dc79C8\nMINBLOCK=0\n", encoding="utf-8")
    said = keeps(
        *(
            key
            for name in ("NOW", "LIVE", "ONE", "WALLET", "CHART", "PASS", "REDEEM", "START")
            for key in [entry(name)]
        ),
        entry("IMPORT") + line(str(tmp_path / "nothing")),
        entry("IMPORT") + line(""),
        entry("IMPORT") + line(str(settings)),
        entry("MAKE") + pick(1) + "\x15" + line(str(there)),
        entry("MAKE") + pick(1) + "\x15" + line(str(tmp_path / "new.json")) + line("short"),
        entry("MAKE") + pick(1) + "\x15" + line(str(tmp_path / "new.json")) + line("long enough") + line("another one"),
        entry("MAKE") + pick(2) + "\x15" + line(str(tmp_path / "new.json")) + line(str(tmp_path / "nothing")),
        entry("MAKE") + CTRL_C,
        entry("MAKE") + pick(4),
        entry("MAKE") + pick(5),
        entry("SETTINGS") + CTRL_C,
        entry("SETTINGS") + pick(1) + line("100") + CTRL_C,
        entry("SETTINGS") + pick(3) + pick(2),
        entry("PRICE") + line(""),
    )
    assert said.count("the rehearsal chain of keeps does not run") >= 8
    assert "there is no file called" in said
    assert "VALTRAC_KEEPS_OPERATORS" in said
    assert "never redeems" in said
    assert "is there already" in said
    assert "fewer than 8 letters" in said
    assert "the two are not the same" in said
    assert "no wallet is set" in said
    assert "this program runs without a settings file" in said
    assert not (tmp_path / "new.json").exists()


def test_a_setting_that_was_changed_in_the_menu_holds_at_once(
    keeps: Press, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = home / "settings"
    file.touch()
    monkeypatch.setenv("VALTRAC_ENV_FILE", str(file))
    said = keeps(entry("SETTINGS") + pick(1) + line("145"), entry("SETTINGS") + pick(1) + line("150"))
    assert "VALTRAC_KEEPS_THRESHOLD: was 130, is 145 now" in said
    assert "VALTRAC_KEEPS_THRESHOLD: was 145, is 150 now" in said
    said = keeps(entry("SETTINGS") + pick(1) + line("none"), entry("SETTINGS") + pick(3) + pick(2))
    assert "VALTRAC_KEEPS_REDEEM: was yes, is no now" in said
    assert "VALTRAC_KEEPS_THRESHOLD: was 150, is 130 now" in said
    assert not load(env_file=file).keeps_redeem
