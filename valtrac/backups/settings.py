"""Settings of backups."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, field_validator

from valtrac.core.home import HomeSettings, expanded

SHAPE = "valtrac-backup:"
KEY_BYTES = 32


class BackupSettings(HomeSettings):
    """Where backups go, how often they are made unasked, and whom they are sealed for."""

    backup_folder: Path | None = None
    backup_key: str = ""
    backup_hours: int = Field(default=4, ge=0, le=168)

    @field_validator("backup_folder", mode="before")
    @classmethod
    def _a_path(cls, path: str | Path | None) -> Path | None:
        return expanded(path) if path else None

    @field_validator("backup_key")
    @classmethod
    def _a_key(cls, text: str) -> str:
        if text:
            public_key(text)
        return text

    @property
    def backups(self) -> Path:
        """The folder of the backups."""
        return self.backup_folder or self.data / "backups"


def public_key(text: str) -> bytes:
    """The 32 bytes of a public key as `backup new-key` shows it. Raises ValueError."""
    try:
        raw = bytes.fromhex(text.strip().removeprefix(SHAPE))
    except ValueError as error:
        raise ValueError("is no public key of `run.py backup new-key`") from error
    if not text.strip().startswith(SHAPE) or len(raw) != KEY_BYTES:
        raise ValueError("is no public key of `run.py backup new-key`")
    return raw
