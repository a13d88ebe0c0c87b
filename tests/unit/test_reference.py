"""The reference tables are facts: complete, without contradiction, and readable as text only."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import pytest

from sources.contract import REFERENCE_DIR, load_contracts


def table(name: str) -> list[dict[str, str]]:
    with (REFERENCE_DIR / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


DIVISIONS = {row["division"]: row for row in table("divisions")}
SPECIALTIES = {row["specialty_code"]: row for row in table("specialties")}
LISTS: dict[str, dict[str, str]] = {}
for entry in table("code_lists"):
    LISTS.setdefault(entry["list_id"], {})[entry["code"]] = entry["name_zh"]


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("code_lists", ("list_id", "code")),
        ("specialties", ("specialty_code",)),
        ("divisions", ("division",)),
        ("address_names", ("name",)),
        ("postcodes", ("prefix",)),
        ("rc036_divisions", ("code",)),
        ("dossier_items", ("item_code",)),
        ("single_diseases", ("disease_code",)),
        ("single_disease_codes", ("disease_code", "part", "code_prefix")),
    ],
)
def test_each_table_has_unique_keys_and_clean_text(name: str, key: tuple[str, ...]) -> None:
    rows = table(name)
    repeated = [k for k, n in Counter(tuple(row[c] for c in key) for row in rows).items() if n > 1]
    assert rows and not repeated
    assert all(value is not None and value == value.strip() for row in rows for value in row.values())
    raw = (REFERENCE_DIR / f"{name}.csv").read_bytes()
    assert raw.endswith(b"\n") and b"\r" not in raw and not raw.startswith(b"\xef\xbb\xbf")


def test_every_table_is_covered_by_this_test() -> None:
    known = {
        "code_lists",
        "specialties",
        "divisions",
        "address_names",
        "postcodes",
        "rc036_divisions",
        "dossier_items",
        "single_diseases",
        "single_disease_codes",
    }
    assert {path.stem for path in Path(REFERENCE_DIR).glob("*.csv")} == known


def test_code_lists_hold_what_the_interface_defines() -> None:
    assert all(all(names.values()) for names in LISTS.values())
    assert LISTS["RC019"] | {} == {
        "1": "医嘱离院",
        "2": "医嘱转院",
        "3": "医嘱转社区卫生服务机构/乡镇卫生院",
        "4": "非医嘱离院",
        "5": "死亡",
        "9": "其他",
    }
    # three lists for yes and no, each with its own convention
    assert (LISTS["RC016"]["1"], LISTS["RC037"]["1"], LISTS["RC039"]["1"]) == ("是", "无", "是")
    assert {"3", "6", "9", "10", "20", "30"} < set(LISTS["RC014"])
    assert sum(1 for code in LISTS["RC035"] if code.isdigit() and not code.startswith("0")) == 58
    assert len(LISTS["SINGLE_DISEASE"]) == 51
    assert list(LISTS["APPRAISAL_GRADE"])[:5] == ["A++", "A+", "A", "B++", "B+"]


def test_rc023_is_the_specialty_table() -> None:
    assert LISTS["RC023"] == {code: row["name_zh"] for code, row in SPECIALTIES.items()}


def test_lists_named_by_contracts_exist_and_cover_their_maps() -> None:
    for contract in load_contracts().values():
        for field in contract.fields:
            if field.code_list:
                assert field.code_list in LISTS, (contract.layout, field.source)
                # a map decides alone what is accepted: it must reach every code of its list and no other
                accepted = set(field.map.values()) or set(LISTS[field.code_list])
                assert accepted == set(LISTS[field.code_list]), (contract.layout, field.source)
        for group in contract.lists:
            for column in group.columns.values():
                assert column.code_list is None or column.code_list in LISTS, (contract.layout, column.name)


def test_specialties_have_their_parents_and_kinds() -> None:
    for code, row in SPECIALTIES.items():
        assert row["parent_code"] == (code[:2] if len(code) == 4 else "")
        assert not row["parent_code"] or row["parent_code"] in SPECIALTIES
        assert row["kind"] in {"surgical", "medical", "platform", "other"}
    assert SPECIALTIES["0304"]["name_zh"] == "心血管内科专业"
    assert {code for code, row in SPECIALTIES.items() if row["kind"] == "platform" and len(code) == 2} == {
        "26",
        "28",
        "30",
        "31",
        "32",
    }
    assert {SPECIALTIES[code]["kind"] for code in ("0401", "0406", "0501", "10", "5010")} == {"surgical"}


def test_divisions_form_a_tree() -> None:
    parent_level = {"prefecture": {"province"}, "county": {"prefecture", "province"}}
    for code, row in DIVISIONS.items():
        assert len(code) == 6 and code.isdigit()
        if row["level"] == "province":
            assert code.endswith("0000") and row["parent"] == ""
        else:
            assert DIVISIONS[row["parent"]]["level"] in parent_level[row["level"]]
            assert row["parent"][:2] == code[:2]
        start, end = row["effective_from"], row["effective_to"]
        assert not (start and end) or start < end
    levels = Counter(code[:2] for code, row in DIVISIONS.items() if row["level"] == "province")
    assert len(levels) == 34 + 1  # 31 on the mainland, 3 others, and the demo province


def test_divisions_follow_changes_of_territory() -> None:
    assert DIVISIONS["110228"]["effective_to"] == "2015-01-01"  # 密云县 became 密云区
    assert DIVISIONS["110118"]["effective_from"] == "2015-01-01"
    assert (DIVISIONS["330113"]["name_zh"], DIVISIONS["330113"]["effective_from"]) == ("临平区", "2021-01-01")
    assert DIVISIONS["419001"]["parent"] == "410000"  # 济源市, managed by the province
    assert DIVISIONS["500101"]["parent"] == "500000"


def test_the_demo_province_cannot_be_mistaken_for_a_real_one() -> None:
    demo = {code: row["name_zh"] for code, row in DIVISIONS.items() if code.startswith("99")}
    real = {row["name_zh"] for code, row in DIVISIONS.items() if not code.startswith("99")}
    assert len(demo) == 20 and demo["990100"] == "岫宁市" and demo["990621"] == "汀芷县"
    assert not real & set(demo.values())


def resolve(address: str) -> str:
    """The longest name at the head of the address, as a reader of the table would do it."""
    names = {row["name"]: row["division"] for row in table("address_names")}
    heads = [address[:length] for length in range(len(address), 1, -1) if address[:length] in names]
    return names[heads[0]] if heads else ""


@pytest.mark.parametrize(
    ("address", "division"),
    [
        ("四川省成都市武侯区", "510000"),
        ("四川成都市武侯区", "510000"),
        ("成都市武侯区", "510100"),
        ("成都武侯区", "510100"),
        ("内蒙古自治区包头市", "150000"),
        ("内蒙古包头市", "150000"),
        ("恩施土家族苗族自治州利川市", "422800"),
        ("恩施州利川市", "422800"),
        ("吉林省吉林市昌邑区", "220000"),
        ("吉林市昌邑区", "220200"),
        ("海南州共和县", "632500"),
        ("海南琼海", "460000"),
        ("济源市", "419001"),
        ("铜仁地区松桃县", "522200"),
        ("云岫省岫宁市东岫区", "990000"),
        ("栖岚市雾泽县", "990200"),
        ("朝阳区建国路", ""),  # a district of several cities is no prefecture
        ("人民路1号", ""),
    ],
)
def test_names_resolve_as_address_heads(address: str, division: str) -> None:
    assert resolve(address) == division


def test_address_names_point_to_divisions_and_short_forms_are_unambiguous() -> None:
    rows = table("address_names")
    assert {row["kind"] for row in rows} == {"full", "short"}
    for row in rows:
        division = DIVISIONS[row["division"]]
        assert (row["name"] == division["name_zh"]) == (row["kind"] == "full")
        assert len(row["name"]) >= 2
    covered = {row["division"] for row in rows if row["kind"] == "full"}
    assert {code for code, row in DIVISIONS.items() if row["level"] == "province"} <= covered
    assert {code for code, row in DIVISIONS.items() if row["level"] == "prefecture"} <= covered


def by_postcode(postcode: str) -> str:
    prefixes = {row["prefix"]: row["division"] for row in table("postcodes")}
    return next((prefixes[postcode[:n]] for n in range(6, 1, -1) if postcode[:n] in prefixes), "")


@pytest.mark.parametrize(
    ("postcode", "division"),
    [
        ("100010", "110000"),
        ("610041", "510000"),
        ("400010", "500000"),
        ("137000", "220000"),
        ("137400", "150000"),  # 兴安盟 shares two digits with 吉林
        ("750306", "150000"),  # 阿拉善左旗 shares two digits with 宁夏
        ("202450", "330000"),  # 嵊泗县 shares two digits with 上海
        ("990100", "990000"),
        ("999077", "810000"),
        ("000000", ""),
    ],
)
def test_postcodes_resolve_by_their_longest_prefix(postcode: str, division: str) -> None:
    assert by_postcode(postcode) == division


def test_postcodes_reach_every_province() -> None:
    assert {row["division"] for row in table("postcodes")} == {
        code for code, row in DIVISIONS.items() if row["level"] == "province"
    }


def test_rc036_counts_provinces_in_order_and_is_no_division_code() -> None:
    mapping = {row["code"]: row["division"] for row in table("rc036_divisions")}
    assert list(mapping) == [str(n) for n in range(1, 35)]
    assert (mapping["1"], mapping["23"], mapping["31"]) == ("110000", "510000", "650000")
    for code, division in mapping.items():
        assert LISTS["RC036"][code] == DIVISIONS[division]["name_zh"]
    assert LISTS["RC036"]["35"] == "外籍"


# every requirement of the policies that only a dossier can answer, in whole or in part
FROM_DOSSIER = """
N-04 N-14 N-15 N-25 N-31 N-32 N-33 N-35 N-36 N-39 N-41
NI-01a NI-01b NI-02 NI-03 NI-04 NI-05 NI-06 NI-07 NI-08 NI-18 NI-19 NI-20 NI-21 NI-22 NI-24 NI-25 NI-26 NI-27
G-02 G-10 G-11 G-12 G-15 G-16 G-18 G-19 G-21 G-22 G-24 B-17 B-21 B-22 B-23 B-24 B-25 B-26 B-32 B-33
BI-02 BI-07 BI-08 BI-09 BI-10 BI-11 BI-20 Z-09 Z-16 Z-17 Z-18 Z-19
ZI-13 ZI-21 ZI-22 ZI-31 ZI-32 ZI-33 ZI-34 ZI-41 ZI-42 ZI-43 ZI-51 ZI-52 ZI-53 ZI-62 ZI-72 ZI-73 ZI-74 ZI-83
"""


def test_dossier_items_answer_every_requirement_that_needs_them() -> None:
    rows = table("dossier_items")
    answered = {requirement for row in rows for requirement in row["requirements"].split(";")}
    assert set(FROM_DOSSIER.split()) <= answered
    for row in rows:
        assert row["value_kind"] in {"number", "text", "choice", "flag"}, row
        assert bool(row["unit"]) == (row["value_kind"] == "number"), row
        assert bool(row["choices"]) == (row["value_kind"] == "choice"), row
        assert row["clause"] and row["period"] and len(row["choices"].replace("|", ",")) <= 255, row
