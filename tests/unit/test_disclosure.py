"""The public edition: nothing that was suppressed can be worked out from what is published."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

import pytest
import yaml
from attack import Knowledge, knowledge, narrow
from candidate_marts import SEEDS, WINDOW, candidate_marts
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from publishing.disclosure import DisclosureError, Policy, given_away, write_public_edition
from publishing.disclosure.edition import MARTS
from publishing.disclosure.rules import DERIVABLE, SMALL, Cell, Relations, suppressed
from publishing.manifest import digests

POLICY = Policy()
WIDTH = (POLICY.threshold - 1) // 2  # a suppressed count stays open by at least this much
HALF = Decimal("0.00005")  # half of 0.01 %
NONE = Relations(totals=(), same=())
INDICATORS = {
    row["indicator_id"]: row
    for row in csv.DictReader((SEEDS / "indicators" / "indicators.csv").open(encoding="utf-8", newline=""))
}


def cells(counts: Mapping[str, int], hospital: str = "H1") -> list[Cell]:
    """The cells of every registered indicator whose counts are given."""
    made = []
    for name, row in INDICATORS.items():
        over, under = row["numerator_measure"], row["denominator_measure"] or None
        persons = row["is_share"] == "true" or row["unit"] == "人次"
        if not persons or over not in counts or (under and not counts.get(under)):
            continue
        below = None if under is None else Decimal(counts[under])
        cases = counts[under] if under else counts.get("discharge_count", counts[over])
        made.append(Cell(hospital, "0304", name, over, under, Decimal(counts[over]), below, cases, persons))
    return made


def hidden_indicators(counts: Mapping[str, int]) -> dict[str, str]:
    return {key[2]: reason for key, reason in suppressed(cells(counts), POLICY).items()}


def recomputed(table: list[Cell], hidden: Mapping[tuple[str, str, str], str]) -> list[object]:
    known = knowledge(table, hidden, POLICY, HALF)
    return [key for key, _, _ in narrow(table, hidden, POLICY, WIDTH, known)]


def test_small_counts_are_suppressed_and_noughts_and_large_ones_are_not() -> None:
    for deaths, expected in ((0, {}), (1, {SMALL}), (9, {SMALL}), (10, {}), (400, {})):
        found = hidden_indicators({"discharge_count": 1000, "death_count": deaths})
        assert set(found.values()) == set(expected), deaths


def test_what_remains_of_a_denominator_counts_as_well() -> None:
    assert hidden_indicators({"known_outcome_count": 500, "cured_or_improved_count": 497}) == {
        "cure_improvement_rate": SMALL
    }


def test_a_small_denominator_suppresses_whatever_stands_above_it() -> None:
    found = hidden_indicators({"discharge_count": 300, "surgery_count": 7, "level4_surgery_count": 0})
    assert found == {"surgery_count": SMALL, "level4_surgery_share": SMALL}


def test_a_mean_needs_several_times_as_many_cases() -> None:
    def mean(cases: int) -> Cell:
        return Cell("H1", "0304", "cmi", "weight_sum", "weighted_count", Decimal(40), Decimal(cases), cases, False)

    assert suppressed([mean(29)], POLICY) == {("H1", "0304", "cmi"): SMALL}
    assert suppressed([mean(30)], POLICY) == {}


def test_nought_of_a_few_is_published_as_a_count_and_not_as_a_share() -> None:
    assert hidden_indicators({"discharge_count": 200, "transfer_in_count": 0, "transfer_in_critical_count": 0}) == {}
    few = Cell("H1", "0304", "single_disease_process_share", "met", "due", Decimal(0), Decimal(40), 3, True)
    assert suppressed([few], POLICY) == {few.key: SMALL}


def test_a_total_goes_with_its_part_and_a_subtraction_finds_nothing() -> None:
    counts = {
        "low_risk_count": 400,
        "low_risk_death_count": 3,
        "mid_low_risk_count": 300,
        "mid_low_risk_death_count": 12,
        "low_and_mid_low_risk_count": 700,
        "low_and_mid_low_risk_death_count": 15,
    }
    table = cells(counts)
    only_small = suppressed(table, POLICY, relations=NONE)
    assert set(only_small.values()) == {SMALL}
    (found,) = narrow(table, only_small, POLICY, WIDTH, knowledge(table, only_small, POLICY, HALF))
    assert found[0][2] == "mortality_low_risk" and round(found[1]) == round(found[2]) == 3  # the attack succeeds
    safe = suppressed(table, POLICY)
    assert safe["H1", "0304", "mortality_low_and_mid_low_risk"] == DERIVABLE
    assert recomputed(table, safe) == []


def test_a_difference_of_published_totals_is_a_cell_too() -> None:
    found = hidden_indicators({"known_outcome_count": 500, "cured_or_improved_count": 204, "cured_count": 200})
    assert found == {"cure_improvement_rate": DERIVABLE}


def test_where_everybody_knows_the_total_another_part_covers() -> None:
    counts = {"discharge_count": 304, "death_count": 0}
    for name, cases in (("low", 4), ("mid_low", 100), ("mid_high", 40), ("high", 160)):
        counts |= {f"{name}_risk_count": cases, f"{name}_risk_death_count": 0}
    table = cells(counts)
    safe = suppressed(table, POLICY)
    # no death among four cases: the nought goes with its denominator, and so does the total that would tell it
    assert {key[2] for key in safe} == {"mortality_low_risk", "mortality_mid_high_risk", "mortality_rate"}
    for hidden, expected in ((suppressed(table, POLICY, relations=NONE), True), (safe, False)):
        least, most = knowledge(table, hidden, POLICY, HALF).interval(("H1", "low_risk_count"))
        assert (most - least < WIDTH) is expected


def test_a_hidden_total_is_not_enclosed_by_its_part_and_its_denominator() -> None:
    counts = {"discharge_count": 400, "surgical_discharge_count": 397, "surgery_count": 397}
    counts |= {"elective_surgery_count": 396, "complication_count": 40}
    table = cells(counts)
    for hidden, found in ((suppressed(table, POLICY, relations=NONE), True), (suppressed(table, POLICY), False)):
        least, most = knowledge(table, hidden, POLICY, HALF).interval(("H1", "surgical_discharge_count"))
        assert (most - least < WIDTH) is found


def _part(total: int, share: int) -> int:
    return total * share // 1000


@st.composite
def hospitals(draw: st.DrawFn) -> dict[str, int]:
    """Counts that keep all definitions, with many small ones."""
    share = st.one_of(st.integers(0, 1000), st.integers(0, 40), st.integers(960, 1000))
    cases = {name: draw(st.integers(0, 60)) for name in ("low", "mid_low", "mid_high", "high")}
    deaths = {name: _part(number, draw(share)) for name, number in cases.items()}
    ungrouped = draw(st.integers(0, 12))
    discharges = sum(cases.values()) + ungrouped
    counts = {"discharge_count": discharges, "death_count": sum(deaths.values()) + _part(ungrouped, draw(share))}
    for name, number in cases.items():
        counts |= {f"{name}_risk_count": number, f"{name}_risk_death_count": deaths[name]}
    counts["low_and_mid_low_risk_count"] = cases["low"] + cases["mid_low"]
    counts["low_and_mid_low_risk_death_count"] = deaths["low"] + deaths["mid_low"]
    counts["critical_base_count"] = sum(cases.values())
    counts["critical_case_count"] = cases["mid_high"] + cases["high"]
    counts["surgical_discharge_count"] = counts["surgery_count"] = _part(discharges, draw(share))
    counts["level4_surgery_count"] = _part(counts["surgery_count"], draw(share))
    counts["elective_surgery_count"] = _part(counts["surgery_count"], draw(share))
    counts["complication_count"] = _part(counts["elective_surgery_count"], draw(share))
    counts["known_city_count"] = counts["known_residence_count"] = counts["known_outcome_count"] = discharges
    counts["out_of_city_count"] = _part(discharges, draw(share))
    counts["out_of_province_count"] = _part(counts["out_of_city_count"], draw(share))
    counts["cured_or_improved_count"] = _part(discharges, draw(share))
    counts["cured_count"] = _part(counts["cured_or_improved_count"], draw(share))
    return counts


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(hospitals())
def test_no_suppressed_count_can_be_recomputed(counts: dict[str, int]) -> None:
    table = cells(counts)
    assert recomputed(table, suppressed(table, POLICY)) == []


def test_windows_that_overlap_give_no_year_away() -> None:
    """2021–2023 and 2023–2025 are published, 2022–2024 is suppressed: the years in between are nobody's to know."""
    known = Knowledge()
    years = {year: ("H1", str(year)) for year in range(2021, 2026)}
    for first, least, most in ((2021, 30, 30), (2022, 1, 9), (2023, 12, 12)):
        known.add(least, {years[year]: 1 for year in range(first, first + 3)}, most)
    known.add(0, {("H1", "window"): 1} | {years[year]: -1 for year in (2022, 2023, 2024)}, 0)
    least, most = known.interval(("H1", "window"))
    assert most - least >= WIDTH


# The edition as written ------------------------------------------------------------------------------------------

SMALL_CELL = f"""
    update fct_indicator set numerator = 4, value = 0.004
    where hospital_id = 'H3' and indicator_id = 'mortality_mid_low_risk' and window_id = '{WINDOW}'
        and specialty_code = '0304'"""


def edition(folder: Path, changes: str = "", **more: object) -> Path:
    data = candidate_marts(folder / "data", changes)
    write_public_edition(data, folder / "public", programme_id="national_2021", window_id=WINDOW, **more)  # type: ignore[arg-type]
    return folder / "public"


def table(folder: Path, name: str) -> list[dict[str, str]]:
    with (folder / "data" / f"{name}.csv").open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def place(row: Mapping[str, str]) -> tuple[str, str, str]:
    return row["specialty_code"], row["hospital_id"], row["indicator_id"]


def test_a_suppressed_cell_is_listed_with_its_reason_and_stands_in_no_table(tmp_path: Path) -> None:
    public = edition(tmp_path, SMALL_CELL)
    cell = ("0304", "H3", "mortality_mid_low_risk")
    (row,) = [row for row in table(public, "suppressed") if place(row) == cell]
    assert row["reason"].startswith("人数少于 10")
    assert cell not in {place(row) for row in table(public, "values")}
    assert ("0304", "H2", "mortality_mid_low_risk") in {place(row) for row in table(public, "values")}
    assert ("0402", "H3", "mortality_mid_low_risk") in {place(row) for row in table(public, "values")}


def test_the_province_is_published_only_where_nobody_is_suppressed(tmp_path: Path) -> None:
    public = edition(tmp_path, SMALL_CELL)
    published = {(row["specialty_code"], row["indicator_id"]) for row in table(public, "benchmarks")}
    assert ("0304", "mortality_mid_low_risk") not in published
    assert ("0402", "mortality_mid_low_risk") in published
    # with the province's value the cell would be known: 3 hospitals of 1000 cases, 12 deaths, 8 of them elsewhere
    known = Knowledge()
    counts = {hospital: (hospital, "deaths") for hospital in ("H1", "H2", "H3")}
    known.add(5, {counts["H1"]: 1}, 5)
    known.add(3, {counts["H2"]: 1}, 3)
    known.add(1, {counts["H3"]: 1}, 9)
    assert known.interval(counts["H3"]) == (1, 9)
    known.add(12, dict.fromkeys(counts.values(), 1), 12)
    assert known.interval(counts["H3"]) == (4, 4)


def test_neither_counts_nor_scores_nor_years_are_published(tmp_path: Path) -> None:
    public = edition(tmp_path)
    heads = [file.read_text("utf-8-sig").partition("\n")[0] for file in (public / "data").glob("*.csv")]
    columns = {name for head in heads for name in head.strip().split(",")}
    assert not columns & {"numerator", "denominator", "case_count", "score", "scale_score", "coverage", "window_id"}
    assert {row["hospital_id"] for row in table(public, "values")} == {"H1", "H2", "H3"}


def test_values_are_rounded_for_the_public(tmp_path: Path) -> None:
    change = f"""
        update fct_indicator set value = 0.12345678 where indicator_id = 'critical_case_share'
            and hospital_id = 'H1' and window_id = '{WINDOW}';
        update fct_indicator set numerator = 333, value = 333 where indicator_id = 'transfer_in_critical_count'
            and hospital_id = 'H1' and window_id = '{WINDOW}'"""
    found = {place(row): row["value"] for row in table(edition(tmp_path, change), "values")}
    assert found["0304", "H1", "critical_case_share"] == "12.35"
    assert found["0304", "H1", "transfer_in_critical_count"] == "335"


def test_ranks_are_published_where_dossiers_outweigh_or_nothing_is_suppressed(tmp_path: Path) -> None:
    open_values = f"update fct_indicator set numerator = 300, value = numerator / 1000 where window_id = '{WINDOW}'"
    assert len(table(edition(tmp_path / "open", open_values), "ranking")) == 6
    dossiers = table(edition(tmp_path / "dossiers", SMALL_CELL), "ranking")  # 17 of 28 entries, and reputation
    assert [row["rank"] for row in dossiers if row["specialty_code"] == "0304"] == ["1", "2", "3"]
    one_without = (
        "; update fct_item set scale_score = null where hospital_id = 'H2' and data_window is distinct from '2022-2024'"
    )
    without = edition(tmp_path / "without", SMALL_CELL + one_without)
    assert "0304" not in {row["specialty_code"] for row in table(without, "ranking")}
    assert [row["reason"][:2] for row in table(without, "suppressed") if row["tier"]] == ["名次"]


def test_what_was_suppressed_once_stays_suppressed_for_its_window(tmp_path: Path) -> None:
    first = edition(tmp_path / "r1", SMALL_CELL)
    second = edition(tmp_path / "r2", SMALL_CELL.replace("= 4", "= 14"), earlier=[first])
    (row,) = [row for row in table(second, "suppressed") if place(row) == ("0304", "H3", "mortality_mid_low_risk")]
    assert row["reason"] == "此前的公开版已隐去"


def test_an_edition_made_beside_another_is_found_to_publish_what_that_suppresses(tmp_path: Path) -> None:
    first = edition(tmp_path / "one", SMALL_CELL)
    beside = edition(tmp_path / "other", SMALL_CELL.replace("= 4", "= 14"))
    assert ("H3", "0304", "mortality_mid_low_risk") in given_away(beside, [first])
    assert given_away(first, [beside]) == []
    with pytest.raises(DisclosureError, match="长短不同的窗口"):
        given_away(edition(tmp_path / "year", "update dim_window set years = 1"), [first])


def test_windows_of_other_lengths_are_refused(tmp_path: Path) -> None:
    first = edition(tmp_path / "three")
    with pytest.raises(DisclosureError, match="长短不同的窗口"):
        edition(tmp_path / "one", "update dim_window set years = 1", earlier=[first])


def test_an_unregistered_organisation_is_not_named_and_takes_the_benchmark_with_it(tmp_path: Path) -> None:
    public = edition(tmp_path, "update dim_hospital set is_registered = false where hospital_id = 'H1'")
    assert all(
        row["hospital_id"] != "H1" for file in ("values", "suppressed", "ranking") for row in table(public, file)
    )
    assert table(public, "benchmarks") == []


def test_the_description_names_every_file_with_its_hashes_and_the_rules(tmp_path: Path) -> None:
    public = edition(tmp_path, policy=Policy(threshold=12), notices=["示例提示"])
    package = json.loads((public / "datapackage.json").read_text("utf-8"))
    assert package["disclosure"]["threshold"] == 12 and package["notices"] == ["示例提示"]
    files = {path.relative_to(public).as_posix() for path in public.rglob("*") if path.is_file()}
    assert {resource["path"] for resource in package["resources"]} == files - {"datapackage.json"}
    for resource in package["resources"]:
        assert resource["hash"] == digests(public / resource["path"])["hash"]
        if resource["format"] == "csv":
            head = table(public, resource["name"]) or [{}]
            names = [field["name"] for field in resource["schema"]["fields"]]
            assert not head[0] or names == list(head[0])


def test_equal_marts_give_equal_bytes(tmp_path: Path) -> None:
    first, second = edition(tmp_path / "a", SMALL_CELL), edition(tmp_path / "b", SMALL_CELL)
    for file in sorted(first.rglob("*.*")):
        assert file.read_bytes() == (second / file.relative_to(first)).read_bytes()


def test_every_mart_has_a_verdict() -> None:
    """A mart that nobody judged is not public; here somebody is made to judge it."""
    models = (SEEDS.parent / "models" / "marts").rglob("*.sql")
    named = {path.stem for path in models if re.match(r"(dim|fct|ref)_", path.stem)}
    assert set(yaml.safe_load(MARTS.read_text("utf-8"))) == named
