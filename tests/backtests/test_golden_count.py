"""The pencil against the eye: the counting script finds what was counted by hand from the printed table."""

from __future__ import annotations

import csv

import pytest
from backtests.count import FOLDER, WINDOWS, count_everything, discharges

from documents.examples import exact


def by_hand() -> list[dict[str, str]]:
    with (FOLDER / "golden_counted_by_hand.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


COUNTED = count_everything(discharges())


@pytest.mark.parametrize("line", by_hand(), ids=lambda line: "/".join(list(line.values())[:4]))
def test_script_agrees_with_hand(line):
    numerator, denominator = COUNTED[line["window"], line["hospital"], line["specialty"]][line["indicator"]]
    assert numerator == exact(line["numerator"])
    assert denominator == (exact(line["denominator"]) if line["denominator"] else None)


def test_every_indicator_was_counted_by_hand():
    assert {line["indicator"] for line in by_hand()} == set(COUNTED["2022-2024", "REGION", "ALL"])
    assert set(WINDOWS) >= {line["window"] for line in by_hand()}
