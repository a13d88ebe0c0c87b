"""Runs the `zhuanke` command in a process of its own, watches it, and fingerprints what it leaves behind."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
COMMAND = (sys.executable, "-c", "from dagster_project.cli import main; main()")
LIMIT_SECONDS = 600


def write_key(folder: Path) -> None:
    path = folder / "pseudonym.key"
    path.write_text("0123456789abcdef" * 4 + "\n", encoding="ascii")
    path.chmod(0o600)


@dataclass(frozen=True)
class Finished:
    """How one command ended."""

    code: int
    output: str
    seconds: float

    def must_succeed(self) -> Finished:
        assert self.code == 0, f"exit code {self.code}\n{self.output[-6000:]}"
        return self


@dataclass(frozen=True)
class Job:
    """The command with a known key and province and nothing else of the caller's settings."""

    key_file: Path

    def environment(self, extra: Mapping[str, str] | None = None) -> dict[str, str]:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("ZHUANKE_")}
        return {
            **inherited,
            "ZHUANKE_PSEUDONYM_KEY_FILE": str(self.key_file),
            "ZHUANKE_PROVINCE_DIVISION": "990000",
            "PYTHONIOENCODING": "utf-8",
            **(extra or {}),
        }

    def start(
        self,
        home: Path,
        *arguments: str,
        output: Path,
        environment: Mapping[str, str] | None = None,
        wrapper: tuple[str, ...] = (),
    ) -> subprocess.Popen[bytes]:
        """Starts the command in a process group of its own; its output goes to a file."""
        with output.open("wb") as file:
            return subprocess.Popen(
                [*wrapper, *COMMAND, *arguments],
                cwd=REPOSITORY,
                env={**self.environment(environment), "ZHUANKE_HOME": str(home)},
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def run(
        self,
        home: Path,
        *arguments: str,
        environment: Mapping[str, str] | None = None,
        wrapper: tuple[str, ...] = (),
    ) -> Finished:
        """Runs `zhuanke run` (or other arguments) to its end."""
        output = home.parent / f"{home.name}.{time.monotonic_ns()}.out"
        began = time.monotonic()
        process = self.start(home, *(arguments or ("run",)), output=output, environment=environment, wrapper=wrapper)
        try:
            code = process.wait(LIMIT_SECONDS)
        except subprocess.TimeoutExpired:
            kill(process)
            raise
        text = output.read_text(encoding="utf-8", errors="replace")
        output.unlink()
        return Finished(code, text, time.monotonic() - began)


def kill(process: subprocess.Popen[bytes]) -> None:
    """`kill -9` for the process and all it started; nothing of it can tidy up."""
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def wait_until(true: Callable[[], bool], process: subprocess.Popen[bytes]) -> bool:
    """Waits until the condition holds (True) or the process has ended before it did (False)."""
    deadline = time.monotonic() + LIMIT_SECONDS
    while time.monotonic() < deadline:
        if true():
            return True
        if process.poll() is not None:
            return False
        time.sleep(0.02)
    raise TimeoutError("the condition did not come true")


def fingerprint(folder: Path) -> dict[str, str]:
    """Relative path -> SHA-256 of every file; a symbolic link counts by where it points."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink():
            found[name] = f"-> {path.readlink()}"
        elif path.is_file():
            found[name] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def result_of(home: Path) -> dict[str, dict[str, str]]:
    """What must be the same wherever and however often the same inputs were worked: landing zone and release."""
    release = (home / "current").resolve()
    return {
        "landing": fingerprint(home / "landing"),
        "quarantine": fingerprint(home / "quarantine"),
        "release": {"id": release.name, **fingerprint(release)},
    }
