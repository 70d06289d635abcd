"""The configuration of the pool payout manager: what is written, what it was taken for, what it becomes. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

_KEY = re.compile(r'"([A-Za-z]+)"\s*:\s*([^#\r\n]*)')
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")
TRUE, FALSE = "true", "false"
# key -> (our setting or what becomes of it, kind)
KEYS: Mapping[str, tuple[str, str]] = {
    "hostName": ("VALTRAC_POOL_NAME", "text"),
    "sendEmail": ("alerts: rules on or off", "bool"),
    "sendHourlyEmail": ("alerts: the rule of the hourly status", "bool"),
    "setDomestic": ("alerts: which of two targets", "bool"),
    "domesticAddress": ("alerts: a target", "mail"),
    "internationalAddress": ("alerts: a target", "mail"),
    "enableLogging": ("VALTRAC_POOL_LOGGING", "bool"),
    "emailAddress": ("alerts: the sender", "mail"),
    "emailUsername": ("alerts: the sender's login", "text"),
    "emailPassword": ("alerts: the sender's login, to be typed anew", "secret"),
    "UTCTimeOffset": ("VALTRAC_POOL_TIME_ZONE", "hours"),
    "myMinerAddress": ("VALTRAC_QTUM_STAKER", "text"),
    "requiredFee": ("VALTRAC_POOL_REQUIRED_FEE", "whole"),
    "poolFee": ("VALTRAC_POOL_FEE", "whole"),
    "minimumUTXOSize": ("VALTRAC_POOL_LEAST_COIN", "whole"),
    "intsatsSendmanyMinimum": ("VALTRAC_POOL_MINIMUM", "satoshi"),
    "isMainnet": ("VALTRAC_QTUM_NETWORK", "bool"),
    "isLinux": ("nothing: paths are the system's own", "bool"),
    "forceTest": ("VALTRAC_POOL_PAYMENTS", "bool"),
    "catchupMode": ("nothing: blocks that were missed are always made up", "bool"),
}
UNREAD = {"poolFee": "-1"}  # what the old program took where a key was missing


@dataclass(frozen=True, slots=True)
class OldSetting:
    """key, line: as in the file, 0 where it is missing. written: what stands there; taken: what the old program made
    of it; becomes: the setting or what it turns into; value: its value here, "" where the owner has to say."""

    key: str
    line: int
    written: str
    taken: str
    becomes: str
    value: str

    @property
    def differs(self) -> bool:
        """Whether the old program worked with something else than what was written."""
        return self.written != self.taken


def read(text: str) -> list[OldSetting]:
    """Every key of the old configuration, in its order, those that are missing last."""
    written: dict[str, tuple[int, str]] = {}
    for number, line in enumerate(text.splitlines(), 1):
        bare = line.split("#", 1)[0]
        match = _KEY.search(bare)
        if match and match[1] in KEYS and match[1] not in written:
            written[match[1]] = (number, match[2].strip().rstrip(",").strip().strip('"'))
    return [_setting(key, *written.get(key, (0, ""))) for key in (*written, *(k for k in KEYS if k not in written))]


def _setting(key: str, line: int, value: str) -> OldSetting:
    becomes, kind = KEYS[key]
    taken = _taken(kind, value) if line else UNREAD.get(key, "")
    shown = "********" if kind == "secret" and value else value
    return OldSetting(
        key, line, shown, shown if kind == "secret" else taken, becomes, _ours(key, kind, value if line else taken)
    )


def _taken(kind: str, value: str) -> str:
    """What the old program read: it stopped at the first character that its kind of value could not have."""
    if kind == "bool":
        return TRUE if value.startswith(TRUE) else FALSE
    if kind in ("whole", "satoshi", "hours"):
        match = re.match(r"-?[0-9]+", value)
        return match[0] if match else ""
    match = re.match(r"[A-Za-z0-9@.\-]*", value)
    return match[0] if match else ""


def _ours(key: str, kind: str, value: str) -> str:
    """The value here; "" where it has none of its own."""
    if key == "isMainnet":
        return "main" if value.lower() == TRUE else "test"
    if key == "forceTest":
        return "no" if value.lower() == TRUE else "yes"
    if key == "enableLogging":
        return "yes" if value.lower() == TRUE else "no"
    if key == "UTCTimeOffset" and _NUMBER.fullmatch(value):
        hours = int(value.partition(".")[0])
        return f"Etc/GMT{-hours:+d}" if "." not in value else ""
    if key == "intsatsSendmanyMinimum" and value.isdigit():
        return f"{int(value) // 10**8}.{int(value) % 10**8:08d}"
    if kind in ("whole", "text") and KEYS[key][0].startswith("VALTRAC_"):
        return value
    return ""
