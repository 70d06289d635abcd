"""A delegate with nominators on a development node, by the SDK alone. What it does is asserted."""

from __future__ import annotations

import asyncio
import json
from typing import Any

NOMINATORS = ("//Bob", "//Charlie", "//Dave")
STAKE_RAO = 50 * 10**9
EPOCH_BLOCKS = 110


def seeded_hotkey(url: str, hotkey: str = "//AliceHot", owner: str = "//Alice") -> str:
    """Register a hotkey on the root and on netuid 1, let others stake on it in both, and return its address."""
    return asyncio.run(_seed(url, hotkey, owner))


def emitted(url: str) -> None:
    """Let an epoch of emission pass on netuid 1 of a node that makes blocks when it is told to."""
    asyncio.run(_emit(url))


def called(url: str, module: str, function: str, signer: str, **args: Any) -> tuple[bool, str]:
    """Send a call with a rehearsal key past this program; (whether it was done, what was said)."""
    return asyncio.run(_called(url, module, function, signer, args))


async def request(url: str, method: str, params: list[Any]) -> Any:
    """A raw request."""
    import websockets

    async with websockets.connect(url, max_size=None, open_timeout=60) as socket:
        await socket.send(json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}))
        answer = json.loads(await asyncio.wait_for(socket.recv(), 900))
    assert "error" not in answer, answer["error"]
    return answer["result"]


async def _emit(url: str) -> None:
    await request(url, "dev_setStorage", [{"SubtensorModule": {"FirstEmissionBlockNumber": [[[1], 1]]}}])
    await request(url, "dev_newBlock", [{"count": EPOCH_BLOCKS}])


async def _called(url: str, module: str, function: str, signer: str, args: dict[str, Any]) -> tuple[bool, str]:
    import bittensor as bt
    from bittensor import calls
    from bittensor.keyfiles import Keypair

    async with bt.Client(url, fallback_endpoints=[], archive_endpoints=[]) as client:
        call = getattr(getattr(calls, module), function)(**args)
        done = await client.submit_call(call, Keypair.create_from_uri(signer))
        return bool(done.success), str(done.message)


async def _seed(url: str, hotkey_uri: str, owner_uri: str) -> str:
    import bittensor as bt
    from bittensor import calls
    from bittensor.keyfiles import Keypair

    owner, hotkey = Keypair.create_from_uri(owner_uri), Keypair.create_from_uri(hotkey_uri).ss58_address
    sudo = Keypair.create_from_uri("//Alice")
    pools = {"SubtensorModule": {"SubnetTAO": [[[1], 10**15]], "SubnetAlphaIn": [[[1], 4 * 10**15]]}}
    await request(url, "dev_setStorage", [pools])  # deep, so that a stake hardly moves the price
    async with bt.Client(url, fallback_endpoints=[], archive_endpoints=[]) as client:

        async def submit(call: Any, key: Any, *, again: tuple[str, ...] = ()) -> None:
            done = await client.submit_call(call, key)
            assert done.success or any(words in str(done.message) for words in again), f"{call!r:.90}: {done.message}"

        for netuid in (1, 0):
            enable = await client.compose(
                ("AdminUtils", "sudo_set_subtoken_enabled", {"netuid": netuid, "subtoken_enabled": True})
            )
            await submit(calls.Sudo.sudo(call=enable), sudo)
        known = ("already", "Already")
        await submit(calls.SubtensorModule.root_register(hotkey=hotkey), owner, again=known)
        await submit(calls.SubtensorModule.burned_register(netuid=1, hotkey=hotkey), owner, again=known)
        for uri in NOMINATORS:
            key = Keypair.create_from_uri(uri)
            for netuid in (0, 1):
                stake = calls.SubtensorModule.add_stake(hotkey=hotkey, netuid=netuid, amount_staked=STAKE_RAO)
                await submit(stake, key)
    return str(hotkey)
