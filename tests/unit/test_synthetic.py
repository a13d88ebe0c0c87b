"""The demo province: genuine formats, repeatable bytes, exact money, and exactly the errors that it admits to."""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import io
import json
import zipfile
from collections import Counter
from pathlib import Path

import pytest

from sources.contract import load_contracts
from sources.synthetic import ProvinceSummary, identity_values, write_province
from sources.synthetic.front_page import FEE_ITEMS, FEE_PARTS
from sources.synthetic.identity import front_page_rows
from sources.synthetic.layouts import abcd_layout, official_columns, p_layout, pinyin_layout
from sources.synthetic.people import identity_number, make_hospitals, organisation_code


def hashes(root: Path) -> dict[str, str]:
    return {
        path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def province(tmp_path_factory: pytest.TempPathFactory) -> ProvinceSummary:
    """Sixteen hospitals, two months, clean rows and dirty ones."""
    return write_province(
        tmp_path_factory.mktemp("province"),
        seed=1,
        hospitals=16,
        first_month="2022-12",
        months=2,
        discharges=6000,
        workers=1,
    )


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> ProvinceSummary:
    """The same without errors."""
    return write_province(
        tmp_path_factory.mktemp("clean"),
        seed=1,
        hospitals=16,
        first_month="2022-12",
        months=1,
        discharges=3000,
        workers=1,
        dirt=False,
        broken_files=False,
    )


def front_pages(province: ProvinceSummary) -> dict[str, list[dict[str, str]]]:
    """Readable front page files that carry the A/B/C/D codes, by path."""
    found = {}
    for path in province.files:
        if path.startswith("hqms/") and "hqmsts_" in path:
            found[path] = list(front_page_rows(province.target / "inbox" / path))
    return found


def fen(text: str) -> int:
    yuan, _, cents = text.partition(".")
    return int(yuan) * 100 + int(cents)


def test_equal_arguments_give_equal_bytes_whatever_the_number_of_workers(tmp_path: Path) -> None:
    small = {"hospitals": 9, "first_month": "2023-01", "months": 2, "discharges": 300}
    one = write_province(tmp_path / "one", seed=5, workers=1, **small)
    two = write_province(tmp_path / "two", seed=5, workers=2, **small)
    other = write_province(tmp_path / "other", seed=6, workers=1, **small)
    assert hashes(one.target) == hashes(two.target)
    same = {path for path, digest in hashes(other.target).items() if hashes(one.target).get(path) == digest}
    assert not [path for path in same if path.startswith(("inbox/hqms/", "inbox/drg/"))]


def test_the_642_collection_codes_stand_in_the_order_of_the_interface() -> None:
    names = official_columns()
    assert len(names) == len(set(names)) == 642
    assert names[:6] == ["A01", "A02", "A48", "A49", "B12", "B15"]
    assert names[43:46] == ["C06x01C", "C07x01N", "C08x01C"]
    assert names[185] == "C14x01C" and names[585] == "C35x40C"
    assert names[612] == "D01" and names[-1] == "D34"


def test_the_older_layout_travels_as_254_and_94_columns_that_repeat_the_linking_ones(province: ProvinceSummary) -> None:
    assert len(p_layout().columns) == 346
    archives = [path for path in province.files if path.startswith("hqms/") and "/20" in path]
    assert len(archives) == 4  # two hospitals, two months
    with zipfile.ZipFile(province.target / "inbox" / archives[0]) as archive:
        headers = []
        for name in sorted(archive.namelist()):
            data = archive.read(name)
            count = (int.from_bytes(data[8:10], "little") - 33) // 32
            headers.append([data[32 + 32 * i : 43 + 32 * i].rstrip(b"\0").decode() for i in range(count)])
            rows, width = int.from_bytes(data[4:8], "little"), int.from_bytes(data[10:12], "little")
            assert len(data) == 33 + 32 * count + rows * width + 1
            assert rows == province.files[archives[0]]
    assert [len(header) for header in headers] == [254, 94]
    assert headers[1][:2] == ["P3", "P20"]


def test_every_column_of_the_older_dialects_is_one_that_the_contract_knows() -> None:
    contracts = load_contracts()
    for layout in (p_layout(), pinyin_layout(), abcd_layout(extended=True, shuffle_seed=None)):
        contract = contracts[layout.name]
        known = {item.source for item in contract.fields}
        known |= {name for group in contract.lists for slot in group.slot_columns for name in slot.values()}
        missing = known - {column.name for column in layout.columns} - {"P907", "P908"}
        assert not missing, layout.name


def test_every_encoding_container_and_dialect_is_present(province: ProvinceSummary) -> None:
    paths = [path for path in province.files if path.startswith("hqms/")]
    raw = {path: (province.target / "inbox" / path).read_bytes() for path in paths}
    kinds = Counter(path.partition(".")[2] for path in paths)
    assert {"csv", "csv.gz", "zip"} <= set(kinds)
    plain = [data for path, data in raw.items() if path.endswith(".csv")]
    assert any(data.startswith(b"\xef\xbb\xbf") for data in plain)
    assert any("云岫".encode("gb18030") in data for data in plain)
    assert any("云岫".encode() in data and not data.startswith(b"\xef\xbb\xbf") for data in plain)
    assert any("𠮷".encode("gb18030") in data for data in plain)
    assert not any("𠮷".encode() in data for data in plain)
    assert sum("TCMMS_" in path for path in paths) == 2


def test_one_hospital_shuffles_its_columns_and_some_append_the_extension(province: ProvinceSummary) -> None:
    headers = [list(rows[0]) for rows in front_pages(province).values()]
    official = official_columns()
    assert any(header == official for header in headers)
    assert any(header[:642] == official and "F05" in header and "C47" in header for header in headers)
    assert any(header[:642] != official and set(official) <= set(header) for header in headers)


def test_the_total_is_the_sum_of_the_items_to_the_fen(clean: ProvinceSummary) -> None:
    assert sum(len(rows) for rows in front_pages(clean).values()) > 2000
    for rows in front_pages(clean).values():
        for row in rows:
            assert fen(row["D01"]) == sum(fen(row[item]) for item in FEE_ITEMS)
            assert fen(row["D09"]) <= fen(row["D01"])
            for part, parent in FEE_PARTS.items():
                assert fen(row[part]) <= fen(row[parent])
            assert fen(row["D20x01"]) + fen(row["D20x02"]) <= fen(row["D20"])


def test_a_clean_province_has_consistent_stays_ages_and_identities(clean: ProvinceSummary) -> None:
    for rows in front_pages(clean).values():
        for row in rows:
            admitted, discharged = (dt.datetime.fromisoformat(row[item]) for item in ("B12", "B15"))
            assert discharged > admitted
            assert int(row["B20"]) == max(1, (discharged.date() - admitted.date()).days)
            assert row["B15"].startswith("2022-12")
            birth = dt.date.fromisoformat(row["A13"])
            had_birthday = (admitted.month, admitted.day) >= (birth.month, birth.day)
            assert int(row["A14"]) == admitted.year - birth.year - (not had_birthday)
            number = row["A20"]
            if number != "-":
                assert number == identity_number(number[:17]) and number.startswith("99")
                assert number[6:14] == row["A13"].replace("-", "")
                assert (int(number[16]) % 2 == 1) == (row["A12C"] == "1")


def test_a_clean_province_admits_to_no_errors(clean: ProvinceSummary) -> None:
    assert clean.faults == {} and clean.refused == {}


def naive_counts(path: str, rows: list[dict[str, str]]) -> Counter[str]:
    """Some rules and landing reasons, counted straight from the text."""
    found: Counter[str] = Counter()
    seen: set[tuple[str, ...]] = set()
    for row in rows:
        if None in row or None in row.values():
            found["ragged_row"] += 1
            continue
        key = (row["A48"], row["A49"], row["B15"])
        if row["A48"] == "-":
            found["required_missing"] += 1
        elif key in seen:
            found["duplicate_key"] += 1
            continue
        seen.add(key)
        usable = row["B20"].isdigit() and row["B34C"] != "7" and "O" not in row["D01"] and "99:" not in row["B15"]
        if not usable:
            found["unusable"] += 1
            continue
        found["hqms_01_time_order"] += row["B12"] > row["B15"]
        found["hqms_05_self_paid"] += fen(row["D09"]) > fen(row["D01"]) > 0
        found["hqms_05_total_positive"] += fen(row["D01"]) == 0
        found["hqms_05_total_below_items"] += 0 < fen(row["D01"]) < sum(fen(row[item]) for item in FEE_ITEMS)
        found["hqms_06_stay_fees"] += int(row["B20"]) > 1 and fen(row["D13"]) == 0
        found["hqms_06_anaesthesia_fee"] += row["C22x01C"] != "-" and fen(row["D20x01"]) == 0
        found["hqms_06_surgery_fee"] += row["C14x01C"] != "-" and fen(row["D20x02"]) == 0
        found["hqms_08_external_cause"] += row["C03C"][0] in "ST" and row["C12C"] == "-"
        found["hqms_12_death_autopsy"] += row["B34C"] == "5" and row["C34C"] == "-"
        found["hqms_14_operation_fields"] += row["C14x01C"] != "-" and row["C17x01"] == "-"
        found["hqms_15_allergy_drug"] += row["C24C"] == "2" and row["C25"] == "-"
        found["hqms_15_spouse_marital"] += row["A33C"] == "1" and row["A21C"] != "2"
        found["hqms_16_organisation_code"] += len(row["A01"]) != 18
    return found


def test_the_admitted_errors_are_the_ones_that_a_naive_reader_finds(province: ProvinceSummary) -> None:
    found: Counter[str] = Counter()
    admitted: Counter[str] = Counter()
    for path, rows in front_pages(province).items():
        if path in province.duplicates:
            continue
        found += naive_counts(path, rows)
        admitted += Counter({rule: files.get(path, 0) for rule, files in province.faults.items()})
    admitted["unusable"] = sum(
        admitted[reason] for reason in ("not_integer", "not_amount", "not_datetime", "not_in_code_list")
    )
    compared = {rule: count for rule, count in admitted.items() if rule in found}
    assert compared == dict(found)
    assert sum(found.values()) > 40


def test_truth_json_says_what_the_summary_says(province: ProvinceSummary) -> None:
    truth = json.loads((province.target / "truth.json").read_text(encoding="utf-8"))
    assert truth["files"] == province.files
    assert {rule: fault["rows"] for rule, fault in truth["faults"].items()} == province.fault_rows
    assert truth["refused"] == province.refused and len(truth["refused"]) == 3
    assert sum(province.files[path] for path in province.files if path.startswith("drg/")) == province.discharges


def test_a_resubmission_comes_later_in_path_order_and_a_duplicate_has_the_same_bytes(province: ProvinceSummary) -> None:
    inbox = province.target / "inbox"
    ((first, second),) = province.superseded.items()
    assert first.removesuffix(".csv") < second.removesuffix(".csv") and province.files[second] < province.files[first]
    ((again, original),) = province.duplicates.items()
    assert (inbox / again).read_bytes() == (inbox / original).read_bytes()


def test_every_broken_file_is_broken_in_its_own_way(province: ProvinceSummary) -> None:
    by_reason = {reason: province.target / "inbox" / path for path, reason in province.refused.items()}
    with pytest.raises(zipfile.BadZipFile):
        zipfile.ZipFile(by_reason["broken_archive"])
    assert "A48" not in next(front_page_rows(by_reason["missing_columns"]))
    assert by_reason["outside_file_month"].name == "hqmsts_2023M02.csv"
    assert {row["B15"][:7] for row in front_page_rows(by_reason["outside_file_month"])} == {"2022-12"}


def test_the_grouper_knows_every_discharge_by_the_key_of_its_front_page(clean: ProvinceSummary) -> None:
    pages = {(row["A01"], row["A48"], row["A49"], row["B15"]) for rows in front_pages(clean).values() for row in rows}
    groups = {}
    for path in clean.files:
        if path.startswith("drg/"):
            text = (clean.target / "inbox" / path).read_text(encoding="utf-8-sig")
            for row in csv.DictReader(io.StringIO(text)):
                groups[row["机构代码"], row["病案号"], row["住院次数"], row["出院时间"]] = row["DRG编码"]
    assert pages <= set(groups)
    assert 0.01 < sum(not code for code in groups.values()) / len(groups) < 0.06
    assert len({code for code in groups.values() if code}) > 100


def test_every_identity_value_that_was_written_is_known(clean: ProvinceSummary) -> None:
    values = identity_values(clean.target)
    assert all(values.values())
    rows = [row for rows in front_pages(clean).values() for row in rows]
    assert {row["A11"] for row in rows} <= values["name"]
    assert {row["A48"] for row in rows} <= values["record_number"]
    assert {row["A26"] for row in rows} - {"-"} <= values["address"]
    assert len(values["record_number"]) == 3000 - repeated(clean)
    assert all(phone.startswith("100") and len(phone) == 11 for phone in values["telephone"])
    assert all(number.startswith("99") for number in values["identity_number"])


def repeated(province: ProvinceSummary) -> int:
    """Discharges of persons who were already there in the month, over all dialects, from the grouper's files."""
    count = 0
    for path in province.files:
        if path.startswith("drg/"):
            text = (province.target / "inbox" / path).read_text(encoding="utf-8-sig")
            numbers = [row["病案号"] for row in csv.DictReader(io.StringIO(text))]
            count += len(numbers) - len(set(numbers))
    return count


def test_hospitals_are_many_distinct_and_recognisably_invented() -> None:
    hospitals = make_hospitals(300)
    assert len({hospital.organisation_id for hospital in hospitals}) == 300
    assert len({hospital.name for hospital in hospitals}) == 300
    assert all("示例" in hospital.name and len(hospital.organisation_id) == 18 for hospital in hospitals)
    assert all(hospital.division.startswith("99") for hospital in hospitals)
    assert organisation_code("990102", 1) == "12990102MB0000001L"


def test_a_province_without_room_for_its_hospitals_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="至少"):
        write_province(tmp_path, hospitals=4, months=12, discharges=40)


def test_a_filled_inbox_is_left_alone_and_a_month_must_be_a_month(tmp_path: Path) -> None:
    file = tmp_path / "inbox" / "hqms" / "real.csv"
    file.parent.mkdir(parents=True)
    file.write_text("x")
    with pytest.raises(ValueError, match="已有文件"):
        write_province(tmp_path)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [file]
    with pytest.raises(ValueError, match="首月"):
        write_province(tmp_path / "other", first_month="2022-13")
