"""Settings: from `.env` and the environment, checked once, frozen afterwards."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pydantic import ValidationError, field_validator

from valtrac.alerts.settings import AlertSettings
from valtrac.backups.settings import BackupSettings
from valtrac.contracts.settings import ContractSettings
from valtrac.core import setting_lines
from valtrac.core.endpoints import shown
from valtrac.core.errors import BadInput
from valtrac.core.home import usual_home, write_for_its_owner
from valtrac.core.text import nearest, plain
from valtrac.keeps.settings import KeepsSettings
from valtrac.payouts.settings import PayoutSettings
from valtrac.people.settings import PeopleSettings
from valtrac.pool.settings import PoolSettings
from valtrac.reports.settings import ReportSettings, known_exchanges
from valtrac.snapshots.settings import SnapshotSettings

PREFIX = "VALTRAC_"
ENV_FILE = "VALTRAC_ENV_FILE"
# The networks whose genesis block is public knowledge: a database for one of them can be
# told apart from another before a node has answered.
KNOWN_GENESIS = {"finney": "0x2f0555cc76fc2840a25a6ea3b9637146806f1f44b090c175ffde2a7e5ab36c03"}
MOST_BYTES = 1_000_000
EMPTY_IS_NONE = {PREFIX + "PRICE_SOURCES"}  # anywhere else an empty value is the default


class Settings(
    PayoutSettings,
    SnapshotSettings,
    PeopleSettings,
    ReportSettings,
    ContractSettings,
    PoolSettings,
    KeepsSettings,
    AlertSettings,
    BackupSettings,
):
    """Everything that an owner may set; each business is handed its own part."""

    @field_validator("contracts_exchange")
    @classmethod
    def _known_exchange(cls, name: str) -> str:
        return known_exchanges((name,))[0] if name else name

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is weak about these settings, in words, each with its way out."""
        return tuple(
            f"{name}: {shown(url)} is not encrypted: whoever sits between can change what it answers. "
            "Encrypt it (wss://, https://), or use a tunnel of yours that ends on this machine"
            for name, url in (
                *self.alterable_nodes,
                *self.alterable_bitshares_nodes,
                *self.alterable_qtum_nodes,
                *self.alterable_keeps_nodes,
            )
        )

    @property
    def exchanges(self) -> tuple[str, ...]:
        """The exchanges to ask for prices; in a rehearsal only those that the owner set: it needs no network."""
        unasked = self.rehearsing and "price_sources" not in self.model_fields_set
        return () if unasked else self.price_sources


def load(environment: Mapping[str, str] | None = None, env_file: Path | None = None) -> Settings:
    """Settings from the environment over `.env` over the defaults.

    Raises BadInput that names each unknown key and each bad value, and changes nothing.
    `VALTRAC_TEST_*` belongs to the tests and is passed over.
    """
    environment = os.environ if environment is None else environment
    named = environment.get(ENV_FILE)
    path = env_file if env_file is not None else settings_file(environment)
    names = {PREFIX + name.upper() for name in Settings.model_fields}
    written, problems = setting_lines.parse(_text_of(path, named=bool(named)), PREFIX, names)
    problems = [f"{plain(path)}, {problem}" for problem in problems] + setting_lines.odd_names(environment, PREFIX)
    given = {
        key.upper(): value
        for source in (written, environment)  # the later one holds, in whatever letters each writes a name
        for key, value in source.items()
        if key.upper().startswith(PREFIX)
        and not key.upper().startswith("VALTRAC_TEST_")
        and key.upper() != ENV_FILE
        and key.isascii()
    }
    problems += [f"{plain(key)}: no such setting{nearest(key, names)}" for key in sorted(set(given) - names)]
    told = {key: value for key, value in given.items() if key in names and (value or key in EMPTY_IS_NONE)}
    values = {key[len(PREFIX) :].lower(): value for key, value in told.items()}
    try:
        settings = Settings.model_validate(values)
    except ValidationError as error:
        problems += [_words_of(dict(problem)) for problem in error.errors(include_url=False, include_input=False)]
        settings = Settings()
    if problems:
        raise BadInput(
            problems[0] if len(problems) == 1 else f"{len(problems)} settings cannot be used",
            fix=f"mend it in {plain(path)} or in the environment; .env.example lists every setting",
            problems=problems,
        )
    return settings.model_copy(update={"home": settings.home.expanduser().resolve()})


def settings_file(environment: Mapping[str, str] | None = None) -> Path:
    """The file that settings are read from: the one that the environment names, else `.env` in the checkout, or in the
    home of an installed command."""
    environment = os.environ if environment is None else environment
    return Path(environment.get(ENV_FILE) or usual_home() / ".env")


def try_value(name: str, value: str) -> None:
    """Raise BadInput where the settings would not take this value beside all others; nothing is changed."""
    load({**os.environ, name: value})


def write(name: str, value: str) -> Path:
    """Set one value in the settings file, which is made where there is none; the file.

    Raises BadInput for a value that is refused or that would not come back as it is, for a file that cannot be
    written, and where the environment sets the same: it would go before the file. Nothing is changed then.
    """
    try_value(name, value)
    path, fix = settings_file(), f"write it yourself: {name}={plain(value, 200)}"
    if any(key.upper() == name for key in os.environ):
        raise BadInput(f"{name} is set in the environment, which goes before {plain(path)}", fix="change it there")
    if str(path) == os.devnull:
        raise BadInput("this program runs without a settings file", fix=fix)
    if path == usual_home() / ".env":
        with suppress(OSError):  # writing says what is wrong
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _alone_at(path), TemporaryDirectory() as folder:
        trial = Path(folder) / "settings"
        write_for_its_owner(trial, _text_of(path, named=False).encode())
        wanted = load({**os.environ, name: value}, trial)
        _set(trial, name, value, fix)
        if _read_back(trial) != wanted:
            raise BadInput(f"{plain(path)} would not keep {name} as it was given", why="nothing was written", fix=fix)
        _set(path, name, value, fix)
    field, now = name.removeprefix(PREFIX).lower(), _read_back(path)
    if now is None or getattr(now, field) != getattr(wanted, field):
        raise BadInput(f"{plain(path)} was changed by somebody else at the same time", fix="look at it, and try again")
    return path


@contextmanager
def _alone_at(path: Path) -> Iterator[None]:
    """No other process of this program sets a value meanwhile: what it wrote would be lost. The folder is what is
    locked, since the file is replaced."""
    try:
        folder = os.open(path.parent, os.O_RDONLY)
    except OSError:  # there is no such folder: writing says so
        yield
        return
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def _set(path: Path, name: str, value: str, fix: str) -> None:
    """Write a value in every line that sets it: names count in any case, and the last line of a name is in force."""
    from dotenv import set_key

    written, _ = setting_lines.parse(_text_of(path, named=False), PREFIX, ())
    try:
        for spelling in [key for key in written if key.upper() == name] or [name]:
            set_key(path, spelling, value, quote_mode="always", follow_symlinks=True)
    except OSError as error:
        raise BadInput(f"{plain(path)} cannot be written", why=plain(error), fix=fix) from error


def _read_back(path: Path) -> Settings | None:
    """The settings with this file, or None where they cannot be used."""
    try:
        return load(env_file=path)
    except BadInput:
        return None


def _text_of(path: Path, *, named: bool) -> str:
    """The text of the settings file; "" where there is none. named: the owner named it, so it has to be there.

    Raises BadInput where something else stands in its place, or it is no text.
    """
    try:
        if str(path) == os.devnull or not (named or os.path.lexists(path)):
            return ""
        if not path.is_file():
            raise OSError("it is a folder, or no file" if path.exists() else "there is no such file")
        if path.stat().st_size > MOST_BYTES:
            raise OSError("it is too long for a settings file")
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(
            f"the settings file {plain(path)} cannot be read", why=plain(error), fix="make it a readable UTF-8 file"
        ) from error


def _words_of(problem: dict[str, Any]) -> str:
    """A finding of pydantic's in our words: the key, and what it may be."""
    words, bounds = str(problem["msg"]).removeprefix("Value error, "), problem.get("ctx", {})
    if problem["type"] in ("int_parsing", "int_from_float"):
        words = "must be a whole number"
    elif problem["type"] == "float_parsing":
        words = "must be a number"
    elif problem["type"] == "literal_error":
        words = f"must be {bounds['expected']}"
    else:
        limits = (("ge", "at least"), ("gt", "more than"), ("le", "at most"), ("lt", "less than"))
        for name, said in limits:
            if name in bounds and problem["type"].startswith(("greater", "less")):
                words = f"must be {said} {bounds[name]}"
    if not problem["loc"]:  # a rule about several settings names its own
        return plain(words, 400)
    return f"{PREFIX}{str(problem['loc'][0]).upper()}: {plain(words, 400)}"
