"""Reading: what a page or an answer holds, from the views that a scope leaves.

Belongs here: the queries, one function per kind of page. Does not belong here: who may ask (`access`), what rows a
scope leaves (`sight`), how it is shown. The API and the pages call the same functions.
"""

from __future__ import annotations

from typing import Any, Literal

from publishing.service.models import (
    CasePage,
    CaseRow,
    CertificatePage,
    FileEntry,
    FileList,
    GroupScore,
    Indicator,
    IndicatorList,
    IndicatorPage,
    IndicatorRow,
    ItemRow,
    Ranking,
    RankingRow,
    ScoreSheet,
    SpecialtyEntry,
    Tier,
)
from publishing.service.shelf import Certificate, NotOnShelf, files, package
from publishing.service.sight import CASES, Sight
from publishing.service.standing import entry
from publishing.targets.access import REGION

RankingSort = Literal["rank", "score", "coverage", "name_zh", "city_name"]
IndicatorSort = Literal["value", "numerator", "denominator", "case_count", "name_zh"]
Order = Literal["asc", "desc"]
CASES_PER_PAGE = 100


def certificate_page(sight: Sight) -> CertificatePage:
    """What a certificate holds."""
    listed = sight.rows(
        """
        select s.specialty_code, any_value(d.name_zh) as name_zh,
            count(distinct s.hospital_id) filter (where s.rank is not null) as ranked_count,
            count(distinct s.hospital_id) as listed_count
        from ranking as s inner join dim_specialty as d on s.specialty_code = d.specialty_code
        where s.window_id = $window
        group by s.specialty_code order by s.specialty_code
        """,
        window=sight.certificate.name.window_id,
    )
    certificate, hidden = sight.certificate, sight.all_hospitals - sight.hospitals
    return CertificatePage(
        certificate=entry(certificate),
        notices=[one for one in package(certificate.folder)["notices"] if not any(id_ in one for id_ in hidden)],
        tiers=_tiers(sight),
        specialties=[SpecialtyEntry(**row) for row in listed],
        sees_all=sight.sees_all,
        has_cases=sight.has(CASES),
    )


def ranking(sight: Sight, specialty_code: str, tier: str | None, sort: RankingSort, order: Order) -> Ranking:
    """The ranking of a specialty; hospitals without what is sorted by come last in either order."""
    chosen, specialty_zh = _tier(sight, tier), _specialty(sight, specialty_code)
    rows = sight.rows(
        f"""
        select hospital_id, name_zh, level, city_name, score, rank, rank_reason, coverage, rank_5, rank_95
        from ranking where specialty_code = $specialty and tier = $tier and window_id = $window
        order by {sort} {order} nulls last, rank nulls last, hospital_id
        """,
        specialty=specialty_code,
        tier=chosen.tier,
        window=sight.certificate.name.window_id,
    )
    return Ranking(
        tier=chosen,
        specialty_code=specialty_code,
        specialty_zh=specialty_zh,
        window_id=sight.certificate.name.window_id,
        rows=[RankingRow(**row, is_within=row["hospital_id"] in sight.hospitals) for row in rows],
    )


def score_sheet(sight: Sight, hospital_id: str, specialty_code: str, tier: str | None) -> ScoreSheet:
    """One hospital's items and scores."""
    chosen, specialty_zh = _tier(sight, tier), _specialty(sight, specialty_code)
    place = {"hospital": hospital_id, "specialty": specialty_code, "tier": chosen.tier}
    place["window"] = sight.certificate.name.window_id
    at = "hospital_id = $hospital and specialty_code = $specialty and tier = $tier and window_id = $window"
    scores = sight.rows(f"select * from fct_score where {at} order by level desc, part, group_id", **place)
    total = next((row for row in scores if row["level"] == "total"), None)
    if total is None:
        raise NotOnShelf("证书里没有这家机构的这个专科")
    items = sight.rows(
        f"""
        select i.item_id, d.serial_no, d.group_zh, d.title_zh, d.indicator_id, coalesce(n.unit, d.unit) as unit,
            n.decimals, i.value, i.choice, i.numerator, i.denominator, i.data_window, i.scale_score, i.weight, i.status,
            i.status_reason, d.is_provisional
        from fct_item as i
        inner join dim_programme_item as d on i.programme_id = d.programme_id and i.item_id = d.item_id
        left join dim_indicator as n on d.indicator_id = n.indicator_id
        where {at} order by d.part, d.serial_no, i.item_id
        """,
        **place,
    )
    decisions = sight.rows(f"select decision, decision_reason from fct_selection where {at}", **place)
    return ScoreSheet(
        tier=chosen,
        specialty_code=specialty_code,
        specialty_zh=specialty_zh,
        hospital_id=hospital_id,
        hospital_zh=_hospital(sight, hospital_id),
        score=total["score"],
        rank=total["rank"],
        rank_reason=total["rank_reason"],
        decision=decisions[0]["decision"] if decisions else None,
        decision_reason=decisions[0]["decision_reason"] if decisions else None,
        groups=[
            GroupScore(level=row["level"], group_zh=row["group_zh"], score=row["score"], coverage=row["coverage"])
            for row in scores
            if row["level"] != "total"
        ],
        items=[ItemRow(**row) for row in items],
    )


def indicator_list(sight: Sight) -> IndicatorList:
    """The registry as it was when the certificate was made."""
    rows = sight.rows(f"select {', '.join(Indicator.model_fields)} from dim_indicator order by serial")
    return IndicatorList(indicators=[Indicator(**row) for row in rows])


def indicator_page(
    sight: Sight,
    specialty_code: str,
    indicator_id: str,
    hospital_id: str | None = None,
    sort: IndicatorSort = "value",
    order: Order = "desc",
) -> IndicatorPage:
    """An indicator of a specialty, with one hospital marked and its years."""
    indicator, specialty_zh = _indicator(sight, indicator_id), _specialty(sight, specialty_code)
    if hospital_id is not None and hospital_id not in sight.hospitals:
        raise NotOnShelf("所标出的机构不在证书里，或不在本令牌的范围之内")
    attribution = sight.rows("select attribution from dim_programme order by serial limit 1")[0]["attribution"]
    place = {"specialty": specialty_code, "indicator": indicator_id, "attribution": attribution}
    select = """
        select i.hospital_id, h.name_zh, i.window_id, i.numerator, i.denominator, i.value, i.benchmark, i.case_count,
            i.status, i.status_reason, i.fitness
        from fct_indicator as i inner join dim_hospital as h on i.hospital_id = h.hospital_id
        where i.specialty_code = $specialty and i.indicator_id = $indicator and i.attribution = $attribution
    """
    window = sight.certificate.name.window_id
    values = sight.rows(
        f"{select} and i.window_id = $window order by {sort} {order} nulls last, i.hospital_id", **place, window=window
    )
    first, last = window[:4], window[-4:]
    trend = sight.rows(
        f"""
        {select} and i.hospital_id in ($hospital, '{REGION}') and length(i.window_id) = 4
        and i.window_id between $first and $last
        order by i.hospital_id = '{REGION}', i.window_id
        """,
        **place,
        hospital=hospital_id or REGION,
        first=first,
        last=last,
    )
    return IndicatorPage(
        indicator=indicator,
        specialty_code=specialty_code,
        specialty_zh=specialty_zh,
        attribution=attribution,
        hospital_id=hospital_id,
        values=[IndicatorRow(**row) for row in values],
        trend=[IndicatorRow(**row) for row in trend],
    )


def case_page(
    sight: Sight, hospital_id: str, specialty_code: str, indicator_id: str, part: str | None, page: int
) -> CasePage:
    """One page of the cases that count for a hospital's indicator."""
    indicator, specialty_zh = _indicator(sight, indicator_id), _specialty(sight, specialty_code)
    measures = case_measures(sight, indicator_id)
    if not measures:
        raise NotOnShelf("这个指标没有病例清单：证书未附，或它不是由病例逐一相加而成（如组数、申报材料）")
    numerator, denominator = measures.get("numerator", "null"), measures.get("denominator", "null")
    counted = " or ".join(f"{measure} <> 0" for role, measure in measures.items() if part in (None, role)) or "false"
    at = f"hospital_id = $hospital and ($specialty in (specialty_code, 'ALL')) and ({counted})"
    place = {"hospital": hospital_id, "specialty": specialty_code}
    total = sight.rows(f"select count(*) as n from {CASES} where {at}", **place)[0]["n"]
    rows = sight.rows(
        f"""
        select case_key, discharge_date, source_id, source_row, {numerator} as numerator, {denominator} as denominator,
            facts_zh
        from {CASES} where {at}
        order by discharge_date, case_key, source_id, source_row
        limit {CASES_PER_PAGE} offset {(page - 1) * CASES_PER_PAGE}
        """,
        **place,
    )
    return CasePage(
        hospital_id=hospital_id,
        hospital_zh=_hospital(sight, hospital_id),
        specialty_code=specialty_code,
        specialty_zh=specialty_zh,
        indicator=indicator,
        total=total,
        page=page,
        pages=max(1, -(-total // CASES_PER_PAGE)),
        rows=[CaseRow(**row) for row in rows],
    )


def case_measures(sight: Sight, indicator_id: str) -> dict[str, str]:
    """Which columns of the case lists tell what a case adds to numerator and denominator."""
    if not sight.has(CASES):
        return {}
    registered = sight.rows(
        "select numerator_measure as numerator, denominator_measure as denominator from dim_indicator "
        "where indicator_id = $id",
        id=indicator_id,
    )
    columns = {row["column_name"] for row in sight.rows(f"describe {CASES}")}
    return {role: measure for row in registered for role, measure in row.items() if measure in columns}


def file_list(certificate: Certificate) -> FileList:
    """Every file of a certificate."""
    return FileList(
        files=[FileEntry(**{name: one[name] for name in FileEntry.model_fields}) for one in files(certificate.folder)]
    )


def _tiers(sight: Sight) -> list[Tier]:
    rows = sight.rows("select tier, tier_zh, document_zh, note_zh from dim_programme order by serial")
    return [Tier(**row) for row in rows]


def _tier(sight: Sight, tier: str | None) -> Tier:
    tiers = _tiers(sight)
    chosen = next((one for one in tiers if tier in (None, one.tier)), None)
    if chosen is None:
        raise NotOnShelf("证书里没有这个层级")
    return chosen


def _specialty(sight: Sight, specialty_code: str) -> str:
    query = "select name_zh from dim_specialty where specialty_code = $code"
    return _one(sight.rows(query, code=specialty_code), "证书里没有这个专科")["name_zh"]  # type: ignore[no-any-return]


def _hospital(sight: Sight, hospital_id: str) -> str:
    query = "select name_zh from dim_hospital where hospital_id = $id"
    return _one(sight.rows(query, id=hospital_id), "证书里没有这家机构")["name_zh"]  # type: ignore[no-any-return]


def _indicator(sight: Sight, indicator_id: str) -> Indicator:
    columns = ", ".join(Indicator.model_fields)
    rows = sight.rows(f"select {columns} from dim_indicator where indicator_id = $id", id=indicator_id)
    return Indicator(**_one(rows, "证书里没有这个指标"))


def _one(rows: list[dict[str, Any]], missing: str) -> dict[str, Any]:
    if not rows:
        raise NotOnShelf(missing)
    return rows[0]
