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


def keep_password(ui: Ui, own: KeepsApp, *, password: str | None = None) -> None:
    """Keep the wallet's password in the keyring of the operating system, once it was seen to open the wallet.

    Raises BadInput where no wallet is set, or this system has no keyring that keeps; Refused for a wrong password.
    """
    from valtrac.secrets import keyring, keystore

    file = own.wallet_file
    if file is None:
        raise BadInput("no wallet is set", fix="make one: run.py keeps wallet make, and name it in .env")
    if password is None:
        password = ui.password("Password of the wallet:")
    with ui.working("Opening it, which takes some seconds"):
        address = keystore.open_wallet(file, password).address
    if not keyring.keep_password(address.lower(), password):
        raise BadInput(
            "this system has no keyring that keeps it",
            why="nothing was kept",
            fix="type the password when it is asked for, or pipe it in: --password-stdin",
        )
    ui.done(f"The keyring of this system keeps the password of {address}: it is not asked for any more.")
    ui.hint("Whoever is logged in as you can redeem now. Forget it again: run.py keeps wallet forget-password")


def forget_password(ui: Ui, own: KeepsApp) -> None:
    """Let the keyring keep it no longer."""
    from valtrac.secrets import keyring

    address = own.wallet
    if not address or not keyring.kept_password(address):
        ui.say("The keyring of this system keeps no password of this wallet.")
        return
    keyring.forget_password(address)
    if keyring.kept_password(address):
        raise BadInput("the keyring did not let go of it", fix="remove valtrac-wallets in the keyring's own program")
    ui.done(f"The keyring keeps the password of {address} no longer: it is asked for.")


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
