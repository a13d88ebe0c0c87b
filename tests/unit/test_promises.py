"""What dbt's tests promise of a table: told in Chinese by table and column, counted, never quoting a value."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pytest

from dagster_project.promises import Promise, broken, promises
from dagster_project.settings import Settings, load_settings


def test_of(kind: str, query: str, **kwargs: Any) -> dict[str, Any]:
    return {
        "resource_type": "test",
        "unique_id": f"test.zhuanke.{kind}",
        "attached_node": "model.zhuanke.fct_x",
        "test_metadata": {"name": kind, "kwargs": {"model": "{{ get_where_subquery(ref('fct_x')) }}", **kwargs}},
        "compiled_code": query,
    }


test_of.__test__ = False  # type: ignore[attr-defined]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(tmp_path / "home", threads=1, memory_limit="256MB")


@pytest.fixture
def candidate(tmp_path: Path) -> Path:
    path = tmp_path / "candidate.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("create table fct_x as from (values ('H1', 'a'), ('H1', 'b'), (null, 'b')) as v (id, k)")
    return path


@pytest.mark.parametrize(
    ("test", "words"),
    [
        (test_of("unique_combination", "", columns=["id", "k"]), "id、k 合起来不应重复，也不应为空"),
        (test_of("accepted_values", "", column_name="k", values=["a", "b"]), "k 只应取 a、b"),
        (test_of("accepted_range", "", column_name="k", minimum=0, maximum=1), "k 应在 0 至 1 之间"),
        (test_of("relationships", "", column_name="k", to="ref('dim_k')", field="k"), "k 应见于 dim_k.k"),
        (test_of("holds", "", condition="a <= b\n  and c"), "每行应满足 a <= b and c"),
        (
            test_of("sums_match", "", expression="sum(n)", other="ref('stg_x')", other_expression="count(*)"),
            "sum(n) 应等于 stg_x 的 count(*)",
        ),
    ],
)
def test_a_promise_is_told_in_words(test: dict[str, Any], words: str) -> None:
    nodes = {"model.zhuanke.fct_x": {"resource_type": "model", "name": "fct_x"}, "t": test}
    assert promises(nodes) == {"fct_x": [Promise("fct_x", words, "")]}


def test_what_does_not_hold_is_named_by_table_and_column_with_its_count(settings: Settings, candidate: Path) -> None:
    asked = [
        Promise("fct_x", "k 不应为空", "select k from fct_x where k is null"),
        Promise("fct_x", "id 不应为空", 'select id from "candidate"."main"."fct_x" where id is null -- the end'),
        Promise("fct_x", "id 不应重复", "select id from fct_x group by id having count(*) > 1"),
        Promise("fct_x", "k 应为数", "select k from fct_x where cast(k as integer) > 0"),
    ]
    told = [str(one) for one in broken(settings, candidate, asked)]
    assert told == [
        "fct_x：id 不应为空；1 处不符",
        "fct_x：id 不应重复；1 处不符",
        "fct_x：k 应为数；无法核对（ConversionException）",
    ]
