"""The promises of the warehouse as Dagster shows them: one check per table, at the end of the step that makes them all.

Belongs here: what Dagster shows of a promise, and that nothing is exported when one is broken. Does not belong here:
what is promised, and how it is asked (`dagster_project.promises`).
"""

from collections.abc import Iterator, Mapping, Sequence

import dagster as dg

from dagster_project.defs.resources import HomeResource
from dagster_project.promises import Promise, broken

NAME = "promises"


def check_spec(asset: dg.AssetKey, asked: Sequence[Promise], metadata: Mapping[str, object]) -> dg.AssetCheckSpec:
    """The check of one table."""
    words = "\n".join(f"- {promise.words}" for promise in asked)
    return dg.AssetCheckSpec(NAME, asset=asset, description=f"表的约定 {len(asked)} 项\n\n{words}", metadata=metadata)


def check(
    context: dg.AssetExecutionContext, home: HomeResource, by_table: Mapping[str, Sequence[Promise]]
) -> Iterator[dg.AssetCheckResult]:
    """Ask of every selected table what is promised of it; a broken promise is told, then fails the step."""
    tables = sorted(key.asset_key.to_user_string() for key in context.selected_asset_check_keys)
    asked = [promise for table in tables for promise in by_table[table]]
    found = broken(home.settings, home.workspace.candidate_db, asked)
    for table in tables:
        mine = [str(one) for one in found if one.promise.table == table]
        yield dg.AssetCheckResult(
            asset_key=table,
            check_name=NAME,
            passed=not mine,
            metadata={"promises": len(by_table[table]), "broken": len(mine)},
            description="\n".join(mine) or None,
        )
    if found:
        told = "\n  ".join(map(str, found))
        raise dg.Failure(
            description=f"算出的表有 {len(found)} 项约定不成立，没有导出：\n  {told}\n"
            "若改过参考表（dbt/seeds），请改正后重跑；否则请把本次日志交给维护人员。",
            allow_retries=False,
        )
