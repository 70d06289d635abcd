"""Other words by which people know what stands in these menus; the palette finds it by them too."""

from __future__ import annotations

ALSO = {
    "Begin logging delegate info": "log record snapshots stakes delegate_info delegate start hourly",
    "Background loggers": "jobs pm2 processes daemons heartbeat status running",
    "See what it wrote": "tail log output lines logs",
    "Stop": "halt pause logger",
    "Start": "run logger",
    "Restart": "again reload logger",
    "Remove": "delete forget logger",
}
