"""Settings: what is written is what holds, and whatever cannot be used is named with its key and the fix."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.homes import CHECKOUT
from tests.payout_world import HOTKEY
from valtrac.core.errors import BadInput
from valtrac.settings import PREFIX, Settings, load

NOTHING = Path("/dev/null")


def refused(environment: dict[str, str], env_file: Path = NOTHING) -> str:
    with pytest.raises(BadInput) as caught:
        load(environment, env_file)
    return " | ".join([caught.value.what, caught.value.why, caught.value.fix, *caught.value.problems])


def test_without_any_setting_it_is_a_rehearsal() -> None:
    settings = load({}, NOTHING)
    assert (settings.network, settings.wallet_name, settings.endpoint) == ("devnet", "//Owner", "")
    assert (settings.snapshot_interval, settings.chunk_size, settings.era_period) == (300, 300, 64)


def test_the_environment_goes_before_the_file_and_the_file_before_the_default(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_text("VALTRAC_CHUNK_SIZE=7\nVALTRAC_MINIMUM=0.5\nOTHER=1\n", encoding="utf-8")
    settings = load({"VALTRAC_CHUNK_SIZE": "9"}, path)
    assert (settings.chunk_size, settings.minimum, settings.era_period) == (9, 500_000_000, 64)


def test_the_environment_goes_before_a_line_in_small_letters(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_text("VALTRAC_CHUNK_SIZE=7\nvaltrac_chunk_size=8\n", encoding="utf-8")
    assert load({}, path).chunk_size == 8
    assert load({"VALTRAC_CHUNK_SIZE": "9"}, path).chunk_size == 9


def test_amounts_are_written_in_tao_and_kept_in_rao() -> None:
    assert load({"VALTRAC_CAP_DAY": "12.5"}, NOTHING).cap_day == 12_500_000_000


def test_several_hotkeys_are_written_with_commas() -> None:
    assert load({"VALTRAC_HOTKEYS": f"{HOTKEY}, "}, NOTHING).hotkeys == (HOTKEY,)


def test_no_exchange_is_asked_where_none_is_named_and_none_in_a_rehearsal_unless_it_is() -> None:
    real = {"VALTRAC_NETWORK": "local"}
    assert load(real, NOTHING).exchanges == ("kraken", "kucoin", "mexc", "gate")
    assert load({**real, "VALTRAC_PRICE_SOURCES": ""}, NOTHING).exchanges == ()
    assert load({}, NOTHING).exchanges == ()
    assert load({"VALTRAC_PRICE_SOURCES": "Kraken, gate,kraken"}, NOTHING).exchanges == ("kraken", "gate")


def test_a_price_is_in_the_currency_or_for_dollars_in_a_dollar_coin() -> None:
    assert load({}, NOTHING).quote_symbols == ("USD", "USDT")
    assert load({"VALTRAC_CURRENCY": "eur"}, NOTHING).quote_symbols == ("EUR",)
    assert load({"VALTRAC_PRICE_QUOTES": "usdc,usd"}, NOTHING).quote_symbols == ("USDC", "USD")


def test_an_unknown_key_is_named_with_the_one_that_was_meant() -> None:
    assert "VALTRAC_CHUNKSIZE: no such setting; did you mean VALTRAC_CHUNK_SIZE?" in refused({"VALTRAC_CHUNKSIZE": "5"})


def test_keys_of_the_tests_and_of_others_are_passed_over() -> None:
    assert load({"VALTRAC_TEST_SUBTENSOR_URL": "ws://x", "VALTRACX": "1", "PATH": "/"}, NOTHING).network == "devnet"


def test_all_that_is_wrong_is_told_at_once() -> None:
    words = refused({"VALTRAC_FOO": "1", "VALTRAC_CHUNK_SIZE": "many", "VALTRAC_ERA_PERIOD": "5"})
    assert "3 settings cannot be used" in words
    assert all(key in words for key in ("VALTRAC_FOO", "VALTRAC_CHUNK_SIZE", "VALTRAC_ERA_PERIOD"))


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("CHUNK_SIZE", "many", "must be a whole number"),
        ("CHUNK_SIZE", "0", "must be at least 1"),
        ("CHUNK_SIZE", "1501", "must be at most 1500"),
        ("SNAPSHOT_INTERVAL", "1.5", "must be a whole number"),
        ("ERA_PERIOD", "100", "must be a power of two from 4 to 2048"),
        ("TIMEOUT_S", "soon", "must be a number"),
        ("TIMEOUT_S", "0", "must be more than 0"),
        ("TIMEOUT_S", "nan", "must be"),
        ("FEE_POLICY", "me", "'pool', 'payee' or 'owner'"),
        ("MINIMUM", "1e-3", "is not an amount"),
        ("CAP_PAYMENT", "-1", "is not an amount"),
        ("CAP_DAY", "99999999999", ""),
        ("NETWORK", "mainnet", "must be devnet, finney, test, local, or a ws:// or wss:// URL"),
        ("HOTKEYS", HOTKEY[:-1] + "x", "checksum"),
        ("CURRENCY", "dollars", "must be the code of a currency, like USD or EUR"),
        ("PRICE_SOURCES", "kraken,gateio", "'gateio' is no exchange that ccxt knows; did you mean gate?"),
        ("PRICE_SOURCES", "../x", "'../x' is no exchange that ccxt knows"),
        ("PRICE_QUOTES", "USD/TAO", "'USD/TAO' is not what a market's price is in"),
        ("PRICE_STALE_S", "0", "must be at least 1"),
        ("PRICE_MAX_AGE_S", "soon", "must be a whole number"),
        ("PRICE_TIMEOUT_S", "inf", "must be at most 600"),
        ("DATABASE_URL", "mysql://x", "must start with sqlite:/// or postgresql+psycopg://"),
    ],
)
def test_a_bad_value_is_named_with_what_it_may_be(key: str, value: str, said: str) -> None:
    words = refused({PREFIX + key: value})
    assert PREFIX + key in words
    assert said in words
    assert ".env.example lists every setting" in words
    assert "Input should be" not in words


@pytest.mark.parametrize(
    "url",
    [
        "postgresql+psycopg://valtrac:hunter2@db/valtrac",
        "postgresql+psycopg://db/valtrac?user=v&password=hunter2",
        "postgresql+psycopg://:hunter2@/valtrac",
    ],
)
def test_a_database_url_with_a_password_is_refused_with_the_way_to_do_it_and_not_repeated(url: str) -> None:
    words = refused({"VALTRAC_DATABASE_URL": url})
    assert "PGPASSFILE or a service file" in words
    assert "postgresql+psycopg:///valtrac?host=/var/run/postgresql" in words
    assert "hunter2" not in words


@pytest.mark.parametrize("network", ["finney", "test"])
def test_a_key_that_everyone_knows_is_refused_on_a_public_network(network: str) -> None:
    for environment in ({}, {"VALTRAC_WALLET_NAME": "//Alice"}):
        words = refused({"VALTRAC_NETWORK": network, **environment})
        assert words.startswith("VALTRAC_WALLET_NAME: //")
        assert "name a wallet of yours" in words
    assert load({"VALTRAC_NETWORK": network, "VALTRAC_WALLET_NAME": "main"}, NOTHING).wallet_name == "main"


def test_a_value_with_an_escape_sequence_comes_back_harmless() -> None:
    assert "\x1b" not in refused({"VALTRAC_HOTKEYS": "5\x1b[2J", "VALTRAC_\x1b[2J": "1"})


def test_settings_do_not_change_once_they_are_read() -> None:
    with pytest.raises(ValueError, match="frozen"):
        load({}, NOTHING).network = "finney"


def test_a_settings_file_that_is_named_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="cannot be read"):
        load({"VALTRAC_ENV_FILE": str(tmp_path / "nope.env")})


def test_a_settings_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    path = tmp_path / "bad.env"
    path.write_bytes(b"VALTRAC_NETWORK=\xff\xfe")
    assert str(path) in refused({}, path)


def example_lines() -> list[str]:
    return (CHECKOUT / ".env.example").read_text(encoding="utf-8").splitlines()


def test_the_example_lists_every_setting_with_its_default_and_changes_nothing(tmp_path: Path) -> None:
    written = [line[1:] for line in example_lines() if line.startswith("#VALTRAC_")]
    names = [line.partition("=")[0] for line in written]
    assert sorted(names) == sorted([PREFIX + name.upper() for name in Settings.model_fields] + ["VALTRAC_ENV_FILE"])
    path = tmp_path / ".env"
    path.write_text("\n".join(line for line in written if not line.startswith("VALTRAC_HOME=")), encoding="utf-8")
    assert load({}, path) == load({}, NOTHING)


def test_every_setting_of_the_example_is_commented_out_and_explained() -> None:
    lines = example_lines()
    assert [line for line in lines if line and not line.startswith("#")] == []
    for place, line in enumerate(lines):
        if line.startswith("#VALTRAC_"):
            assert lines[place - 1].startswith("#"), f"{line} has no explanation above it"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("#one\n\nVALTRAC_CAP_DAY: 5\n", "line 3 is not understood"),
        ("VALTRAC_CHUNK_SIZE=5\nVALTRAC_CAP_DAY='5\n", "line 2 is not understood"),
        ('VALTRAC_CAP_DAY="5\nVALTRAC_CHUNK_SIZE=5\n', "line 1 is not understood"),
        ("\n\nVALTRAC_CAP_DAY\n", "line 3: VALTRAC_CAP_DAY has no = after it"),
        ("\ufeffVALTRAC_CAP_DAY=5\n", "line 1 begins with a letter that nobody sees (U+FEFF)"),
        ("VALTRAC_CAP\u200b_DAY=5\n", "holds a letter that nobody sees (U+200B)"),
        ("\u00a0VALTRAC_CAP_DAY=5\n", "line 1"),
        ("VALTRAC_CAP_DAY\u00a0=5\n", "line 1"),
        ("V\u0410LTRAC_CAP_DAY=5\n", "a letter that only looks like a plain one (U+0410)"),
        ("A=1\nVALTRAC_CAP_DAYS=5\n", "VALTRAC_CAP_DAYS: no such setting; did you mean VALTRAC_CAP_DAY?"),
        ("A=1\nVALTRAC-CAP-DAY=5\n", "line 2: VALTRAC-CAP-DAY: no such setting; did you mean VALTRAC_CAP_DAY?"),
        ("VALTRACCAP_DAY=5\n", "line 1: VALTRACCAP_DAY: no such setting; did you mean VALTRAC_CAP_DAY?"),
        ("VALTRAC_ENV_FILES=x\n", "VALTRAC_ENV_FILES: no such setting"),
    ],
)
def test_a_line_that_is_not_understood_is_named_for_a_cap_may_be_lost_in_it(
    tmp_path: Path, text: str, said: str
) -> None:
    path = tmp_path / "s.env"
    path.write_text(text, encoding="utf-8")
    assert said in refused({}, path)


def test_what_is_quoted_exported_or_commented_is_understood(tmp_path: Path) -> None:
    path = tmp_path / "s.env"
    path.write_text(
        "# a comment\n\nexport VALTRAC_CHUNK_SIZE=5 # five\nVALTRAC_MINIMUM = '0.5'\r\nOTHER=x\nVALTRAC_CAP_DAY=\n",
        encoding="utf-8",
    )
    settings = load({}, path)
    assert (settings.chunk_size, settings.minimum) == (5, 500_000_000)


def test_a_name_in_the_environment_with_a_letter_that_nobody_sees_is_named() -> None:
    assert "U+200B" in refused({"VALTRAC_CAP\u200b_DAY": "5"})


def test_a_folder_in_the_place_of_the_settings_file_is_named(tmp_path: Path) -> None:
    (tmp_path / ".env").mkdir()
    assert "it is a folder" in refused({}, tmp_path / ".env")
    (tmp_path / "gone.env").symlink_to(tmp_path / "nowhere")
    assert "there is no such file" in refused({}, tmp_path / "gone.env")


@pytest.mark.parametrize("written", ["$HOME/vt", "${HOME}/vt", "~/vt"])
def test_the_home_folder_in_a_path_is_the_one_of_the_shell(monkeypatch: pytest.MonkeyPatch, written: str) -> None:
    monkeypatch.setenv("HOME", "/srv/me")
    settings = load({"VALTRAC_HOME": written, "VALTRAC_WALLET_PATH": written}, NOTHING)
    assert (settings.home, settings.wallet_path) == (Path("/srv/me/vt"), Path("/srv/me/vt"))


@pytest.mark.parametrize("written", ["$DATA/vt", "~nobody-here/vt", "/srv/$USER", " "])
@pytest.mark.parametrize("name", ["HOME", "WALLET_PATH"])
def test_any_other_variable_in_a_path_is_refused(name: str, written: str) -> None:
    assert f"VALTRAC_{name}: " in refused({f"VALTRAC_{name}": written})


@pytest.mark.parametrize("url", ["sqlite:///~/v.sqlite", "sqlite:////$HOME/v.sqlite"])
def test_a_database_url_expands_nothing_and_says_so(url: str) -> None:
    assert "write the path out" in refused({"VALTRAC_DATABASE_URL": url})


@pytest.mark.parametrize("network", ["finney", "ws://example.org:9944", "wss://127.0.0.1.example.org", "devnet"])
def test_made_up_headers_are_taken_from_this_machine_alone(network: str) -> None:
    given = {"VALTRAC_DEVELOPMENT_NODE": "yes", "VALTRAC_WALLET_NAME": "owner"}
    with pytest.raises(BadInput, match="DEVELOPMENT_NODE: is for a chain of your own on this machine"):
        load({**given, "VALTRAC_NETWORK": network}, Path("/nonexistent"))
    for here in ("ws://127.0.0.1:9944", "ws://localhost:9944", "local"):
        assert load({**given, "VALTRAC_NETWORK": here}, Path("/nonexistent")).development_node


@pytest.mark.parametrize(
    "name",
    [
        "NETWORK",
        "SECOND_ENDPOINT",
        "FALLBACK_ENDPOINTS",
        "ARCHIVE_ENDPOINTS",
        "BITSHARES_NODES",
        "BITSHARES_SECOND_NODE",
    ],
)
@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("wss://", "has no host"),
        ("wss:///path", "has no host"),
        ("wss://:443", "has no host"),
        ("wss://node.example:99999", "no port"),
        ("wss://[::1", "has no host"),
        ("wss://node\u3002example", "has no host"),
        ("wss://node.example/\x1b[31mred", "nobody sees"),
        ("wss://node.example/a\nVALTRAC_CAP_DAY=1", "nobody sees"),
        ("wss://node.example/\u202egro", "nobody sees"),
        ("wss://node.example/a b", "a space"),
        ("wss://me:word@node.example", "holds a login"),
        ("http://node.example", "ws:// or wss://"),
    ],
)
def test_the_address_of_a_node_is_one_or_is_refused(name: str, url: str, said: str) -> None:
    words = refused({f"VALTRAC_{name}": url, "VALTRAC_WALLET_NAME": "pays"})
    assert f"VALTRAC_{name}" in words and said in words
