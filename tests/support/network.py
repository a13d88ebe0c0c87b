"""Runs a command without a network: an audit hook in every Python process, and a namespace of its own where the
system allows one (that one also holds for compiled code)."""

from __future__ import annotations

import shutil
import subprocess
from functools import cache
from pathlib import Path

HOOK = Path(__file__).parent / "offline"


def offline_environment(attempts: Path) -> dict[str, str]:
    """Environment under which every attempt is refused and written to `attempts`."""
    return {"PYTHONPATH": str(HOOK), "NETWORK_ATTEMPTS": str(attempts)}


@cache
def offline_wrapper() -> tuple[str, ...]:
    """A command prefix that takes the network away, or nothing where the system does not allow it."""
    unshare = shutil.which("unshare")
    wrapper = (unshare or "", "--map-root-user", "--net")
    works = unshare and subprocess.run([*wrapper, "true"], capture_output=True, check=False).returncode == 0
    return wrapper if works else ()
