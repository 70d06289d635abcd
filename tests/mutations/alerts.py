"""Faults of alerts: told twice, told never, told to the wrong one, a secret that gets out."""

from __future__ import annotations

from tests.mutations import Mutation

ROUNDS = "tests/alerts/test_rounds.py"
CRASH = "tests/alerts/test_crash.py"
DELIVERY = "tests/alerts/test_delivery.py"
QUIET = "tests/alerts/model/test_quiet.py"
PACKING = "tests/alerts/model/test_packing.py"
MESSAGES = "tests/alerts/model/test_messages.py"
RULES = "tests/alerts/model/test_rules.py"
EPISODES = "tests/alerts/model/test_episodes.py"
EVENTS = "tests/alerts/test_events.py"

MUTATIONS = (
    Mutation(
        "a message is not written down as sent",
        "valtrac/alerts/sending.py",
        "            outbox.note_end(conn, message.id, MessageState.SENT,",
        "            outbox.note_failure(conn, message.id,",
        CRASH,
    ),
    Mutation(
        "a message counts as sent before it is handed over",
        "valtrac/alerts/sending.py",
        "                outbox.note_try(conn, message, now + wait_after(message.tries + 1))\n",
        '                outbox.note_end(conn, message.id, MessageState.SENT, "", now)\n',
        CRASH,
    ),
    Mutation(
        "an event that was read is told anew",
        "valtrac/alerts/collecting.py",
        "        id=plain(event.id, LONGEST_ID),\n",
        '        id=f"{plain(event.id, LONGEST_ID)}@{datetime.now().isoformat()}",\n',
        ROUNDS,
    ),
    Mutation(
        "what is written down late is not read",
        "valtrac/alerts/collecting.py",
        "OVERLAP = timedelta(hours=1)",
        "OVERLAP = timedelta(seconds=1)",
        ROUNDS,
    ),
    Mutation(
        "one source that fails keeps back the others",
        "valtrac/alerts/collecting.py",
        "        except Exception as error:  # whatever is wrong with one source: the others are read all the same\n",
        "        except KeyError as error:\n",
        ROUNDS,
    ),
    Mutation(
        "a target hears what is for others",
        "valtrac/alerts/model/rules.py",
        "    if audience != target.audience or target.place",
        "    if target.place",
        RULES,
    ),
    Mutation(
        "a public message names the wallet",
        "valtrac/payments/events.py",
        '            f"A payout of {total} to {batch.lines} payees is settled.",\n',
        '            f"A payout of {total} to {batch.lines} payees is settled from {batch.wallet}.",\n',
        EVENTS,
    ),
    Mutation(
        "quiet hours over midnight are none",
        "valtrac/alerts/model/quiet.py",
        "        return minute >= self.start or minute < self.end\n",
        "        return minute >= self.start and minute < self.end\n",
        QUIET,
    ),
    Mutation(
        "quiet hours are those of Greenwich",
        "valtrac/alerts/model/quiet.py",
        "        local = (now + LEAD).astimezone(self.zone)\n",
        "        local = now + LEAD\n",
        QUIET,
    ),
    Mutation(
        "the status of quiet hours wakes in the morning",
        "valtrac/alerts/collecting.py",
        "    if alert.event.kind == HOURLY.name:\n",
        "    if False:\n",
        ROUNDS,
    ),
    Mutation(
        "a flood is a message each",
        "valtrac/alerts/model/packing.py",
        "    if len(rest) <= min(SINGLY, room):\n",
        "    if rest:\n",
        PACKING,
    ),
    Mutation(
        "a flood waits with what is critical",
        "valtrac/alerts/model/packing.py",
        "if delivery.severity is Severity.CRITICAL]",
        "if False]",
        PACKING,
    ),
    Mutation(
        "a target that fails gets a message for each event meanwhile",
        "valtrac/alerts/packing.py",
        "        if len(untaken) >= MOST_UNTAKEN or any(message.due_at > now for message in untaken):\n",
        "        if False:\n",
        ROUNDS,
    ),
    Mutation(
        "a message that is never taken holds up its target",
        "valtrac/alerts/store/outbox.py",
        "        if message.tries and (last is None or last < message.created_at):\n",
        "        if message.tries:\n",
        ROUNDS,
    ),
    Mutation(
        "a state that is out of sight for a moment is over",
        "valtrac/alerts/model/episodes.py",
        "            if now - gone_at >= OVER_AFTER:\n",
        "            if True:\n",
        EPISODES,
    ),
    Mutation(
        "a text message is longer than one",
        "valtrac/alerts/model/messages.py",
        "    room = SMS - len(title) - 1 - len(tail)\n",
        "    room = SMS - len(title) - len(tail)\n",
        MESSAGES,
    ),
    Mutation(
        "a memo may call a whole channel",
        "valtrac/alerts/model/messages.py",
        '    line = _CALLS.sub("(at)", plain(text, limit))\n',
        "    line = plain(text, limit)\n",
        MESSAGES,
    ),
    Mutation(
        "a failure repeats the password",
        "valtrac/alerts/delivery.py",
        '        words = re.sub(re.escape(piece), "***", words, flags=re.IGNORECASE)\n',
        "        pass\n",
        DELIVERY,
    ),
    Mutation(
        "whoever hangs is waited for",
        "valtrac/alerts/delivery.py",
        "            return answers.get(timeout=self.deadline_s)\n",
        "            return answers.get(timeout=self.deadline_s + 120)\n",
        DELIVERY,
    ),
    Mutation(
        "the dead-man's switch is called whatever is wrong",
        "valtrac/alerts/dead_man.py",
        "    if wrong:\n",
        "    if False:\n",
        ROUNDS,
    ),
    Mutation(
        "a file of addresses that others read is used",
        "valtrac/secrets/addresses.py",
        "        if file.stat().st_mode & OTHERS:\n",
        "        if False:\n",
        "tests/alerts/test_addresses.py",
    ),
    Mutation(
        "a broken template keeps an alert back",
        "valtrac/alerts/templates.py",
        "    except Exception as error:  # a template is the owner's program: whatever it does, the alert goes out\n",
        "    except KeyError as error:\n",
        "tests/alerts/test_templates.py",
    ),
    Mutation(
        "that a dead transaction was seen is forgotten",
        "valtrac/payments/store/attempts.py",
        "scanned_hash=None, error=SEEN)\n",
        "scanned_hash=None)\n",
        EVENTS,
    ),
)
