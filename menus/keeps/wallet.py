"""The wallet that redeems: made, brought over, shown. Its key is in an encrypted file outside the program."""

from __future__ import annotations

from pathlib import Path

from menus.frame.ui import Ui
from valtrac.core.errors import BadInput
from valtrac.wiring.keeps import KeepsApp

USUAL = "~/.valtrac/keeps-wallet.json"


def make(ui: Ui, own: KeepsApp, file: str) -> None:
    """Make a new wallet; its address is shown. A wallet is never overwritten."""
    from valtrac.secrets import keystore

    path = _path(file)
    address = keystore.create(path, _new_password(ui))
    _told(ui, path, address)


def bring(ui: Ui, own: KeepsApp, file: str, source: str) -> None:
    """Bring a wallet over: from an encrypted file of any Ethereum wallet, or from a private key that is typed."""
    from valtrac.secrets import keystore

    path = _path(file)
    if source:
        opened_with = ui.password(f"Password of {source}:")
        address = keystore.import_file(
            path, Path(source).expanduser(), opened_with=opened_with, password=_new_password(ui)
        )
    else:
        key = ui.password("Private key, 64 hex digits (it is not shown):")
        address = keystore.import_key(path, key, _new_password(ui))
    _told(ui, path, address)


def _path(file: str) -> Path:
    return Path(file or USUAL).expanduser()


def _new_password(ui: Ui) -> str:
    first = ui.password("A password for it:")
    if first != ui.password("The same once more:"):
        raise BadInput("the two are not the same", fix="nothing was made; try again")
    return first


def _told(ui: Ui, path: Path, address: str) -> None:
    ui.done(f"The wallet is {address}.")
    ui.say(f"Its key is encrypted in {path}: keep a copy of that file, and the password, elsewhere.")
    ui.hint(f"Next: VALTRAC_KEEPS_WALLET_FILE={path} in .env, then send it TBTC, and ether for gas.")
