"""A delegate with nominators on a development node, by the SDK alone."""

from __future__ import annotations

import asyncio

NOMINATORS = ("//Bob", "//Charlie", "//Dave")
STAKE_RAO = 50 * 10**9


def seeded_hotkey(url: str) -> str:
    """Register //AliceHot under //Alice, let others stake on it, and return its address."""
    return asyncio.run(_seed(url))


async def _seed(url: str) -> str:
    import bittensor as bt
    from bittensor import calls
    from bittensor.keyfiles import Keypair

    alice, hotkey = Keypair.create_from_uri("//Alice"), Keypair.create_from_uri("//AliceHot")
    async with bt.Client(url, fallback_endpoints=[], archive_endpoints=[]) as client:

        async def submit(call: object, key: object) -> None:
            done = await client.submit_call(call, key)
            print(f"{call!r:.90}: {done.success} {done.message}")

        await submit(calls.SubtensorModule.register_network(hotkey=hotkey.ss58_address), alice)
        nets = sorted(netuid for netuid, _ in await client.query_map(("SubtensorModule", "NetworksAdded")))
        for netuid in nets:
            enable = await client.compose(
                ("AdminUtils", "sudo_set_subtoken_enabled", {"netuid": netuid, "subtoken_enabled": True})
            )
            await submit(calls.Sudo.sudo(call=enable), alice)
        await submit(calls.SubtensorModule.root_register(hotkey=hotkey.ss58_address), alice)
        for uri in NOMINATORS:
            await submit(
                calls.SubtensorModule.add_stake(hotkey=hotkey.ss58_address, netuid=nets[-1], amount_staked=STAKE_RAO),
                Keypair.create_from_uri(uri),
            )
    return str(hotkey.ss58_address)
