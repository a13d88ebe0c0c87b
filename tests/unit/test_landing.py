"""Landing, file by file: what is recognised, refused, quarantined, typed, derived and replaced."""

from __future__ import annotations

import gzip
import hmac
import io
import json
import random
import zipfile
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from sources import candidate, intake, landing
from sources.connectors import texts
from sources.privacy import pseudonymiser
from tests.support.front_page import (
    CATALOGUE_HEADER,
    HEADER,
    HOSPITAL_HEADER,
    clean_front_page,
    front_page_csv,
    put,
    table_csv,
)

KEY = bytes(range(32))
HOSPITAL = "12990102MB0000001L"


def page(serial: int = 1, day: int = 10, **codes: str) -> dict[str, str]:
    """A clean discharge of January 2022."""
    return clean_front_page(
        organisation=HOSPITAL,
        record=f"R{serial:05d}",
        admitted=datetime(2022, 1, 5, 8),
        discharged=datetime(2022, 1, day, 10),
        department="0304",
        diagnosis="I21.001",
        serial=serial,
        **codes,
    )


def land(home: Path, workers: int = 1) -> dict[str, landing.LandingReport]:
    intake.record(home, intake.scan(home))
    return {dataset: landing.land(home, dataset, key=KEY, workers=workers) for dataset in landing.DATASETS}


def hqms(home: Path, name: str, content: bytes) -> Path:
    return put(home / "inbox" / "hqms" / "h1" / name, content)


def receipts(home: Path) -> list[dict[str, Any]]:
    return landing.read_receipts(home)


def landed(home: Path, columns: str, dataset: str = "hqms_front_page") -> list[tuple[Any, ...]]:
    """Rows of a dataset as readers of the candidate see them, in source order."""
    database = home / "work" / "candidate.duckdb"
    database.unlink(missing_ok=True)
    candidate.prepare(home, database)
    with duckdb.connect(str(database), read_only=True) as con:
        return con.execute(f"select {columns} from landing.{dataset} order by source_row, source_id").fetchall()


def refusal(home: Path) -> tuple[str, str]:
    """Code and message of the only refused file, whether refused by its header or while reading."""
    found = [f.problem for f in intake.read_journal(home) if f.problem]
    found += [(r["refused"]["code"], r["refused"]["message"]) for r in receipts(home) if r["refused"]]
    assert len(found) == 1, found
    return found[0]


def test_neither_the_order_of_files_nor_of_rows_changes_what_readers_see(tmp_path: Path) -> None:
    """Two months of two hospitals: all at once, against one a landing in a drawn order with its rows shuffled."""
    draw = random.Random(7)
    other = "12990102MB0000002L"
    files = {
        (organisation, month): [
            clean_front_page(
                organisation=organisation,
                record=f"R{month}{serial:04d}",
                admitted=datetime(2022, month, 1, 8),
                discharged=datetime(2022, month, 2 + serial, 10),
                department="0304",
                diagnosis="I21.001",
                serial=serial,
            )
            for serial in range(1, 6)
        ]
        for organisation in (HOSPITAL, other)
        for month in (1, 2)
    }

    def land_pages(home: Path) -> None:
        intake.record(home, intake.scan(home))
        landing.land(home, "hqms_front_page", key=KEY, workers=1)

    def put_file(home: Path, key: tuple[str, int], rows: list[dict[str, str]]) -> None:
        organisation, month = key
        put(home / "inbox" / "hqms" / organisation / f"hqmsts_2022M{month:02d}.csv", front_page_csv(rows))

    together, apart = tmp_path / "together", tmp_path / "apart"
    for key, rows in files.items():
        put_file(together, key, rows)
    land_pages(together)
    for key in draw.sample(sorted(files), len(files)):
        put_file(apart, key, draw.sample(files[key], len(files[key])))
        land_pages(apart)
    columns = "* exclude (source_id, source_row)"
    seen = [sorted(map(repr, landed(home, columns))) for home in (together, apart)]
    assert len(seen[0]) == 20 and seen[0] == seen[1]


# ---------------------------------------------------------------------------------------------- carriers, encodings


@pytest.mark.parametrize(
    ("codec", "surname", "recorded"),
    [
        ("utf-8", "𠮷", "utf-8"),
        ("utf-8-sig", "𠮷", "utf-8-sig"),
        ("gbk", "赵", "gb18030"),
        ("gb18030", "𠮷", "gb18030"),
    ],
)
def test_encoding_is_decided_per_file_and_recorded(tmp_path: Path, codec: str, surname: str, recorded: str) -> None:
    hqms(tmp_path, "hqmsts_2022M01.csv", front_page_csv([page(A11=surname, A26="四川省成都市武侯区某路1号")], codec))
    assert land(tmp_path)["hqms_front_page"].rows_landed == 1
    assert receipts(tmp_path)[0]["encoding"] == recorded
    assert landed(tmp_path, "residence_division") == [("510107",)]


def zipped(name: str, content: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return out.getvalue()


@pytest.mark.parametrize("carrier", ["csv", "csv.gz", "zip"])
def test_every_carrier_gives_the_same_rows(tmp_path: Path, carrier: str) -> None:
    plain = front_page_csv([page(1), page(2)])
    content = {"csv": plain, "csv.gz": gzip.compress(plain), "zip": zipped("a.csv", plain)}[carrier]
    hqms(tmp_path, f"hqmsts_2022M01.{carrier}", content)
    assert land(tmp_path)["hqms_front_page"].rows_landed == 2


def texts_parquet(path: Path, csv: bytes) -> None:
    """The cells of a CSV as a pull from a database would leave them: Parquet of texts, nothing for a dash."""
    plain = put(path.with_suffix(".tmp"), csv)
    with duckdb.connect() as con:
        cells = con.sql(f"from read_csv('{plain}', all_varchar = true, nullstr = ['', '-'])").to_arrow_table()
    texts.write([cells], cells.schema, path)


def test_parquet_of_a_pull_gives_the_same_rows_and_faults_as_the_file(tmp_path: Path) -> None:
    rows = [page(1), page(2, A48=""), page(3), page(3), page(4, C06x01C="I10.x00", A46C="-")]
    hqms(tmp_path / "csv", "hqmsts_2022M01.csv", front_page_csv(rows, "utf-8"))
    texts_parquet(tmp_path / "db" / "inbox" / "hqms" / "2022-01.parquet", front_page_csv(rows, "utf-8"))
    found = []
    for home in (tmp_path / "csv", tmp_path / "db"):
        assert land(home)["hqms_front_page"].rows_quarantined == 2
        receipt = receipts(home)[0]
        found.append((landed(home, "* exclude (source_id)"), receipt["quarantine"], receipt["slices"]))
    assert found[0] == found[1]


def test_parquet_that_no_pull_wrote_is_refused(tmp_path: Path) -> None:
    duckdb.sql("select 'x' as A01").write_parquet(str(put(tmp_path / "inbox" / "hqms" / "a.parquet", b"")))
    hqms(tmp_path, "cut.parquet", b"PAR1 and then nothing")
    land(tmp_path)
    assert [f.problem[0] for f in intake.read_journal(tmp_path)] == ["unsupported_carrier", "broken_archive"]


def test_header_order_is_free_and_extensions_may_follow(tmp_path: Path) -> None:
    header = ["F06x01", *reversed(HEADER), "F05", "ZZ9"]
    row = page(C06x01C="I10.x00") | {"F05": "1", "F06x01": "2", "ZZ9": "x"}
    hqms(tmp_path, "hqmsts_2022M01.csv", table_csv(header, [[row.get(name, "-") for name in header]]))
    land(tmp_path)
    assert landed(tmp_path, "diagnoses, diagnosis_outcomes") == [(["I21.001", "I10.x00"], ["1", "2"])]
    assert receipts(tmp_path)[0]["columns_unknown"] == ["ZZ9"]


def test_a_name_in_the_place_of_a_code_does_not_land(tmp_path: Path) -> None:
    """Only that something stood there: rules count it, and no list of cases shows it."""
    codes = {"C03C": "张三", "C06x01C": "110101199003071234", "C06x02C": "A17.0†", "C06x03C": "m80.000X031+"}
    hqms(tmp_path, "hqmsts_2022M01.csv", front_page_csv([page(**codes)]))
    land(tmp_path)
    assert landed(tmp_path, "diagnoses") == [(["非编码", "非编码", "A17.0†", "M80.000x031+"],)]


def test_missing_is_dash_empty_or_blank(tmp_path: Path) -> None:
    hqms(tmp_path, "hqmsts_2022M01.csv", front_page_csv([page(A38C="-", A21C="", A19C="  ", A46C=" - ")]))
    land(tmp_path)
    assert landed(tmp_path, "occupation, marital_status, ethnicity, payment_method") == [(None,) * 4]


# ---------------------------------------------------------------------------------------------- refused files


def broken_zip() -> bytes:
    return zipped("a.csv", front_page_csv([page(n) for n in range(40)]))[:-400]


def encrypted_zip() -> bytes:
    """The flag bit that says a password is needed, set in both of the archive's headers."""
    content = bytearray(zipped("a.csv", front_page_csv([page()])))
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(signature) + offset] |= 1
    return bytes(content)


def without(*codes: str) -> bytes:
    header = [name for name in HEADER if name not in codes]
    return table_csv(header, [[page().get(name, "-") for name in header]])


@pytest.mark.parametrize(
    ("name", "content", "code", "says"),
    [
        ("hqmsts_2022M01.zip", broken_zip(), "broken_archive", "重新上传"),
        ("hqmsts_2022M01.csv.gz", gzip.compress(front_page_csv([page()]))[:-40], "broken_archive", "重新上传"),
        ("hqmsts_2022M01.zip", encrypted_zip(), "broken_archive", "密码"),
        ("hqmsts_2022M01.csv", b"A01," + b"x" * 200_000 + b"\n1,2\n", "wrong_layout", "任何已知版式"),
        ("hqmsts_2022M01.csv", b"", "empty_file", "为空"),
        ("hqmsts_2022M01.csv", front_page_csv([]), "empty_file", "只有表头"),
        ("hqmsts_2022M01.csv", without("A48"), "missing_columns", "A48"),
        ("hqmsts_2022M01.csv", table_csv(["甲", "乙"], [["1", "2"]]), "wrong_layout", "任何已知版式"),
        ("hqmsts_2022M01.csv", "A01,机构".encode("utf-16"), "unknown_encoding", "UTF-8"),
        ("hqmsts_2022M01.csv", table_csv(["A01", "a01"], [["1", "2"]]), "duplicate_columns", "A01"),
        ("hqmsts_2022M01.rar", b"x", "unsupported_carrier", "csv"),
        ("hqmsts_2022M02.csv", front_page_csv([page(n) for n in range(3)]), "month_mismatch", "2022-02"),
    ],
)
def test_an_unfit_file_is_refused_with_its_own_message_and_the_others_go_on(
    tmp_path: Path, name: str, content: bytes, code: str, says: str
) -> None:
    hqms(tmp_path, name, content)
    hqms(tmp_path, "good/hqmsts_2022M01.csv", front_page_csv([page(7)], "utf-8"))
    assert land(tmp_path)["hqms_front_page"].rows_landed == 1
    found, message = refusal(tmp_path)
    assert found == code
    assert says in message


def test_a_duplicate_of_a_landed_file_is_named_and_not_read(tmp_path: Path) -> None:
    content = front_page_csv([page()])
    hqms(tmp_path, "hqmsts_2022M01.csv", content)
    hqms(tmp_path, "hqmsts_2022M01_copy.csv", content)
    assert land(tmp_path)["hqms_front_page"].files_read == 1
    code, message = refusal(tmp_path)
    assert code == "duplicate_file"
    assert "hqms/h1/hqmsts_2022M01.csv" in message


def test_a_folder_that_is_no_system_is_named(tmp_path: Path) -> None:
    put(tmp_path / "inbox" / "hqsm" / "a.csv", front_page_csv([page()]))
    land(tmp_path)
    code, message = refusal(tmp_path)
    assert code == "unknown_system"
    assert "hqsm" in message


# ---------------------------------------------------------------------------------------------- quarantined rows


BAD_ROWS: list[tuple[dict[str, str], str, str, str]] = [
    ({"A48": "-"}, "A48", "required_missing", "empty"),
    ({"A49": "first"}, "A49", "not_integer", "text"),
    ({"A49": "1.5"}, "A49", "not_integer", "decimal"),
    ({"D01": "12.345"}, "D01", "not_amount", "decimal"),
    ({"D13": "12,5"}, "D13", "not_amount", "other"),
    ({"B12": "2022-13-05 08:00:00"}, "B12", "not_datetime", "date_like"),
    ({"A12C": "男"}, "A12C", "not_in_code_list", "text"),
    ({"B34C": "6"}, "B34C", "not_in_code_list", "digits"),
    ({"A01": "9" * 23}, "A01", "too_long", "digits"),
    ({"B15": "2022-02-01 00:00:00"}, "B15", "outside_file_month", "date_like"),
]


def test_a_bad_row_goes_to_quarantine_with_field_reason_and_value_class(tmp_path: Path) -> None:
    good = [page(n) for n in range(100, 120)]
    bad = [page(n, **codes) for n, (codes, *_) in enumerate(BAD_ROWS)]
    hqms(tmp_path, "hqmsts_2022M01.csv", front_page_csv(good + bad))
    report = land(tmp_path)["hqms_front_page"]
    assert (report.rows_read, report.rows_landed, report.rows_quarantined) == (30, 20, 10)
    quarantine = next((tmp_path / "quarantine").rglob("*.parquet"))
    rows = duckdb.sql(f"select source_row, field, reason, value_class from '{quarantine}' order by 1").fetchall()
    assert rows == [(22 + n, *expected) for n, (_, *expected) in enumerate(BAD_ROWS)]
    assert all(fault["rows"] == 1 for fault in receipts(tmp_path)[0]["quarantine"])


def test_the_message_names_file_field_fault_row_and_remedy(tmp_path: Path) -> None:
    hqms(tmp_path, "hqmsts_2022M01.csv", front_page_csv([page(1), page(2, A49="x")]))
    (message,) = land(tmp_path)["hqms_front_page"].messages
    for part in ("hqms/h1/hqmsts_2022M01.csv", "A49", "不是整数", "第 3 行", "重新报送"):
        assert part in message


def test_line_numbers_stay_true_behind_rows_of_another_width(tmp_path: Path) -> None:
    lines = front_page_csv([page(n) for n in range(1, 8)], "utf-8").split(b"\r\n")
    lines[2] += b",extra"  # line 3
    lines[4] = lines[4].rsplit(b",", 2)[0]  # line 5
    lines[6] = lines[6].replace(b",1,2022-01-05", b",one,2022-01-05", 1)  # line 7
    hqms(tmp_path, "hqmsts_2022M01.csv", b"\r\n".join(lines))
    report = land(tmp_path)["hqms_front_page"]
    assert (report.rows_read, report.rows_landed, report.rows_quarantined) == (7, 4, 3)
    quarantine = next((tmp_path / "quarantine").rglob("*.parquet"))
    rows = duckdb.sql(f"select source_row, reason from '{quarantine}' order by 1").fetchall()
    assert rows == [(3, "ragged_row"), (5, "ragged_row"), (7, "not_integer")]
    assert quarantine.stat().st_mode & 0o077 == 0
    assert [row for (row,) in landed(tmp_path, "source_row")] == [2, 4, 6, 8]


def test_a_line_that_does_not_decode_is_quarantined_alone(tmp_path: Path) -> None:
    lines = front_page_csv([page(n, A11="张三") for n in range(1, 40)], "utf-8").split(b"\r\n")
    lines[5] = lines[5].replace("张".encode(), b"\xff\xfe")
    hqms(tmp_path, "hqmsts_2022M01.csv", b"\r\n".join(lines))
    report = land(tmp_path)["hqms_front_page"]
    assert (report.rows_landed, report.rows_quarantined) == (38, 1)
    (fault,) = receipts(tmp_path)[0]["quarantine"]
    assert (fault["reason"], fault["first_row"]) == ("bad_encoding", 6)


def test_an_empty_line_moves_no_fault_to_another_row(tmp_path: Path) -> None:
    lines = front_page_csv([page(n, A11="张三") for n in range(1, 40)], "utf-8").split(b"\r\n")
    lines[5] = lines[5].replace("张".encode(), b"\xff\xfe")  # the fifth row
    lines.insert(3, b"")
    hqms(tmp_path, "hqmsts_2022M01.csv", b"\r\n".join(lines))
    land(tmp_path)
    everybody = {f"R{n:05d}" for n in range(1, 40)}
    pseudonyms = landing_pseudonyms(everybody)
    missing = {name for name in everybody if pseudonyms[name] not in {p for (p,) in landed(tmp_path, "patient_id")}}
    assert missing == {"R00005"}


def landing_pseudonyms(records: set[str]) -> dict[str, str]:
    ordered = sorted(records)
    return dict(zip(ordered, pseudonymiser(KEY, "patient")(f"{HOSPITAL}|{r}" for r in ordered), strict=True))


def test_the_second_of_two_equal_keys_is_quarantined(tmp_path: Path) -> None:
    hqms(tmp_path, "hqmsts_2022M01.csv", front_page_csv([page(1), page(2), page(1, D01="5.00")]))
    report = land(tmp_path)["hqms_front_page"]
    assert (report.rows_landed, report.rows_quarantined) == (2, 1)
    assert receipts(tmp_path)[0]["quarantine"][0]["reason"] == "duplicate_key"


CORRUPTIONS: list[tuple[str, bytes, bytes, int]] = [
    ("a quote that is never closed", b"<name>", b'"<name>', 4),
    ("a quote that is never closed, in the last column", b"<last>", b'"<last>', 4),
    ("text behind a closing quote", b"<name>", b'"<na"me>', 4),
    ("a quote inside a text", b"<name>", b'<na"me>', 5),
    ("a carriage return inside a text", b"<name>", b"<na\rme>", 5),
    ("a zero byte", b"<name>", b"<na\0me>", 4),
    ("a field of ten megabytes", b"<name>", b"x" * 10_000_000, 5),
    ("a quote and ten megabytes", b"<name>", b'"' + b"x" * 10_000_000, 4),
    ("a field longer than any line may be", b"<name>", b"x" * 20_000_000, 4),
    ("a comma too many", b"<name>", b"<na,me>", 4),
]


def test_one_corrupt_row_costs_that_row_alone(tmp_path: Path) -> None:
    header = [*HEADER, "ZZ9"]
    rows = [page(n, A11="<name>" if n == 2 else "某") | {"ZZ9": "<last>" if n == 2 else "x"} for n in range(1, 6)]
    content = table_csv(header, [[row.get(name, "-") for name in header] for row in rows])
    for number, (_, old, new, _) in enumerate(CORRUPTIONS):
        hqms(tmp_path, f"{number}/hqmsts_2022M01.csv", content.replace(old, new, 1))
    land(tmp_path)
    found = {receipt["source"]["path"].split("/")[2]: receipt["rows"] for receipt in receipts(tmp_path)}
    for number, (what, *_, landed_rows) in enumerate(CORRUPTIONS):
        rows_of = found[str(number)]
        assert (rows_of["read"], rows_of["landed"]) == (5, landed_rows), what


def test_a_quoted_line_break_does_not_break_a_row(tmp_path: Path) -> None:
    hqms(tmp_path, "hqmsts_2022M01.csv", front_page_csv([page(1, A29="甲单位\n乙部"), page(2)]))
    assert land(tmp_path)["hqms_front_page"].rows_landed == 2


# ---------------------------------------------------------------------------------------------- typed and derived


def test_money_is_integer_fen_and_codes_keep_their_zeros(tmp_path: Path) -> None:
    hqms(tmp_path, "hqmsts_2022M01.csv", front_page_csv([page(D01="1234567.10", D09=".5", A46C="01")]))
    land(tmp_path)
    assert landed(tmp_path, "total_fee_fen, self_paid_fen, payment_method") == [(123456710, 50, "01")]


def test_department_codes_are_normalised_and_the_original_kept(tmp_path: Path) -> None:
    written = ["0304", "03.04", "A03.04", "304", "03", "3", "030401", "13040503"]
    normalised = ["0304", "0304", "0304", "0304", "03", "03", "0304", "13040503"]
    hqms(tmp_path, "hqmsts_2022M01.csv", front_page_csv([page(n, B16C=code) for n, code in enumerate(written)]))
    land(tmp_path)
    found = landed(tmp_path, "discharge_department, discharge_department_raw")
    assert found == list(zip(normalised, written, strict=True))


def test_lists_keep_order_alignment_and_the_principal_place(tmp_path: Path) -> None:
    operations = {"C14x01C": "-", "C35x03C": "36.0601", "C37x03": "2022-01-06 10:00:00", "C38x03": "4"}
    codes = {"C03C": "-", "C05C": "-", "C06x02C": "i10.X00", "C08x02C": "4", "C06x40C": "E11.900"}
    hqms(tmp_path, "hqmsts_2022M01.csv", front_page_csv([page(**codes, **operations)]))
    land(tmp_path)
    (row,) = landed(tmp_path, "diagnoses, diagnosis_conditions, operations, operation_dates, operation_has_surgeon")
    assert row[0] == [None, "I10.x00", "E11.900"]
    assert row[1] == [None, "4", None]
    assert row[2] == [None, "36.0601"]
    assert [d and d.isoformat() for d in row[3]] == [None, "2022-01-06"]
    assert row[4] == [False, False]


def test_no_diagnosis_and_no_operation_are_empty_lists(tmp_path: Path) -> None:
    hqms(tmp_path, "hqmsts_2022M01.csv", front_page_csv([page(C03C="-", C05C="-")]))
    land(tmp_path)
    assert landed(tmp_path, "diagnoses, operations") == [([], [])]


def test_forty_one_diagnoses_and_operations_all_land(tmp_path: Path) -> None:
    diagnoses = {f"C06x{n:02d}C": f"A{n:02d}.000" for n in range(1, 41)}
    operations = {f"C35x{n:02d}C": f"{n:02d}.0100" for n in range(1, 41)}
    hqms(tmp_path, "hqmsts_2022M01.csv", front_page_csv([page(C14x01C="99.9900", **diagnoses, **operations)]))
    land(tmp_path)
    assert landed(tmp_path, "len(diagnoses), diagnoses[41], len(operations), operations[41]") == [
        (41, "A40.000", 41, "40.0100")
    ]


RESIDENCES: list[tuple[str, str, str | None, str]] = [
    ("四川省成都市武侯区某路1号", "-", "510107", "address"),
    ("四川 成都 武侯区某路", "-", "510107", "address"),
    ("成都市武侯区某路", "-", "510107", "address"),
    ("云岫省岫宁市东岫区某街", "610000", "990102", "address"),
    ("湖北省荆州市沙市区某路", "-", "421002", "address"),
    ("吉林市昌邑区某路", "-", "220202", "address"),
    ("海南州共和县", "-", "632521", "address"),
    ("北京市朝阳区某路", "-", "110105", "address"),
    ("南京路100号", "610000", "510000", "postcode"),
    ("朝阳区某路", "-", None, "none"),
    ("-", "999077", "810000", "postcode"),
    ("-", "61", None, "none"),
]


def test_residence_comes_from_the_address_then_the_postcode_and_never_from_a_proxy(tmp_path: Path) -> None:
    proxies = {"A24": "云南省昆明市", "A22": "贵州省贵阳市"}
    rows = [page(n, A26=address, A28C=postcode, **proxies) for n, (address, postcode, *_) in enumerate(RESIDENCES)]
    hqms(tmp_path, "hqmsts_2022M01.csv", front_page_csv(rows))
    land(tmp_path)
    found = landed(
        tmp_path, "residence_division, residence_basis, household_division, birthplace_division, id_division"
    )
    assert found == [(division, basis, "530100", "520100", "990102") for *_, division, basis in RESIDENCES]


def test_identity_is_compared_before_it_is_dropped(tmp_path: Path) -> None:
    rows = [page(1), page(2, A12C="2"), page(3, A13="1960-05-06"), page(4, A20="-"), page(5, A13="2022-02-01")]
    hqms(tmp_path, "hqmsts_2022M01.csv", front_page_csv(rows))
    land(tmp_path)
    found = landed(tmp_path, "id_birth_matches, id_sex_matches, age_from_birth_years, birth_after_admission")
    assert found == [
        (True, True, 61, False),
        (True, False, 61, False),
        (False, True, 61, False),
        (None, None, 61, False),
        (False, True, None, True),
    ]


@pytest.mark.parametrize("key", [KEY, b"a key longer than a block of the hash function, which is first hashed itself"])
def test_pseudonyms_are_hmac_sm3(key: bytes) -> None:
    texts = ["", "R00001", "病案号" * 50]
    expected = [hmac.new(key, b"patient\0" + text.encode(), "sm3").hexdigest()[:32] for text in texts]
    assert pseudonymiser(key, "patient")(texts) == expected


def test_pseudonyms_depend_on_the_key_and_join_the_sources(tmp_path: Path) -> None:
    hqms(tmp_path, "hqmsts_2022M01.csv", front_page_csv([page(1), page(2)]))
    header = ["机构代码", "病案号", "住院次数", "出院时间", "DRG编码", "方案版本", "未入组原因"]
    rows = [[HOSPITAL, "R00001", "1", "2022-01-10 10:00:00", "FR11", "demo", ""]]
    put(tmp_path / "inbox" / "drg" / "drg_2022M01.csv", table_csv(header, rows))
    land(tmp_path)
    first, second = (p for (p,) in landed(tmp_path, "patient_id"))
    assert first != second
    assert landed(tmp_path, "patient_id", "drg_result") == [(first,)]
    other = landing.pending(tmp_path, b"another key of thirty-two bytes!", "hqms_front_page")
    assert len(other) == 1, "a new key asks for landing again, pseudonyms of two keys never mix"


# ---------------------------------------------------------------------------------------------- the other layouts


def test_pinyin_layout_joins_date_and_hour(tmp_path: Path) -> None:
    row = {
        **{
            "ZZJGDM": HOSPITAL,
            "BAH": "T1",
            "ZYCS": "2",
            "XB": "1",
            "CYKB": "50",
            "SJZY": "3",
            "LYFS": "1",
            "ZFY": "9.99",
        },
        **{"RYSJ": "2022-01-05", "RYSJ_S": "8", "CYSJ": "2022-01-08", "CYSJ_S": "23", "RYTJ": "2"},
        **{"ZYZD_JBBM": "I10.x00", "RYBQ": "1", "JBDM1": "E11.900", "RYBQ1": "4", "SSJCZBM1": "99.9901", "SZ1": "某"},
    }
    put(tmp_path / "inbox" / "hqms" / "t" / "TCMMS_202201-01_1.csv", table_csv(list(row), [list(row.values())]))
    land(tmp_path)
    (found,) = landed(tmp_path, "layout, admission_time, discharge_time, diagnoses, operations, operation_has_surgeon")
    assert found == (
        *("hqms_pinyin", datetime(2022, 1, 5, 8), datetime(2022, 1, 8, 23)),
        *(["I10.x00", "E11.900"], ["99.9901"], [True]),
    )


def test_an_hour_that_is_none_quarantines_the_row(tmp_path: Path) -> None:
    row = {
        **{
            "ZZJGDM": HOSPITAL,
            "BAH": "T1",
            "ZYCS": "2",
            "XB": "1",
            "CYKB": "50",
            "SJZY": "3",
            "LYFS": "1",
            "ZFY": "9.99",
        },
        **{
            "RYSJ": "2022-01-05",
            "RYSJ_S": "8",
            "CYSJ": "2022-01-08",
            "CYSJ_S": "25",
            "RYTJ": "2",
            "ZYZD_JBBM": "I10.x00",
        },
    }
    put(tmp_path / "inbox" / "hqms" / "t" / "TCMMS_202201-01_1.csv", table_csv(list(row), [list(row.values())]))
    assert land(tmp_path)["hqms_front_page"].rows_quarantined == 1
    assert receipts(tmp_path)[0]["quarantine"][0]["field"] == "CYSJ"


def test_small_sources_map_words_to_codes(tmp_path: Path) -> None:
    row = [HOSPITAL, "示例医院", "三级", "甲等", "综合医院", "990102", "岫宁市", "是", "否", "0", "1", "03、0304；04"]
    put(tmp_path / "inbox" / "registry" / "hospital.csv", table_csv(HOSPITAL_HEADER, [row]))
    put(
        tmp_path / "inbox" / "catalogue" / "c.csv",
        table_csv(CATALOGUE_HEADER, [["2022", "86.6900X001", "示例", "手术", "四级", "是", "否", "2022-01-01", "-"]]),
    )
    land(tmp_path)
    found = landed(
        tmp_path, "level, is_provincial_capital, is_directly_managed, is_regional_medical_centre, subjects", "hospital"
    )
    assert found == [("3", True, False, True, ["03", "0304", "04"])]
    (line,) = landed(
        tmp_path, "operation_code, operation_level, is_minimally_invasive, effective_to", "surgery_catalogue"
    )
    assert line == ("86.6900x001", "4", True, None)


# ---------------------------------------------------------------------------------------------- what replaces what


def test_a_resubmitted_month_replaces_the_earlier_for_readers_and_both_stay_on_disk(tmp_path: Path) -> None:
    hqms(tmp_path, "hqmsts_2022M01.csv", front_page_csv([page(1), page(2)]))
    land(tmp_path)
    hqms(tmp_path, "hqmsts_2022M01_r2.csv", front_page_csv([page(1), page(3), page(4)]))
    land(tmp_path)
    assert len(landed(tmp_path, "1")) == 3
    assert len(list((tmp_path / "landing").rglob("*.parquet"))) == 2


def test_only_the_resubmitted_organisation_of_a_provincial_file_is_replaced(tmp_path: Path) -> None:
    other = {"A01": "12990102MB0000002J"}
    hqms(tmp_path, "hqmsts_2022M01.csv", front_page_csv([page(1), page(2), page(3, **other)]))
    hqms(tmp_path, "hqmsts_2022M01_r2.csv", front_page_csv([page(9)]))
    land(tmp_path)
    assert list(landed(tmp_path, "organisation_id")) == [(HOSPITAL,), (other["A01"],)]


def test_one_changed_file_of_many_is_the_only_one_read(tmp_path: Path) -> None:
    for month in range(1, 13):
        row = page(month) | {"B12": f"2022-{month:02d}-05 08:00:00", "B15": f"2022-{month:02d}-10 10:00:00"}
        hqms(tmp_path, f"hqmsts_2022M{month:02d}.csv", front_page_csv([row]))
    assert land(tmp_path)["hqms_front_page"].files_read == 12
    assert not intake.scan(tmp_path).has_news
    hqms(
        tmp_path, "hqmsts_2022M05.csv", front_page_csv([page(77, B12="2022-05-01 08:00:00", B15="2022-05-20 08:00:00")])
    )
    assert land(tmp_path)["hqms_front_page"].files_read == 1
    assert len(landed(tmp_path, "1")) == 12


def test_workers_change_nothing(tmp_path: Path) -> None:
    def build(home: Path, workers: int) -> dict[str, bytes]:
        for n in range(30):
            hqms(home, f"hqmsts_2022M01_{n}.csv", front_page_csv([page(n), page(n + 100, A49="x")]))
        landing._PARALLEL_BYTES, before = 0, landing._PARALLEL_BYTES
        try:
            land(home, workers)
        finally:
            landing._PARALLEL_BYTES = before
        return {p.relative_to(home).as_posix(): p.read_bytes() for p in home.glob("[lqr]*/**/*") if p.is_file()}

    one, two = build(tmp_path / "one", 1), build(tmp_path / "two", 2)
    strip = "receipts/intake.jsonl"  # holds modification times
    assert {k: v for k, v in one.items() if k != strip} == {k: v for k, v in two.items() if k != strip}


def test_a_torn_journal_line_is_ignored_and_the_file_found_again(tmp_path: Path) -> None:
    hqms(tmp_path, "hqmsts_2022M01.csv", front_page_csv([page()]))
    land(tmp_path)
    journal = intake.journal_path(tmp_path)
    journal.write_text(journal.read_text("utf-8") + '{"sequence": 2, "path": "hq', "utf-8")
    hqms(tmp_path, "hqmsts_2022M01_r2.csv", front_page_csv([page(5)]))
    assert land(tmp_path)["hqms_front_page"].files_read == 1
    assert [json.loads(line)["sequence"] for line in journal.read_text("utf-8").splitlines() if line.endswith("}")] == [
        1,
        2,
    ]


def test_a_hospital_can_go_back_to_an_earlier_version_by_sending_it_again(tmp_path: Path) -> None:
    first, second = front_page_csv([page(1)]), front_page_csv([page(1), page(2)])
    for name, content, rows in [("a", first, 1), ("b", second, 2), ("c", first, 1)]:
        hqms(tmp_path, f"hqmsts_2022M01_{name}.csv", content)
        land(tmp_path)
        assert len(landed(tmp_path, "1")) == rows, name
    assert refusal(tmp_path)[0] == "duplicate_file"


def test_a_file_overwritten_in_place_replaces_what_was_landed_of_it(tmp_path: Path) -> None:
    hqms(tmp_path, "hqmsts_2022M01.csv", front_page_csv([page(1)]))
    land(tmp_path)
    hqms(tmp_path, "hqmsts_2022M01.csv", front_page_csv([page(1), page(2)]))
    land(tmp_path)
    assert len(landed(tmp_path, "1")) == 2
    again = landing.pending(tmp_path, b"another key of thirty-two bytes!")
    assert len(again) == 1, "only the content that the inbox still holds can be landed under a new key"
