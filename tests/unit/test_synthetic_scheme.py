"""The invented scheme and the province coded for it: a sound package, all features used, every group reached."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from string import ascii_uppercase

import pytest
from support.grouper import Case, Scheme, group

from sources.scheme.checks import find_faults
from sources.scheme.package import open_package
from sources.scheme.tables import CODE_KINDS, LIST_ROLES, OTHER_ROLES
from sources.synthetic import ProvinceSummary, casemix, write_demo_schemes, write_province
from sources.synthetic.cells import MISSING, OTHER_SLOTS, operation_columns
from sources.synthetic.front_page import Block
from sources.synthetic.identity import front_page_rows
from sources.synthetic.province import draw_province

SMALL = {"seed": 3, "hospitals": 16, "first_month": "2022-03", "months": 1, "discharges": 6000}
Tables = dict[str, list[dict[str, str]]]


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return write_demo_schemes(tmp_path_factory.mktemp("schemes"), 2022)


@pytest.fixture(scope="module")
def first(packages: list[Path]) -> Tables:
    return read(packages[0])


@pytest.fixture(scope="module")
def second(packages: list[Path]) -> Tables:
    return read(packages[1])


@pytest.fixture(scope="module")
def drawn() -> list[tuple[Block, frozenset[str]]]:
    return list(draw_province(**SMALL))


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> ProvinceSummary:
    """The same cases as files, with errors."""
    return write_province(tmp_path_factory.mktemp("province"), **SMALL, workers=1, broken_files=False)


def read(package: Path) -> Tables:
    return {
        path.stem: list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"), newline="")))
        for path in package.glob("*.csv")
    }


def column(rows: list[dict[str, str]], *names: str) -> set[tuple[str, ...]]:
    return {tuple(row[name] for name in names) for row in rows}


def cases(block: Block, carried: frozenset[str]) -> Iterator[Case]:
    """What the file of a block will tell a grouper."""

    def item(name: str, row: int) -> str:
        text = block.cells[name][row] if name in carried and name in block.cells else MISSING
        return "" if text == MISSING else text

    def whole(name: str, row: int) -> int | None:
        text = item(name, row)
        return int(text) if text else None

    diagnoses = ["C03C", *(f"C06x{slot:02d}C" for slot in range(1, OTHER_SLOTS + 1))]
    operations = [operation_columns(slot)["code"] for slot in range(OTHER_SLOTS + 1)]
    for row in range(len(block)):
        yield Case(
            diagnoses=[item(name, row) for name in diagnoses],
            operations=[item(name, row) for name in operations],
            sex=item("A12C", row),
            age_years=whole("A14", row),
            age_days=whole("A16", row),
            weight_g=whole("A17", row) or whole("A18x01", row),
        )


# --- packages ---


def test_a_package_has_no_fault_but_the_gap_that_leaves_cases_without_a_group(packages: list[Path]) -> None:
    for folder in packages:
        with open_package(folder) as package:
            (gap,) = find_faults(package)
        assert (gap.level, gap.file, gap.values) == ("warning", "drg.csv", ("AH1 缺 none",))


def test_equal_arguments_give_equal_bytes(packages: list[Path], tmp_path: Path) -> None:
    for one, two in zip(packages, write_demo_schemes(tmp_path, 2022), strict=True):
        assert {path.name: path.read_bytes() for path in one.iterdir()} == {
            path.name: path.read_bytes() for path in two.iterdir()
        }


def test_the_second_edition_follows_the_first_in_the_third_year(first: Tables, second: Tables) -> None:
    names = ("scheme_id", "edition", "effective_from", "effective_to")
    assert column(first["scheme"], *names) == {("YUNXIU", "1.0", "2022-01-01", "2024-01-01")}
    assert column(second["scheme"], *names) == {("YUNXIU", "2.0", "2024-01-01", "")}
    for (licence,) in column(first["scheme"] + second["scheme"], "licence"):
        assert "虚构" in licence


def test_the_scheme_is_wide_and_everything_has_a_chinese_name(first: Tables) -> None:
    assert {row["mdc"] for row in first["mdc"]} == set(ascii_uppercase)
    assert len(first["adrg"]) >= 120
    assert {row["mdc"] for row in first["adrg"]} == set(ascii_uppercase)
    for table in ("scheme", "mdc", "adrg", "drg", "edition_code"):
        # a name of a code may begin with a figure, as that of diabetes does
        assert all(any("一" <= char <= "鿿" for char in row["name_zh"]) for row in first[table])


def test_every_feature_of_the_format_is_used(first: Tables) -> None:
    assert {row["kind"] for row in first["adrg"]} == {"surgical", "procedure", "medical"}
    assert {row["role"] for row in first["adrg_condition"]} == {*LIST_ROLES, *OTHER_ROLES}
    for bound in ("age_days_max", "weight_g_min", "weight_g_below"):
        assert any(row[bound] for row in first["adrg_condition"])
    assert {row["kind"] for row in first["code_map"]} == set(CODE_KINDS)
    divided: dict[str, set[str]] = {}
    for row in first["drg"]:
        divided.setdefault(row["adrg"], set()).add(row["severity"])
    assert {frozenset(severities) for severities in divided.values()} == {
        frozenset(severities)
        for severities in (("mcc", "cc", "none"), ("cc", "none"), ("mcc", "any"), ("mcc", "cc"), ("any",))
    }


def test_mdcs_ask_for_what_such_mdcs_ask_for(first: Tables) -> None:
    mdcs = {row["mdc"]: row for row in first["mdc"]}
    assert sorted(mdcs, key=lambda mdc: int(mdcs[mdc]["priority"]))[:6] == list("APYZMN")
    assert mdcs["A"]["requires_valid_procedure"] == "1"
    assert "A" not in {row["mdc"] for row in first["mdc_diagnosis"]}
    assert mdcs["P"]["age_days_max"] == "28"
    assert (mdcs["M"]["sex"], mdcs["N"]["sex"], mdcs["O"]["sex"]) == ("1", "2", "2")
    assert mdcs["Z"]["min_body_regions"] == "2"
    assert len({row["body_region"] for row in first["mdc_diagnosis"] if row["mdc"] == "Z"} - {""}) >= 4


def test_some_conditions_have_alternatives_and_some_ask_for_two_lists(first: Tables) -> None:
    rows = Counter((row["adrg"], row["alternative"], row["role"]) for row in first["adrg_condition"])
    assert {adrg for adrg, alternative, _ in rows if alternative == "2"} >= {"AH1", "FM1", "KD1"}
    assert {adrg for (adrg, _, role), count in rows.items() if role == "any_procedure" and count == 2} == {
        *("CB3", "FM2", "KD1", "VB1")
    }


def test_several_old_codes_may_become_one(first: Tables) -> None:
    became = Counter(row["to_code"] for row in first["code_map"])
    assert became["I63.900"] == 2
    assert {row["from_code"] for row in first["code_map"]}.isdisjoint(row["code"] for row in first["edition_code"])


# --- what the second edition changes ---


def test_groups_are_split_merged_and_divided_anew(first: Tables, second: Tables) -> None:
    before, after = column(first["adrg"], "adrg"), column(second["adrg"], "adrg")
    assert (before - after, after - before) == ({("CC1",)}, {("ES1",)})
    drgs = [{drg for (drg,) in column(tables["drg"], "drg")} for tables in (first, second)]
    assert drgs[0] - drgs[1] == {"CC19", "GU23", "GU25"}
    assert drgs[1] - drgs[0] == {"ES11", "ES13", "ES15", "GU29", "JA11"}


def test_a_code_moves_to_another_mdc(first: Tables, second: Tables) -> None:
    moved = column(first["mdc_diagnosis"], "mdc", "code") ^ column(second["mdc_diagnosis"], "mdc", "code")
    assert moved == {("J", "L03.900"), ("S", "L03.900")}


def test_complications_are_promoted_and_exclusions_change(first: Tables, second: Tables) -> None:
    promoted = {("J98.414", "T01"), ("B37.000", "T09")}
    names = ("code", "exclusion_table")
    assert column(second["mcc"], *names) - column(first["mcc"], *names) == promoted
    assert column(first["cc"], *names) - column(second["cc"], *names) == promoted
    names = ("principal_code", "exclusion_table")
    assert column(first["exclusion"], *names) - column(second["exclusion"], *names) == {("I10.x00", "T03")}
    assert column(second["exclusion"], *names) - column(first["exclusion"], *names) == {
        ("I50.001", "T07"),
        ("I50.900", "T07"),
    }


def test_priorities_swap_and_only_the_second_edition_has_weights(first: Tables, second: Tables) -> None:
    ranks = [{row["adrg"]: int(row["priority"]) for row in tables["adrg"]} for tables in (first, second)]
    assert ranks[0]["FM1"] < ranks[0]["FM2"]
    assert ranks[1]["FM1"] > ranks[1]["FM2"]
    assert "weight" not in first
    assert column(second["weight"], "drg") == column(second["drg"], "drg")


# --- the province coded for it ---


def test_every_drawn_case_comes_to_the_group_it_was_drawn_from(
    first: Tables, drawn: list[tuple[Block, frozenset[str]]]
) -> None:
    """In all dialects, and for all that comes to no group too."""
    scheme = Scheme.from_tables(first)
    astray = {}
    for block, carried in drawn:
        for case, code, reason in zip(cases(block, carried), block.drg, block.ungrouped_reason, strict=True):
            result = group(scheme, case)
            if (result.drg_code or "", result.ungrouped_reason or "") != (code, reason):
                astray[code or reason] = (case, result)
    assert not astray
    assert sum(len(block) for block, _ in drawn) == 6000


def test_the_second_edition_groups_differently_but_no_less(
    first: Tables, second: Tables, drawn: list[tuple[Block, frozenset[str]]]
) -> None:
    editions = [Scheme.from_tables(tables) for tables in (first, second)]
    pairs = Counter()
    for block, carried in drawn[:8]:
        for case in cases(block, carried):
            one, two = (group(scheme, case) for scheme in editions)
            assert one.ungrouped_reason == two.ungrouped_reason
            pairs[one.drg_code, two.drg_code] += 1
    adrgs = {(one[:3], two[:3]) for one, two in pairs if one and one != two}
    assert adrgs >= {("ES2", "ES1"), ("CC1", "CB1"), ("JS1", "SU1"), ("FM1", "FM2"), ("GU2", "GU2")}
    assert 0.5 < sum(count for (one, two), count in pairs.items() if one == two) / pairs.total() < 0.98


def test_old_codes_and_excluded_complications_are_among_the_cases(
    first: Tables, drawn: list[tuple[Block, frozenset[str]]]
) -> None:
    scheme = Scheme.from_tables(first)
    old, excluded = set(), 0
    for block, carried in drawn:
        for case in cases(block, carried):
            old |= {code for code in case.diagnoses if code in casemix.OLD_DIAGNOSES}
            excluded += bool(group(scheme, case).excluded_codes)
    assert len(old) >= 3
    assert excluded > 100


def test_the_commissions_grouper_differs_in_the_rows_that_truth_json_admits_to(
    written: ProvinceSummary, drawn: list[tuple[Block, frozenset[str]]]
) -> None:
    differing = Counter()
    for block, _ in drawn:
        path = f"drg/{block.hospital.organisation_id}/drg_2022M03.csv"
        text = (written.target / "inbox" / path).read_text(encoding="utf-8-sig")
        said = [row["DRG编码"] for row in csv.DictReader(io.StringIO(text))]
        differing[path] = sum(one != two for one, two in zip(said, block.drg, strict=True))
    truth = json.loads((written.target / "truth.json").read_text(encoding="utf-8"))
    assert truth["regrouped"] == {"rows": differing.total(), "files": dict(+differing)}
    assert 15 < differing.total() < 60


def test_a_missing_principal_diagnosis_is_an_error_that_the_province_admits_to(written: ProvinceSummary) -> None:
    principals: dict[str, Counter[str]] = {}
    for path in written.files:
        if "hqmsts_" in path and path not in written.duplicates:
            rows = front_page_rows(written.target / "inbox" / path)
            principals[path] = Counter(row["C03C"] for row in rows if None not in row.values())
    assert any(codes[MISSING] for codes in principals.values())
    unusable = {path: codes[MISSING] + codes["R65.100"] for path, codes in principals.items()}
    admitted = written.faults["hqms_09_main_diagnosis"]
    assert {path: rows for path, rows in unusable.items() if rows} == {
        p: n for p, n in admitted.items() if p in unusable
    }


@pytest.mark.slow
def test_at_the_size_of_the_demo_every_group_occurs_and_every_way_to_none(first: Tables) -> None:
    """Every DRG with each of its principal diagnoses, and of the operations that every list asks for at least one."""
    size = {name: (write_province.__kwdefaults__ or {})[name] for name in SMALL}
    principals: dict[str, set[str]] = {}
    operations: set[str] = set()
    for block, _ in draw_province(**size):
        for code, reason, principal in zip(block.drg, block.ungrouped_reason, block.cells["C03C"], strict=True):
            principals.setdefault(code or reason, set()).add(casemix.OLD_DIAGNOSES.get(principal, principal))
        for slot in range(3):
            operations |= set(block.cells.get(operation_columns(slot)["code"], []))
    expected: dict[str, set[str]] = {}
    for entry in casemix.groups():
        expected.setdefault(entry.code or entry.ungrouped_reason, set()).update(entry.diagnoses)
    assert principals == expected
    assert expected.keys() >= {drg for (drg,) in column(first["drg"], "drg")}
    asked: dict[str, set[str]] = {}
    wanted = {row["list_id"] for row in first["adrg_condition"] if row["role"].endswith("_procedure")} - {""}
    for row in first["code_list"]:
        if row["list_id"] in wanted:
            asked.setdefault(row["list_id"], set()).add(row["code"])
    assert [name for name, codes in asked.items() if not codes & operations] == []
