"""Which files supplied a hospital's month: the one in force, and the one that it replaced.

Belongs here: the history of slices, for what is told to a sender.  Does not belong here: which file readers see
(:mod:`sources.candidate` decides that).
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sources.candidate import slices_in_force
from sources.landing import read_receipts

DATASET = "hqms_front_page"


@dataclass(frozen=True)
class Version:
    """A file's part in one hospital's month."""

    source_id: str
    organisation_id: str
    month: str
    is_current: bool
    path: str  # in the inbox, as the sender named it
    layout: str
    landed: str  # relative to the home; empty where every row was set aside


def page_versions(home: Path) -> list[Version]:
    """Per hospital and month of front pages: the file in force and the one before it, if there is one."""
    force = slices_in_force(home)[DATASET]
    history: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for receipt in read_receipts(home):
        if receipt["dataset"] == DATASET and not receipt["refused"]:
            counts = [*receipt["slices"], *receipt["quarantine_rows"]]
            for place in dict.fromkeys((item["organisation_id"], item["month"]) for item in counts):
                if all(place):
                    history[place].append(receipt)
    found = []
    for place, receipts in sorted(history.items()):
        current = force.get(place)
        if current is None:  # nothing of it landed: what was sent last is what there is
            found.append(_version(receipts[-1], place, is_current=True))
            continue
        supplied = [r for r in receipts if _output(r, place)]
        at = max(n for n, r in enumerate(supplied) if r["source"]["sha256"] == current)
        found.append(_version(supplied[at], place, is_current=True))
        before = [r for r in supplied[:at] if r["source"]["sha256"] != current]
        if before:
            found.append(_version(before[-1], place, is_current=False))
    return found


def _version(receipt: dict[str, Any], place: tuple[str, str], *, is_current: bool) -> Version:
    source = receipt["source"]
    return Version(
        source_id=source["sha256"][:12],
        organisation_id=place[0],
        month=place[1],
        is_current=is_current,
        path=source["path"],
        layout=receipt["layout"],
        landed=_output(receipt, place),
    )


def _output(receipt: dict[str, Any], place: tuple[str, str]) -> str:
    """The landed file that holds the place, empty where no row of it landed."""
    if not any((item["organisation_id"], item["month"]) == place for item in receipt["slices"]):
        return ""
    folder = f"/month={place[1]}/"
    return next(str(output["path"]) for output in receipt["outputs"] if folder in output["path"])
