"""A bad row never improves anything: what cannot be read does not land, so no indicator and no score sees it."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from test_landing import HEADER, hqms, land, landed, page, table_csv

Row = dict[str, str]

# what may be wrong with a row: each makes of a good one a row that must not land
FAULTS: dict[str, Callable[[Row], Row]] = {
    **{f"without {code}": lambda row, code=code: row | {code: "-"} for code in ("A01", "A48", "A49", "B12", "B15")},
    **{f"without {code} ": lambda row, code=code: row | {code: ""} for code in ("A12C", "B16C", "B20", "B34C", "D01")},
    "no date": lambda row: row | {"B12": "2022-02-30 08:00:00"},
    "no number": lambda row: row | {"B20": "八天"},
    "no amount": lambda row: row | {"D01": "1,000元"},
    "an unknown way of leaving": lambda row: row | {"B34C": "6"},
    "another month": lambda row: row | {"B15": "2022-02-10 10:00:00"},
}
CLEAN = 6


@settings(max_examples=5, deadline=None)
@given(
    faults=st.lists(st.tuples(st.sampled_from(sorted(FAULTS)), st.integers(0, CLEAN)), min_size=1, max_size=CLEAN),
    torn=st.booleans(),
)
def test_bad_rows_leave_what_lands_as_it_was(faults: list[tuple[str, int]], torn: bool) -> None:
    """Wherever they stand in the file; a second row of the same stay counts as one as well."""
    clean = [page(serial) for serial in range(CLEAN)]
    soiled = list(clean)
    for number, (fault, place) in enumerate(faults):
        soiled.insert(place, FAULTS[fault](page(100 + number, B34C="5")))
    soiled.append(dict(clean[0], D01="999999.00"))
    columns = "* exclude (source_id, source_row)"
    results = []
    for rows in (clean, soiled):
        lines = [[row.get(name, "-") for name in HEADER] for row in rows]
        if rows is soiled and torn:
            lines.append(lines[0][:-1])
        with tempfile.TemporaryDirectory() as folder:
            hqms(Path(folder), "hqmsts_2022M01.csv", table_csv(HEADER, lines))
            report = land(Path(folder))["hqms_front_page"]
            assert report.rows_landed == CLEAN and report.rows_read == len(lines)
            results.append(sorted(landed(Path(folder), columns), key=repr))
    assert results[0] == results[1]
