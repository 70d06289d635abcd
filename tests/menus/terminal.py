"""A real terminal for `run.py`: a pseudo-terminal with a screen that can be read, and keys."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import termios
import time
from pathlib import Path

import pyte

from tests.homes import CHECKOUT

PATIENCE_S = 120.0  # a busy machine takes its time


class Terminal:
    """`run.py` in a terminal of some size: the menus, or a command. The screen is what a person would see, scrolled-off
    lines included."""

    def __init__(self, python: str, home: Path, *arguments: str, columns: int = 80, lines: int = 40) -> None:
        self.screen = pyte.HistoryScreen(columns, lines, history=5000, ratio=0.5)
        self.stream = pyte.ByteStream(self.screen)
        self.raw = b""
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            environment = {
                "PATH": os.environ["PATH"],
                "TERM": "xterm-256color",
                "LANG": "C.UTF-8",
                "VALTRAC_HOME": str(home),
                "VALTRAC_ENV_FILE": os.devnull,
            }
            os.chdir(CHECKOUT)
            os.execve(python, [python, "run.py", *arguments], environment)
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def read(self, seconds: float = 0.05) -> None:
        """Take in what was written, for so long as something comes."""
        while select.select([self.fd], [], [], seconds)[0]:
            try:
                data = os.read(self.fd, 65_536)
            except OSError:
                return
            if not data:
                return
            self.raw += data
            if b"\x1b[6n" in data:  # the program asks where the cursor is; a terminal answers
                os.write(self.fd, f"\x1b[{self.screen.cursor.y + 1};{self.screen.cursor.x + 1}R".encode())
            self.stream.feed(data)

    @property
    def lines(self) -> list[str]:
        """Everything that was on the screen since it was last wiped."""
        above = ["".join(row[x].data for x in range(self.screen.columns)) for row in self.screen.history.top]
        return [line.rstrip() for line in [*above, *self.screen.display]]

    @property
    def worked_s(self) -> float:
        """Seconds that the processor has worked for the program, however long it had to wait for its turn."""
        fields = Path(f"/proc/{self.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def wait_for(self, words: str) -> str:
        """Wait until the words are in the last part of the screen; the whole of it."""
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            self.read()
            text = "\n".join(self.lines)
            if words in text:
                return text
        raise AssertionError(f"{words!r} did not appear; on the screen:\n" + "\n".join(self.lines))

    def press(self, keys: str, then: str) -> str:
        """Wipe the screen, press keys, wait for words."""
        self._wipe()
        os.write(self.fd, keys.encode())
        return self.wait_for(then)

    def interrupt(self, then: str) -> str:
        """Wipe the screen, send the program the signal that Ctrl-C is, wait for words."""
        self._wipe()
        os.kill(self.pid, signal.SIGINT)
        return self.wait_for(then)

    def _wipe(self) -> None:
        self.screen.history.top.clear()
        self.screen.erase_in_display(2)

    def ended(self) -> int:
        """Wait for the program's end; its exit code."""
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            self.read(0.01)
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                os.close(self.fd)
                return os.waitstatus_to_exitcode(status)
            time.sleep(0.02)
        raise AssertionError("it did not end")
