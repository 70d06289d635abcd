"""Alerts from source to target: each once, none lost, whatever fails meanwhile."""

from __future__ import annotations

from datetime import timedelta

from tests.alerts.world import NOON, World, all_codes, local
from valtrac.alerts import overview, rounds, targets
from valtrac.alerts.model.messages import code_of
from valtrac.alerts.model.rules import Form, Manner, Place
from valtrac.alerts.model.states import MessageState
from valtrac.alerts.store import outbox
from valtrac.core.events import PUBLIC, Event, Severity, payee
from valtrac.database.engine import reading

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


def states(world: World) -> list[str]:
    with reading(world.engine) as conn:
        return [message.state for message in reversed(outbox.newest(conn, 100))]


# -- once -----------------------------------------------------------------------------------------------------


def test_an_event_is_told_once_however_often_it_is_read(world: World) -> None:
    world.target("mail")
    world.round()
    world.tell("ann")
    world.rounds(10)
    world.alerting = world.opened()
    world.rounds(10)
    assert [message.title for message in world.told("mail")] == ["Paid · LD18"]
    assert all_codes(world.told("mail")) == [code_of("shop.paid:ann")]


def test_what_was_before_alerts_began_is_told_to_nobody(world: World) -> None:
    world.target("mail")
    world.tell("old")
    world.now += HOUR / 2
    world.rounds(20, after=10 * MINUTE)
    assert world.told("mail") == []


def test_what_happened_while_nobody_looked_is_told_afterwards(world: World) -> None:
    world.target("mail")
    world.round()
    world.tell("ann")
    world.round(after=timedelta(days=3))
    assert "ann was paid." in world.bodies("mail")


def test_what_was_written_down_late_or_by_a_clock_set_back_is_told(world: World) -> None:
    world.target("mail")
    world.round()
    world.round(after=2 * HOUR)
    world.source.tells("slow", at=world.now - HOUR / 2)
    world.now -= HOUR / 2
    world.source.tells("back", at=world.now)
    world.rounds(2)
    assert "slow was paid." in world.bodies("mail")
    assert "back was paid." in world.bodies("mail")


def test_each_audience_hears_its_own(world: World) -> None:
    for name, audience in (("mail", "owner"), ("channel", PUBLIC), ("ann", payee("ann")), ("bob", payee("bob"))):
        world.target(name, audience)
    world.round()
    world.tell("wallet")
    world.tell("everybody", audience=PUBLIC)
    world.tell("ann", audience=payee("ann"))
    world.round()
    assert [len(world.told(name)) for name in ("mail", "channel", "ann", "bob")] == [1, 1, 1, 0]
    assert "wallet" not in world.bodies("channel") + world.bodies("ann")
    assert "LD18" in world.bodies("mail")
    for inside in ("LD18", "shop.paid:", "run.py"):
        assert inside not in world.bodies("channel") + world.bodies("ann")


def test_a_digest_for_others_holds_no_command_and_no_name_of_the_machine(world: World) -> None:
    world.target("channel", PUBLIC)
    world.round()
    world.tell(*(f"p{number}" for number in range(9)), audience=PUBLIC)
    world.round()
    assert world.told("channel")[0].title == "9 alerts · ValTrac"
    assert "run.py" not in world.bodies("channel")


def test_a_rule_silences_or_gathers(world: World) -> None:
    world.target("mail")
    world.target("phone", form=Form.SMS)
    kinds = {kind.name: kind for kind in world.source.kinds}
    targets.add_rule(world.engine, kinds, "shop.*", "phone", Severity.INFO, Manner.NEVER)
    world.set(alerts_daily="18:00")
    targets.add_rule(world.engine, kinds, "shop.paid", "mail", Severity.INFO, Manner.DAILY)
    world.round()
    world.notifier.taken.clear()  # the daily status of yesterday
    world.tell("ann", "bob")
    world.rounds(5, after=HOUR)
    assert world.notifier.taken == []
    world.round(after=HOUR + MINUTE)
    assert any(message.body.startswith("2 alerts of the day.") for message in world.told("mail"))
    assert "bob was paid." in world.bodies("mail")


def test_only_the_targets_of_the_place_where_the_owner_is_are_told(world: World) -> None:
    world.target("home", place=Place.DOMESTIC)
    world.target("abroad", place=Place.INTERNATIONAL)
    world.round()
    world.tell("ann")
    world.round()
    world.set(alerts_place="international")
    world.tell("bob")
    world.round()
    assert ("ann" in world.bodies("home"), "bob" in world.bodies("home")) == (True, False)
    assert ("ann" in world.bodies("abroad"), "bob" in world.bodies("abroad")) == (False, True)


# -- quiet hours ------------------------------------------------------------------------------------------------


def test_a_night_as_the_old_program_had_it(world: World) -> None:
    """Checklist L 10: offset +8; 22:59:45 at once, 23:40:17 and 06:49:05 queued, told at 06:59:56, 07:29:38 at once."""
    world.set(alerts_quiet=("23:00-07:00",), alerts_time_zone="Asia/Taipei", alerts_hourly=True)
    world.target("mail")

    def at(day: int, hour: int, minute: int, second: int) -> int:
        """A round at a time in Taipei; how many messages it sent."""
        before = len(world.notifier.taken)
        world.now = local(2026, 3, day, hour, minute, second) - timedelta(hours=8)
        world.round(after=timedelta(0))
        return len(world.notifier.taken) - before

    at(10, 22, 30, 0)
    world.source.tells("first", at=local(2026, 3, 10, 22, 59, 45) - timedelta(hours=8))
    assert at(10, 22, 59, 45) == 1
    assert at(10, 22, 59, 56) == 0  # the hourly status of quiet hours is dropped
    world.source.tells("second", at=local(2026, 3, 10, 23, 40, 17) - timedelta(hours=8))
    assert at(10, 23, 40, 17) == 0
    world.source.tells("third", at=local(2026, 3, 11, 6, 49, 5) - timedelta(hours=8))
    assert at(11, 6, 49, 5) == 0
    assert at(11, 6, 59, 55) == 0
    assert at(11, 6, 59, 56) == 2  # the hourly status, and one digest
    digest = next(message for message in world.told("mail") if "2 alerts" in message.title)
    assert "second was paid." in digest.body
    assert "third was paid." in digest.body
    world.source.tells("fourth", at=local(2026, 3, 11, 7, 29, 38) - timedelta(hours=8))
    assert at(11, 7, 29, 38) == 1
    assert at(11, 12, 0, 0) == 1  # the hourly status alone
    assert world.bodies("mail").count("was paid.") == 4


def test_a_critical_alert_wakes_unless_the_owner_wants_none(world: World) -> None:
    world.set(alerts_quiet=("11:00-13:00",))
    world.target("mail")
    world.round()
    world.tell("ann")
    world.tell("fire", severity=Severity.CRITICAL)
    world.round()
    assert "fire" in world.bodies("mail")
    assert "ann" not in world.bodies("mail")
    world.set(alerts_wake="never")
    world.tell("flood", severity=Severity.CRITICAL)
    world.round()
    assert "flood" not in world.bodies("mail")
    world.round(after=HOUR)
    assert "flood" in world.bodies("mail")


# -- what fails -------------------------------------------------------------------------------------------------


def test_one_dead_target_silences_no_other_and_gets_it_later(world: World) -> None:
    world.target("dead")
    world.target("mail")
    world.notifier.down.add("dead")
    world.round()
    world.tell("ann")
    assert world.round().failed == ("dead: nobody there",)
    assert "ann was paid." in world.bodies("mail")
    world.notifier.down.clear()
    world.round(after=timedelta(seconds=5))
    assert world.told("dead") == []  # it is not tried again before its time
    world.round(after=timedelta(seconds=30))
    assert all_codes(world.told("dead")) == all_codes(world.told("mail")) == [code_of("shop.paid:ann")]


def test_what_comes_while_a_target_is_down_is_one_digest_when_it_is_back(world: World) -> None:
    world.target("mail")
    world.round()
    world.notifier.down.add("mail")
    for number in range(20):
        world.tell(f"payee-{number}")
        world.round(after=MINUTE)
    world.notifier.down.clear()
    world.rounds(10, after=15 * MINUTE)
    assert "payee-0 was paid." in world.bodies("mail")
    with reading(world.engine) as conn:
        listed = outbox.newest_alerts(conn, 100, "shop.paid")
    assert [(told, waits) for _, told, waits in listed] == [(1, 0)] * 20
    assert len(world.told("mail")) <= 5


def test_a_message_that_a_target_never_takes_holds_up_no_other(world: World) -> None:
    world.target("mail")
    world.round()
    takes = world.notifier.send

    def picky(address: str, message: object) -> object:
        from valtrac.core.events import Sent

        return Sent(False, "bad words") if "poison" in str(message) else takes(address, message)  # type: ignore[arg-type]

    world.notifier.send = picky  # type: ignore[method-assign,assignment]
    world.tell("poison")
    world.round()
    world.tell("ann")
    world.rounds(10, after=timedelta(seconds=20))
    world.tell("bob")
    world.round()
    assert "ann was paid." in world.bodies("mail")
    assert "bob was paid." in world.bodies("mail")


def test_after_days_a_message_is_given_up_said_and_can_be_sent_again(world: World) -> None:
    world.set(alerts_give_up_hours=5)
    world.target("mail")
    world.round()
    world.notifier.down.add("mail")
    world.tell("ann")
    world.rounds(8, after=HOUR)
    assert states(world)[0] == MessageState.FAILED
    assert world.alerting.sources[-1].status(world.now) is not None
    world.notifier.down.clear()
    overview.try_again(world.engine, 1, world.now)
    world.rounds(3, after=HOUR)
    assert "ann was paid." in world.bodies("mail")


def test_that_a_target_fails_is_told_to_the_others(world: World) -> None:
    world.target("dead")
    world.target("mail")
    world.round()
    world.notifier.down.add("dead")
    world.tell("ann")
    world.rounds(8, after=MINUTE)
    assert "A target takes no alerts" in world.bodies("mail")
    world.notifier.down.clear()
    world.rounds(6, after=30 * MINUTE)
    assert "A target takes alerts again" in world.bodies("mail")


def test_a_source_that_cannot_be_read_keeps_back_no_other_and_is_told_of(world: World) -> None:
    world.target("mail")
    world.round()
    world.source.broken = True
    world.source.holding = [Event("shop.shut:1", "shop.shut", NOON, "The door is shut.")]
    world.rounds(11, after=MINUTE)
    assert "Nothing can be told of shop since" in world.bodies("mail")
    assert "key-1234" not in world.bodies("mail")
    assert "shut" not in world.bodies("mail").lower().replace("shop", "")
    world.source.broken = False
    world.rounds(3, after=MINUTE)
    assert "The door is shut." in world.bodies("mail")
    assert "Events can be read again" in world.bodies("mail")


def test_a_target_whose_address_is_missing_is_told_when_it_is_back(world: World) -> None:
    world.target("mail")
    world.target("phone")
    del world.addresses["phone"]
    world.round()
    world.tell("ann")
    done = world.round()
    assert "the address of phone is not at hand" in done.words
    assert "run.py alerts unlock" not in world.bodies("mail")  # it may be about to be handed in
    world.rounds(2, after=10 * MINUTE)
    assert "run.py alerts unlock" in world.bodies("mail")
    world.addresses["phone"] = "phone"
    world.round()
    assert "ann was paid." in world.bodies("phone")


def test_a_removed_target_is_told_nothing_more_and_its_name_is_free(world: World) -> None:
    world.target("mail")
    world.round()
    world.notifier.down.add("mail")
    world.tell("ann")
    world.rounds(2)
    _, dropped = targets.remove(world.engine, "mail")
    assert dropped == 1
    world.notifier.down.clear()
    world.target("mail")
    world.rounds(5, after=HOUR)
    assert world.told("mail") == []


# -- many -------------------------------------------------------------------------------------------------------


def test_ten_thousand_events_in_a_minute_drown_nobody_and_lose_nothing(world: World) -> None:
    world.target("mail")
    world.round()
    for part in range(5):
        world.tell(*(f"{part}-{number}" for number in range(2_000)))
        world.round(after=timedelta(seconds=12))
    assert len(world.told("mail")) <= 2
    world.rounds(3, after=11 * MINUTE)
    assert len(world.told("mail")) <= 3
    assert "8,000" in world.bodies("mail")
    with reading(world.engine) as conn:
        sent = [message for message in outbox.newest(conn, 100) if message.state is MessageState.SENT]
        assert sum(message.alerts for message in sent) == 10_000
        assert outbox.counts(conn) == {}


def test_payees_that_nobody_listens_for_are_not_written_down(world: World) -> None:
    world.target("ann", payee("ann"))
    world.round()
    for number in range(500):
        world.tell(f"line-{number}", audience=payee(f"user-{number}"))
    world.tell("hers", audience=payee("ann"))
    assert world.round().new == 1


# -- states -----------------------------------------------------------------------------------------------------


def test_a_state_is_told_when_it_begins_by_rule_while_it_lasts_and_when_it_is_over(world: World) -> None:
    world.target("mail")
    world.round()
    world.source.holding = [Event("shop.broken:1", "shop.broken", world.now, "The shelf fell down.")]
    world.rounds(33, after=MINUTE)
    world.source.holding = []
    world.rounds(5, after=MINUTE)
    titles = [message.title for message in world.told("mail")]
    assert titles == ["!! Broken · LD18", "!! Broken · LD18", "!! Broken · LD18", "Mended · LD18"]
    assert "(for 31 min now)" in world.told("mail")[2].body
    world.source.holding = [Event("shop.broken:1", "shop.broken", world.now, "The shelf fell down.")]
    world.round(after=MINUTE)
    assert len(world.told("mail")) == 5
    assert len(set(all_codes(world.told("mail")))) == 5


def test_a_state_survives_a_restart_without_being_told_anew(world: World) -> None:
    world.target("mail")
    world.source.holding = [Event("shop.shut:1", "shop.shut", world.now, "The door is shut.")]
    world.rounds(3)
    world.alerting = world.opened()
    world.rounds(3, after=HOUR)
    assert len(world.told("mail")) == 1


# -- statuses and the dead-man's switch -------------------------------------------------------------------------


def test_the_daily_status_comes_once_a_day_also_when_nobody_was_there_in_time(world: World) -> None:
    world.set(alerts_daily="08:00", alerts_time_zone="Europe/Berlin")
    world.target("mail")
    world.rounds(3)
    assert [message.title for message in world.told("mail")] == ["Daily status · LD18"]
    assert "shop: 12 things on the shelf" in world.bodies("mail")
    world.round(after=timedelta(days=1, hours=5))
    world.rounds(3)
    assert len(world.told("mail")) == 2


def test_an_hourly_status_is_not_made_up_later(world: World) -> None:
    world.set(alerts_hourly=True)
    world.target("phone", form=Form.SMS)
    world.round(after=30 * MINUTE)
    world.round(after=3 * HOUR)
    assert world.told("phone") == []
    world.round(after=30 * MINUTE - timedelta(seconds=4))
    assert [message.body for message in world.told("phone")] == [
        f"Status: shelf 12 {code_of('status.hourly:2026-03-10T16')}"
    ]


def test_the_dead_mans_switch_is_called_while_all_is_well_and_not_otherwise(world: World) -> None:
    world.target("mail")
    world.addresses["dead-man"] = "https://example.com/ping/secret"
    world.rounds(11, after=MINUTE)
    assert len(world.calls) == 3  # each five minutes
    world.notifier.down.add("mail")
    world.tell("ann")
    done = [world.round(after=5 * MINUTE) for _ in range(6)]
    assert len(world.calls) < 6
    assert any("the dead-man's switch is not called: 1 messages are not taken" in one.words for one in done)
    world.notifier.down.clear()
    world.rounds(3, after=HOUR)
    assert len(world.calls) >= 6


def test_a_dead_mans_switch_that_does_not_answer_stops_nothing(world: World) -> None:
    def nobody(address: str) -> None:
        raise OSError(f"nobody at {address}")

    world.target("mail")
    world.addresses["dead-man"] = "https://example.com/ping/secret-9876"
    world.round()
    world.tell("ann")
    done = rounds.go_round(world.alerting, lambda: world.now + HOUR, nobody)
    assert "ann was paid." in world.bodies("mail")
    assert any("does not answer" in words for words in done.words)
    assert "secret-9876" not in " ".join(done.words)
