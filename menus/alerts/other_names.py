"""Other words by which people know what stands in these menus; the palette finds it by them too."""

from __future__ import annotations

ALSO = {
    "Alerts": "notifications notify mail telegram sms messages",
    "Add a target": "mail telegram chat webhook new",
    "Test a target": "try test",
    "Remove a target": "delete mail",
    "Rules: what is told to whom": "rules events",
    "Quiet hours, time zone, place": "quiet night zone sleep",
    "How alerts stand": "status",
    "Outbox": "queue unsent failed",
    "What happened": "events list newest",
    "Dead-man's switch": "deadman healthchecks heartbeat ping",
    "Start telling in the background": "start alerts",
    "Stop telling in the background": "stop alerts",
    "Hand the addresses to the background job": "unlock addresses",
    "Tell what is due now": "once send now",
    "End a rule": "rule remove",
    "Make a rule": "rule new",
    "Everything that may be told": "kinds catalogue events",
}
