"""The golden province: 42 discharges that a person can count, against what a whole run publishes.

The table is `golden_discharges.csv`, the figures counted by eye are `golden_counted_by_hand.csv`, and `count.py` counts
every remaining cell with plain loops and fractions; `test_golden_count.py` holds the last two against each other.
"""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal, localcontext
from fractions import Fraction

import duckdb
import pytest
from backtests.count import count_everything, discharges, value
from backtests.golden import ORGANISATIONS, QUARANTINED, write_golden_inbox
from backtests.test_golden_count import by_hand, exact

KEYS = ("attribution", "window_id", "hospital_id", "specialty_code", "indicator_id")
NAMES = {organisation: name for name, organisation in ORGANISATIONS.items()}
NOT_APPLICABLE = {
    *("level4_surgery_share", "minimally_invasive_share", "robot_assisted_share"),
    *("day_surgery_share", "surgical_complication_rate"),
    *("incision_infection_rate", "rescue_success_rate", "cure_improvement_rate", "cure_rate"),
    *("concentration_largest_share", "concentration_hhi"),
}


@pytest.fixture(scope="session")
def golden_home(shared, job):
    def build(home):
        write_golden_inbox(home)
        job.run(home).must_succeed()

    return shared("golden", build)


@pytest.fixture(scope="session")
def published(golden_home):
    """(attribution, window, hospital, specialty, indicator) -> the published row."""
    found = duckdb.sql(f"select * from '{golden_home}/current/data/fct_indicator.parquet'")
    rows = (dict(zip(found.columns, row, strict=True)) for row in found.fetchall())
    return {
        tuple(NAMES.get(row[key], row[key]) if key == "hospital_id" else row[key] for key in KEYS): row for row in rows
    }


def decimals(value: Fraction, places: int = 8) -> Decimal:
    with localcontext() as context:
        context.prec = 60
        quotient = Decimal(value.numerator) / Decimal(value.denominator)
        return quotient.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)


@pytest.mark.parametrize("line", by_hand(), ids=lambda line: "/".join(list(line.values())[:4]))
def test_counted_by_hand(published, line):
    row = published["department", line["window"], line["hospital"], line["specialty"], line["indicator"]]
    numerator = exact(line["numerator"])
    assert row["numerator"] == decimals(numerator)
    if not line["denominator"]:
        assert (row["denominator"], row["value"]) == (None, numerator)
    elif denominator := exact(line["denominator"]):
        assert row["denominator"] == denominator
        assert abs(Fraction(row["value"]) - numerator / denominator) <= Fraction(1, 10**8)
    else:
        assert (row["denominator"], row["value"]) == (0, None)


@pytest.mark.parametrize("attribution", ["department", "mdc"])
def test_every_cell(published, attribution):
    """All hospitals, specialties and windows, all indicators: nothing missing, nothing more, nothing different."""
    counted = count_everything(discharges(), attribution)
    expected = {(attribution, *cell, name): pair for cell, names in counted.items() for name, pair in names.items()}
    rows = {key: row for key, row in published.items() if key[0] == attribution}
    assert rows.keys() == expected.keys()
    different = {}
    for key, (numerator, denominator) in expected.items():
        row = rows[key]
        of_count = value(numerator, denominator)
        same_value = (row["value"] is None) == (of_count is None) and (
            of_count is None or abs(Fraction(row["value"]) - of_count) <= Fraction(1, 10**8)
        )
        if not (row["numerator"] == decimals(numerator) and row["denominator"] == denominator and same_value):
            different[key] = (row["numerator"], row["denominator"], row["value"], numerator, denominator)
    assert different == {}


def test_region_is_its_own_measure(published):
    for key, row in published.items():
        region = published[(*key[:2], "REGION", *key[3:])]
        assert row["benchmark"] == region["value"]
        if key[2:4] == ("REGION", "ALL") and key[4] in ("cmi", "cost_consumption_index", "time_consumption_index"):
            assert row["value"] == 1


def test_no_value_without_a_reason(published):
    for key, row in published.items():
        if row["value"] is not None:
            assert row["status"] == "valued"
        else:
            assert row["status"] == ("not_applicable" if key[4] in NOT_APPLICABLE else "not_scored")
            assert row["status_reason"]
        if key[4] == "drg_group_count" and row["value"] == 0:
            assert "无分组结果" in row["status_reason"], "a zero that only says that nothing was grouped"


def test_short_windows_say_so(published):
    def reason(window: str, hospital: str) -> str | None:
        return published["department", window, hospital, "ALL", "discharge_count"]["status_reason"]

    # by eye: all twelve months of 2022 and 2023 have a discharge somewhere, 2024 ends in May
    assert reason("2022", "REGION") is None
    assert reason("2023", "REGION") is None
    assert "2024-06" in reason("2024", "REGION") and "2024-12" in reason("2024", "REGION")
    assert "2024-06" in reason("2022-2024", "REGION")
    # H1 has no discharge in February, June, August, October and December 2022
    for month in ("2022-02", "2022-06", "2022-08", "2022-10", "2022-12"):
        assert month in reason("2022", "H1")
    assert "5" in reason("2022", "H1") and "2022-03" not in reason("2022", "H1")


def test_windows(golden_home):
    windows = dict(
        duckdb.sql(f"select window_id, is_complete from '{golden_home}/current/data/dim_window.parquet'").fetchall()
    )
    assert windows == {
        **{"2022": True, "2023": True, "2024": False},
        **{"2020-2022": False, "2021-2023": False, "2022-2024": False},
    }


def test_risk_classes(golden_home):
    """The four classes of the pooled window, as worked out in the comments of the hand count."""
    found = duckdb.sql(
        f"""select drg_code, risk_class, case_count, death_count
            from '{golden_home}/current/data/ref_drg_risk.parquet' where window_id = '2022-2024' order by 1"""
    ).fetchall()
    assert found == [
        ("ES31", "1", 12, 1),
        ("FB29", "4", 4, 2),
        ("FR21", "2", 10, 2),
        ("GB11", "3", 8, 2),
        ("RU14", "1", 2, 0),
    ]


def test_benchmarks(golden_home):
    found = duckdb.sql(
        f"""select drg_code, case_count, cost_fen_sum, los_days_sum, weight
            from '{golden_home}/current/data/ref_drg_benchmark.parquet' where window_id = '2022-2024' order by 1"""
    ).fetchall()
    assert found == [
        ("ES31", 12, 8_400_500, 85, decimals(Fraction(84005, 12) * 36 / 530005, 12)),
        ("FB29", 4, 24_000_000, 32, decimals(Fraction(60000 * 36, 530005), 12)),
        ("FR21", 10, 11_000_000, 148, decimals(Fraction(11000 * 36, 530005), 12)),
        ("GB11", 8, 8_600_000, 44, decimals(Fraction(10750 * 36, 530005), 12)),
        ("RU14", 2, 1_000_000, 7, decimals(Fraction(5000 * 36, 530005), 12)),
    ]


def test_what_did_not_land_is_counted(golden_home):
    quarantine = f"'{golden_home}/quarantine/hqms_front_page/*.parquet'"
    assert duckdb.sql(f"select count(*) from {quarantine}").fetchone() == (QUARANTINED,)
