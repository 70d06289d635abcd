"""`run.py keeps ...`: tBTC v1 keeps, watched and redeemed before they are liquidated."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from menus.frame.commands import Json, Yes, from_stdin, screen
from menus.frame.grouping import group
from menus.jobs import together
from menus.keeps import acts, rehearsing, views
from menus.keeps.opened import with_app
from valtrac import settings as config
from valtrac.core.errors import BadInput, Exit
from valtrac.keeps import overview
from valtrac.wiring.keeps import KeepsApp

app = group("tBTC keeps: watched, and redeemed before they are liquidated.")
wallet = group("The wallet that redeems.")
mint = group("Minting TBTC with bitcoin of your own: off unless VALTRAC_KEEPS_MINT=yes.")
app.add_typer(wallet, name="wallet")
app.add_typer(mint, name="mint")
Address = Annotated[str, typer.Argument(help="Of a keep or its deposit; the beginning of it will do.")]
PasswordStdin = Annotated[bool, typer.Option("--password-stdin", help="Read the wallet's password from stdin.")]
Most = Annotated[int, typer.Option("--limit", min=1, max=100_000, help="How many, the newest.")]


@app.command()
def now(as_json: Json = False) -> None:
    """Show how it stands: what is in danger, what the wallet holds, what has to be done."""
    with_app(lambda own: acts.show_now(screen(as_json), own))


@app.command("list")
def list_(as_json: Json = False) -> None:
    """Show the watch list, the most urgent first, as it was looked at last."""
    with_app(lambda own: acts.show_list(screen(as_json), own))


@app.command()
def show(address: Address, as_json: Json = False) -> None:
    """Show everything of one keep: how it was seen, what was done and why, what would be lost."""
    with_app(lambda own: acts.show_keep(screen(as_json), own, address))


@app.command()
def redemptions(as_json: Json = False) -> None:
    """Show the redemptions and how far each is."""

    def act(own: KeepsApp) -> None:
        from valtrac.database.engine import reading
        from valtrac.keeps.store import redemptions as store

        with reading(own.engine) as conn:
            views.redemptions(screen(as_json), store.listed(conn))

    with_app(act)


@app.command()
def log(limit: Most = 50, as_json: Json = False) -> None:
    """Show the audit log: every action with its reason, what it took and what the gas cost."""
    with_app(lambda own: views.log(screen(as_json), overview.log(own.engine, most=limit)))


@app.command()
def watch(
    once: Annotated[bool, typer.Option("--once", help="One pass, and stop; without it a live view.")] = False,
    look_only: Annotated[bool, typer.Option("--look-only", help="See everything, and send nothing.")] = False,
    seconds: Annotated[int, typer.Option("--seconds", min=0, help="Stop the view after so long; 0: never.")] = 0,
    password_stdin: PasswordStdin = False,
    as_json: Json = False,
) -> int:
    """Look at every keep and redeem what has to be, once; or watch them live.

    The exit code of one pass tells: 0, nothing is in danger; 3, something is, and was not redeemed in this pass.
    """
    if not once:
        from menus.keeps.console import watch_keeps

        with_app(lambda own: watch_keeps(screen(), own, seconds=seconds))
        return int(Exit.DONE)

    def act(own: KeepsApp) -> int:
        password = from_stdin(password_stdin)
        return acts.one_round(screen(as_json), own, look_only=look_only, password=password).in_danger

    return int(Exit.REFUSED if with_app(act) else Exit.DONE)


@app.command()
def price(
    eth_per_btc: Annotated[str, typer.Argument(help="What a bitcoin would be worth, in ETH: 58.5")],
    as_json: Json = False,
) -> None:
    """Show what a price would bring: each keep's percentage then, and what it would ask for."""
    from valtrac.rehearsal.keeps import amount

    with_app(lambda own: acts.at_price(screen(as_json), own, amount(eth_per_btc, field="price")))


@app.command()
def redeem(address: Address, yes: Yes = False, password_stdin: PasswordStdin = False, as_json: Json = False) -> None:
    """Redeem one keep by hand, whatever its percentage, where the contracts let this wallet."""

    def act(own: KeepsApp) -> None:
        acts.redeem(screen(as_json), own, address, yes=yes, password=from_stdin(password_stdin))

    with_app(act)


@app.command()
def chart(
    out: Annotated[Path | None, typer.Option("--out", help="Where it goes: .png or .svg.")] = None,
    width: Annotated[int | None, typer.Option("--width", min=300, max=10_000, help="Of the PNG, in pixels.")] = None,
    as_json: Json = False,
) -> None:
    """Draw collateral over time beside the thresholds: picture files, and the terminal."""
    from menus.keeps.drawing import draw

    with_app(lambda own: draw(screen(as_json), own, out, width_px=width))


@app.command()
def start() -> int:
    """Start the background job under pm2; it starts locked: it watches and warns."""
    return int(Exit.DONE if with_app(lambda own: acts.start_job(screen(), own)) else Exit.REFUSED)


@app.command()
def stop() -> None:
    """Stop the background job; what is under way comes to its end first."""
    together.stop(screen(), config.load(), acts.START)


@app.command()
def unlock(password_stdin: PasswordStdin = False) -> None:
    """Hand the wallet's password to the background job; it keeps it in memory only."""
    with_app(lambda own: acts.unlock_job(screen(), own, password=from_stdin(password_stdin)))


@app.command()
def check(as_json: Json = False) -> int:
    """Check providers, Bitcoin servers, wallet and settings, one by one, each with its fix."""
    from menus.keeps.checking import show_checks

    return int(Exit.DONE if with_app(lambda own: show_checks(screen(as_json), own)) else Exit.REFUSED)


@app.command()
def verify(
    hand_over: Annotated[bool, typer.Option("--hand-over", help="Give one that is gone to the node again.")] = False,
    password_stdin: PasswordStdin = False,
    as_json: Json = False,
) -> int:
    """Look every transaction that was sent up again: is each where the ledger has it?"""
    from menus.keeps.checking import show_verified

    password = from_stdin(password_stdin)
    whole = with_app(lambda own: show_verified(screen(as_json), own, password=password, hand_over=hand_over))
    return int(Exit.DONE if whole else Exit.OUR_FAULT)


@app.command()
def foreign(
    words: Annotated[str, typer.Option("--words", help="What it was; kept for ever.")],
) -> None:
    """Say of a transaction of the wallet that the journal does not know that it was yours, for other things."""
    from menus.keeps.checking import rule_foreign

    with_app(lambda own: rule_foreign(screen(), own, words))


@app.command()
def settings(
    name: Annotated[str, typer.Argument(help="Of the setting to change, such as THRESHOLD.")] = "",
    value: Annotated[str, typer.Argument(help="What it becomes; none: as if it were not set.")] = "",
    as_json: Json = False,
) -> None:
    """Show the settings of keeps, or change one: NAME VALUE."""
    from menus.keeps import changing

    if not name:
        changing.show(screen(as_json))
    elif not value:
        raise BadInput(f"what {name[:80]} becomes is not said", fix=f"run.py keeps settings {name[:80]} VALUE")
    else:
        changing.change(screen(), name, value)


@app.command("import")
def import_(
    place: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="keeps.json or .env of keep-collateral.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would happen.")] = False,
    as_json: Json = False,
) -> None:
    """Come over from keep-collateral: what each setting becomes, and its cache as a hint."""
    with_app(lambda own: acts.bring_over(screen(as_json), own, place, dry_run=dry_run))


@wallet.command("show")
def wallet_show(as_json: Json = False) -> None:
    """Show what the wallet holds: TBTC, ether, what others may take of it; and where Bitcoin is paid to."""
    with_app(lambda own: acts.show_holdings(screen(as_json), own))


@wallet.command("make")
def wallet_make(file: Annotated[str, typer.Argument(help="Where its encrypted key goes.")] = "") -> None:
    """Make a new wallet in an encrypted file; it is never overwritten."""
    from menus.keeps.wallet import make

    with_app(lambda own: make(screen(), own, file))


@wallet.command("import")
def wallet_import(
    file: Annotated[str, typer.Argument(help="Where its encrypted key goes.")] = "",
    source: Annotated[str, typer.Option("--from", help="An encrypted wallet file; without it the key is typed.")] = "",
) -> None:
    """Bring a wallet over from a file of another program, or from its private key."""
    from menus.keeps.wallet import bring

    with_app(lambda own: bring(screen(), own, file, source))


@wallet.command("keep-password")
def wallet_keep_password(password_stdin: PasswordStdin = False) -> None:
    """Let the keyring of the operating system keep the wallet's password, so that it is not asked for."""
    from menus.keeps.wallet import keep_password

    with_app(lambda own: keep_password(screen(), own, password=from_stdin(password_stdin)))


@wallet.command("forget-password")
def wallet_forget_password() -> None:
    """Let the keyring of the operating system keep the wallet's password no longer."""
    from menus.keeps.wallet import forget_password

    with_app(lambda own: forget_password(screen(), own))


@mint.command("lots")
def mint_lots(as_json: Json = False) -> None:
    """Show which lots can be asked for now, and why not."""
    from menus.keeps import minting

    with_app(lambda own: minting.lots(screen(as_json), own))


@mint.command("list")
def mint_list(as_json: Json = False) -> None:
    """Show the deposits that were asked for, and how far each is."""
    from menus.keeps import minting

    with_app(lambda own: minting.listed(screen(as_json), own))


@mint.command("ask")
def mint_ask(
    lot: Annotated[str, typer.Argument(help="BTC: 0.01, 0.1, 0.2, 0.5, 1, 5 or 10.")],
    yes: Yes = False,
    password_stdin: PasswordStdin = False,
    as_json: Json = False,
) -> None:
    """Ask for a deposit of a lot: the first step; the others follow with `mint go-on`."""
    from menus.keeps import minting

    password = from_stdin(password_stdin)
    with_app(lambda own: minting.ask(screen(as_json), own, lot, yes=yes, password=password))


@mint.command("go-on")
def mint_go_on(password_stdin: PasswordStdin = False, as_json: Json = False) -> None:
    """Bring every deposit that was asked for on as far as it goes now."""
    from menus.keeps import minting

    password = from_stdin(password_stdin)
    with_app(lambda own: minting.go_on(screen(as_json), own, password=password))


@mint.command("abort")
def mint_abort(
    number: Annotated[int, typer.Argument(min=1, help="Its number, from `mint list`.")],
    password_stdin: PasswordStdin = False,
) -> None:
    """Ask the members of a deposit whose funding failed to pay the bitcoin back."""
    from menus.keeps import minting

    password = from_stdin(password_stdin)
    with_app(lambda own: minting.abort(screen(), own, number, password=password))


app.command("rehearse")(rehearsing.rehearse)
app.command("replay")(rehearsing.replay)
