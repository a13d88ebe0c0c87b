"""Forbids the network in every Python process that has this folder on PYTHONPATH, children included.

An audit hook sees every connect, send and name look-up of Python code; each attempt is written down and refused.
Unix sockets stay allowed: they do not leave the machine.
"""

import os
import sys

FORBIDDEN = {"socket.connect", "socket.sendto", "socket.sendmsg", "socket.getaddrinfo", "socket.gethostbyname"}


def _refuse(event: str, arguments: tuple[object, ...]) -> None:
    if event not in FORBIDDEN:
        return
    target = arguments[1] if event in ("socket.connect", "socket.sendto", "socket.sendmsg") else arguments[0]
    if (isinstance(target, (str, bytes)) and event == "socket.connect") or target is None:
        return
    with open(os.environ["NETWORK_ATTEMPTS"], "a", encoding="utf-8") as file:  # noqa: PTH123
        file.write(f"{event} {target!r} {sys.argv[:3]}\n")
    raise PermissionError(f"the network is forbidden: {event} {target!r}")


sys.addaudithook(_refuse)
