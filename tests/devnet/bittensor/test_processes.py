"""Several processes see and change one chain."""

from __future__ import annotations

import subprocess
import sys
from itertools import pairwise
from pathlib import Path

from tests.devnet.bittensor.conftest import Bench, who

ROOT = Path(__file__).parents[3]
PAY = """
import asyncio, sys
from bittensor.keyfiles import Keypair
from valtrac.devnet.bittensor import open_substrate

async def pay(path, uri, count):
    chain, key = open_substrate(path), Keypair.create_from_uri(uri)
    to = Keypair.create_from_uri("//till").ss58_address
    for _ in range(count):
        call = await chain.compose(("Balances", "transfer_keep_alive", {"dest": to, "value": 1000}))
        result = await chain.submit(call, key)
        assert result.success, result

asyncio.run(pay(sys.argv[1], sys.argv[2], 15))
"""


def test_two_payers_at_once_lose_and_double_nothing(bench: Bench) -> None:
    payers = [
        subprocess.Popen([sys.executable, "-c", PAY, str(bench.path), uri], cwd=ROOT, stderr=subprocess.PIPE)
        for uri in ("//Rich", "//Hand")
    ]
    failed = [payer.communicate(timeout=60)[1] for payer in payers]

    assert [payer.returncode for payer in payers] == [0, 0], failed
    assert bench.free("//till") == 30_000
    assert (bench.nonce("//Rich"), bench.nonce("//Hand")) == (15, 15)
    headers = [bench.ask("get_block", block_number=n)["header"] for n in range(bench.status["number"] + 1)]
    assert all(new["parentHash"] == old["hash"] for old, new in pairwise(headers))


def test_another_process_can_make_it_misbehave_without_loading_the_sdk(bench: Bench) -> None:
    code = (
        "import sys; from valtrac.devnet.bittensor import misbehave, advance, status;"
        f"misbehave({str(bench.path)!r}, down=1);advance({str(bench.path)!r}, 4);"
        f"status({str(bench.path)!r}); assert 'bittensor' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, timeout=60)

    assert bench.status["faults"] == {"down": 1}
    assert bench.status["number"] == 4


def test_a_waiting_transaction_is_included_by_a_process_without_the_sdk(bench: Bench) -> None:
    bench.misbehave(hold_pool=True)
    bench.send(bench.sign(bench.transfer("//ann", 5000)))
    bench.misbehave(hold_pool=False)

    code = (
        f"import sys; from valtrac.devnet.bittensor import advance; advance({str(bench.path)!r}, 1);"
        "assert 'bittensor' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, timeout=60)

    assert bench.free("//ann") == 5000
    assert who("//ann") in str(bench.ask("get_block", block_number=1))
