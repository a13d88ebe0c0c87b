"""The whole job runs without a network, dbt's and landing's child processes included."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from support.network import offline_environment, offline_wrapper


@pytest.mark.parametrize(
    "attempt",
    [
        "import socket; socket.create_connection(('127.0.0.1', 9))",
        "import socket; socket.getaddrinfo('example.org', 443)",
        "import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('192.0.2.1', 53))",
        "import urllib.request; urllib.request.urlopen('http://192.0.2.1/')",
        "import subprocess, sys; sys.exit(subprocess.run([sys.executable, '-c',"
        " 'import socket; socket.create_connection((\"192.0.2.1\", 80))']).returncode)",
    ],
)
def test_the_ban_bites(tmp_path, attempt):
    """A ban that nothing runs into proves nothing: each way out is refused and written down."""
    attempts = tmp_path / "attempts.txt"
    done = subprocess.run(
        [sys.executable, "-c", attempt],
        env={**os.environ, **offline_environment(attempts)},
        capture_output=True,
        check=False,
    )
    assert done.returncode != 0
    assert "the network is forbidden" in done.stderr.decode()
    assert attempts.read_text().startswith("socket.")


@pytest.mark.skipif(not offline_wrapper(), reason="this system allows no network namespace")
def test_the_namespace_has_no_way_out():
    done = subprocess.run(
        [*offline_wrapper(), sys.executable, "-c", "import socket; socket.create_connection(('127.0.0.1', 9))"],
        capture_output=True,
        check=False,
    )
    assert "Network is unreachable" in done.stderr.decode()


def test_job_asks_nobody(second_home):
    """The job succeeded where there was no network, and did not even try."""
    assert second_home.first.code == 0, second_home.first.output[-4000:]
    assert second_home.network_attempts == ""
