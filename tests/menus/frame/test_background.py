"""What goes wrong in the background is kept in a file and never printed over the screen."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.homes import CHECKOUT

FAULTS = """
import logging, threading
import run
from menus.frame import background

background.quiet()
thread = threading.Thread(target=lambda: 1 / 0)
thread.start()
thread.join()

class Dies:
    def __del__(self):
        raise RuntimeError("in a destructor")

Dies()
logging.getLogger("websockets").warning("closing handshake failed")
print("the end")
"""


def test_threads_destructors_and_libraries_print_nothing(tmp_path: Path) -> None:
    env = {"PATH": os.environ["PATH"], "VALTRAC_HOME": str(tmp_path), "VALTRAC_ENV_FILE": os.devnull}
    said = subprocess.run(
        [sys.executable, "-c", FAULTS], cwd=CHECKOUT, env=env, capture_output=True, text=True, check=True
    )
    assert (said.stdout, said.stderr) == ("the end\n", "")
    kept = (tmp_path / "logs" / "errors.log").read_text(encoding="utf-8")
    assert "ZeroDivisionError" in kept
    assert "in a destructor" in kept
