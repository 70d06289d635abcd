"""The addresses of alerts, which hold passwords and tokens: in the keyring of the operating system, or, where the owner
chose that, in a file that only he can read, or nowhere; and in the memory of the job that they were handed in to."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from pathlib import Path

from valtrac.core.errors import BadInput, Refused
from valtrac.core.home import write_for_its_owner
from valtrac.core.text import plain
from valtrac.secrets import keyring

LOOKED_UP_FOR_S = 60.0
OTHERS = 0o077


class AddressBook:
    """Addresses by the names of targets. file: where they are kept, None: in the keyring. kept: False keeps none: they
    are typed after each start."""

    def __init__(self, file: Path | None, *, kept: bool = True) -> None:
        self._file, self._is_kept, self._handed_in = file, kept, dict[str, str]()
        self._looked_up = dict[str, tuple[float, str]]()

    def of(self, name: str) -> str:
        """The address of a target: as it was handed in, else as it is kept; "" where it cannot be had now."""
        if name in self._handed_in:
            return self._handed_in[name]
        looked_up_at, address = self._looked_up.get(name, (0.0, ""))
        if time.monotonic() - looked_up_at > LOOKED_UP_FOR_S or not address:
            address = self._kept(name)
            self._looked_up[name] = (time.monotonic(), address)
        return address

    def keep(self, name: str, address: str) -> None:
        """Keep an address. Raises Refused where the keyring does not take it."""
        self._looked_up.pop(name, None)
        if not self._is_kept:
            self.hand_in({name: address})
        elif self._file is not None:
            self._write({**self._read(), name: address})
        elif not keyring.keep_address(name, address) or keyring.kept_address(name) != address:
            raise Refused(
                "this system has no keyring that keeps the address",
                why="it holds what opens it, and is kept nowhere else unless you say so",
                fix="let it be kept in a file that only you can read: VALTRAC_ALERTS_ADDRESSES=file, "
                "or nowhere, and type it after each start: VALTRAC_ALERTS_ADDRESSES=none",
            )

    def forget(self, name: str) -> None:
        """Keep an address no longer."""
        self._looked_up.pop(name, None)
        self._handed_in.pop(name, None)
        if not self._is_kept:
            return
        if self._file is None:
            keyring.forget_address(name)
        elif name in (kept := self._read()):
            self._write({other: address for other, address in kept.items() if other != name})

    def hand_in(self, addresses: Mapping[str, str]) -> None:
        """Take addresses into the memory of this process alone."""
        self._handed_in |= addresses

    def _kept(self, name: str) -> str:
        if not self._is_kept:
            return ""
        return keyring.kept_address(name) if self._file is None else self._read().get(name, "")

    def _read(self) -> dict[str, str]:
        file = self._file
        if file is None or not file.exists():
            return {}
        if file.stat().st_mode & OTHERS:
            raise Refused(
                f"{plain(file)} can be read by others",
                why="the addresses in it hold passwords and tokens",
                fix=f"chmod 600 {plain(file)}",
            )
        try:
            entries = json.loads(file.read_text(encoding="utf-8"))
            return {str(name): str(address) for name, address in entries.items()}
        except (OSError, ValueError, AttributeError) as error:
            raise BadInput(
                f"{plain(file)} cannot be read", why=type(error).__name__, fix="mend or remove it"
            ) from error

    def _write(self, addresses: Mapping[str, str]) -> None:
        if self._file is None:
            return
        self._file.parent.mkdir(parents=True, exist_ok=True)
        fresh = self._file.with_name(f".{self._file.name}.{os.getpid()}")
        write_for_its_owner(fresh, json.dumps(dict(addresses), indent=1).encode())
        os.replace(fresh, self._file)
