"""Where everything of one installation lies."""

from __future__ import annotations

import os
import re
import stat
import sys
from pathlib import Path

from pydantic import Field, field_validator

from valtrac.core.setting_types import Checked

CHECKOUT = Path(__file__).resolve().parent.parent.parent  # where the program is: a checkout, or an environment
DEVNET = "devnet"
NAME = "valtrac"


def in_a_checkout() -> bool:
    """Whether the program runs from its source tree; else it was installed as a command."""
    return (CHECKOUT / "pyproject.toml").is_file()


def usual_home() -> Path:
    """Where everything of an owner lies unless he says otherwise: the checkout; of an installed command, the place that
    this system's convention says (XDG_DATA_HOME, or Library/Application Support on a Mac)."""
    if in_a_checkout():
        return CHECKOUT
    if sys.platform == "darwin":
        return Path("~/Library/Application Support").expanduser() / NAME
    named = os.environ.get("XDG_DATA_HOME", "")
    return (Path(named) if named.startswith("/") else Path("~/.local/share").expanduser()) / NAME


class HomeSettings(Checked):
    """The folder of the data and of the logs."""

    home: Path = Field(default_factory=usual_home)

    @field_validator("home", mode="before")
    @classmethod
    def _one_place(cls, path: str | Path) -> Path:
        return expanded(path)

    @property
    def data(self) -> Path:
        """Where the database, exports, charts and backups live."""
        return self.home / "data"

    @property
    def logs(self) -> Path:
        """Where the daily CSV files and the logs of background jobs live."""
        return self.home / "logs"


def for_its_owner(name: str, flags: int) -> int:
    """The opener of files with names or money in them: only their owner can read a new one, whatever the umask."""
    return os.open(name, flags, 0o600)


def write_for_its_owner(path: Path, content: bytes) -> None:
    """Write a file that only its owner can read. Raises OSError, also where a link, a device or a pipe stands there."""
    if os.path.lexists(path) and not stat.S_ISREG(path.lstat().st_mode):
        raise OSError(0, "it is a folder, a link, a device or a pipe")
    with open(path, "wb", opener=for_its_owner) as file:
        file.write(content)


def expanded(path: str | Path) -> Path:
    """A path with ~ and $HOME in it as the shell would read it. Raises ValueError for any other name of that kind:
    a settings file is read by no shell, and a folder called `$DATA` would be made wherever somebody stands."""
    text = str(path)
    text = re.sub(r"\$HOME\b|\$\{HOME\}", lambda _: os.path.expanduser("~"), text)
    text = os.path.expanduser(text)
    if text.startswith("~") or "$" in text or not text.strip():
        raise ValueError(f"{text!r} is no path; write it out: only ~ and $HOME are understood")
    return Path(text)


def without_password(url: str) -> str:
    """A database URL as it was given. Raises ValueError where it holds a password, or is none."""
    from urllib.parse import unquote, urlsplit

    try:
        read = unquote(url)  # an @ or a word that was escaped is still one
        held = url and (urlsplit(url).password is not None or urlsplit(read).password is not None)
    except ValueError as error:
        raise ValueError("is not a database URL") from error
    if held or "password=" in read.lower():
        raise ValueError(
            "holds a password; use a unix socket, a PGPASSFILE or a service file instead: "
            "postgresql+psycopg:///valtrac?host=/var/run/postgresql or ...?service=valtrac"
        )
    if url.startswith("sqlite:///") and url.removeprefix("sqlite:///").startswith(("~", "$", "/~", "/$")):
        raise ValueError("names ~ or a variable, which nobody expands here; write the path out")
    if url and not url.startswith(("sqlite:///", "postgresql+psycopg://")):
        raise ValueError("must start with sqlite:/// or postgresql+psycopg://")
    return url
