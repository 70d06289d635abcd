"""What each figure means: its unit and its formula."""

from __future__ import annotations

GLOSSARY: dict[str, tuple[str, str]] = {
    "APR before take": (
        "% a year",
        "what the chain pays for stake before the validator's take: APR after take / (1 - take)",
    ),
    "APR after take": (
        "% a year",
        "the median growth of the nominators' stakes between snapshots, weighed by stake, times a year over the time "
        "between them; who moves stake in or out does not count into a median",
    ),
    "APR with rebate": (
        "% a year",
        "APR after take, plus what settled payouts gave, over the mean stake and the time that they pay for",
    ),
    "APR projected": (
        "% a year",
        "of the time that no settled payout pays for: APR after take, plus what approved payouts give and, beyond "
        "them, the whole take income by the shares that stakes, referrals and policies make, over mean stake and time",
    ),
    "not paid yet": ("%", "the part of the range's time that no settled payout pays for"),
    "APY": ("% a year", "an APR compounded daily: (1 + APR / 365) ^ 365 - 1"),
    "take income": (
        "TAO",
        "what the validator's take brought: nominators' stake x growth x take / (1 - take); where the take is not "
        "recorded, the growth of the owner's stake beyond what stake earns",
    ),
    "effective rebate": ("%", "what was shared out by payouts over the range, as a part of the take income"),
    "shared out, paid, fees": (
        "TAO",
        "of payouts whose blocks meet the range; of one that covers more blocks, the part for the blocks of the range",
    ),
    "base": ("%", "the mean over snapshots of somebody's stake as a part of everyone's but the owner's"),
    "adjusted": ("%", "base after the referral taxes and policies: the part of a pool that somebody gets"),
    "top ten": ("%", "the part of all stake that the ten largest nominators have, at the last snapshot"),
    "Gini": ("0 to 1", "how unequal stakes are at the last snapshot: 0 all the same, towards 1 one has all"),
    "joiners, leavers": (
        "heads",
        "who had stake at the end of a day and not at the end of the day before, or reversed",
    ),
    "pool accrued": ("TAO", "take income added up from the start of the range"),
    "paid": ("TAO", "what arrived at payees by settled transactions"),
    "held": ("TAO", "owed and kept back; its age counts from the oldest part"),
    "fees": ("TAO", "what the chain charged for payouts"),
    "coverage": ("%", "snapshots taken, of those that the interval asks for between the first and the last"),
    "runway": ("payouts", "what the wallet can spend over the mean of the last three payouts, fees included"),
}
