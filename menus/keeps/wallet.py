"""The wallet that redeems: made, brought over, shown. Its key is in an encrypted file outside the program."""

from __future__ import annotations

from pathlib import Path

from menus.frame.ui import Ui
from valtrac.core.errors import BadInput
from valtrac.core.text import plain
from valtrac.wiring.keeps import KeepsApp

ENCRYPTING = "Encrypting it, which takes some seconds"
USUAL = "~/.valtrac/keeps-wallet.json"


def make(ui: Ui, own: KeepsApp, file: str) -> None:
    """Make a new wallet; its address is shown. A wallet is never overwritten."""
    from valtrac.secrets import keystore

    path = _path(file)
    password = _new_password(ui)
    with ui.working(ENCRYPTING):
        address = keystore.create(path, password)
    _told(ui, path, address)


def bring(ui: Ui, own: KeepsApp, file: str, source: str) -> None:
    """Bring a wallet over: from an encrypted file of any Ethereum wallet, or from a private key that is typed."""
    from valtrac.secrets import keystore

    path = _path(file)
    if source:
        there = Path(source).expanduser()
        if not there.is_file():
            raise BadInput(f"there is no file called {plain(source, 200)}", fix="give its whole path")
        opened_with, password = ui.password(f"Password of {source}:"), _new_password(ui)
        with ui.working(ENCRYPTING):
            address = keystore.import_file(path, there, opened_with=opened_with, password=password)
    else:
        key, password = ui.password("Private key, 64 hex digits (it is not shown):"), _new_password(ui)
        with ui.working(ENCRYPTING):
            address = keystore.import_key(path, key, password)
    _told(ui, path, address)


def _path(file: str) -> Path:
    """Where the new file goes. Raises BadInput where it cannot, before any password is asked for."""
    from valtrac.secrets import keystore

    path = Path(file or USUAL).expanduser()
    keystore.check_place(path)
    return path


def _new_password(ui: Ui) -> str:
    from valtrac.secrets import keystore

    first = ui.password(f"A password for it, {keystore.SHORTEST_PASSWORD} letters or more:")
    keystore.check_password(first)
    if first != ui.password("The same once more:"):
        raise BadInput("the two are not the same", fix="nothing was made; try again")
    return first


def _told(ui: Ui, path: Path, address: str) -> None:
    ui.done(f"The wallet is {address}.")
    ui.say(f"Its key is encrypted in {path}: keep a copy of that file, and the password, elsewhere.")
    ui.hint(f"Next: VALTRAC_KEEPS_WALLET_FILE={path} in .env, then send it TBTC, and ether for gas.")
