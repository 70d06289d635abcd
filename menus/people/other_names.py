"""Other words by which people know what stands in these menus; the palette finds it by them too."""

from __future__ import annotations

ALSO = {
    "Add users": "user_data people payees names new",
    "1. Load users from CSV": "import csv xlsx file users load",
    "3. Come over from an old ValTrac, with all its files": "migrate old import delegate_info.log payout_log",
    "2. Manual entry": "manual type hand add user new",
    "Edit users": "change people",
    "Add an address": "coldkey wallet another address",
    "End an address": "remove delete coldkey address",
    "Choose the address that is paid": "payout address destination redirect where",
    "Rename": "name user",
    "End this user": "remove delete user",
    "Add referral": "referrer referee brought layer",
    "Edit referrals": "referral_layers tree layers referrals",
    "Change what a referrer takes": "rate percent commission",
    "Give one referee a rate of its own": "rate special override",
    "Remove a referee": "delete unlink referral",
    "Policies and waiting addresses": "rules terms quarantine",
    "Decide something about a user": "policy exclude cut minimum user",
    "Decide something about everyone": "policy all default everyone",
    "Decide something about a nominator's address": "policy coldkey nominator",
    "End a policy": "remove stop policy",
    "Confirm an address that waits": "quarantine vouch last six swap",
}
