"""The custodian's cycle on a real BitShares node: VALTRAC_TEST_BITSHARES_URL=wss://... make e2e

Reading needs no more. Paying needs an account of a test chain whose keys are worth nothing:
VALTRAC_TEST_BITSHARES_ACCOUNT, its two keys, one a line, in the file VALTRAC_TEST_BITSHARES_KEYS, and
VALTRAC_TEST_BITSHARES_PAYEE, who gets 1 BTS. VALTRAC_TEST_BITSHARES_KEY_PREFIX is TEST on the public test chain.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from valtrac.chains.bitshares import connect
from valtrac.chains.bitshares.keys import Keys
from valtrac.contracts import audit, dues, listener
from valtrac.contracts.custodian import Custodian, find_custodian
from valtrac.contracts.model.contracts import WHOLE, Due
from valtrac.contracts.model.states import DueState
from valtrac.contracts.store import contracts
from valtrac.database.engine import writing
from valtrac.database.opening import open_engine
from valtrac.settings import load

URL = os.environ.get("VALTRAC_TEST_BITSHARES_URL", "")
ACCOUNT = os.environ.get("VALTRAC_TEST_BITSHARES_ACCOUNT", "")
PAYEE = os.environ.get("VALTRAC_TEST_BITSHARES_PAYEE", "")
PREFIX = os.environ.get("VALTRAC_TEST_BITSHARES_KEY_PREFIX", "BTS")
KEYS = os.environ.get("VALTRAC_TEST_BITSHARES_KEYS", "")

pytestmark = [pytest.mark.e2e, pytest.mark.skipif(not URL, reason="VALTRAC_TEST_BITSHARES_URL names no node")]


@pytest.fixture
def chain() -> Iterator[connect.BitSharesChain]:
    opened = connect.open_node(URL.split(","), network="end-to-end", timeout_s=30, key_prefix=PREFIX)
    yield opened
    opened.close()


def test_blocks_are_read_whole_and_in_order(chain: connect.BitSharesChain) -> None:
    head = chain.finalized()
    assert chain.block(head.number).head.hash == head.hash
    name = ACCOUNT or "committee-account"
    account = chain.named([name])[name]
    assert chain.accounts([account.id])[account.id] == account
    first = max(1, head.number - 500)
    blocks = list(chain.transfers(first, head.number, account.id))
    assert [block.number for block in blocks] == list(range(first, head.number + 1))
    assert chain.balance(account.id, head) >= 0


def read_to(custodian: Custodian, block: int) -> None:
    while listener.listen(custodian).block < block:
        time.sleep(1)


@pytest.mark.skipif(not (ACCOUNT and PAYEE and KEYS), reason="no account to pay from is named")
def test_a_payment_is_made_exactly_once_and_seen_by_the_listener(chain: connect.BitSharesChain, tmp_path: Path) -> None:
    active, memo = Path(KEYS).read_text(encoding="ascii").split()
    keys = Keys((active,), (memo,))
    chain.keys = keys
    settings = load({"VALTRAC_HOME": str(tmp_path), "VALTRAC_BITSHARES_CUSTODIAN": ACCOUNT}, Path("/nonexistent"))
    engine = open_engine(tmp_path / "contracts.sqlite")
    custodian = Custodian(engine, chain, settings, find_custodian(engine, chain, settings))
    listener.listen(custodian)
    audit.check_balance(custodian)
    payee, head = chain.named([PAYEE])[PAYEE], chain.finalized()
    before = chain.balance(payee.id, head)
    with writing(engine) as conn:
        contracts.add_due(conn, type_="refund", account=payee.id, name=PAYEE, units=WHOLE, memo="one", at=head.at)
    read_to(custodian, head.number)  # what is paid is what was due by the block that was read
    done = dues.pay(custodian, connect.payer(chain, ACCOUNT, keys), patience_s=600)
    assert done.paid == 1
    assert chain.balance(payee.id, chain.finalized()) == before + WHOLE
    assert dues.pay(custodian, connect.payer(chain, ACCOUNT, keys), patience_s=600).paid == 0
    with writing(engine) as conn:
        (one,) = contracts.in_states(conn, DueState.CONFIRMED)
    assert isinstance(one, Due) and one.tx_id and one.block
    read_to(custodian, one.block)
    found = audit.check(custodian)
    assert found.whole and found.balance is not None and found.balance.unexplained == 0, found
    engine.dispose()
