"""Small tools for columns of cells: picking, masking, and writing numbers and times as text.

Belongs here: what every writer of front page items needs. Does not belong here: any item's content.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Cells = dict[str, list[str]]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

MISSING = "-"
OTHER_SLOTS = 40


def clock(days: NDArray[np.datetime64], minutes: Ints) -> NDArray[np.datetime64]:
    return np.asarray(days.astype("datetime64[m]") + minutes.astype("timedelta64[m]"))


def texts(moments: NDArray[np.datetime64]) -> list[str]:
    """yyyy-MM-dd HH:mm:ss"""
    return [text.replace("T", " ") for text in np.datetime_as_string(moments, unit="s").tolist()]


def pick(values: list[str], index: Ints) -> list[str]:
    return [values[i] for i in index.tolist()]


def choose(rng: np.random.Generator, count: int, values: list[str], shares: list[float]) -> list[str]:
    edges = np.cumsum(np.array(shares) / sum(shares))[:-1]
    return pick(values, np.searchsorted(edges, rng.random(count), side="right"))


def where(mask: Bools, yes: list[str], no: str = MISSING) -> list[str]:
    return [text if keep else no for text, keep in zip(yes, mask.tolist(), strict=True)]


def money(fen: Ints) -> list[str]:
    """Integer fen as yuan with two decimals."""
    return [f"{value // 100}.{value % 100:02d}" for value in fen.tolist()]


def operation_columns(slot: int) -> dict[str, str]:
    """Collection codes of one operation slot (0 = main operation), in the order of the interface."""
    if slot == 0:
        codes = [
            "C14x01C",
            "C15x01N",
            "C16x01",
            "C17x01",
            "C18x01",
            "C19x01",
            "C20x01",
            "C21x01C",
            "C22x01C",
            "C23x01",
        ]
    else:
        codes = [
            *(
                f"C35x{slot:02d}C",
                f"C36x{slot:02d}N",
                f"C37x{slot:02d}",
                f"C38x{slot:02d}",
                f"C39x{slot:02d}",
            ),
            *(
                f"C40x{slot:02d}",
                f"C41x{slot:02d}",
                f"C42x{slot:02d}C",
                f"C43x{slot:02d}C",
                f"C44x{slot:02d}",
            ),
        ]
    names = (
        *("code", "name", "date", "level", "surgeon", "first_assistant", "second_assistant", "incision"),
        *("anaesthesia", "anaesthetist"),
    )
    return dict(zip(names, codes, strict=True))
