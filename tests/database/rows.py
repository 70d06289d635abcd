"""The tables, and rows of every kind in them."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
import sqlalchemy as sa

from valtrac.core.money import TAO
from valtrac.database import engine as engines
from valtrac.database.schema import whole

METADATA = whole()
TABLES = SimpleNamespace(**METADATA.tables)
RULES = {name: table.info["rules"] for name, table in METADATA.tables.items()}
NOW = datetime(2026, 1, 1, tzinfo=UTC)
KINDS = ("sqlite", "postgresql")


def refused(engine: sa.Engine, statement: str) -> None:
    with pytest.raises(sa.exc.DBAPIError, match="refused"), engines.writing(engine) as conn:
        conn.exec_driver_sql(statement)


def filled(engine: sa.Engine) -> None:
    """One row in every table."""
    with engines.writing(engine) as conn:
        engines.claim_identity(conn, "0xg", "devnet", TAO)
        conn.execute(TABLES.users.insert().values(id=1, genesis="0xg", name="ann", created_at=NOW))
        conn.execute(TABLES.renames.insert().values(user_id=1, old_name="a", new_name="ann", at=NOW))
        paid = {"source": "s", "name": "n", "address": "A", "amount": 1, "from_block": 1, "to_block": 2, "digest": "d"}
        conn.execute(TABLES.old_payments.insert().values(**paid, at=NOW, created_at=NOW))
        conn.execute(TABLES.restores.insert().values(made_at=NOW, kind="restored", words="w", at=NOW))
        term = {"genesis": "0xg", "from_block": 0, "created_at": NOW}
        conn.execute(TABLES.user_terms.insert().values(user_id=1, **term))
        conn.execute(TABLES.address_terms.insert().values(user_id=1, address="A", position=0, **term))
        conn.execute(TABLES.payout_terms.insert().values(user_id=1, address="A", **term))
        conn.execute(TABLES.referral_terms.insert().values(referee_id=1, referrer_id=1, **term))
        conn.execute(TABLES.rate_terms.insert().values(referrer_id=1, rate_bps=1, **term))
        conn.execute(
            TABLES.policy_terms.insert().values(person="user:1", kind="exclude", value="yes", words="", **term)
        )
        conn.execute(TABLES.confirmations.insert().values(genesis="0xg", person="user:1", address="A", at=NOW))
        conn.execute(TABLES.swap_sightings.insert().values(genesis="0xg", address="A", block=1, announced=True, at=NOW))
        conn.execute(TABLES.keys.insert().values(id=1, address="A"))
        conn.execute(TABLES.rosters.insert().values(id=1, digest=b"d", ids=b"i"))
        conn.execute(
            TABLES.snapshots.insert().values(
                genesis="0xg",
                hotkey="H",
                netuid=0,
                block=1,
                block_hash="0x",
                at=NOW,
                owner="O",
                owner_stake=1,
                others_stake=2,
                verified=True,
                heads=1,
                roster_id=1,
                depth=0,
                stakes=b"s",
                digest=b"d",
            )
        )
        conn.execute(
            TABLES.checkpoints.insert().values(
                hotkey="H",
                netuid="0",
                block=2,
                last_block=1,
                levels="{}",
                moments=1,
                empty=0,
                falls=0,
                unpriced=0,
                grown=1,
                ids=b"i",
                mean_share=b"m",
                stake_time=b"t",
                accrual=b"a",
                seal=b"s",
                state="valid",
            )
        )
        conn.execute(TABLES.snapshot_rulings.insert().values(snapshot_id=1, words="a slip", at=NOW))
        conn.execute(TABLES.paid_before.insert().values(genesis="0xg", hotkey="H", block=1, words="", at=NOW))
        conn.execute(
            TABLES.batches.insert().values(
                id=1,
                genesis="0xg",
                producer="payouts",
                state="draft",
                wallet="W",
                fee=0,
                total=1,
                spec="{}",
                plan="{}",
                inputs_hash="h",
                created_at=NOW,
            )
        )
        conn.execute(
            TABLES.claimed_ranges.insert().values(
                genesis="0xg", batch_id=1, hotkey="H", netuid="0", from_block=0, to_block=1, state="planned"
            )
        )
        conn.execute(
            TABLES.lines.insert().values(
                id=1,
                batch_id=1,
                position=0,
                name="ann",
                person="user:1",
                address="A",
                from_pool=1,
                released=0,
                fee_share=0,
                amount=1,
                state="planned",
            )
        )
        conn.execute(
            TABLES.claims.insert().values(genesis="0xg", hotkey="H", netuid=0, block=1, batch_id=1, state="held")
        )
        conn.execute(TABLES.chunks.insert().values(id=1, batch_id=1, state="attempted", created_at=NOW))
        conn.execute(TABLES.chunk_lines.insert().values(chunk_id=1, line_id=1, position=0, live=True))
        conn.execute(TABLES.attempts.insert().values(id=1, **attempt(chunk_id=1, tx_id="0x1")))
        conn.execute(TABLES.replacements.insert().values(genesis="0xg", attempt_id=1, tx_id="0x2", raw=b"r", at=NOW))
        conn.execute(
            TABLES.wallets.insert().values(
                genesis="0xg", address="W", baseline_block=0, baseline_hash="0x", baseline_nonce=0, at=NOW
            )
        )
        conn.execute(
            TABLES.rulings.insert().values(
                genesis="0xg", wallet="W", nonce=0, tx_id="0x", block=1, ruling="foreign", words="rent", at=NOW
            )
        )
        conn.execute(
            TABLES.entries.insert().values(
                genesis="0xg", person="user:1", asset="TAO", kind="paid", units=1, cause="c", at=NOW
            )
        )
        conn.execute(
            TABLES.receipts.insert().values(
                genesis="0xg", line_id=1, attempt_id=1, body="{}", previous_hash="", hash="h", at=NOW
            )
        )
        conn.execute(TABLES.log_marks.insert().values(path="/log.csv", digest=b"d", listed="", checked=True, at=NOW))
        conn.execute(
            TABLES.prices.insert().values(
                at=NOW, currency="USD", price_nano=1, source="manual", words="", created_at=NOW
            )
        )
        conn.execute(
            TABLES.authority_sets.insert().values(
                genesis="0xg",
                follows=0,
                block=1,
                block_hash="0x",
                number=0,
                weights="[]",
                origin="one node",
                words="",
                proven_block=1,
                proven_hash="0x",
                at=NOW,
            )
        )
        contracted(conn)
        pooled(conn)
        alerted(conn)
        kept(conn)


def kept(conn: sa.Connection) -> None:
    keep = {"keep": "0xk", "deposit": "0xd", "block": 1, "members": "0xa", "confirmed": True, "lot": 1, "bond": 1}
    conn.execute(
        TABLES.keeps_keeps.insert().values(
            id=1, **keep, courtesy=125, severe=110, holder="", left_s=0, called_at=0, seen_block=1, found_at=NOW
        )
    )
    conn.execute(TABLES.keeps_cursor.insert().values(id=1, genesis="0xg", from_block=0, to_block=1, to_hash="0x"))
    conn.execute(TABLES.keeps_sightings.insert().values(keep_id=1, block=1, chain_at=NOW, deposit_state=4, at=NOW))
    redemption = {"route": "direct", "cost": 1, "value": 1, "coin": 1, "fee": 1, "script": "00", "reason": "low"}
    conn.execute(
        TABLES.keeps_redemptions.insert().values(
            genesis="0xg", keep_id=1, batch_id=1, line_id=1, **redemption, state="asked", created_at=NOW, changed_at=NOW
        )
    )
    conn.execute(
        TABLES.keeps_actions.insert().values(
            genesis="0xg", keep_id=1, action="redeem", words="low", tbtc=1, ether=0, block=1, at=NOW
        )
    )
    mint = {"lot": 1, "batch_id": 1, "line_id": 1, "state": "asked", "created_at": NOW, "changed_at": NOW}
    conn.execute(TABLES.keeps_mints.insert().values(genesis="0xg", **mint))
    conn.execute(TABLES.keeps_episodes.insert().values(kind="low", subject="0xd", words="", began_at=NOW))


def pooled(conn: sa.Connection) -> None:
    conn.execute(
        TABLES.pool_blocks.insert().values(
            id=1,
            genesis="g",
            height=1,
            hash="h",
            parent_hash="p",
            at=NOW,
            won="delegated",
            staker="Q",
            delegate="D",
            kernel="k:0",
            staker_reward=1,
            delegate_reward=0,
            percent=100,
            words="",
            node="{}",
            late_s=0,
            state="held",
            seen_at=NOW,
        )
    )
    conn.execute(
        TABLES.pool_rewards.insert().values(
            id=1,
            genesis="g",
            block_id=1,
            reward=1,
            remainder=0,
            weight=1,
            least_coin=1,
            maturity=1,
            rule="ppmu",
            required_fee=100,
            nodes=1,
            at=NOW,
        )
    )
    conn.execute(TABLES.pool_coin_sets.insert().values(hash="c", coins=b"c"))
    conn.execute(
        TABLES.pool_shares.insert().values(reward_id=1, delegate="D", place=0, fee=100, weight=1, units=1, coin_set="c")
    )
    conn.execute(
        TABLES.pool_paydays.insert().values(
            id=1,
            genesis="g",
            due_at=NOW,
            height=1,
            batch_id=1,
            fee_bps=0,
            minimum=1,
            revenue=0,
            paid=1,
            carried=0,
            delegates_paid=1,
            delegates_carried=0,
            at=NOW,
        )
    )
    conn.execute(
        TABLES.pool_book.insert().values(genesis="g", delegate="D", kind="share", units=1, block_id=1, words="", at=NOW)
    )
    conn.execute(TABLES.pool_balances.insert().values(delegate="D", place=0, units=1))
    conn.execute(TABLES.pool_episodes.insert().values(kind="stale chain", words="", began_at=NOW))
    conn.execute(TABLES.pool_beginnings.insert().values(id=1, genesis="g", staker="Q", after=0, words="", at=NOW))


def alerted(conn: sa.Connection) -> None:
    """One row in every table of alerts."""
    conn.execute(
        TABLES.alert_targets.insert().values(
            id=1,
            name="mail",
            audience="owner",
            form="long",
            place="everywhere",
            shown="mailto://...",
            state="active",
            created_at=NOW,
        )
    )
    conn.execute(
        TABLES.alert_rules.insert().values(
            kind="*", target="*", least="info", manner="never", state="in force", created_at=NOW
        )
    )
    conn.execute(TABLES.alert_cursors.insert().values(source="shop", began_at=NOW, read_to=NOW))
    conn.execute(
        TABLES.alert_episodes.insert().values(
            key="shop.shut:1",
            kind="shop.shut",
            source="shop",
            audience="owner",
            state="lasts",
            began_at=NOW,
            told_at=NOW,
            told=1,
            words="shut",
        )
    )
    alert = {"kind": "shop.paid", "source": "shop", "severity": "info", "audience": "owner", "title": "Paid"}
    conn.execute(TABLES.alerts.insert().values(id=1, key="shop.paid:1", content="{}", at=NOW, created_at=NOW, **alert))
    conn.execute(
        TABLES.alert_messages.insert().values(
            id=1,
            target_id=1,
            code="V-1",
            title="t",
            body="b",
            severity="info",
            alerts=1,
            state="ready",
            tries=0,
            due_at=NOW,
            created_at=NOW,
        )
    )
    conn.execute(
        TABLES.alert_deliveries.insert().values(alert_id=1, target_id=1, state="waiting", hold="no", created_at=NOW)
    )


def contracted(conn: sa.Connection) -> None:
    """One row in every table of contracts."""
    who = {"genesis": "0xg", "account": "1.2.5", "name": "ann"}
    conn.execute(TABLES.cursors.insert().values(name="agreements", genesis="0xg", block=1, block_id="01", at=NOW))
    conn.execute(
        TABLES.operations.insert().values(
            id=1,
            block=1,
            trx=0,
            op=0,
            tx_id="01",
            at=NOW,
            direction="in",
            units=1,
            asset_id="1.3.0",
            fee=1,
            state="waiting",
            kind="",
            tries=0,
            words="",
            created_at=NOW,
            **who,
        )
    )
    conn.execute(
        TABLES.contracts.insert().values(
            id=1,
            key="1:0:0",
            operation_id=1,
            source="memo",
            amount=1,
            months=3,
            reward_bps=800,
            penalty_bps=1500,
            month_ms=1,
            start_at=NOW,
            block=1,
            trx=0,
            op=0,
            created_at=NOW,
            **who,
        )
    )
    conn.execute(
        TABLES.dues.insert().values(
            id=1,
            contract_id=1,
            operation_id=1,
            type="reward",
            number=1,
            units=1,
            memo="",
            start_at=NOW,
            due_at=NOW,
            state="pending",
            created_at=NOW,
            **who,
        )
    )
    conn.execute(
        TABLES.moves.insert().values(
            id=1,
            genesis="0xg",
            exchange="exchange-1",
            cause="cover",
            units=1,
            memo="loan#1",
            state="planned",
            created_at=NOW,
        )
    )
    conn.execute(TABLES.loan_references.insert().values(genesis="0xg", reference="a1", name="ann", words="", at=NOW))
    conn.execute(TABLES.events.insert().values(genesis="0xg", nonce=0, now=1, kind="balances", name="", msg="{}"))


def attempt(**changes: Any) -> dict[str, Any]:
    return {
        "genesis": "0xg",
        "wallet": "W",
        "raw": b"r",
        "nonce": 0,
        "birth_block": 0,
        "birth_hash": "0x",
        "valid_until": 64,
        "spec_version": 1,
        "units": 1,
        "chain_at": NOW,
        "created_at": NOW,
        "state": "signed",
        **changes,
    }
