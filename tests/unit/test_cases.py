"""Files of cases for grouping on the spot: what may be in them, and what is said of those that hold none."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import duckdb
import pytest

from sources.cases import read_cases
from sources.connectors.problems import FileRefused
from tests.support.front_page import HEADER, clean_front_page, front_page_csv

COLUMNS = "case_id, sex, age_years, age_days, weight_g, diagnoses, operations"


def cases(path: Path) -> list[tuple[object, ...]]:
    with duckdb.connect() as connection:
        count = read_cases(path, connection, "示例-1")
        rows = connection.execute(f"select {COLUMNS} from landing.grouping_case order by source_row").fetchall()
        assert connection.execute("select distinct scheme_edition from landing.grouping_case").fetchall() == [
            ("示例-1",)
        ]
    assert count == len(rows)
    return rows


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_csv_with_codes_in_one_cell(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "cases.csv"
    path.write_bytes(
        "编号,性别,年龄,诊断,手术操作,备注\n甲,女,30, O82.000；O34.201 ,74.1x00|73.5900,无\n乙,1,-,;J18.900,,\n".encode(
            encoding
        )
    )
    assert cases(path) == [
        ("甲", "2", 30, None, None, ["O82.000", "O34.201"], ["74.1x00", "73.5900"]),
        # nothing before the first separator: the principal diagnosis is missing, not moved up
        ("乙", "1", None, None, None, ["", "J18.900"], [""]),
    ]


def test_a_parquet_with_lists_and_english_names(tmp_path: Path) -> None:
    path = tmp_path / "cases.parquet"
    duckdb.sql(
        "select 0 as age_years, 3 as age_days, 2500 as weight_g, ['P07.300', null] as diagnoses,"
        " []::varchar[] as operations"
    ).write_parquet(str(path))
    assert cases(path) == [(None, None, 0, 3, 2500, ["P07.300", None], [])]


def test_front_pages_as_they_are_uploaded(tmp_path: Path) -> None:
    path = tmp_path / "hqmsts_2022M01.csv"
    stay = {"organisation": "12990102MB0000001L", "department": "0304"}
    stay |= {"admitted": datetime(2022, 1, 5, 8), "discharged": datetime(2022, 1, 9, 8)}
    pages = [
        clean_front_page(**stay, record="R1", serial=1, diagnosis="I21.001", C06x01C="I10.x00"),
        clean_front_page(**stay, record="R2", serial=2, diagnosis="J18.900"),
    ]
    path.write_bytes(front_page_csv(pages))
    found = cases(path)
    assert [row[5] for row in found] == [["I21.001", "I10.x00"], ["J18.900"]]
    assert [row[0] for row in found] == ["2", "3"], "the line in the file"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("编号,年龄,诊断\n甲,30,I10\n乙,三十,I10\n", "第 3 行“年龄”不是整数"),
        ("编号,年龄,诊断\n甲,30.5,I10\n", "第 2 行“年龄”不是整数"),
        ("编号,病名\n甲,感冒\n", "任何已知版式"),
        (",".join(HEADER) + "\n", "只有表头"),
    ],
)
def test_what_is_no_file_of_cases_is_refused(tmp_path: Path, content: str, says: str) -> None:
    path = tmp_path / "hqmsts_2022M01.csv"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(FileRefused) as refused:
        cases(path)
    assert says in str(refused.value)
