"""JSON of which there is exactly one spelling: sorted keys, UTF-8, no spaces, one line.

Belongs here: writing it, and refusing to read anything else. What is hashed or signed is written this way, so that a
file with any changed byte is a different or an unreadable one.
"""

from __future__ import annotations

import json
from typing import Any


class NotCanonical(ValueError):
    """These bytes are not as we write them; the text says in Chinese what is wrong."""


def canonical(document: object) -> bytes:
    """One line, with its end."""
    text = json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return f"{text}\n".encode()


def read_canonical(content: bytes) -> Any:
    """The document, if the bytes are exactly those that `canonical` writes of it."""
    try:
        document = json.loads(content)
        same = canonical(document) == content
    except (ValueError, RecursionError) as error:
        raise NotCanonical("不是合规的 JSON") from error
    if not same:
        raise NotCanonical("不是规范写法，内容被改动过")
    return document
