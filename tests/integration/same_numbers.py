"""Values and scores of one list, as five readers find them: Parquet, workbook, page, service and database.

Every function answers with item and hospital → value and score, as each reader holds them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import duckdb
import sqlalchemy as sa
from python_calamine import CalamineWorkbook
from starlette.testclient import TestClient

from publishing.service.app import service
from publishing.service.tokens import Scope, TokenStore
from publishing.targets.sql import Mirror

Cells = dict[tuple[str, str], tuple[Decimal | None, Decimal | None]]
SPECIALTY = "0304"
QUERY = f"select item_id, hospital_id, value, scale_score from {{}} where specialty_code = '{SPECIALTY}' order by 1, 2"
ARTICLE = re.compile(rf'<article aria-labelledby="[^"]*{SPECIALTY}-([\w.-]+)">(.*?)</article>', re.DOTALL)
ROW = re.compile(r'<tr>.*?<th scope="row">(.*?)</th>(.*?)</tr>', re.DOTALL)


def of_parquet(bundle: Path) -> Cells:
    """What was certified."""
    with duckdb.connect() as connection:
        rows = connection.execute(QUERY.format(f"'{bundle}/data/fct_item.parquet'")).fetchall()
    return {(item, hospital): (value, score) for item, hospital, value, score in rows}


def of_postgres(url: str, release: Path) -> Cells:
    """The release in a database, through the view for readers."""
    Mirror(sa.make_url(url)).push(release)
    where = "programme_id = 'national_2021' and window_id = '2020-2022' and"
    query = QUERY.format("zhuanke_v1.fct_item").replace("where", f"where {where}")
    with sa.create_engine(url, poolclass=sa.NullPool).connect() as connection:
        rows = connection.exec_driver_sql(query).all()
    return {(item, hospital): (value, score) for item, hospital, value, score in rows}


def of_service(home: Path, certificate: str, hospitals: set[str]) -> Cells:
    """The score sheets that the service answers with; its numbers are texts."""
    records = home / "service"
    token, _ = TokenStore(records / "tokens.json").new(Scope(kind="all"), purpose="核对", days=1, now=datetime.now(UTC))
    app = service(home / "certified", records, hosts=("testserver",), per_minute=10_000)
    client = TestClient(app, headers={"authorization": f"Bearer {token}"})
    found: Cells = {}
    for hospital in sorted(hospitals):
        path = f"/api/v1/certificates/{certificate}/specialties/{SPECIALTY}/hospitals/{hospital}"
        answer = client.get(path)
        assert answer.status_code == 200, answer.text
        for item in answer.json()["items"]:
            found[item["item_id"], hospital] = (_exact(item["value"]), _exact(item["scale_score"]))
    return found


def of_workbook(bundle: Path, items: list[str]) -> Cells:
    """The sheets of the hospitals; a workbook holds binary fractions, which eight decimals outlive."""
    (form,) = (path for path in (bundle / "form").glob("*.xlsx") if SPECIALTY in path.name)
    book = CalamineWorkbook.from_path(form)
    found: Cells = {}
    for name in book.sheet_names[2:-1]:
        rows = book.get_sheet_by_name(name).to_python(skip_empty_area=False)
        hospital = re.search(r"（(\w+)）$", str(rows[2][0]))  # specialty, name and code
        assert hospital, rows[:3]
        lines = [row for row in rows if len(row) > 13 and isinstance(row[12], float)]  # a weight: a line of an item
        assert len(lines) == len(items)
        for item, row in zip(items, lines, strict=True):
            found[item, hospital[1]] = (_rounded(row[5]), _rounded(row[11]))
    return found


def of_page(bundle: Path, hospitals: dict[str, str]) -> Cells:
    """The report's tables, whose cells carry the exact number; items that nobody has a value for have none."""
    found: Cells = {}
    for page in sorted((bundle / "report").glob("*.html")):
        for item, article in ARTICLE.findall(page.read_text(encoding="utf-8")):
            for head, cells in ROW.findall(article):
                name = re.sub(r"<svg.*?</svg>", "", head, flags=re.DOTALL)
                numbers = re.findall(r'<data value="([^"]*)">', cells)
                found[item, hospitals[name]] = (_exact(numbers[0] or None), _exact(numbers[-1] or None))
    return found


def names(bundle: Path) -> dict[str, str]:
    """Hospital by its name."""
    with duckdb.connect() as connection:
        rows = connection.execute(f"select name_zh, hospital_id from '{bundle}/data/dim_hospital.parquet'").fetchall()
    return dict(rows)


def shown(cells: Cells) -> Iterator[tuple[str, str]]:
    """The cells of items that somebody has a value for."""
    valued = {item for (item, _), (value, _) in cells.items() if value is not None}
    return (key for key in cells if key[0] in valued)


def _exact(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def _rounded(cell: object) -> Decimal | None:
    return Decimal(cell).quantize(Decimal("1e-8")) if isinstance(cell, float) else None
