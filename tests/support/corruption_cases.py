"""What is broken, one thing at a time, and what must come of it; `test_corruptions.py` says what the words mean."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.support import corruption as c
from tests.support.corruption import (
    CHILD,
    DEAD,
    INJURED,
    MOTHER,
    NAME,
    NEWBORN,
    PLAIN,
    SURGICAL,
    TRANSFERRED,
    TUMOUR,
    VENTILATED,
    Broken,
    Change,
)
from tests.support.front_page import CATALOGUE_HEADER, DRG_HEADER, HEADER, HOSPITAL_HEADER, table_csv

MEGABYTE = 1 << 20


@dataclass(frozen=True)
class Case:
    """What is broken, the file for a hospital, and what must come of it."""

    what: str
    file: Callable[[str], Broken]
    expected: str


CASES: list[Case] = []


def case(what: str, expected: str, file: Callable[[str], Broken]) -> None:
    CASES.append(Case(what, file, expected))


def tables(expected: str, *changes: Change, what: str, name: str = NAME, encoding: str = "utf-8") -> None:
    def file(hospital: str) -> Broken:
        rows = c.table(hospital)
        for change in changes:
            rows = change(rows)
        return Broken(c.write(rows, encoding), name)

    case(what, expected, file)


def raw(
    what: str, expected: str, change: Callable[[bytes], bytes], *, name: str = NAME, encoding: str = "utf-8"
) -> None:
    case(what, expected, lambda hospital: Broken(change(c.write(c.table(hospital), encoding)), name))


# --- values of a single field -------------------------------------------------------------------------------

# (row, column, text, what must come of it)
FIELDS: list[tuple[int, str, str, str]] = [
    # empty where it must be filled
    *[
        (PLAIN, column, "-", f"quarantined {column} required_missing")
        for column in ("A01", "A48", "A49", "B12", "B15", "A12C", "B16C", "B20", "B34C", "D01")
    ],
    (PLAIN, "A48", "   ", "quarantined A48 required_missing"),
    (PLAIN, "A48", "", "quarantined A48 required_missing"),
    # numbers of the wrong kind
    (PLAIN, "A49", "first", "quarantined A49 not_integer"),
    (PLAIN, "A49", "1.5", "quarantined A49 not_integer"),
    (PLAIN, "A49", "１", "quarantined A49 not_integer"),
    (PLAIN, "A49", "1_000", "quarantined A49 not_integer"),
    (PLAIN, "A49", "1e2", "quarantined A49 not_integer"),
    (PLAIN, "A49", "99999999999", "quarantined A49 not_integer"),
    (PLAIN, "A49", "#REF!", "quarantined A49 not_integer"),
    (PLAIN, "A14", "六十", "quarantined A14 not_integer"),
    (PLAIN, "A14", "61岁", "quarantined A14 not_integer"),
    (PLAIN, "B20", "五天", "quarantined B20 not_integer"),
    (PLAIN, "B20", "5,5", "quarantined B20 not_integer"),
    (NEWBORN, "A18x01", "3200g", "quarantined A18x01 not_integer"),
    (NEWBORN, "A17", "3.2kg", "quarantined A17 not_integer"),
    (VENTILATED, "C47", "5天", "quarantined C47 not_integer"),
    (INJURED, "C29", "2小时", "quarantined C29 not_integer"),
    # amounts
    (PLAIN, "D01", "12.345", "quarantined D01 not_amount"),
    (PLAIN, "D01", "5,000.00", "quarantined D01 not_amount"),
    (PLAIN, "D01", "￥5000", "quarantined D01 not_amount"),
    (PLAIN, "D01", "5000元", "quarantined D01 not_amount"),
    (PLAIN, "D01", "5.0E+3", "quarantined D01 not_amount"),
    (PLAIN, "D01", "1.23E+05", "quarantined D01 not_amount"),
    (PLAIN, "D01", "5_000", "quarantined D01 not_amount"),
    (PLAIN, "D01", "nan", "quarantined D01 not_amount"),
    (PLAIN, "D01", "Infinity", "quarantined D01 not_amount"),
    (PLAIN, "D01", "5000.00.00", "quarantined D01 not_amount"),
    (PLAIN, "D01", "五千", "quarantined D01 not_amount"),
    (PLAIN, "D01", "9" * 30, "quarantined D01 not_amount"),
    (PLAIN, "D13", "12,5", "quarantined D13 not_amount"),
    (PLAIN, "D32", "#N/A", "quarantined D32 not_amount"),
    (PLAIN, "D34", "0x10", "quarantined D34 not_amount"),
    # moments
    (PLAIN, "B12", "2022-13-05 08:00:00", "quarantined B12 not_datetime"),
    (PLAIN, "B12", "2022-02-30 08:00:00", "quarantined B12 not_datetime"),
    (PLAIN, "B12", "0000-00-00 00:00:00", "quarantined B12 not_datetime"),
    (PLAIN, "B12", "05/01/2022", "quarantined B12 not_datetime"),
    (PLAIN, "B12", "44566.3333", "quarantined B12 not_datetime"),
    (PLAIN, "B12", "44566", "quarantined B12 not_datetime"),
    (PLAIN, "B12", "infinity", "quarantined B12 not_datetime"),
    (PLAIN, "B12", "epoch", "quarantined B12 not_datetime"),
    (PLAIN, "B12", "昨天", "quarantined B12 not_datetime"),
    (PLAIN, "B12", "２０２２-01-05 08:00:00", "quarantined B12 not_datetime"),
    (PLAIN, "B12", "########", "quarantined B12 not_datetime"),
    (PLAIN, "B15", "infinity", "quarantined B15 not_datetime"),
    (PLAIN, "B15", "today", "quarantined B15 not_datetime"),
    (PLAIN, "B15", "2022-02-01 00:00:00", "quarantined B15 outside_file_month"),
    (PLAIN, "B15", "2021-01-10 10:00:00", "quarantined B15 outside_file_month"),
    (PLAIN, "B15", "2022-10-01 10:00:00", "quarantined B15 outside_file_month"),
    (PLAIN, "B15", "9999-12-31 00:00:00", "quarantined B15 outside_file_month"),
    (PLAIN, "B15", "1900-01-01 00:00:00", "quarantined B15 outside_file_month"),
    (PLAIN, "B12", "2022-05-01 08:00:00", "counted hqms_01_time_order"),
    (PLAIN, "B12", "2012-01-05 08:00:00", "counted hqms_02_stay_days"),
    (PLAIN, "B12", "0001-01-01 00:00:00", "counted hqms_02_stay_days"),
    # codes outside their lists, texts that are too long
    (PLAIN, "A12C", "男", "quarantined A12C not_in_code_list"),
    (PLAIN, "A12C", "3", "quarantined A12C not_in_code_list"),
    (PLAIN, "A12C", "01", "quarantined A12C not_in_code_list"),
    (PLAIN, "A12C", "M", "quarantined A12C not_in_code_list"),
    (PLAIN, "B34C", "6", "quarantined B34C not_in_code_list"),
    (PLAIN, "B34C", "死亡", "quarantined B34C not_in_code_list"),
    (PLAIN, "B34C", "5 ", "counted hqms_12_death_autopsy"),
    (PLAIN, "B11C", "急诊", "quarantined B11C not_in_code_list"),
    (PLAIN, "B11C", "4", "quarantined B11C not_in_code_list"),
    (PLAIN, "A01", "9" * 23, "quarantined A01 too_long"),
    # what a rule counts
    (PLAIN, "A01", "12990102MB0000001", "counted hqms_16_organisation_code"),
    (PLAIN, "A01", "示例医院", "counted hqms_16_organisation_code"),
    (PLAIN, "A01", "1.2990102E+17", "counted hqms_16_organisation_code"),
    (PLAIN, "B20", "0", "counted hqms_02_stay_days"),
    (PLAIN, "B20", "-5", "counted hqms_02_stay_days"),
    (PLAIN, "B20", "50", "counted hqms_02_stay_days"),
    (PLAIN, "B20", "500", "counted hqms_02_stay_days"),
    (PLAIN, "A14", "-61", "counted hqms_03_age_birth"),
    (PLAIN, "A14", "16", "counted hqms_03_age_birth"),
    (PLAIN, "A14", "610", "counted hqms_03_age_birth"),
    (PLAIN, "A13", "2060-05-05", "counted hqms_03_age_birth"),
    (PLAIN, "A20", "990102197005050038", "counted hqms_03_id_birth"),
    (PLAIN, "A20", "99010219600505002X", "counted hqms_03_id_sex"),
    (NEWBORN, "A18x01", "32", "counted hqms_04_newborn_weight"),
    (NEWBORN, "A18x01", "3.2", "quarantined A18x01 not_integer"),
    (NEWBORN, "A18x01", "-3200", "counted hqms_04_newborn_weight"),
    (NEWBORN, "A18x01", "-", "counted hqms_04_newborn_weight"),
    (NEWBORN, "A17", "32000", "counted hqms_04_newborn_weight"),
    (NEWBORN, "A17", "3205", "counted hqms_04_newborn_weight"),
    (PLAIN, "D01", "0", "counted hqms_05_total_positive"),
    (PLAIN, "D01", "-5000.00", "counted hqms_05_total_positive"),
    (PLAIN, "D01", "50.00", "counted hqms_05_total_below_items"),
    (PLAIN, "D01", "5123.44", "counted hqms_05_total_below_items"),
    (PLAIN, "D09", "5123.46", "counted hqms_05_self_paid"),
    (PLAIN, "D09", "-1", "counted hqms_05_self_paid"),
    (PLAIN, "D12", "700000", "counted hqms_05_total_below_items"),
    (PLAIN, "D13", "-1000.00", "counted hqms_06_stay_fees"),
    (PLAIN, "D13", "0", "counted hqms_06_stay_fees"),
    (PLAIN, "D11", "-", "counted hqms_06_stay_fees"),
    (PLAIN, "D32", "-", "counted hqms_06_stay_fees"),
    (SURGICAL, "D20x01", "-", "counted hqms_06_anaesthesia_fee"),
    (SURGICAL, "D20x01", "-500", "counted hqms_06_anaesthesia_fee"),
    (SURGICAL, "D20x02", "0", "counted hqms_06_surgery_fee"),
    (11, "C26C", "6", "counted hqms_06_blood_type"),
    (11, "C27C", "-", "counted hqms_06_blood_type"),
    (TUMOUR, "C09C", "-", "counted hqms_07_pathology"),
    (TUMOUR, "C11", "-", "counted hqms_07_pathology"),
    (INJURED, "C12C", "-", "counted hqms_08_external_cause"),
    (INJURED, "C12C", "S06.500", "counted hqms_08_external_cause"),
    (PLAIN, "C03C", "-", "counted hqms_09_main_diagnosis"),
    (PLAIN, "C03C", "Z33.x00", "counted hqms_09_main_diagnosis"),
    (PLAIN, "C03C", "V04.100", "counted hqms_09_main_diagnosis"),
    (PLAIN, "C03C", "B96.200", "counted hqms_09_main_diagnosis"),
    (PLAIN, "C03C", "G01*", "counted hqms_09_main_diagnosis"),
    (PLAIN, "C03C", "O80.000", "counted hqms_10_sex_diagnosis"),
    (MOTHER, "C03C", "N40.x00", "counted hqms_10_sex_diagnosis"),
    (CHILD, "C03C", "D25.900", "counted hqms_11_age_diagnosis"),
    (DEAD, "C34C", "-", "counted hqms_12_death_autopsy"),
    (DEAD, "C34C", "9", "counted hqms_12_death_autopsy"),
    (TRANSFERRED, "B35", "-", "counted hqms_12_receiving"),
    (PLAIN, "B34C", "5", "counted hqms_12_death_autopsy"),
    (PLAIN, "B34C", "2", "counted hqms_12_receiving"),
    (VENTILATED, "C47", "12", "counted hqms_13_ventilator"),
    (VENTILATED, "C47", "-", "counted hqms_13_ventilator"),
    (INJURED, "C29", "25", "counted hqms_13_coma"),
    (INJURED, "C33", "75", "counted hqms_13_coma"),
    (SURGICAL, "C16x01", "2022-03-06 10:00:00", "counted hqms_14_operation_fields"),
    (SURGICAL, "C16x01", "2021-01-06 10:00:00", "counted hqms_14_operation_fields"),
    (SURGICAL, "C16x01", "六日", "counted hqms_14_operation_fields"),
    (SURGICAL, "C17x01", "5", "counted hqms_14_operation_fields"),
    (SURGICAL, "C17x01", "四级", "counted hqms_14_operation_fields"),
    (SURGICAL, "C18x01", "-", "counted hqms_14_operation_fields"),
    (SURGICAL, "C21x01C", "-", "counted hqms_14_operation_fields"),
    (SURGICAL, "C22x01C", "-", "counted hqms_14_operation_fields"),
    (SURGICAL, "C21x01C", "3", "counted hqms_14_incision"),
    (SURGICAL, "C14x01C", "-", "counted hqms_06_surgery_fee"),
    (PLAIN, "C24C", "2", "counted hqms_15_allergy_drug"),
    (PLAIN, "A21C", "1", "counted hqms_15_spouse_marital"),
    (PLAIN, "C03C", "I21001", "counted hqms_17_icd_form"),
    (PLAIN, "C03C", "急性心肌梗死", "counted hqms_17_icd_form"),
    (PLAIN, "C03C", "I21.001;I10", "counted hqms_17_icd_form"),
    (PLAIN, "C03C", "Ｉ21.001", "counted hqms_17_icd_form"),
    (PLAIN, "C03C", "121.001", "counted hqms_17_icd_form"),
    (SURGICAL, "C14x01C", "470100", "counted hqms_17_icd_form"),
    (SURGICAL, "C14x01C", "47-01", "counted hqms_17_icd_form"),
    (SURGICAL, "C14x01C", "阑尾切除术", "counted hqms_17_icd_form"),
    (PLAIN, "A26", "某路1号", "counted hqms_residence_known"),
    (PLAIN, "A26", "-", "counted hqms_residence_known"),
    (PLAIN, "A26", "����", "counted hqms_residence_known"),
    (PLAIN, "B16C", "9999", "counted hqms_department_mapped"),
    (PLAIN, "B16C", "心内科", "counted hqms_department_mapped"),
    # another spelling of the same
    (PLAIN, "B16C", "304", "same"),
    (PLAIN, "B16C", "A03.04", "same"),
    (PLAIN, "B12", "2022/01/05 08:00:00", "same"),
    (PLAIN, "B12", "2022-1-5 8:00", "same"),
    (PLAIN, "B12", "20220105080000", "same"),
    (PLAIN, "D01", " 5123.45 ", "same"),
    (PLAIN, "D01", "5123.450", "same"),
    (PLAIN, "A49", "1.0", "same"),
    (PLAIN, "A49", "01", "same"),
    (PLAIN, "C03C", "i21.001", "same"),
    (10, "C06x01C", "I10.X00", "same"),
    # dropped before anything is counted
    (PLAIN, "A11", "=HYPERLINK(1)", "same"),
    (PLAIN, "A11", "'; drop table parsed; --", "same"),
    (PLAIN, "A11", '"张"三"', "same"),
    (PLAIN, "A02", "甲\n乙", "same"),
    (PLAIN, "A11", "\u200b张", "same"),
    (PLAIN, "A11", "𠮷", "same"),
]
for row, column, text, expected in FIELDS:
    tables(expected, c.cell(row, column, text), what=f"{column} = {text!r:.40}")

# --- rows ---------------------------------------------------------------------------------------------------

tables(
    "counted hqms_01_time_order", c.swapped(PLAIN, "B12", "B15"), what="admission and discharge swapped", name="a.csv"
)
tables("quarantined A12C not_in_code_list", c.swapped(PLAIN, "A12C", "A13"), what="sex and birth swapped")
tables("quarantined D01 not_amount", c.swapped(PLAIN, "D01", "B12"), what="total and admission swapped")
tables("counted hqms_05_total_below_items", c.swapped(PLAIN, "D01", "D11"), what="total and an item swapped")
tables("counted hqms_17_icd_form", c.swapped(SURGICAL, "C03C", "C14x01C"), what="diagnosis and operation swapped")
tables("counted hqms_17_icd_form", c.swapped(PLAIN, "C03C", "C04N"), what="code and name of the diagnosis swapped")
for start, field_of in [
    ("A01", "A49"),
    ("A49", "A49"),
    ("B12", "B12"),
    ("A14", "A14"),
    ("B20", "B20"),
    ("B34C", "B34C"),
]:
    tables(f"quarantined {field_of}", c.shifted(PLAIN, start), what=f"shifted right from {start}")
tables("quarantined A49", c.shifted(PLAIN, "A48", -1), what="shifted left from A48")
tables("quarantined B15 required_missing", c.shifted(PLAIN, "B12", -1), what="shifted left from B12")
tables("quarantined D01", c.shifted(PLAIN, "C03C", 1), what="shifted right from the diagnosis")
tables("quarantined D01 required_missing", c.shifted(PLAIN, "D01", -20), what="fees shifted out to the left")
tables("counted hqms_06_stay_fees", c.cells(PLAIN, D11="-", D12="1024.69"), what="a fee one column to the right")
tables("quarantined A48 duplicate_key", c.repeated(PLAIN), what="a row twice")
tables("quarantined A48 duplicate_key", c.repeated(PLAIN, D01="9999.00"), what="a row twice with another total")
tables(
    "counted hqms_18_repeat_admission",
    c.repeated(PLAIN, B15="2022-01-11 10:00:00", B20="6"),
    what="an admission twice with another discharge",
)
tables("quarantined A49 not_integer", lambda rows: [*rows, list(c.COLUMNS)], what="the header again behind the rows")
tables("quarantined A48 required_missing", lambda rows: [*rows, ["-"] * len(c.COLUMNS)], what="a row of dashes")
tables("quarantined A48 required_missing", lambda rows: [*rows, ["合计"] + ["-"] * 642], what="a row of totals")
tables("same", lambda rows: [rows[0], *rows[:0:-1]], what="rows in reverse order")

# --- columns ------------------------------------------------------------------------------------------------

for column in ("A01", "A48", "A49", "B12", "B15", "C03C", "D01"):
    tables(f"refused missing_columns {column}", c.without(column), what=f"without {column}")
for column in ("B20", "B34C", "A12C", "B16C"):
    tables(f"quarantined {column} required_missing", c.without(column), what=f"without {column}")
for column in ("B11C", "D09", "C05C", "A26", "C06x01C"):
    tables(f"noted {column}", c.without(column), what=f"without {column}")
tables("refused missing_columns A48", c.header("A48", "病案号"), what="a Chinese title in place of the code")
tables("refused missing_columns D01", c.header("D01", "DO1"), what="a letter O in D01")
tables("noted B11C", c.header("B11C", "B11"), what="a renamed column")
tables("refused duplicate_columns A48", c.header("A47", "A48"), what="a header twice")
tables("refused duplicate_columns A48", c.header("A47", "a48"), what="a header twice in another case")
tables("quarantined A49 not_integer", c.labels_swapped("A49", "B12"), what="labels of count and admission swapped")
tables("held hqms_01_time_order", c.labels_swapped("B12", "B15"), what="labels of the times swapped", name="b.csv")
tables("counted hqms_05_total_below_items", c.labels_swapped("D01", "D11"), what="labels of the fees swapped")
tables("same", lambda rows: [row[::-1] for row in rows], what="columns in reverse order")
tables("same", lambda rows: [[n.lower() for n in rows[0]], *rows[1:]], what="header in small letters")
tables("same", lambda rows: [[f" {n} " for n in rows[0]], *rows[1:]], what="blanks around the header")
tables("same", lambda rows: [[*rows[0], ""], *([*row, "x"] for row in rows[1:])], what="an untitled column")
tables("quarantined A14 not_integer", c.whole_column("A14", lambda text: f"{text}岁"), what="a unit in every age")
tables(
    "counted hqms_17_icd_form", c.whole_column("C03C", lambda text: text.replace(".", "")), what="codes without points"
)
tables("quarantined D01 not_amount", c.whole_column("D01", lambda text: f"{text}元"), what="a unit in every total")
tables("counted hqms_16_organisation_code", c.whole_column("A01", lambda text: text[2:]), what="codes cut at the left")
tables("counted hqms_department_mapped", c.whole_column("B16C", lambda _: "内"), what="names in place of departments")

# --- names of files -----------------------------------------------------------------------------------------

tables("refused month_mismatch 2022-02", what="another month in the name", name="hqmsts_2022M02.csv")
tables("refused month_mismatch 2021-01", what="another year in the name", name="hqmsts_2021M01.csv")
tables("refused month_mismatch 2022-13", what="a thirteenth month in the name", name="hqmsts_2022M13.csv")
tables("same", what="no month in the name", name="export.csv")
tables("same", what="capitals in the name", name="HQMSTS_2022M01.CSV")
tables("refused unsupported_carrier csv", what="an unknown suffix", name="hqmsts_2022M01.dat")
tables("refused unsupported_carrier csv", what="no suffix", name="hqmsts_2022M01")
tables("refused unsupported_carrier xlsx", what="a CSV called xls", name="hqmsts_2022M01.xls")
tables("refused bad_workbook xlsx", what="a CSV called xlsx", name="hqmsts_2022M01.xlsx")
tables("refused broken_archive 重新上传", what="a CSV called zip", name="hqmsts_2022M01.zip")
tables("refused broken_archive 重新上传", what="a CSV called gz", name="hqmsts_2022M01.csv.gz")

# --- encodings and bytes ------------------------------------------------------------------------------------

BOM = b"\xef\xbb\xbf"
raw("a byte order mark", "same", lambda b: BOM + b)
raw("a byte order mark twice", "same", lambda b: BOM + BOM + b)
raw("GBK", "same", lambda b: b, encoding="gbk")
raw("a byte order mark before GB18030", "same", lambda b: "\ufeff".encode("gb18030") + b, encoding="gb18030")
raw("UTF-16", "refused unknown_encoding UTF-8", lambda b: b, encoding="utf-16")
raw("UTF-16 without a mark", "refused unknown_encoding UTF-8", lambda b: b, encoding="utf-16-le")
raw("UTF-32", "refused unknown_encoding UTF-8", lambda b: b, encoding="utf-32")
raw("GBK in one line of UTF-8", "quarantined - bad_encoding", c.field(3, "A11", "赵".encode("gbk")))
raw("a lone byte in one line of UTF-8", "quarantined - bad_encoding", c.field(3, "A11", b"\xff"))
raw("a character cut in half", "quarantined - bad_encoding", c.field(3, "A11", "赵".encode()[:2]))
raw(
    "lines of GBK and UTF-8 mixed",
    "refused unknown_encoding 编码",
    lambda b: b"\r\n".join(part.decode().encode("gbk") if n % 2 else part for n, part in enumerate(b.split(b"\r\n"))),
)
raw(
    "UTF-8 in one address of GBK",
    "counted hqms_residence_known",
    c.field(3, "A26", "云岫省岫宁市".encode()),
    encoding="gbk",
)
raw("a zero byte", "quarantined - bad_encoding", c.field(3, "A11", b"a\0b"))
raw("a zero byte in a number", "quarantined - bad_encoding", c.field(3, "D01", b"50\0000.00"))
raw("many zero bytes", "refused unknown_encoding 二进制", lambda b: b"\0" * 20_000 + b)
raw("a picture", "refused unknown_encoding UTF-8", lambda _: b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 50)
raw("separators of landing's own lists", "same", c.field(3, "A11", b"a\x1e\x1fb"))
raw("an end-of-file mark at the end", "quarantined - ragged_row", lambda b: b + b"\x1a")
raw("line feeds alone", "same", lambda b: b.replace(b"\r\n", b"\n"))
raw("carriage returns alone", "refused wrong_layout 版式", lambda b: b.replace(b"\r\n", b"\r"))
raw("no line end behind the last row", "same", lambda b: b.rstrip())
raw("empty lines at the end", "same", lambda b: b + b"\r\n\r\n\r\n")
raw("empty lines between", "same", lambda b: b.replace(b"\r\n", b"\r\n\r\n"))
raw("an empty line before the header", "refused wrong_layout 版式", lambda b: b"\r\n" + b)
raw("a title before the header", "refused wrong_layout 版式", lambda b: "2022年1月病案首页\r\n".encode() + b)
raw("no header", "refused duplicate_columns 重复", lambda b: b.split(b"\r\n", 1)[1])
raw("the header alone", "refused empty_file 只有表头", lambda b: b.split(b"\r\n", 1)[0] + b"\r\n")
raw("nothing", "refused empty_file 为空", lambda _: b"")
raw("blanks alone", "refused empty_file 为空", lambda _: b" \r\n \r\n")
raw("a byte order mark alone", "refused empty_file 为空", lambda _: BOM)
raw("semicolons between", "refused wrong_layout 版式", lambda b: b.replace(b",", b";"))
raw("tabs between", "refused wrong_layout 版式", lambda b: b.replace(b",", b"\t"))
raw(
    "every field in quotes",
    "same",
    lambda b: b"\r\n".join(
        b",".join(b'"%s"' % v for v in part.split(b",")) if part else b"" for part in b.split(b"\r\n")
    ),
)
raw("an HTML page", "refused wrong_layout 版式", lambda _: "<html><body>会话已过期，请重新登录</body></html>".encode())
raw("a JSON document", "refused wrong_layout 版式", lambda _: b'{"code": 500, "data": [1, 2, 3]}')

# --- quotes, widths, lengths --------------------------------------------------------------------------------

raw("a comma too many", "quarantined - ragged_row", c.field(3, "A11", b"a,b"))
raw("a comma too many before empty values", "quarantined - ragged_row", c.field(3, "D24", b"1,000.00"))
raw("a comma in the name of a diagnosis", "quarantined - ragged_row", c.field(3, "C04N", "高血压,2级".encode()))
raw("a comma too few", "quarantined - ragged_row", c.line(3, lambda b: b.replace(b",", b"", 1)))
raw("a row cut short", "quarantined - ragged_row", c.line(3, lambda b: b[: len(b) // 2]))
raw("the file cut in its last row", "quarantined - ragged_row", lambda b: b[:-900])
raw(
    "two rows on one line",
    "quarantined - ragged_row",
    lambda b: b.replace(b"\r\n", b"\x00", 3).replace(b"\x00", b"\r\n", 2).replace(b"\x00", b","),
)
raw("a quote never closed", "quarantined - ragged_row", c.field(3, "A11", b'"a'))
raw(
    "a quote never closed in the last column",
    "quarantined - ragged_row",
    c.line(3, lambda b: b.rsplit(b",", 1)[0] + b',"-'),
)
raw("text behind a closing quote", "quarantined - ragged_row", c.field(3, "A11", b'"a"b'))
raw("a quote inside a text", "same", c.field(3, "A11", b'a"b'))
raw("a backslash before a quote", "quarantined - ragged_row", c.field(3, "A11", b'"a\\"b"'))
raw("doubled quotes", "same", c.field(3, "A11", b'"a""b"'))
raw("a line break in quotes", "same", c.field(3, "A11", b'"a\r\nb"'))
raw("a bare line break in a text", "quarantined - ragged_row", c.field(3, "A11", b"a\nb"))
raw("a carriage return in a text", "same", c.field(3, "A11", b"a\rb"))
raw("a field of ten megabytes", "same", c.field(3, "A11", b"x" * 10 * MEGABYTE))
raw("a quote and ten megabytes", "quarantined - ragged_row", c.field(3, "A11", b'"' + b"x" * 10 * MEGABYTE))
raw("a line beyond any table", "quarantined - ragged_row", c.field(3, "A11", b"x" * 20 * MEGABYTE))
raw("a header of a megabyte", "refused wrong_layout 版式", lambda b: b"x" * MEGABYTE + b)
raw(
    "ten thousand columns",
    "same",
    lambda b: b"\r\n".join(
        part + b",-" * 10_000 if n else part + b"," * 10_000 for n, part in enumerate(b.rstrip().split(b"\r\n"))
    ),
)

# --- gzip ---------------------------------------------------------------------------------------------------

GZ = f"{NAME}.gz"
BOMB = (b"-," * 500_000 + b"\r\n") * 70
raw("gzip", "same", c.gz, name=GZ)
raw("gzip in two members", "same", lambda b: c.gz(b[:5000]) + c.gz(b[5000:]), name=GZ)
raw("gzip cut short", "refused broken_archive 重新上传", lambda b: c.gz(b)[:-40], name=GZ)
raw("gzip cut in its header", "refused broken_archive 重新上传", lambda b: c.gz(b)[:8], name=GZ)
raw("gzip with a wrong sum", "refused broken_archive 重新上传", lambda b: c.flipped(c.gz(b), -6), name=GZ)
raw("gzip with a wrong length", "refused broken_archive 重新上传", lambda b: c.flipped(c.gz(b), -2), name=GZ)
raw("gzip broken in the middle", "refused broken_archive 重新上传", lambda b: c.flipped(c.gz(b), 1500), name=GZ)
raw("gzip and garbage behind", "refused broken_archive 重新上传", lambda b: c.gz(b) + b"garbage", name=GZ)
raw("gzip of nothing", "refused empty_file 为空", lambda _: c.gz(b""), name=GZ)
raw("gzip of a gzip", "refused unknown_encoding UTF-8", lambda b: c.gz(c.gz(b)), name=GZ)
raw("an empty gzip file", "refused", lambda _: b"", name=GZ)
raw("a gzip bomb", "refused broken_archive 膨胀", lambda b: c.gz(b + BOMB), name=GZ)

# --- zip ----------------------------------------------------------------------------------------------------

ZIP = "hqmsts_2022M01.zip"
raw("zip", "same", lambda b: c.zipped({"a.csv": b}), name=ZIP)
raw("zip stored without compression", "same", lambda b: c.zipped({"a.csv": b}, 0), name=ZIP)
raw("a path out of the zip", "same", lambda b: c.zipped({"../../../escaped.csv": b}), name=ZIP)
raw("an absolute path in the zip", "same", lambda b: c.zipped({"/tmp/escaped.csv": b}), name=ZIP)
raw("a zip with a folder of a Mac", "same", lambda b: c.zipped({"a.csv": b, "__MACOSX/._a.csv": b"x"}), name=ZIP)
raw("a zip with a document beside", "same", lambda b: c.zipped({"a.csv": b, "说明.docx": b"x"}), name=ZIP)
raw(
    "two tables in a zip",
    "refused unsupported_carrier 2 个 CSV",
    lambda b: c.zipped({"a.csv": b, "b.csv": b}),
    name=ZIP,
)
raw("no table in a zip", "refused unsupported_carrier 0 个 CSV", lambda b: c.zipped({"a.pdf": b}), name=ZIP)
raw("an empty zip", "refused unsupported_carrier 0 个 CSV", lambda _: c.zipped({}), name=ZIP)
raw(
    "a zip in a zip",
    "refused unsupported_carrier 0 个 CSV",
    lambda b: c.zipped({"a.zip": c.zipped({"a.csv": b})}),
    name=ZIP,
)
raw("an empty table in a zip", "refused empty_file 为空", lambda _: c.zipped({"a.csv": b""}), name=ZIP)
raw("an encrypted zip", "refused broken_archive 密码", lambda b: c.encrypted(c.zipped({"a.csv": b})), name=ZIP)
raw(
    "a zip of an unknown method",
    "refused broken_archive 重新上传",
    lambda b: c.of_method(c.zipped({"a.csv": b}), 99),
    name=ZIP,
)
raw("a zip cut short", "refused broken_archive 重新上传", lambda b: c.zipped({"a.csv": b})[:-60], name=ZIP)
raw("a zip cut at the front", "refused broken_archive 重新上传", lambda b: c.zipped({"a.csv": b})[20:], name=ZIP)
raw(
    "a zip broken in the middle",
    "refused broken_archive 重新上传",
    lambda b: c.flipped(c.zipped({"a.csv": b}), 1500),
    name=ZIP,
)
raw("a zip bomb", "refused broken_archive 膨胀", lambda b: c.zipped({"a.csv": b + BOMB}), name=ZIP)
raw("an empty zip file", "refused", lambda _: b"", name=ZIP)
raw("a workbook in a zip", "refused unsupported_carrier 0 个 CSV", lambda b: c.zipped({"a.xlsx": b}), name=ZIP)

# --- DBF ----------------------------------------------------------------------------------------------------

DBF = "202201_20220203_x.zip"


def dbf(what: str, expected: str, change: Callable[[bytes, bytes], bytes]) -> None:
    case(what, expected, lambda hospital: Broken(change(*c.dbf_parts(hospital)), DBF))


def first(change: Callable[[bytes], bytes]) -> Callable[[bytes, bytes], bytes]:
    return lambda one, two: c.dbf_zip([change(one), two])


dbf("DBF", "same", lambda one, two: c.dbf_zip([one, two]))
dbf("DBF with more records declared", "refused broken_archive 13 条", first(lambda b: c.poke(b, 4, b"\x0d\0\0\0")))
dbf("DBF with fewer records declared", "refused broken_archive 5 条", first(lambda b: c.poke(b, 4, b"\x05\0\0\0")))
dbf("DBF with no records declared", "refused broken_archive 0 条", first(lambda b: c.poke(b, 4, b"\0\0\0\0")))
dbf("DBF with a million records declared", "refused broken_archive", first(lambda b: c.poke(b, 4, b"\0\0\x10\0")))
dbf("DBF with a wrong record length", "refused broken_archive", first(lambda b: c.poke(b, 10, b"\x07\0")))
dbf("DBF with a wrong header length", "refused broken_archive", first(lambda b: c.poke(b, 8, b"\x41\0")))
dbf(
    "the last record deleted in one DBF of two",
    "refused parts_mismatch 记录数",
    first(lambda b: c.dbf_flag(b, 11, b"*")),
)
dbf("DBF cut short", "refused broken_archive", first(lambda b: b[:-900]))
dbf("DBF cut in its header", "refused broken_archive", first(lambda b: b[:100]))
dbf("DBF of nothing", "refused broken_archive", first(lambda _: b""))
dbf("DBF that is a text", "refused broken_archive", first(lambda _: "病案首页".encode() * 40))
dbf("an end mark between the records of a DBF", "refused broken_archive", first(lambda b: c.dbf_flag(b, 4, b"\x1a")))
dbf("a record of a DBF with a wild mark", "refused broken_archive", first(lambda b: c.dbf_flag(b, 4, b"x")))
dbf("a record deleted in one DBF of two", "refused parts_mismatch 顺序", first(lambda b: c.dbf_flag(b, 4, b"*")))
dbf("the second DBF missing", "refused missing_columns P782", lambda one, _: c.zipped({"a.dbf": one}))
dbf("the second DBF twice", "refused missing_columns", lambda _, two: c.dbf_zip([two, two]))
dbf(
    "three DBF",
    "refused unsupported_carrier 3 个 DBF",
    lambda one, two: c.zipped({"1.dbf": one, "2.dbf": two, "3.dbf": two}),
)
dbf(
    "records of the second DBF in another order",
    "refused parts_mismatch 顺序",
    first(lambda b: c.dbf_field(b, 0, "P3", b"R00001")),
)
dbf("parts in the other order", "same", lambda one, two: c.dbf_zip([two, one]))
dbf(
    "letters in an amount of a DBF",
    "quarantined P782 not_amount",
    lambda one, two: c.dbf_zip([one, c.dbf_field(two, 0, "P782", b"*********")]),
)
dbf(
    "a date of a DBF that is none",
    "quarantined P22 not_datetime",
    first(lambda b: c.dbf_field(b, 0, "P22", b"2022-99-99")),
)
dbf(
    "a name of a DBF that does not decode",
    "quarantined - bad_encoding",
    first(lambda b: c.dbf_field(b, 0, "P4", b"\xff\xff")),
)
dbf("zero bytes in a DBF", "same", first(lambda b: c.dbf_field(b, 0, "P4", b"\0\0\0")))
dbf(
    "an unknown way of discharge in a DBF",
    "quarantined P741 not_in_code_list",
    lambda one, two: c.dbf_zip([one, c.dbf_field(two, 0, "P741", b"7")]),
)
dbf("a shorter stay in a DBF", "counted hqms_02_stay_days", first(lambda b: c.dbf_field(b, 0, "P27", b"   1")))
case(
    "a DBF outside a zip",
    "refused unsupported_carrier",
    lambda hospital: Broken(c.dbf_parts(hospital)[0], "202201_x.dbf"),
)

# --- workbooks ----------------------------------------------------------------------------------------------

XLSX = "hqmsts_2022M01.xlsx"


def sheet(
    what: str,
    expected: str,
    prepare: Change = lambda rows: rows,
    change: Callable[..., None] | None = None,
    after: Callable[[bytes], bytes] = lambda content: content,
    sheets: int = 1,
) -> None:
    case(what, expected, lambda hospital: Broken(after(c.workbook(prepare(c.table(hospital)), change, sheets)), XLSX))


D01, A48, A01, B12 = (HEADER.index(code) for code in ("D01", "A48", "A01", "B12"))
sheet("XLSX", "same")
sheet("a formula that was computed", "same", change=lambda _, s: s.write_formula(1, D01, "=5000+123.45", None, 5123.45))
sheet(
    "a formula that never was computed",
    "counted hqms_05_total_positive",
    change=lambda _, s: s.write_formula(1, D01, "=SUM(A1)"),
)
sheet(
    "a formula with an error", "quarantined D01", change=lambda _, s: s.write_formula(1, D01, "=1/0", None, "#DIV/0!")
)
sheet("a number stored as a number", "same", change=lambda _, s: s.write_number(1, D01, 5123.45))
sheet("a total with a binary tail", "quarantined D01 not_amount", change=lambda _, s: s.write_number(1, D01, 5000.001))
sheet(
    "a code stored as a number",
    "counted hqms_16_organisation_code",
    change=lambda _, s: s.write_number(1, A01, 12990102000001),
)
sheet("a date stored as a number", "quarantined B12 not_datetime", change=lambda _, s: s.write_number(1, B12, 44566.33))
sheet("a truth value in a number", "quarantined B12 not_datetime", change=lambda _, s: s.write_boolean(1, B12, True))
sheet(
    "merged cells",
    "quarantined A48 required_missing",
    change=lambda book, s: s.merge_range(1, A48, 3, A48, "R00000", book.add_format({"bold": True})),
)
sheet("a title above the header", "refused wrong_layout 版式", lambda rows: [["2022年1月病案首页"], *rows])
sheet("the table on the second sheet", "refused empty_file 第一张表", sheets=2)
sheet("empty rows between", "same", lambda rows: [row for r in rows for row in (r, [])][:-1])
sheet(
    "a hidden column and a filter",
    "same",
    change=lambda _, s: (s.set_column(3, 3, None, None, {"hidden": True}), s.autofilter(0, 0, 12, 641))[0],
)
sheet("a workbook cut short", "refused bad_workbook", after=lambda b: b[:-500])
sheet("a workbook broken in the middle", "refused", after=lambda b: c.flipped(b, len(b) // 2))
sheet("an empty workbook", "refused empty_file", lambda _: [])
sheet("a workbook of the header alone", "refused empty_file 只有表头", lambda rows: rows[:1])
sheet("a header twice in a workbook", "refused duplicate_columns A48", c.header("A47", "A48"))
sheet("text in a number of a workbook", "quarantined A49 not_integer", c.cell(PLAIN, "A49", "一"))
sheet("a negative total in a workbook", "counted hqms_05_total_positive", c.cell(PLAIN, "D01", "-1"))
case(
    "a zip called xlsx",
    "refused bad_workbook",
    lambda hospital: Broken(c.zipped({"a.csv": c.write(c.table(hospital))}), XLSX),
)
case(
    "a workbook with a password",
    "refused bad_workbook",
    lambda _: Broken(bytes.fromhex("d0cf11e0a1b11ae1") + bytes(2048), XLSX),
)
case(
    "a workbook bomb",
    "refused broken_archive 膨胀",
    lambda _: Broken(c.zipped({"xl/worksheets/sheet1.xml": b" " * (70 * MEGABYTE), "[Content_Types].xml": b"x"}), XLSX),
)

# --- the layout of traditional Chinese medicine hospitals ---------------------------------------------------


def chinese(what: str, expected: str, *changes: Change, name: str = "TCMMS_202201-01_1.csv") -> None:
    def file(hospital: str) -> Broken:
        rows = c.pinyin(hospital)
        for change in changes:
            rows = change(rows)
        return Broken(c.write(rows, "gb18030"), name)

    case(f"pinyin: {what}", expected, file)


chinese("clean", "same")
chinese("an hour that is none", "quarantined CYSJ not_datetime", c.cell(PLAIN, "CYSJ_S", "25"))
chinese("an hour in words", "quarantined CYSJ not_datetime", c.cell(PLAIN, "CYSJ_S", "十点"))
chinese("an empty date", "quarantined CYSJ required_missing", c.cell(PLAIN, "CYSJ", ""))
chinese("date and hour swapped", "quarantined CYSJ not_datetime", c.swapped(PLAIN, "CYSJ", "CYSJ_S"))
chinese("a negative total", "counted hqms_05_total_positive", c.cell(PLAIN, "ZFY", "-1"))
chinese("an unknown way of discharge", "quarantined LYFS not_in_code_list", c.cell(PLAIN, "LYFS", "8"))
chinese("without the total", "refused missing_columns ZFY", c.without("ZFY"))
chinese("another month in the name", "refused month_mismatch 2022-03", name="TCMMS_202203-03_1.csv")

# --- the small sources --------------------------------------------------------------------------------------


def small(what: str, expected: str, system: str, head: tuple[str, ...], row: tuple[str, ...], **texts: str) -> None:
    values = [texts.get(name, value) for name, value in zip(head, row, strict=True)]
    good = [row[0], f"{row[1]}2", *row[2:]]
    case(f"{system}: {what}", expected, lambda _: Broken(table_csv(head, [good, values]), "a.csv", system))


REGISTER = (
    "12990102MB0000001L",
    "示例医院",
    "三级",
    "甲等",
    "综合医院",
    "990102",
    "岫宁市",
    "是",
    "否",
    "0",
    "1",
    "03、04",
)
GROUPED = ("12990102MB0000001L", "R00001", "1", "2022-01-10 10:00:00", "FR11", "demo", "")
LISTED = ("2022", "47.0100", "阑尾切除术", "手术", "三级", "否", "否", "2022-01-01", "-")
for what, expected, texts in [
    ("no code", "quarantined 机构代码 required_missing", {"机构代码": "-"}),
    ("a level that is none", "quarantined 级别 not_in_code_list", {"级别": "特级"}),
    ("a division in words", "quarantined 行政区划代码 too_long", {"行政区划代码": "云岫省岫宁市东岫区"}),
    ("neither yes nor no", "quarantined 是否省会 not_flag", {"是否省会": "可能"}),
]:
    small(what, expected, "registry", HOSPITAL_HEADER, REGISTER, **texts)
for what, expected, texts in [
    ("a count in words", "quarantined 住院次数 not_integer", {"住院次数": "首次"}),
    ("a discharge that is none", "quarantined 出院时间 not_datetime", {"出院时间": "2022-1-32"}),
    ("a group in words", "quarantined DRG编码 too_long", {"DRG编码": "急性心肌梗死伴严重并发症"}),
]:
    small(what, expected, "drg", DRG_HEADER, GROUPED, **texts)
for what, expected, texts in [
    ("a level that is none", "quarantined 级别 not_in_code_list", {"级别": "五级"}),
    ("a class that is none", "quarantined 类别 not_in_code_list", {"类别": "其他类"}),
    ("a day that is none", "quarantined 生效日期 not_date", {"生效日期": "2022年"}),
    ("no day", "quarantined 生效日期 required_missing", {"生效日期": ""}),
]:
    small(what, expected, "catalogue", CATALOGUE_HEADER, LISTED, **texts)
case("a folder of no system", "refused unknown_system hqmss", lambda h: Broken(c.write(c.table(h)), NAME, "hqmss"))
case("front pages among the registers", "refused wrong_layout", lambda h: Broken(c.write(c.table(h)), NAME, "registry"))
