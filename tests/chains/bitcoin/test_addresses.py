"""Bitcoin addresses: one wrong letter or the wrong network, and nothing is paid to it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.chains.bitcoin.vectors import MAIN, REGTEST, TEST
from valtrac.chains.bitcoin import bech32
from valtrac.chains.bitcoin.addresses import (
    Kind,
    address_of_key,
    destination,
    redemption_destination,
    script_of_key,
)
from valtrac.chains.bitcoin.networks import NETWORKS, Network
from valtrac.chains.qtum.encoding import base58check
from valtrac.core.errors import BadInput

# BIP 173 and 350, "Test vectors"
BECH32 = [
    "A12UEL5L",
    "a12uel5l",
    "an83characterlonghumanreadablepartthatcontainsthenumber1andtheexcludedcharactersbio1tt5tgs",
    "abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw",
    "11qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqc8247j",
    "split1checkupstagehandshakeupstreamerranterredcaperred2y9e3w",
    "?1ezyfcl",
]
BECH32M = [
    "A1LQFN3A",
    "a1lqfn3a",
    "an83characterlonghumanreadablepartthatcontainsthetheexcludedcharactersbioandnumber11sg7hg6",
    "abcdef1l7aum6echk45nj3s0wdvt2fg8x9yrzpqzd3ryx",
    "11llllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllludsr8",
    "split1checkupstagehandshakeupstreamerranterredcaperredlc445v",
    "?1v759aa",
]
NO_BECH32 = [
    "an84characterslonghumanreadablepartthatcontainsthenumber1andtheexcludedcharactersbio1569pvx",
    "pzry9x0s0muk",
    "1pzry9x0s0muk",
    "x1b4n0q5v",
    "li1dgmt3",
    "A1G7SGD8",
    "10a06t8",
    "1qzzfhee",
    "an84characterslonghumanreadablepartthatcontainsthetheexcludedcharactersbioandnumber11d6pts4",
    "qyrz8wqd2c9m",
    "1qyrz8wqd2c9m",
    "y1b0jsk6g",
    "lt1igcx5c0",
    "in1muywd",
    "mm1crxm3i",
    "au1s5cgom",
    "M1VUXWEZ",
    "16plkw9",
    "1p2gdwpf",
]
NO_BECH32 += ["\x201nwldj5", "\x7f1axkwrx", "\x801eym55h", "de1lg7wt\xff", "\x201xj0phk", "\x7f1g6xzxy", "\x801vctc34"]
ADDRESSES = {
    "BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4": "0014751e76e8199196d454941c45d1b3a323f1433bd6",
    "tb1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3q0sl5k7": (
        "00201863143c14c5166804bd19203356da136c985678cd4d27a1b8c6329604903262"
    ),
    "bc1pw508d6qejxtdg4y5r3zarvary0c5xw7kw508d6qejxtdg4y5r3zarvary0c5xw7kt5nd6y": (
        "5128751e76e8199196d454941c45d1b3a323f1433bd6751e76e8199196d454941c45d1b3a323f1433bd6"
    ),
    "BC1SW50QGDZ25J": "6002751e",
    "bc1zw508d6qejxtdg4y5r3zarvaryvaxxpcs": "5210751e76e8199196d454941c45d1b3a323",
    "tb1qqqqqp399et2xygdj5xreqhjjvcmzhxw4aywxecjdzew6hylgvsesrxh6hy": (
        "0020000000c4a5cad46221b2a187905e5266362b99d5e91c6ce24d165dab93e86433"
    ),
    "tb1pqqqqp399et2xygdj5xreqhjjvcmzhxw4aywxecjdzew6hylgvsesf3hn0c": (
        "5120000000c4a5cad46221b2a187905e5266362b99d5e91c6ce24d165dab93e86433"
    ),
    "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0": (
        "512079be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
    ),
}
NO_ADDRESSES = [
    "tc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vq5zuyut",
    "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqh2y7hd",
    "tb1z0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqglt7rf",
    "BC1S0XLXVLHEMJA6C4DQV22UAPCTQUPFHLXM9H8Z3K2E72Q4K9HCZ7VQ54WELL",
    "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kemeawh",
    "tb1q0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vq24jc47",
    "bc1p38j9r5y49hruaue7wxjce0updqjuyyx0kh56v8s25huc6995vvpql3jow4",
    "BC130XLXVLHEMJA6C4DQV22UAPCTQUPFHLXM9H8Z3K2E72Q4K9HCZ7VQ7ZWS8R",
    "bc1pw5dgrnzv",
    "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7v8n0nx0muaewav253zgeav",
    "BC1QR508D6QEJXTDG4Y5R3ZARVARYV98GJ9P",
    "tb1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vq47Zagq",
    "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7v07qwwzcrf",
    "tb1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vpggkg4j",
    "bc1gmk9yu",
    "tc1qw508d6qejxtdg4y5r3zarvary0c5xw7kg3g4ty",
    "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5",
    "BC13W508D6QEJXTDG4Y5R3ZARVARY0C5XW7KN40WF2",
    "bc1rw5uspcuh",
    "bc10w508d6qejxtdg4y5r3zarvary0c5xw7kw508d6qejxtdg4y5r3zarvary0c5xw7kw5rljs90",
    "tb1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3q0sL5k7",
    "bc1zw508d6qejxtdg4y5r3zarvaryvqyzf3du",
    "tb1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3pjxtptv",
]
SCRIPTS = {
    "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa": (MAIN, Kind.P2PKH, "76a91462e907b15cbf27d5425399ebf6f0fb50ebb88f1888ac"),
    "3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy": (MAIN, Kind.P2SH, "a914b472a266d0bd89c13706a4132ccfb16f7c3b9fcb87"),
    "mipcBbFg9gMiCh81Kj8tqqdgoZub1ZJRfn": (TEST, Kind.P2PKH, "76a914243f1394f44554f4ce3fd68649c19adc483ce92488ac"),
    "2MzQwSSnBHWHqSAqtTVQ6v47XtaisrJa1Vc": (TEST, Kind.P2SH, "a9144e9f39ca4688ff102128ea4ccda34105324305b087"),
    "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4": (MAIN, Kind.P2WPKH, "0014751e76e8199196d454941c45d1b3a323f1433bd6"),
}


@pytest.mark.parametrize(("texts", "constant"), [(BECH32, bech32.BECH32), (BECH32M, bech32.BECH32M)])
def test_the_strings_of_the_bips_have_their_checksum_and_no_other(texts: list[str], constant: int) -> None:
    assert [bech32.split(text)[2] for text in texts] == [constant] * len(texts)


@pytest.mark.parametrize("text", NO_BECH32)
def test_the_wrong_strings_of_the_bips_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"^its? "):
        bech32.split(text)


def test_the_addresses_of_the_bips_stand_for_their_programs_and_back() -> None:
    for address, script in ADDRESSES.items():
        hrp, version, program = bech32.decode(address)
        assert (bytes([version + 0x50 if version else 0, len(program)]) + program).hex() == script
        assert bech32.encode(hrp, version, program) == address.lower()


@pytest.mark.parametrize("address", NO_ADDRESSES)
def test_the_wrong_addresses_of_the_bips_are_refused_on_every_network(address: str) -> None:
    for network in NETWORKS.values():
        with pytest.raises(BadInput):
            destination(address, network)


@pytest.mark.parametrize("address", SCRIPTS)
def test_known_addresses_stand_for_their_scripts(address: str) -> None:
    network, kind, script = SCRIPTS[address]
    found = destination(f" {address}\n", network)
    assert (found.address, found.kind, found.script.hex()) == (address, kind, script)
    assert found.with_length == bytes([len(found.script)]) + found.script


def test_an_address_of_another_network_is_named_as_one() -> None:
    with pytest.raises(BadInput, match="of the network main, not of test") as refused:
        destination("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", TEST, field="VALTRAC_KEEPS_BITCOIN_ADDRESS")
    assert "VALTRAC_KEEPS_BITCOIN_ADDRESS" in refused.value.what
    assert "network test" in refused.value.fix
    with pytest.raises(BadInput, match="of the network regtest"):
        destination(address_of_key(bytes(20), REGTEST), MAIN)


def test_test_and_regtest_share_their_base58_addresses_and_not_their_segwit_ones() -> None:
    assert destination("mipcBbFg9gMiCh81Kj8tqqdgoZub1ZJRfn", REGTEST).kind is Kind.P2PKH
    with pytest.raises(BadInput):
        destination(address_of_key(bytes(20), TEST), REGTEST)


def test_what_nobody_can_spend_from_yet_is_refused() -> None:
    with pytest.raises(BadInput, match="nobody can spend from yet"):
        destination("bc1zw508d6qejxtdg4y5r3zarvaryvaxxpcs", MAIN)
    with pytest.raises(BadInput, match="nobody can spend from yet"):
        destination("bc1pw508d6qejxtdg4y5r3zarvary0c5xw7kw508d6qejxtdg4y5r3zarvary0c5xw7kt5nd6y", MAIN)


def test_a_redemption_goes_to_no_taproot_address() -> None:
    taproot = "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0"
    assert destination(taproot, MAIN).kind is Kind.P2TR
    with pytest.raises(BadInput, match="taproot"):
        redemption_destination(taproot, MAIN)
    assert redemption_destination("3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy", MAIN).kind is Kind.P2SH


@pytest.mark.parametrize(
    "text", ["", " ", "1", "bc1", "0x" + "00" * 20, "bob [/oops]", "\x1b[2J", "1" * 200, base58check(b"")]
)
def test_what_is_no_address_is_refused_in_plain_words(text: str) -> None:
    with pytest.raises(BadInput) as refused:
        destination(text, MAIN)
    assert "\x1b" not in str(refused.value)
    assert refused.value.fix


@given(st.binary(min_size=20, max_size=20), st.sampled_from(list(NETWORKS.values())))
def test_the_address_of_a_key_is_read_back(key_hash: bytes, network: Network) -> None:
    found = destination(address_of_key(key_hash, network), network)
    assert (found.kind, found.script) == (Kind.P2WPKH, script_of_key(key_hash))


@given(st.sampled_from([*SCRIPTS]), st.data())
def test_no_single_wrong_letter_passes(address: str, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(address) - 1))
    letter = data.draw(st.sampled_from(sorted(set(bech32.LETTERS + address) - {address[place]})))
    with pytest.raises(BadInput):
        destination(address[:place] + letter + address[place + 1 :], SCRIPTS[address][0])
