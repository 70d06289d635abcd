"""What is decided and sent, on the real contracts: worked examples, and the ends of the purse."""

from __future__ import annotations

from dataclasses import replace

from tests.keeps.places import BTC, COIN, ETHER, GWEI, Place, Places, faster
from valtrac.devnet.tbtc import chains as on_chain
from valtrac.devnet.tbtc import market
from valtrac.devnet.tbtc.deposits import LocalDeposit
from valtrac.keeps.deciding import Plan, decide
from valtrac.keeps.looking import Look, Watched, look
from valtrac.keeps.model.collateral import at_risk
from valtrac.keeps.model.policy import Act
from valtrac.keeps.model.progress import RedemptionState

LOT_AND_FEE = 1_000_500_000_000_000_000
EXAMPLE_5 = {
    "k1": (10, 128, 1),
    "k2": (5, 112, 1),
    "k3": (5, 118, 2),
    "k4": (1, 111, 1),
    "k5": (1, 126, 1),
    "k6": (1, 131, 1),
}


def only(seen: Look, deposits: list[LocalDeposit]) -> Look:
    """The same look at a few of them."""
    names = {each.deposit.lower() for each in deposits}
    return replace(seen, watched=tuple(each for each in seen.watched if each.keep.deposit in names))


def lots(plan: Plan) -> list[float]:
    """What is redeemed, in BTC, in order."""
    return [each.watched.keep.lot / BTC for each in plan.redeem]


def short(plan: Plan) -> list[int]:
    return [each.short for each in plan.left]


def test_with_exactly_10_tbtc_every_mixture_is_redeemed_in_courtesy_call_and_none_wholly_in_active(
    places: Places,
) -> None:
    place = places.new(tbtc=10)
    made = place.deposit(10 * BTC, 5 * BTC, 5 * BTC, *[BTC] * 10)
    mixtures = [made[:1], made[1:3], made[3:]]
    place.percent(128)
    place.settle()
    place.round(locked=True)
    seen = look(place.watching)
    active = [decide(place.watching, only(seen, mixture)) for mixture in mixtures]
    assert [len(plan.redeem) for plan in active] == [0, 1, 9]
    assert [plan.tbtc - sum(each.asked.cost for each in plan.redeem) for plan in active] == [
        10 * COIN,
        4_997_500_000_000_000_000,
        995_500_000_000_000_000,
    ]
    # said beforehand: by how much it fails
    assert short(active[0]) == [COIN // 200] and active[0].left[0].words == "0.005 TBTC are missing"

    place.percent(124)
    place.chains.send_all([each.contract.tx("notifyCourtesyCall", sender=place.chains.system.third) for each in made])
    place.settle()
    seen = look(place.watching)
    called = [decide(place.watching, only(seen, mixture)) for mixture in mixtures]
    assert [lots(plan) for plan in called] == [[10], [5, 5], [1] * 10]
    assert [plan.tbtc - sum(each.asked.cost for each in plan.redeem) for plan in called] == [0, 0, 0]
    assert all(each.asked.route == "vending machine" for plan in called for each in plan.redeem)

    place.fund(COIN // 200)
    place.percent(128)
    place.chains.send_all([each.contract.tx("exitCourtesyCall", sender=place.chains.system.third) for each in made])
    place.settle()
    seen = look(place.watching)
    more = [decide(place.watching, only(seen, mixture)) for mixture in mixtures]
    assert [lots(plan) for plan in more] == [[10], [5, 5], [1] * 10]
    assert [plan.tbtc - sum(each.asked.cost for each in plan.redeem) for plan in more] == [0, 0, 0]


def test_the_order_of_the_fifth_example_with_12_11_and_5_5_tbtc(places: Places) -> None:
    place = places.new(tbtc=0)
    deposits = {}
    for name, (lot, percent, _) in EXAMPLE_5.items():  # a bond is fixed by the price at its creation
        market.set_price(place.chains, 50 * (percent + 0.02) / 150)
        [deposits[name]] = place.deposit(lot * BTC)
    market.set_price(place.chains, 50)
    place.settle()
    place.round(locked=True)
    names = {each.deposit.lower(): name for name, each in deposits.items()}
    seen = only(look(place.watching), list(deposits.values()))
    assert {names[each.keep.deposit]: each.now.percent for each in seen.watched} == {
        name: percent for name, (_, percent, _) in EXAMPLE_5.items()
    }
    seen = replace(seen, watched=tuple(_owned(each, EXAMPLE_5[names[each.keep.deposit]][2]) for each in seen.watched))

    def decided(plan: Plan) -> list[str]:
        return [names[each.watched.keep.deposit] for each in plan.redeem]

    place.fund(5_500_000_000_000_000_000)
    place.settle()
    assert decided(decide(place.watching, replace(seen, head=place.watching.agreed_head()))) == ["k3"]
    place.fund(5_500_000_000_000_000_000)
    place.settle()
    assert decided(decide(place.watching, replace(seen, head=place.watching.agreed_head()))) == ["k2", "k3"]
    place.fund(COIN)
    place.settle()
    twelve = decide(place.watching, replace(seen, head=place.watching.agreed_head()))
    assert decided(twelve) == ["k4", "k2", "k3"]
    assert sum(each.asked.cost for each in twelve.redeem) == 11_005_500_000_000_000_000
    assert sum(each.watched.value for each in twelve.redeem) // ETHER == 308


def _owned(each: Watched, own: int) -> Watched:
    return replace(each, own=own, value=at_risk(each.keep.bond, own, 3))


def test_who_is_redeemed_in_the_sixth_example_and_what_the_largest_lacks(places: Places, one: LocalDeposit) -> None:
    place = places.new(tbtc=10)
    made = []
    for lot, percent in ((1, 129), (10, 111), (5, 126), (5, 124)):
        market.set_price(place.chains, 50 * (percent + 0.02) / 150)
        made += place.deposit(lot * BTC)
    market.set_price(place.chains, 50)
    place.settle()
    place.round(locked=True)
    plan = decide(place.watching, only(look(place.watching), made))
    # by group: of 10 @ 111 and 5 @ 124 only the second can be had, then the 1 @ 129; 3.997 are left
    assert [(each.watched.keep.lot // BTC, each.watched.now.percent) for each in plan.redeem] == [(5, 124), (1, 129)]
    assert plan.tbtc - sum(each.asked.cost for each in plan.redeem) == 3_997_000_000_000_000_000
    assert [each.short for each in plan.left if each.watched.now.percent == 111] == [COIN // 200]

    # neither a deposit in liquidation nor one that waits for its coin is redeemed, at whatever percentage
    place.percent(100)
    market.liquidate(place.chains, one.deposit)
    place.settle()
    watched = {each.keep.deposit: each for each in look(place.watching).watched}
    assert watched[one.deposit.lower()].wish.act is Act.NOTHING


def test_a_threshold_compares_strictly_and_each_operator_may_have_his_own(places: Places, one: LocalDeposit) -> None:
    member = one.members[0].lower()
    place = places.new(tbtc=2, VALTRAC_KEEPS_OPERATORS=one.members[0].upper().replace("X", "x"))
    for percent, redeemed in ((130, 0), (129, 1)):
        place.percent(percent)
        place.settle()
        place.round(locked=True)
        plan = decide(place.watching, look(place.watching))
        assert len(plan.redeem) == redeemed
    own = place.watching.settings.model_copy(update={"keeps_thresholds": {member: 115}})
    plan = decide(replace(place.watching, settings=own), look(replace(place.watching, settings=own)))
    assert plan.redeem == ()


def test_a_call_that_has_expired_or_a_price_that_came_back_is_answered_by_what_the_contract_allows(
    place: Place, one: LocalDeposit
) -> None:
    place.percent(124)
    market.courtesy_call(place.chains, one.deposit)
    place.percent(125)
    place.settle()
    done = place.round()  # example 7: at 125 the call can be left
    assert done.plan is not None and [each.keep.deposit for each in done.plan.leave] == [one.deposit.lower()]
    assert [finding.called for finding in done.sent] == ["landed"]
    assert place.chains.state(one.deposit) == on_chain.ACTIVE
    assert place.tbtc() == 12 * COIN

    place.percent(124)
    market.courtesy_call(place.chains, one.deposit)
    place.chains.ethereum.warp(30_000)  # nobody called the expiry: still redeemable
    place.settle()
    seen = place.round(locked=True).look.watched
    assert [call.value for call in seen[0].open_calls] == ["notifyCourtesyCallExpired"]
    place.round()
    assert place.chains.state(one.deposit) == on_chain.AWAITING_SIGNATURE
    assert place.tbtc() == 11 * COIN


def test_one_approval_serves_all_and_what_a_failed_one_leaves_is_set_to_0(places: Places, one: LocalDeposit) -> None:
    place = places.new(tbtc=8)
    five, half = place.deposit(5 * BTC, BTC // 2)
    place.percent(128)
    place.settle()
    faster(place, half)
    done = place.round()

    [approval] = [line.memo for line in place.lines() if line.memo.startswith("approve(")][:1]
    assert approval.endswith(", 6503250000000000000)")
    assert [attempt.nonce for attempt in place.journal()] == [0, 1, 2, 3, 4]  # the last one closes it
    assert sorted(finding.called for finding in done.sent) == ["failed", "landed", "landed", "landed"]
    assert any("close an allowance: 500250000000000000 wei were allowed" in each.words for each in place.actions())
    assert place.allowed() == 0
    assert place.chains.state(five.deposit) == on_chain.AWAITING_SIGNATURE
    assert place.tbtc() == 8 * COIN - 6_003_000_000_000_000_000 == 8 * COIN - place.booked()


def test_ether_at_hand_bounds_how_many_are_in_flight(places: Places) -> None:
    place = places.new(tbtc=12)
    place.deposit(BTC, BTC, BTC)
    place.percent(128)
    assert place.watching.settings.keeps_gas_cap == 100 * GWEI
    for thousandths, sent, missing in ((250, 3, 1), (86, 1, 3), (85, 0, 4), (1606, 4, 0)):
        place.fund(0, thousandths * ETHER // 1000)
        place.settle()
        done = place.round(locked=True)
        assert done.plan is not None
        assert (len(done.plan.redeem), [each.words for each in done.plan.left]) == (
            sent,
            ["ether for gas is missing"] * missing,
        )
        assert ("no-ether" in place.lasting()) == bool(missing)


def test_twenty_redemptions_are_mined_in_one_block_after_one_approval(places: Places) -> None:
    place = places.new(tbtc=22)
    made = place.deposit(*[BTC] * 19)
    place.percent(128)
    place.settle()
    place.chains.ethereum.automine(False)
    done = place.round()
    assert [finding.called for finding in done.sent] == ["landed"] * 21
    blocks = {attempt.block for attempt in place.journal()}
    assert len(blocks) == 1
    assert [attempt.nonce for attempt in place.journal()] == list(range(21))
    assert {place.chains.state(each.deposit) for each in made} == {on_chain.AWAITING_SIGNATURE}
    assert place.tbtc() == 22 * COIN - 20 * LOT_AND_FEE == 22 * COIN - place.booked()
    assert place.allowed() == 0


def test_out_of_tbtc_half_way_is_told_with_what_is_missing(places: Places) -> None:
    place = places.new(tbtc=2)
    place.deposit(BTC, BTC)
    place.percent(128)
    place.settle()
    done = place.round()
    assert done.plan is not None and len(done.plan.redeem) == 1
    assert place.lasting()["no-tbtc"].startswith("0.002 TBTC are missing")
    place.fund(2 * COIN)
    place.settle()
    place.round()
    assert "no-tbtc" not in place.lasting()
    assert len(place.redemptions()) == 3


def test_tbtc_that_is_not_final_yet_is_not_counted_on(places: Places) -> None:
    place = places.new()
    place.percent(128)
    place.settle()
    place.round()
    place.fund(2 * COIN)
    done = place.round()
    assert done.plan is not None and (done.plan.redeem, done.sent) == ((), [])
    assert place.journal() == []
    place.settle()
    assert len(place.round().sent) == 2


def test_while_the_price_feed_is_offline_nothing_is_decided_and_it_is_told(place: Place, one: LocalDeposit) -> None:
    place.percent(124)
    market.set_feed(place.chains, market.OFFLINE)
    place.settle()
    done = place.round()
    assert done.plan is not None and done.plan.nothing
    assert done.look.watched[0].now.percent is None
    assert "its price is unknown, and nothing is decided" in place.lasting()["price"]
    place.percent(124)
    place.settle()
    assert len(place.round().sent) == 2
    assert "price" not in place.lasting()


def test_the_courtesy_call_is_made_by_the_wallet_itself_only_where_its_owner_says_so(places: Places) -> None:
    place = places.new(tbtc=2)
    [theirs] = place.deposit(BTC, tdt=place.chains.system.third)
    place.percent(128)
    place.settle()
    place.percent(124)
    place.settle()
    place.round(locked=True)
    wish = next(each.wish for each in look(place.watching).watched if each.keep.deposit == theirs.deposit.lower())
    assert wish.act is Act.NOTHING and "makes no courtesy calls" in wish.why

    place.restart(VALTRAC_KEEPS_COURTESY_CALLS="yes")
    plan = decide(place.watching, only(look(place.watching), [theirs]))
    assert [(each.asked.route.value, each.asked.cost, each.asked.calls) for each in plan.redeem] == [
        ("direct", COIN, True)
    ]
    done = place.round()
    assert [finding.called for finding in done.sent] == ["landed"] * len(done.sent)
    assert place.chains.state(theirs.deposit) == on_chain.AWAITING_SIGNATURE
    assert place.allowed(theirs) == 0


def test_a_call_between_decision_and_mining_makes_it_cheaper_and_the_rest_is_closed(
    places: Places, place: Place, one: LocalDeposit
) -> None:
    place.percent(124)
    place.settle()
    place.chains.ethereum.automine(False)
    places.third_sends(one.contract.tx("notifyCourtesyCall", sender=place.chains.system.third))
    done = place.round()
    assert [finding.called for finding in done.sent] == ["landed", "landed"]
    [ours] = place.redemptions()
    assert (ours.cost, ours.taken, ours.state) == (LOT_AND_FEE, COIN, RedemptionState.REQUESTED)
    assert place.tbtc() == 11 * COIN == 12 * COIN - place.booked()
    assert place.allowed() == 0
    assert [line.memo for line in place.lines()][-1].endswith(", 0)")


def test_a_locked_wallet_and_a_switch_turned_off_see_and_tell_all_and_send_nothing(place: Place) -> None:
    place.percent(124)
    place.settle()
    done = place.round(locked=True)
    assert any(words.startswith("locked:") for words in done.words)
    assert done.in_danger == 1 and place.lasting()["waits"].startswith("the wallet is locked")
    place.restart(VALTRAC_KEEPS_REDEEM="no")
    done = place.round()
    assert done.words == ["redeeming is switched off: VALTRAC_KEEPS_REDEEM=no"]
    assert (place.journal(), place.tbtc()) == ([], 12 * COIN)
    place.restart(VALTRAC_KEEPS_REDEEM="yes")
    assert len(place.round().sent) == 2
    assert "waits" not in place.lasting()


def test_the_caps_per_payment_and_per_day_are_reckoned_with_before_anything_is_sent(places: Places) -> None:
    place = places.new(tbtc=12, VALTRAC_KEEPS_CAP_PAYMENT="2", VALTRAC_KEEPS_CAP_DAY="2.5")
    place.deposit(5 * BTC, BTC, BTC)
    place.percent(128)
    place.settle()
    done = place.round()
    assert done.plan is not None and lots(done.plan) == [1, 1]
    assert sorted(each.words for each in done.plan.left) == [
        "VALTRAC_KEEPS_CAP_DAY leaves 2.5 TBTC for today",
        "it costs more than VALTRAC_KEEPS_CAP_PAYMENT",
    ]
    journal = len(place.journal())
    again = place.round()
    assert (again.sent, len(place.journal())) == ([], journal)
    assert "no-tbtc" not in place.lasting()
