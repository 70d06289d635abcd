"""An example or two of every command, at the end of its help. A test runs each through the command's own parser."""

from __future__ import annotations

from functools import cache
from typing import Any

from menus.frame import calling

MOST_OF_A_GROUP = 3
ROOT = """\
run.py                                  the menus
run.py doctor                           is everything well?
run.py payout plan --pool 12.5          who would get what
run.py users list --plain | cut -f1     rows for grep, awk and cut
run.py stats users --out - > shares.csv"""
EXAMPLES = """\
alerts dead-man --address-stdin
alerts dead-man --remove
alerts list payout --limit 50
alerts outbox --retry 12
alerts place international
alerts quiet --hours 23:00-07:00 --zone Europe/Berlin
alerts rules
alerts rules end 3
alerts rules kinds
alerts rules set 'payouts.*' daily --target my-mail
alerts run --once
alerts start
alerts status
alerts stop
alerts targets add my-mail --address-stdin
alerts targets add my-phone --sms --place domestic
alerts targets list
alerts targets remove my-mail --yes
alerts targets test my-mail
alerts unlock
audit verify
backup compare
backup list
backup new-key
backup now
backup restore valtrac-20261031T120000Z.tar.gz
backup verify
chart global-apr --range 90d
chart user-apr --user ann --out ann.png --width 3840
completion bash
contracts clients
contracts delinquent
contracts due --hours 72
contracts events 'stake start' --limit 20
contracts explain 4
contracts import stakes.txt --dry-run
contracts keep-keys main
contracts liabilities
contracts list --client ann
contracts listen --from now
contracts loan-reference ann --words 'loan of May'
contracts new-deposit-account kraken --words 'they told us by mail'
contracts past-due
contracts pay --password-stdin
contracts pay-delinquent 12 --total 2000
contracts read 7 --memo three_months
contracts read 7 --refund
contracts rehearse --client ann --send 25000 --memo three_months
contracts rehearse --days 31
contracts rows --hours 48
contracts rows --status delinquent
contracts rows --watch
contracts rule 9 --pays 12
contracts rule-before 90000000 --words 'paid by StakeBTS'
contracts rule-gone 0a1b2c --words 'the chain was restored'
contracts settings
contracts show 1
contracts start --from now
contracts stop
contracts transfers --limit 100
contracts unlock
contracts verify
contracts waiting
contracts wallet
contracts withdrawal-lost 3 --words 'they sent it back'
contracts withdrawals
demo
devnet advance 300
devnet announce-swap 5GF2pj43tM8p9DhpmZnFwX38uap8fpuTRXQG39NRTdA6ZfJe
devnet misbehave lose_reply=1
devnet seed
devnet status --json
doctor
doctor --json
import valtrac ~/ValTrac --dry-run --zone Europe/Berlin
keeps chart --out collateral.png
keeps check
keeps foreign --words 'gas for something else'
keeps import keeps.json --dry-run
keeps list
keeps log --limit 100
keeps mint abort 1
keeps mint ask 0.01
keeps mint go-on
keeps mint list
keeps mint lots
keeps now
keeps price 58.5
keeps redeem 0x00000000000000000000000000000000000000aa
keeps redemptions
keeps rehearse --hours 1
keeps rehearse --percent 128
keeps replay prices.csv
keeps settings THRESHOLD 135
keeps show 0x00000000000000000000000000000000000000aa
keeps start
keeps stop
keeps unlock
keeps verify
keeps wallet forget-password
keeps wallet import ~/.valtrac/keeps-wallet.json --from old-wallet.json
keeps wallet keep-password
keeps wallet make ~/.valtrac/keeps-wallet.json
keeps wallet show
keeps watch
keeps watch --once
ledger correct ann --underpaid 1.5 --reason 'one day was missing'
ledger show ann
logger remove
logger restart
logger run alerts
logger start stakes
logger status
logger stop
logger tail stakes --lines 50
payout adopt
payout approve 1 --total 10.631987595
payout authorities
payout begin-after 4500000 --words 'the old log says so'
payout explain 1 ann
payout liquidity
payout list
payout pin-authorities --words 'release notes of 1 May'
payout plan --pool 12.5
payout plan --pool 12.5 --by nominators --from 100 --to 400
payout proof 1 ann --out ann.json --with-script
payout reconcile
payout release ann
payout resume 1 --retry-failed
payout lost --to 4500000 --words 'the backup was a day old'
payout rule-foreign --words 'a transfer to my exchange'
payout rule-gone 0x12ab --words 'the chain was restored'
payout send 1
payout send 1 --password-stdin < password.txt
payout set-aside 1 ann --reason 'the old key is lost'
payout show 1
payout verify
payout void 1 --reason 'typed the wrong pool'
policy end bob cut
policy list --ended
policy set bob cut 5% --reason 'agreed by mail'
policy set everyone max-stake 5000
pool begin-after 1200000
pool chart pool-weight
pool check
pool console
pool delegates
pool explain 1200345
pool history QhZG8yUDjxCm3JbqKxMZ8vT5cJSXL5b5Mr
pool import PPMConfig.txt --dry-run
pool look
pool now
pool pay
pool payout
pool payouts --limit 50
pool proof QhZG8yUDjxCm3JbqKxMZ8vT5cJSXL5b5Mr --out proof.json
pool rehearse --win 3
pool rewards --limit 50
pool start
pool statement QhZG8yUDjxCm3JbqKxMZ8vT5cJSXL5b5Mr --out page.html
pool stop
pool unlock
pool verify
price enter 412.5 --at 2026-10-31
price import prices.csv
price list --last 100
price refresh
open
open april --list
price show --at 2026-10-31
referrals add ann bob --rate 25%
referrals edit ann --rate 20% --referee bob
referrals import referrals.csv
referrals list
referrals remove bob
referrals tree
snapshot export stakes.csv --from 100 --to 400
snapshot import stakes.csv
snapshot list --last 10
snapshot rule-out 300 --words 'the node was wrong'
snapshot take
snapshot verify
statement --all --period 2026-10 --format csv
statement ann --period 2026-10
stats
stats users --range 30d --out shares.xlsx
users add ann 5GF2pj43tM8p9DhpmZnFwX38uap8fpuTRXQG39NRTdA6ZfJe
users confirm ann --last-six A6ZfJe
users edit ann --rename anna
users end ann
users export people.csv
users import people.csv
users list
users waiting
verify ann.json
what-if --minimum 0.5 --range 90d
what-if --take 15% --rate ann=20%"""


@cache
def by_command() -> dict[str, list[str]]:
    """The words of a command -> its examples; those of a group's commands are under the group, too."""
    found: dict[str, list[str]] = {}
    for line in EXAMPLES.splitlines():
        words = line.split()
        for size in range(1, min(len(words), 3) + 1):
            found.setdefault(" ".join(words[:size]), []).append(line)
    return found


def attach(command: Any, words: tuple[str, ...] = ()) -> None:
    """Put examples at the end of the help of a command and of everything under it."""
    shown = by_command().get(" ".join(words), [])[: MOST_OF_A_GROUP if hasattr(command, "commands") else None]
    lines = [f"run.py {line}" for line in shown] if words else ROOT.splitlines()
    if lines:
        command.epilog = calling.named("\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines))
    for name, each in getattr(command, "commands", {}).items():
        attach(each, (*words, name))
