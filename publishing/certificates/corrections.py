"""What a new revision changes against the one before: the queries that were accepted, values, scores and places.

Belongs here: that comparison, written into the evidence of the new revision, beside each changed row the accepted
queries of its hospital; a row without one moved because others did. Does not belong here: why a number moved
(that takes computing it again).
"""

from __future__ import annotations

import csv
from pathlib import Path

from expectations.content import DATA
from publishing.certificates.history import History

FOLDER = "evidence/corrections"
TITLES = {
    f"{FOLDER}/queries.csv": "对上一版的异议与裁定",
    f"{FOLDER}/values.csv": "与上一版相比变动的指标值",
    f"{FOLDER}/ranks.csv": "与上一版相比变动的总分与名次",
}
_INDICATOR = ("hospital_id", "specialty_code", "attribution", "window_id", "indicator_id")
_SCORE = ("tier", "window_id", "specialty_code", "hospital_id")


def write_corrections(before: Path, after: Path, history: History) -> None:
    """Compare the bundle of the revision before (with its history) and write the evidence into `after`."""
    import duckdb

    target = after / FOLDER
    target.mkdir(parents=True)
    with (target / "queries.csv").open("w", encoding="utf-8", newline="") as stream:
        table = csv.writer(stream, lineterminator="\n")
        table.writerow(
            ("query", "hospital_id", "about", "question", "asked_at", "ruling", "ruled_by", "grounds", "input")
        )
        for query in history.queries.values():
            asked, ruled = query.asked, query.ruled
            told = (
                query.query_id,
                asked.facts["hospital_id"],
                asked.facts["about"],
                asked.reason,
                asked.at.isoformat(),
            )
            if ruled is None:
                table.writerow((*told, "open", "", "", ""))
            else:
                decision = "accepted" if query.is_accepted else "rejected"
                table.writerow((*told, decision, ruled.by, ruled.reason, ruled.facts["changed_input"]))
    with duckdb.connect() as connection:
        connection.execute("create table accepted (hospital_id varchar, query varchar)")
        for query in history.queries.values():
            if query.is_accepted:
                place = [query.asked.facts["hospital_id"], query.query_id]
                connection.execute("insert into accepted values (?, ?)", place)
        connection.execute(_changed("fct_indicator", _INDICATOR, ("value",), before, after, target / "values.csv"))
        connection.execute(
            _changed("fct_score", _SCORE, ("score", "rank"), before, after, target / "ranks.csv", "level = 'total'")
        )


def _changed(
    mart: str,
    key: tuple[str, ...],
    values: tuple[str, ...],
    before: Path,
    after: Path,
    target: Path,
    only: str = "true",
) -> str:
    """Rows whose values differ, or that only one revision has, each with the accepted queries of its hospital."""
    columns = ", ".join(f"old.{name} as {name}_before, new.{name} as {name}_after" for name in values)
    differ = " or ".join(f"old.{name} is distinct from new.{name}" for name in values)
    old, new = (f"(from '{folder / DATA / mart}.parquet' where {only})" for folder in (before, after))
    keys = ", ".join(key)
    return (
        f"copy (select {keys}, {columns}, queries from {old} as old full join {new} as new using ({keys}) "
        "left join (select hospital_id, string_agg(query, '、' order by query) as queries from accepted group by all) "
        f"using (hospital_id) where {differ} order by {keys}) to '{target}' (format csv, header)"
    )
