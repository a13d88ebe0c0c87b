"""Who may read what: every route says what it wants, and no answer holds what a token does not reach."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlencode

import pytest
from fastapi import Depends, FastAPI
from fastapi.routing import iter_route_contexts
from served_certificate import CERTIFICATE, INDICATOR, MARK, SPECIALTY, A, B, C
from served_site import SCOPES, Site, open_site

from publishing.service import pages
from publishing.service.access import Permission, guard, permission_of, permit
from publishing.service.app import unguarded
from publishing.service.shelf import Shelf
from publishing.service.sight import sight
from publishing.service.tokens import Scope

AT = f"/certificates/{CERTIFICATE}"
HOSPITALS = {"all": {A, B, C}, "province": {A, B, C}, "city": {B, C}, "hospital": {A}, "elsewhere": set()}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    return open_site(tmp_path_factory.mktemp("service"))


def _addresses(site: Site) -> list[str]:
    """Every address that a GET can ask, with every hospital where a hospital can stand, and hostile ones."""
    hospitals = [A, B, C, "' or '1'='1"]
    queries = [
        {},
        {"sort": "score", "order": "desc"},
        {"hospital_id": B},
        {"hospital_id": A, "page": "2"},
        {"sort": "1;"},
    ]
    found = set()
    for route in iter_route_contexts(site.app.routes):
        if "GET" not in (route.methods or ()):
            continue
        for hospital in hospitals if "{hospital_id}" in str(route.path) else [""]:
            for path in (
                ["data/fct_item.parquet", "README.txt", "../service/tokens.json"]
                if "{path" in str(route.path)
                else [""]
            ):
                address = re.sub(r"\{path:path\}", path, str(route.path)).format(
                    certificate_id=CERTIFICATE,
                    specialty_code=SPECIALTY,
                    hospital_id=hospital,
                    indicator_id=INDICATOR,
                    mode="large",
                    name="service.css",
                    figure="trend",
                )
                found |= {address + (f"?{urlencode(query)}" if query else "") for query in queries}
    return sorted(found)


@pytest.mark.parametrize("who", SCOPES)
def test_no_answer_holds_anything_of_a_hospital_out_of_reach(site: Site, who: str) -> None:
    """Counts, values, cases: each begins with the digits of its hospital, in the API, on pages, in files."""
    foreign = {hospital for hospital in MARK if hospital not in HOSPITALS[who]}
    marks = [rf"\bp?{MARK[hospital]}(?:00|55|77|\.1234|0000)\d|理由{MARK[hospital]}号" for hospital in foreign]
    own = [rf"\bp?{MARK[hospital]}(?:00|55|77|\.1234|0000)\d" for hospital in HOSPITALS[who]]
    client, seen = site.client(who), set()
    for address in _addresses(site):
        answer = client.get(address)
        assert answer.status_code < 500, address
        text = answer.content.decode("utf-8", "replace").replace(",", "")
        for mark in marks:
            assert not re.search(mark, text), f"{who} sees {re.search(mark, text)} at {address}"
        seen |= {mark for mark in own if answer.status_code == 200 and re.search(mark, text)}
    assert seen == set(own), "what lies within reach is shown, so that the search is known to find"


@pytest.mark.parametrize(
    ("who", "ranking", "of_a", "of_b", "file"),
    [
        (None, 401, 401, 401, 401),
        ("all", 200, 200, 200, 200),
        # the whole province by division may still miss hospitals that no register places
        ("province", 200, 200, 200, 403),
        ("city", 200, 403, 200, 403),
        ("hospital", 200, 200, 403, 403),
        ("elsewhere", 200, 403, 403, 403),
    ],
)
def test_each_reach_opens_what_it_covers(
    site: Site, who: str | None, ranking: int, of_a: int, of_b: int, file: int
) -> None:
    client, base = site.client(who), f"/api/v1{AT}/specialties/{SPECIALTY}"
    assert client.get(f"{base}/ranking").status_code == ranking
    for hospital, expected in ((A, of_a), (B, of_b)):
        assert client.get(f"{base}/hospitals/{hospital}").status_code == expected
        assert client.get(f"{base}/hospitals/{hospital}/indicators/{INDICATOR}/cases").status_code == expected
    assert client.get(f"/api/v1{AT}/files/data/fct_item.parquet").status_code == file


def test_everybody_reads_the_ranking_of_all(site: Site) -> None:
    for who in SCOPES:
        rows = site.client(who).get(f"/api/v1{AT}/specialties/{SPECIALTY}/ranking").json()["rows"]
        assert [(row["hospital_id"], row["score"], row["rank"]) for row in rows] == [
            (B, "82.25000000", 1),
            (A, "71.50000000", 2),
            (C, None, None),
        ]
        assert {row["hospital_id"] for row in rows if row["is_within"]} == HOSPITALS[who]


def test_an_unknown_hospital_and_a_foreign_one_are_refused_alike(site: Site) -> None:
    base = f"/api/v1{AT}/specialties/{SPECIALTY}/hospitals"
    foreign, unknown = (site.client("hospital").get(f"{base}/{hospital}") for hospital in (B, "HOSPITAL-X"))
    assert (foreign.status_code, foreign.json()) == (unknown.status_code, unknown.json())


def test_a_notice_that_names_a_hospital_is_for_whoever_sees_it(site: Site) -> None:
    shown = {who: site.client(who).get(f"/api/v1{AT}").json()["notices"] for who in ("all", "city", "hospital")}
    assert len(shown["all"]) == len(shown["city"]) == 2
    assert shown["hospital"] == ["虚构数据"]


def test_a_mart_that_nobody_declared_open_is_closed(site: Site) -> None:
    certificate = Shelf(site.certified).find(CERTIFICATE)
    assert sight(certificate, SCOPES["all"]).has("fct_quota")
    assert not sight(certificate, SCOPES["province"]).has("fct_quota")


@pytest.mark.parametrize(
    "attempt",
    [
        "select * from read_text('/etc/hostname')",
        "copy ranking to '/tmp/stolen.csv'",
        "attach '/tmp/other.duckdb'",
        "set enable_external_access = true",
        "select * from read_parquet('{records}/tokens.json')",
    ],
)
def test_the_connection_behind_a_page_opens_nothing_else(site: Site, attempt: str) -> None:
    import duckdb

    seen = sight(Shelf(site.certified).find(CERTIFICATE), SCOPES["hospital"])
    with pytest.raises(duckdb.Error):
        seen.rows(attempt.format(records=site.records))


def test_every_route_declares_what_it_wants(site: Site) -> None:
    assert unguarded(site.app) == []
    open_routes = {
        route.path for route in iter_route_contexts(site.app.routes) if permission_of(route.endpoint) is Permission.OPEN
    }
    assert open_routes == {"/login", "/logout", "/display/{mode}", "/static/{name}", "/api/v1/openapi.json"}


def test_a_route_that_declares_nothing_is_refused_and_named() -> None:
    app = FastAPI(dependencies=[Depends(guard)], openapi_url=None)

    @app.get("/undeclared")
    def undeclared() -> str:
        return "secret"

    @app.get("/{hospital_id}/cases")
    @permit(Permission.READ)
    def by_any_token(hospital_id: str) -> str:
        return hospital_id

    faults = "；".join(unguarded(app))
    assert "/undeclared：未声明权限" in faults
    assert "/{hospital_id}/cases：含机构而未声明机构权限" in faults
    bare = FastAPI()
    bare.include_router(pages.router)
    assert "/login：未受检" in unguarded(bare)


def test_a_route_that_comes_later_and_declares_nothing_is_refused(tmp_path: Path) -> None:
    site = open_site(tmp_path / "home")

    @site.app.get("/api/v1/undeclared")
    def undeclared() -> str:
        return "secret"

    for who in (None, *SCOPES):
        assert site.client(who).get("/api/v1/undeclared").status_code == 403


def test_an_expired_and_a_revoked_token_are_refused(tmp_path_factory: pytest.TempPathFactory) -> None:
    site = open_site(tmp_path_factory.mktemp("service"))
    store, clock = site.app.state.tokens, site.clock
    token_id = site.tokens["city"].split("_")[1]
    assert site.client("city").get("/api/v1/me").json()["scope"] == "地区 990200"
    store.revoke(token_id, clock())
    assert site.client("city").get("/api/v1/me").status_code == 401
    assert site.client("hospital").get("/api/v1/me").status_code == 200
    clock.now += timedelta(days=30)
    assert site.client("hospital").get("/api/v1/me").status_code == 401


def test_a_scope_never_reaches_further_by_a_longer_code() -> None:
    assert not Scope(kind="hospital", value=f"{A}-1").covers(A, None)
    assert not Scope(kind="hospital", value=A).covers(f"{A}-1", "990102")
