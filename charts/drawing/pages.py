"""Statements as web pages: one file each, nothing loaded from anywhere, light and dark, for paper and phones."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape

from valtrac.core.money import decimal_text
from valtrac.core.text import plain
from valtrac.reports.model.statements import Payment, Statement, worth_text

# no script, no request: what a browser may load is said in the page itself
POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
STYLE = """
:root { color-scheme: light dark; --ink: #1c2430; --soft: #5b6675; --line: #dfe4ea; --paper: #ffffff; --card: #f6f8fa;
  --accent: #0072b2; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6ebf1; --soft: #9aa7b6; --line: #303a46; --paper: #12171d;
  --card: #1b222b; --accent: #56b4e9; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 62rem; padding: 2rem 1.25rem 3rem; background: var(--paper); color: var(--ink);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif; }
h1 { font-size: 1.75rem; line-height: 1.2; margin: 0 0 .25rem; overflow-wrap: anywhere; }
h2 { font-size: 1.1rem; margin: 2.25rem 0 .75rem; }
p, footer { color: var(--soft); margin: .25rem 0; overflow-wrap: anywhere; }
a { color: var(--accent); }
dl { display: grid; grid-template-columns: repeat(auto-fit, minmax(13.5rem, 1fr)); gap: .75rem; margin: 1.5rem 0; }
dl > div { background: var(--card); border: 1px solid var(--line); border-radius: .6rem; padding: .75rem 1rem; }
dt { color: var(--soft); font-size: .85rem; }
dd { margin: 0; font-size: 1.05rem; font-weight: 600; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
figure { margin: 1rem 0; background: var(--card); border: 1px solid var(--line); border-radius: .6rem;
  padding: .75rem; }
figure svg { display: block; width: 100%; height: auto; }
table { width: 100%; border-collapse: collapse; font-size: .92rem; font-variant-numeric: tabular-nums; }
th { text-align: left; color: var(--soft); font-weight: 600; border-bottom: 2px solid var(--line);
  padding: .4rem .6rem; }
td { border-bottom: 1px solid var(--line); padding: .4rem .6rem; vertical-align: top; }
.n { text-align: right; white-space: nowrap; }
.id { font-family: ui-monospace, Menlo, Consolas, monospace; font-size: .82rem; overflow-wrap: anywhere; }
tfoot td { border-top: 2px solid var(--line); border-bottom: 0; font-weight: 700; }
footer { margin-top: 2.5rem; font-size: .85rem; border-top: 1px solid var(--line); padding-top: 1rem; }
@media (max-width: 44rem) {
  body { padding: 1.25rem .9rem 2rem; }
  thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  td:empty { display: none; } tfoot td:first-child::before { content: ""; }
  figure { overflow-x: auto; } figure svg { min-width: 36rem; }
  figure::before { content: "swipe to see all of it \2192"; color: var(--soft); font-size: .8rem; position: sticky;
    left: 0; }
  .n { white-space: normal; }
  tr { display: block; border-bottom: 1px solid var(--line); padding: .5rem 0; }
  td, tfoot td { display: flex; justify-content: space-between; gap: 1rem; border: 0; padding: .15rem 0;
    text-align: right; white-space: normal; }
  td::before { content: attr(data-head); color: var(--soft); text-align: left; flex: none; font-weight: 400; }
}
@media print { :root { color-scheme: light; --ink: #000; --soft: #444; --line: #bbb; --paper: #fff; --card: #fff; }
  body { max-width: none; padding: 0; font-size: 10pt; } figure, dl > div, tr { break-inside: avoid; }
  thead { display: table-header-group; } }
"""


def statement(
    made: Statement, figures: Sequence[tuple[str, str]], about: Mapping[str, str], notes: Sequence[str] = ()
) -> str:
    """One person's page. figures: (heading, svg) ready to stand in a page; about: what is said in the tiles besides."""
    period = f"{made.first:%Y-%m-%d} until {made.last:%Y-%m-%d} (UTC)"
    tiles = {
        "Paid": f"{decimal_text(made.total)} TAO",
        "Worth at the time": made.worth_text,
        "Payments": f"{len(made.payments):,}",
        "Held, paid later": f"{decimal_text(made.held)} TAO",
        **about,
    }
    return _page(
        f"Statement for {made.name}",
        period,
        [
            _tiles(tiles),
            *(_figure(heading, svg) for heading, svg in figures),
            "<h2>Payments</h2>",
            _payments(made.payments, made, links={}),
        ],
        notes,
    )


def validator(
    title: str,
    statements: Sequence[Statement],
    figures: Sequence[tuple[str, str]],
    about: Mapping[str, str],
    links: Mapping[tuple[int, str], str],
    notes: Sequence[str] = (),
) -> str:
    """The page of the whole validator: everyone's sum, and every payment with the link to its proof.

    links: (batch, name) -> file beside the page.
    """
    first, last = statements[0].first, statements[0].last
    rows = [
        [
            ("who", "id" if len(one.name) > 40 else "", escape(plain(one.name))),
            ("payments", "n", f"{len(one.payments):,}"),
            ("paid (TAO)", "n", decimal_text(one.total)),
            ("worth", "n", escape(one.worth_text)),
            ("held (TAO)", "n", decimal_text(one.held)),
        ]
        for one in statements
    ]
    total = sum(one.total for one in statements)
    foot = [
        ("together", "", "together"),
        ("payments", "n", f"{sum(len(one.payments) for one in statements):,}"),
        ("paid (TAO)", "n", decimal_text(total)),
        ("", "n", ""),
        ("", "n", ""),
    ]
    every = sorted((one for each in statements for one in each.payments), key=lambda one: (one.at, one.batch, one.name))
    return _page(
        title,
        f"{first:%Y-%m-%d} until {last:%Y-%m-%d} (UTC)",
        [
            _tiles({"Paid": f"{decimal_text(total)} TAO", "Payments": f"{len(every):,}", **about}),
            *(_figure(heading, svg) for heading, svg in figures),
            "<h2>Everyone</h2>",
            _table(rows, foot),
            "<h2>Every payment</h2>",
            _payments(every, None, links),
        ],
        notes,
    )


def _page(title: str, under: str, parts: Iterable[str], notes: Sequence[str]) -> str:
    heading = escape(plain(title))
    said = "".join(f"<p>{escape(plain(note, 600))}</p>" for note in notes)
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{heading}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
        f"<h1>{heading}</h1>\n<p>{escape(plain(under))}</p>\n" + "\n".join(parts) + f"\n<footer>{said}</footer>\n"
        "</body>\n</html>\n"
    )


def _tiles(facts: Mapping[str, str]) -> str:
    rows = "".join(
        f"<div><dt>{escape(plain(name))}</dt><dd>{escape(plain(text))}</dd></div>" for name, text in facts.items()
    )
    return f"<dl>{rows}</dl>"


def _figure(heading: str, svg: str) -> str:
    return f'<figure aria-label="{escape(plain(heading), quote=True)}">{svg}</figure>'


def _payments(payments: Sequence[Payment], of: Statement | None, links: Mapping[tuple[int, str], str]) -> str:
    if not payments:
        return "<p>Nothing was paid in this period.</p>"
    rows = []
    for one in payments:
        link = links.get((one.batch, one.name))
        proof = f'<a href="{escape(link, quote=True)}">proof</a>' if link else ""
        rows.append(
            [
                ("time (UTC)", "", f"{one.at:%Y-%m-%d %H:%M}"),
                *([] if of else [("who", "id" if len(one.name) > 40 else "", escape(plain(one.name)))]),
                ("amount (TAO)", "n", decimal_text(one.amount)),
                ("worth", "n", escape(one.worth_text)),
                ("for blocks", "n", f"{one.from_block}&ndash;{one.to_block}" if one.to_block >= one.from_block else ""),
                ("transaction", "id", escape(one.tx_id)),
                *([("proof", "", proof)] if links else []),
            ]
        )
    columns = [name for name, _, _ in rows[0]]
    total = decimal_text(sum(one.amount for one in payments))
    currencies = {one.price.currency for one in payments if one.price is not None}
    worth = of.worth_text if of else worth_text(payments, currencies.pop()) if len(currencies) == 1 else ""
    foot = [
        (
            name,
            "n" if name in ("amount (TAO)", "worth") else "",
            {columns[0]: "together", "amount (TAO)": total, "worth": escape(worth)}.get(name, ""),
        )
        for name in columns
    ]
    return _table(rows, foot)


def _table(rows: Sequence[Sequence[tuple[str, str, str]]], foot: Sequence[tuple[str, str, str]]) -> str:
    """Rows of (column, class, safe text); a last row of sums."""

    def cells(row: Sequence[tuple[str, str, str]]) -> str:
        return "".join(
            f'<td class="{kind}" data-head="{escape(name, quote=True)}">{text}</td>' for name, kind, text in row
        )

    if not rows:
        return "<p>Nobody was paid in this period.</p>"
    head = "".join(f'<th class="{kind if kind == "n" else ""}">{escape(name)}</th>' for name, kind, _ in rows[0])
    body = "\n".join(f"<tr>{cells(row)}</tr>" for row in rows)
    return (
        f"<table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody>\n"
        f"<tfoot><tr>{cells(foot)}</tr></tfoot>\n</table>"
    )
