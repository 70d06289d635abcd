"""What is weak about the settings, as they say themselves."""

from __future__ import annotations

from collections.abc import Sequence

from valtrac.core.checks import Check, good, warning
from valtrac.doctor.patient import Patient

ORDER = 15
FIX = "use wss:// or https://, or a tunnel of yours that ends on this machine"


def examine(patient: Patient) -> list[Check]:
    """Addresses of nodes whose answers can be changed on their way."""
    return [judged(patient.settings.warnings)]


def judged(found: Sequence[str]) -> Check:
    """found: a sentence each."""
    if found:
        more = f" And {len(found) - 1} more." if len(found) > 1 else ""
        return warning("settings.encrypted", f"{found[0].partition('. Encrypt')[0]}.{more}", FIX)
    return good("settings.encrypted", "No node is asked over a line that others could change.")
