"""Faults of backups, of what a restored database may do, and of coming over from an old ValTrac."""

from __future__ import annotations

from tests.mutations import Mutation

BACKUPS = "tests/backups/test_backups.py"
SEALING = "tests/backups/test_sealing.py"
COMING = "tests/coming_over/test_from_valtrac.py"

MUTATIONS = (
    Mutation(
        "a restored database pays at once",
        "valtrac/payments/checks.py",
        "        refuse_unless_compared(conn, door.producer.words)\n",
        "",
        BACKUPS,
    ),
    Mutation(
        "a restored database is not marked",
        "valtrac/backups/restoring.py",
        "                mark(folder / name, whole.made_at)\n",
        "                pass\n",
        BACKUPS,
    ),
    Mutation(
        "comparing finds nothing unknown in the wallet",
        "valtrac/payments/restored.py",
        "    if door.numbers is None:\n",
        "    if True:\n",
        BACKUPS,
    ),
    Mutation(
        "a backup of before the first payment is trusted",
        "valtrac/payments/restored.py",
        "        made = 0 if accept_history else door.numbers.nonce(wallet, door.chain.finalized())\n",
        "        made = 0\n",
        BACKUPS,
    ),
    Mutation(
        "the list of payments is restored over a newer one",
        "valtrac/backups/placing.py",
        "if name in names and not target.exists()}",
        "if name in names}",
        BACKUPS,
    ),
    Mutation(
        "what is here is not moved aside",
        "valtrac/backups/placing.py",
        "        os.link(target, aside / name)\n",
        "        pass\n",
        BACKUPS,
    ),
    Mutation(
        "whoever has the old database open still pays",
        "valtrac/backups/restoring.py",
        "                        mark(target, whole.made_at)\n",
        "                        pass\n",
        BACKUPS,
    ),
    Mutation(
        "a refused send makes a restored database look whole",
        "valtrac/payments/wallets.py",
        "        refuse_unless_compared(conn, door.producer.words)  # or what was paid since would count as nobody's\n",
        "",
        BACKUPS,
    ),
    Mutation(
        "a changed file of a backup is not noticed",
        "valtrac/backups/restoring.py",
        '        if digest_of(folder / name) != facts["sha256"]:\n',
        "        if False:\n",
        BACKUPS,
    ),
    Mutation(
        "a database is copied as a file while others write",
        "valtrac/database/copying.py",
        "        live.backup(copied)\n",
        "        copied.executescript(chr(10).join(live.iterdump()))\n        shutil.copyfile(source, target)\n",
        BACKUPS,
    ),
    Mutation(
        "a sealed file may lack its end",
        "valtrac/backups/sealing.py",
        '    return count.to_bytes(11, "big") + (b"\\1" if last else b"\\0")\n',
        '    return count.to_bytes(12, "big")\n',
        SEALING,
    ),
    Mutation(
        "the newest backups are dropped too",
        "valtrac/backups/model/rotation.py",
        "    stay = set(ordered[:NEWEST])\n",
        "    stay = set(ordered[:1])\n",
        "tests/backups/test_rotation.py",
    ),
    Mutation(
        "a snapshot whose stakes do not sum to the total comes over",
        "valtrac/coming_over/model/stake_log.py",
        "    if abs(apart) > len(stakes) + 1:  # each amount was rounded by itself\n",
        "    if False:\n",
        COMING,
    ),
    Mutation(
        "what ValTrac paid is paid again",
        "valtrac/coming_over/from_valtrac.py",
        '            rulings.begin_after(engine, hotkey, until, f"{PAYOUTS} of ValTrac ends with that block")\n',
        "            pass\n",
        COMING,
    ),
    Mutation(
        "equal rows of the old log are one payment",
        "valtrac/coming_over/model/old_payments.py",
        '    digest = hashlib.sha256("\\x1f".join((*cells, str(time))).encode()).hexdigest()\n',
        '    digest = hashlib.sha256("\\x1f".join(cells).encode()).hexdigest()\n',
        COMING,
    ),
)
