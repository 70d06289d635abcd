"""The keyring of the operating system, for the keys of exchange accounts. Where there is none, there are none kept."""

from __future__ import annotations

import json

SERVICE = "valtrac-exchange"
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
