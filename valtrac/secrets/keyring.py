"""The keyring of the operating system: keys of exchange accounts, addresses of alerts, passwords of wallet files. Where
there is none, nothing is kept in it."""

from __future__ import annotations

import json
from contextlib import suppress

SERVICE = "valtrac-exchange"
ADDRESSES = "valtrac-alerts"
WALLETS = "valtrac-wallets"
ALLOWED = ("key", "secret", "password", "uid")


def kept(name: str) -> dict[str, str]:
    """What is kept for an exchange account; {} where nothing is, or where this system has no keyring."""
    try:
        import keyring

        text = keyring.get_password(SERVICE, name)
        entries = json.loads(text) if text else {}
    except Exception:  # no keyring, a locked one, or something else in its place: it is typed then
        return {}
    return {word: str(entries[word]) for word in ALLOWED if isinstance(entries, dict) and entries.get(word)}


def keep(name: str, keys: dict[str, str]) -> bool:
    """Keep the keys of an account; False where this system has no keyring to keep them in."""
    try:
        import keyring

        keyring.set_password(SERVICE, name, json.dumps({word: keys[word] for word in ALLOWED if keys.get(word)}))
    except Exception:
        return False
    return True


def kept_address(name: str) -> str:
    """The address that is kept for a target of alerts; "" where there is none, or no keyring that is open."""
    return _kept(ADDRESSES, name)


def keep_address(name: str, address: str) -> bool:
    """Keep the address of a target; False where this system has no keyring to keep it in."""
    return _keep(ADDRESSES, name, address)


def forget_address(name: str) -> None:
    """Keep the address of a target no longer."""
    _forget(ADDRESSES, name)


def kept_password(wallet: str) -> str:
    """The password that is kept for a wallet, known by its address; "" where there is none, or no keyring that is
    open."""
    return _kept(WALLETS, wallet)


def keep_password(wallet: str, password: str) -> bool:
    """Keep the password of a wallet; False where this system has no keyring to keep it in."""
    return _keep(WALLETS, wallet, password) and _kept(WALLETS, wallet) == password


def forget_password(wallet: str) -> None:
    """Keep the password of a wallet no longer."""
    _forget(WALLETS, wallet)


def _kept(service: str, name: str) -> str:
    try:
        import keyring

        return str(keyring.get_password(service, name) or "")
    except Exception:
        return ""


def _keep(service: str, name: str, text: str) -> bool:
    try:
        import keyring

        keyring.set_password(service, name, text)
    except Exception:
        return False
    return True


def _forget(service: str, name: str) -> None:
    with suppress(Exception):
        import keyring

        keyring.delete_password(service, name)
