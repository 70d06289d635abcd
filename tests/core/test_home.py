"""Files with names or money in them: for their owner alone, and never in the place of what is no file."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.charts.samples import STAKES
from tests.payments.doorway import ready
from tests.payout_world import World
from valtrac.core.home import for_its_owner, write_for_its_owner


@pytest.fixture(autouse=True)
def generous() -> Iterator[None]:
    """A umask that keeps nothing from anybody."""
    before = os.umask(0)
    yield
    os.umask(before)


def others_may_read(folder: Path) -> list[str]:
    """The files of a folder that somebody else can read."""
    return [path.name for path in sorted(folder.rglob("*")) if path.is_file() and path.stat().st_mode & 0o077]


def test_whatever_a_payout_leaves_is_for_its_owner_alone_whatever_the_umask(world: World, tmp_path: Path) -> None:
    from charts.drawing import paint
    from valtrac.loggers import loop
    from valtrac.payouts import proofs
    from valtrac.snapshots import files, snapshots

    out = tmp_path / "out"
    out.mkdir()
    batch = ready(world)
    world.send(batch)
    proofs.write_proof(world.engine, batch.id, "u001", out / "p.json", with_script=True)
    paint.save(STAKES.draw(STAKES.rows(20)), out / "c.png")
    loop.say(out, "job", "u001 is paid")
    taken = snapshots.take(world.engine, world.app.chain, world.app.settings.hotkeys[0])
    files.mirror(out, taken.stored[0][0])
    assert len(list(out.iterdir())) == 5
    assert others_may_read(out) == []
    assert others_may_read(world.home / "logs") == []
    assert [name for name in others_may_read(world.home / "data") if name.startswith("valtrac")] == []


@pytest.mark.parametrize("what", ["a folder", "a pipe", "a link", "a link to nowhere", "a device"])
def test_what_is_no_file_is_never_written_over(tmp_path: Path, what: str) -> None:
    path, target = tmp_path / "x", tmp_path / "target"
    target.write_text("kept", encoding="utf-8")
    made: dict[str, Callable[[], object]] = {
        "a folder": path.mkdir,
        "a pipe": lambda: os.mkfifo(path),
        "a link": lambda: path.symlink_to(target),
        "a link to nowhere": lambda: path.symlink_to(tmp_path / "nowhere"),
        "a device": lambda: path.symlink_to("/dev/full"),
    }
    made[what]()
    with pytest.raises(OSError, match="it is a folder, a link, a device or a pipe"):
        write_for_its_owner(path, b"new")
    assert target.read_text(encoding="utf-8") == "kept"
    assert not (tmp_path / "nowhere").exists()


def test_a_new_file_is_readable_to_its_owner_only(tmp_path: Path) -> None:
    with open(tmp_path / "x", "w", encoding="utf-8", opener=for_its_owner) as file:
        file.write("x")
    assert (tmp_path / "x").stat().st_mode & 0o777 == 0o600
