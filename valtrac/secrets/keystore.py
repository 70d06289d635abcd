"""The wallet of Ethereum: one private key in a file of the format that every Ethereum wallet reads (Web3 Secret
Storage, version 3), encrypted with scrypt at the cost that eth_account takes untold.

The password and the key are in the memory of this process alone. A wallet file is never overwritten, lies outside the
source tree, and only its owner can read it.
"""

from __future__ import annotations

import json
import os
import re
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from valtrac.core.errors import BadInput, Refused
from valtrac.core.home import CHECKOUT, for_its_owner
from valtrac.core.text import plain
from valtrac.secrets import memory

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

OTHERS = 0o077
LARGEST = 64 * 1024
MOST_MEMORY = 1 << 30  # bytes that opening a wallet may take: a file that asks for more is broken, or meant to harm
MOST_ROUNDS = 10_000_000
SHORTEST_PASSWORD = 8
_HEX_KEY = re.compile(r"(?:0x|0X)?([0-9a-fA-F]{64})")


class EthereumKey:
    """A private key in memory, which never shows. address: with the capitals of its checksum."""

    __slots__ = ("_account", "address")

    def __init__(self, account: LocalAccount) -> None:
        self._account: LocalAccount | None = account
        self.address = str(account.address)

    def sign_transaction(self, transaction: Mapping[str, Any]) -> bytes:
        """The bytes of a signed transaction, ready to be sent; nothing is sent. Its fields are those of web3.

        Raises BadInput where a field is missing or is none: no chain id is no default, and Refused once locked."""
        if not isinstance(transaction.get("chainId"), int) or transaction["chainId"] < 1:
            raise BadInput("a transaction without a chain id", why="it could be sent again on every other network")
        account = self._opened()
        try:
            return bytes(account.sign_transaction(dict(transaction)).raw_transaction)
        except Exception as error:
            raise BadInput("a transaction that cannot be signed", why=plain(error)) from None

    def sign_hash(self, digest: bytes) -> bytes:
        """The signature of a digest of 32 bytes: r, s and 27 or 28, 65 bytes. Raises BadInput; Refused once locked."""
        if len(digest) != 32:
            raise BadInput("a digest has 32 bytes")
        from eth_typing import Hash32

        return bytes(self._opened().unsafe_sign_hash(Hash32(digest)).signature)

    def lock(self) -> None:
        """Let go of the key. Python overwrites no memory: it goes with the process at the latest."""
        self._account = None

    def _opened(self) -> LocalAccount:
        if self._account is None:
            raise Refused(f"the wallet {self.address} is locked", fix="open it with its password")
        return self._account

    def __repr__(self) -> str:
        return f"EthereumKey({self.address})"

    def __reduce__(self) -> Any:
        raise TypeError("keys do not leave this process")


def create(file: Path, password: str, *, rounds: int | None = None) -> str:
    """Make a new random key and write its wallet file; its address.

    rounds: the n of scrypt, for tests alone; None: eth_account's own (2^18, about a second and 256 MB).
    Raises BadInput: no password, a short one, a place inside the source tree, or a file that is there already."""
    _check(file, password)
    from eth_account import Account

    return _write(file, Account.create(), password, rounds)


def import_key(file: Path, private_key: str, password: str, *, rounds: int | None = None) -> str:
    """Write the wallet file of a key that its owner typed, 64 hex digits; its address. Raises BadInput as `create`,
    and where the key is none, in words that do not repeat it."""
    _check(file, password)
    typed = _HEX_KEY.fullmatch(private_key.strip())
    if typed is None:
        raise BadInput("this is no private key", fix="type its 64 hex digits, with or without 0x before them")
    return _write(file, _account(bytes.fromhex(typed.group(1))), password, rounds)


def import_file(file: Path, source: Path, *, opened_with: str, password: str, rounds: int | None = None) -> str:
    """Write the wallet file of a key out of another wallet's file, encrypted anew; its address. opened_with: the
    password of the other file, which stays as it is; password: of the new one, which may be the same.

    Raises BadInput as `create` and `open_wallet`, Refused as `open_wallet`."""
    _check(file, password)
    return _write(file, _decrypted(source, _read(source), opened_with), password, rounds)


def open_wallet(file: Path, password: str) -> EthereumKey:
    """Open a wallet file into the memory of this process, which keeps to itself from then on.

    Raises BadInput where the file is missing or broken, Refused where others can read it or the password is wrong."""
    content = _read(file, kept=True)
    if not password:
        raise Refused(f"the wallet {plain(file)} is locked", why="no password was given", fix="give its password")
    memory.keep_to_itself()
    return EthereumKey(_decrypted(file, content, password))


def address_of(file: Path) -> str:
    """The address of a wallet, without its password; "" where the file does not tell, which is allowed. Raises BadInput
    and Refused as `open_wallet`. What the file says here is proven when it is opened."""
    told = str(_read(file, kept=True).get("address") or "")
    if not re.fullmatch(r"(?:0x)?[0-9a-fA-F]{40}", told):
        return ""
    from eth_utils.address import to_checksum_address

    return str(to_checksum_address("0x" + told.lower().removeprefix("0x")))


def check_password(password: str) -> None:
    """Raise BadInput where a new wallet cannot have this password."""
    if not password:
        raise BadInput("a wallet needs a password", fix="type one")
    if len(password) < SHORTEST_PASSWORD:
        raise BadInput(f"a password of fewer than {SHORTEST_PASSWORD} letters", fix="type a longer one")


def _check(file: Path, password: str) -> None:
    check_password(password)
    check_place(file)


def check_place(file: Path) -> None:
    """Raise BadInput where no new wallet can be made: inside the source tree, or where one is already."""
    place = file.absolute()
    if any(one.is_relative_to(CHECKOUT) for one in (place, place.resolve())):
        raise BadInput(
            f"{plain(file)} lies in the source tree",
            why="a wallet there is soon in a commit, a copy or a backup of the program",
            fix="choose a folder elsewhere",
        )
    if os.path.lexists(file):
        raise _is_there(file)


def _is_there(file: Path) -> BadInput:
    return BadInput(
        f"{plain(file)} is there already",
        why="a wallet is never overwritten: the money of its address would be lost",
        fix="choose another name",
    )


def _account(key: bytes) -> LocalAccount:
    from eth_account import Account

    try:
        account: LocalAccount = Account.from_key(key)
    except Exception:  # its words may hold the key
        raise BadInput("this is no private key", why="the number is zero or too large for one") from None
    return account


def _write(file: Path, account: LocalAccount, password: str, rounds: int | None) -> str:
    """Write a new wallet file, to the disk, and open it once before anybody sends money to its address."""
    from eth_account import Account

    content = json.dumps(Account.encrypt(account.key, password, kdf="scrypt", iterations=rounds)).encode()
    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        number = for_its_owner(str(file), os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW)
    except FileExistsError:
        raise _is_there(file) from None
    except OSError as error:
        raise BadInput(f"{plain(file)} cannot be written", why=plain(error.strerror or error)) from error
    try:
        with open(number, "wb") as opened:
            opened.write(content)
            opened.flush()
            os.fsync(opened.fileno())
        _to_disk(file.parent)
        _decrypted(file, _read(file, kept=True), password)
    except BaseException as error:
        file.unlink(missing_ok=True)  # ours, made a moment ago, and nobody has seen its address
        if isinstance(error, OSError):
            raise BadInput(f"{plain(file)} cannot be written", why=plain(error.strerror or error)) from error
        raise
    return str(account.address)


def _to_disk(folder: Path) -> None:
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def _read(file: Path, *, kept: bool = False) -> dict[str, Any]:
    """What a wallet file holds. kept: it is ours, so that nobody else may read it."""
    try:
        with open(file, "rb") as opened:
            status = os.fstat(opened.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise BadInput(f"{plain(file)} is no file")
            if kept and status.st_mode & OTHERS:
                raise Refused(
                    f"{plain(file)} can be read by others",
                    why="whoever has the file can try passwords on it",
                    fix=f"chmod 600 {plain(file)}",
                )
            content = opened.read(LARGEST + 1)
    except FileNotFoundError:
        raise BadInput(f"there is no wallet {plain(file)}", fix="make one, or import one") from None
    except OSError as error:
        raise BadInput(f"{plain(file)} cannot be read", why=plain(error.strerror or error)) from error
    try:
        found = json.loads(content) if len(content) <= LARGEST else None
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        _broken(file, "it holds no JSON object")
    return found


def _decrypted(file: Path, content: dict[str, Any], password: str) -> LocalAccount:
    """The key in a wallet file. Raises Refused for a wrong password, BadInput for a broken file."""
    from eth_account import Account

    _bearable(file, content)
    key = b""
    try:
        key = bytes(Account.decrypt(content, password))
    except Exception as error:  # the library has an error of another kind for each thing that can be broken
        if isinstance(error, ValueError) and "MAC mismatch" in str(error):
            raise Refused(f"the password does not open the wallet {plain(file)}", fix="type it again") from None
    if len(key) != 32:
        _broken(file, "its parts are not those of a wallet of version 3")
    account = _account(key)
    told = str(content.get("address") or "").lower().removeprefix("0x")
    if told and told != account.address.lower().removeprefix("0x"):
        _broken(file, "its key is of another address than it says")
    return account


def _bearable(file: Path, content: dict[str, Any]) -> None:
    """Raise BadInput for a file whose opening would take all memory, or for ever."""
    lower = {str(name).lower(): value for name, value in content.items()}
    crypto = lower.get("crypto")
    wanted = crypto.get("kdfparams") if isinstance(crypto, dict) else None
    if lower.get("version") != 3 or not isinstance(wanted, dict):
        _broken(file, "it is no wallet of version 3")
    figures = {name: wanted.get(name, 1) for name in ("n", "r", "p", "c", "dklen")}
    if any(type(value) is not int or value < 1 for value in figures.values()):
        _broken(file, "its cost is no number")
    if 128 * figures["n"] * figures["r"] > MOST_MEMORY or figures["p"] > 16 or figures["c"] > MOST_ROUNDS:
        _broken(file, "opening it would take more memory or time than any wallet's")
    if figures["dklen"] > 64:
        _broken(file, "its key is longer than any wallet's")


def _broken(file: Path, why: str) -> NoReturn:
    raise BadInput(f"{plain(file)} is no wallet file that can be opened", why=why, fix="take its copy from a backup")
