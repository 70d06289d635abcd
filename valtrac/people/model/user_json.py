"""ValTrac's own list of users, `{"name": ["address", ...]}`, as the rows of a sheet. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from valtrac.core.errors import BadInput
from valtrac.core.text import plain
from valtrac.tables.records import Problem, Record

FIX = 'a list of users is {"name": ["address", ...], ...}'
HEADER_LINE = 0  # so that the first user is row 1


def records(data: bytes, source: str) -> Iterator[Record | Problem]:
    """The header and a row for each user, in the order of the file; `line` counts the users from 1.

    Raises BadInput where it is no such file.
    """
    try:
        users = json.loads(data.decode("utf-8-sig"), object_pairs_hook=tuple)
    except (ValueError, RecursionError) as error:
        raise BadInput(f"{source} is no JSON in UTF-8", why=plain(error), fix=FIX) from error
    if not isinstance(users, tuple):
        raise BadInput(f"{source} is no list of users", fix=FIX)
    lists = [addresses for _, addresses in users if isinstance(addresses, list)]
    width = max([1, *map(len, lists)])
    yield Record(HEADER_LINE, ("Name", *(f"Address{n}" for n in range(1, width + 1))))
    for place, (name, addresses) in enumerate(users, 1):
        yield _record(place, name, addresses)


def _record(place: int, name: str, addresses: Any) -> Record | Problem:
    if not isinstance(addresses, list) or not all(isinstance(address, str) for address in addresses):
        return Problem(place, "", f"what stands for {plain(name, 60)!r} is no list of addresses", FIX)
    return Record(place, (name.strip(), *(address.strip() for address in addresses)))
