"""Private keys of a BitShares account: in memory, in pybitshares' encrypted wallet file, or of the rehearsal chain.

The wallet is the library's own (an SQLite file whose keys are encrypted with a master key, and that with the password),
opened without the library's `BitShares` and `Wallet`: those connect to a node and leave a file in the home folder.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from valtrac.core.errors import BadInput, Refused
from valtrac.core.text import plain

WALLET_FILE = "bitshares.sqlite"


@dataclass(frozen=True)
class Keys:
    """Private keys (WIF), which never show. Which of them an account uses is known from the account alone."""

    active: tuple[str, ...] = field(repr=False)
    memo: tuple[str, ...] = field(repr=False)

    @cached_property
    def by_public(self) -> Mapping[str, str]:
        """public key -> private key, of all of them. Raises Refused where one is no private key."""
        from valtrac.chains.bitshares import transactions

        try:
            return {transactions.public_key(wif): wif for wif in dict.fromkeys((*self.active, *self.memo))}
        except ValueError:
            raise Refused("one of the keys is not a private key", fix="check the wallet") from None

    def __reduce__(self) -> Any:
        raise TypeError("keys do not leave this process")


def dev_keys(name: str) -> Keys:
    """The keys of an account of the rehearsal chain. Anyone can make them: they must never hold real money."""
    from valtrac.devnet.bitshares import dev_wif

    return Keys((dev_wif(name, "active"),), (dev_wif(name, "memo"),))


def has_wallet(folder: Path | str) -> bool:
    """Whether a wallet is in that folder."""
    return (Path(folder).expanduser() / WALLET_FILE).exists()


def no_wallet_in(folder: Path | str) -> None:
    """Raise BadInput where a wallet is in that folder."""
    if has_wallet(folder):
        raise _is_there(folder)


def create_wallet(folder: Path | str, password: str, wifs: Sequence[str]) -> None:
    """Write private keys into a new encrypted wallet: folder of mode 0700, file of mode 0600. Asks no node.

    Raises BadInput: no password, no key, something that is no private key, or a wallet that is there already.
    """
    from valtrac.chains.bitshares import transactions

    if not password:
        raise BadInput("a wallet needs a password", fix="type one")
    try:
        keys = {transactions.public_key(wif): wif for wif in wifs}
    except ValueError:
        raise BadInput(
            "one of the keys is not a private key", why="they begin with 5, K or L", fix="type it again"
        ) from None
    if not keys:
        raise BadInput("a wallet needs keys", fix="give the active and the memo key of the account")
    folder = Path(folder).expanduser()
    path = folder / WALLET_FILE
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except FileExistsError as error:
        raise _is_there(folder) from error
    try:
        store = _store(folder)
        store.unlock(password)
        for public, wif in keys.items():
            store.add(wif, public)
        store.lock()
    except BaseException:
        path.unlink()
        raise


def wallet_keys(folder: Path | str, password: str, *, made_by: str = "") -> Keys:
    """All keys of a wallet, as active and as memo keys: only the account tells which is which. Asks no node.

    made_by: the command that makes a wallet. Raises BadInput where there is none, Refused where the password does not
    open it.
    """
    folder = Path(folder).expanduser()
    path = folder / WALLET_FILE
    if not path.is_file():
        raise BadInput(
            f"there is no wallet in {plain(folder)}",
            why=f"{WALLET_FILE} is missing",
            fix=f"make it: {made_by}" if made_by else "make it first",
        )
    if not password:
        raise Refused(f"the wallet in {plain(folder)} is locked", why="no password was given", fix="give its password")
    with contextlib.suppress(OSError):  # one made by another program may be readable to all
        path.chmod(0o600)
    from graphenestorage.exceptions import WrongMasterPasswordException

    from valtrac.chains.bitshares import transactions

    try:
        store = _store(folder)
        if not store.has_masterpassword():
            raise ValueError("it has no master password")
        store.unlock(password)
        private_keys = {public: str(store.getPrivateKeyForPublicKey(public)) for public in store.getPublicKeys()}
        store.lock()
        if any(transactions.public_key(wif) != public for public, wif in private_keys.items()):
            raise ValueError("a private key does not belong to its public key")
    except WrongMasterPasswordException:
        raise Refused(f"the password does not open the wallet in {plain(folder)}", fix="type it again") from None
    except Exception as error:
        # The password's checksum has 16 bits: one wrong password in 65,536 gets as far as the keys themselves.
        raise Refused(
            f"the wallet in {plain(folder)} cannot be opened",
            why=f"a wrong password, or a damaged file ({type(error).__name__})",
            fix="type it again, or check the file",
        ) from None
    if not private_keys:
        raise Refused(f"the wallet in {plain(folder)} holds no keys", fix="add the keys of the account")
    return Keys(tuple(private_keys.values()), tuple(private_keys.values()))


def _is_there(folder: Path | str) -> BadInput:
    return BadInput(
        f"there is a wallet in {plain(folder)} already",
        why="what it holds is never written over",
        fix="move it away first, where it is not needed any more",
    )


def _store(folder: Path) -> Any:
    """The library's encrypted store in that folder, and nothing elsewhere."""
    from graphenestorage import SqliteConfigurationStore, SqliteEncryptedKeyStore

    place = {"appname": "bitshares", "data_dir": str(folder)}
    return SqliteEncryptedKeyStore(config=SqliteConfigurationStore(**place), **place)
