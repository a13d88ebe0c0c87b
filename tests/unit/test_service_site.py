"""What people and programs meet: signing in, pages in Chinese without script, downloads as issued, limits, the log."""

from __future__ import annotations

import io
import json
import re
import tarfile
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from served_certificate import CERTIFICATE, INDICATOR, SPECIALTY, A, B, revoke_certificate
from served_site import Site, open_site

from publishing.manifest import DATAPACKAGE

AT = f"/certificates/{CERTIFICATE}"
RANKING = f"{AT}/specialties/{SPECIALTY}"
PAGES = {
    "catalogue": "/",
    "certificate": AT,
    "ranking": RANKING,
    "score sheet": f"{RANKING}/hospitals/{A}",
    "indicator": f"{RANKING}/indicators/{INDICATOR}?hospital_id={A}",
    "cases": f"{RANKING}/hospitals/{A}/indicators/{INDICATOR}/cases",
    "verification": f"{AT}/verification",
    "refusal": "/nowhere",
}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    return open_site(tmp_path_factory.mktemp("service"))


@pytest.fixture
def own_site(tmp_path: Path) -> Site:
    return open_site(tmp_path / "home")


class Page(HTMLParser):
    """Tags, their attributes and the words of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.numbers: list[str | None] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag == "data":
            self.numbers.append(dict(attrs).get("value"))

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.mark.parametrize("name", PAGES)
def test_a_page_reads_in_chinese_by_keyboard_and_without_script(site: Site, name: str) -> None:
    page = Page(site.client("all").get(PAGES[name]).text)
    assert page.all("html")[0]["lang"] == "zh-CN"
    assert page.all("a")[0]["href"] == "#main", "the first stop of the keyboard skips to the content"
    assert [one["id"] for one in page.all("main")] == ["main"]
    assert not page.all("script") and not page.all("style")
    for _, attributes in page.tags:
        assert not any(key == "style" or key.startswith("on") for key in attributes)
        for link in ("href", "src", "action"):
            assert not re.match("https?:|//", attributes.get(link) or ""), "nothing comes from elsewhere"
    assert all(one.get("scope") in ("col", "row") for one in page.all("th"))
    assert len(page.all("caption")) == len(page.all("table"))
    assert all(one.get("alt") for one in page.all("img"))
    # codes, paths and hashes have a joint; these names are written so in Chinese too
    words = re.sub(r"\S*[-_./]\S*|[0-9a-f]{20,}|CMI|SHA-256|DSSE|zhuanke \w+", "", " ".join(page.words))
    assert not re.findall(r"[A-Za-z]{3,}", words), "every word is translated"


def test_api_page_and_file_hold_the_same_number(site: Site) -> None:
    import duckdb

    client = site.client("all")
    answer = client.get(f"/api/v1{RANKING}/hospitals/{A}").json()
    page = Page(client.get(f"{RANKING}/hospitals/{A}").text)
    stored = (
        duckdb.connect()
        .execute(
            f"select value, numerator, denominator from '{site.certified / CERTIFICATE}/data/fct_item.parquet' "
            f"where hospital_id = '{A}'"
        )
        .fetchall()[0]
    )
    item = answer["items"][0]
    for column, exact in zip(("value", "numerator", "denominator"), stored, strict=True):
        assert item[column] == str(exact) and str(exact) in page.numbers


def test_a_ranking_sorts_by_its_headings_and_missing_scores_come_last(site: Site) -> None:
    client = site.client("all")

    def order(**query: str) -> list[str]:
        rows = client.get(f"/api/v1{RANKING}/ranking", params=query).json()["rows"]
        return [row["hospital_id"][-1] for row in rows]

    assert order() == ["B", "A", "C"]
    assert order(sort="score", order="asc") == ["A", "B", "C"]
    assert order(sort="score", order="desc") == ["B", "A", "C"]
    page = Page(client.get(f"{RANKING}?sort=score&order=desc").text)
    sorted_by = [one["aria-sort"] for one in page.all("th") if "aria-sort" in one]
    assert sorted_by == ["descending"]
    assert client.get(f"{RANKING}?sort=hospital_id").status_code == 422


def test_cases_come_in_pages_and_by_part(site: Site) -> None:
    address = f"/api/v1{PAGES['cases']}"
    client = site.client("hospital")
    first = client.get(address).json()
    assert (first["total"], first["pages"], len(first["rows"])) == (120, 2, 100)
    assert len(client.get(address, params={"page": 2}).json()["rows"]) == 20
    assert client.get(address, params={"part": "numerator"}).json()["total"] == 60
    assert client.get(address, params={"page": 3}).json()["rows"] == []


# --- signing in


def test_a_person_signs_in_with_a_token_and_out_again(own_site: Site) -> None:
    client = own_site.client()
    sent = client.get(f"{AT}/verification")
    assert (sent.status_code, sent.headers["location"]) == (
        303,
        f"/login?next=%2Fcertificates%2F{CERTIFICATE}%2Fverification",
    )
    assert client.post("/login", content="token=zk_wrong").status_code == 401
    answer = client.post("/login", content=f"token={own_site.tokens['city']}&next={AT}")
    assert (answer.status_code, answer.headers["location"]) == (303, AT)
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie and "samesite=strict" in cookie and "secure" not in cookie
    assert "地区 990200" in client.get("/").text
    assert client.post("/logout").status_code == 303
    assert client.get("/").status_code == 303


def test_behind_tls_the_cookie_is_for_tls_only(own_site: Site) -> None:
    client = own_site.client()
    client.base_url = "https://testserver"
    answer = client.post("/login", content=f"token={own_site.tokens['city']}")
    assert "secure" in answer.headers["set-cookie"].lower()


@pytest.mark.parametrize("elsewhere", ["//evil", "https://evil", "/\\evil", "evil", "/a b", ""])
def test_signing_in_leads_nowhere_else(own_site: Site, elsewhere: str) -> None:
    client = own_site.client()
    answer = client.post("/login", content=f"token={own_site.tokens['all']}&next={elsewhere}")
    assert answer.headers["location"] == "/"
    assert client.get("/display/large", params={"next": elsewhere}).headers["location"] == "/"


def test_a_form_too_large_is_not_read(own_site: Site) -> None:
    assert own_site.client().post("/login", content="token=" + "x" * 5000).status_code == 413


def test_the_projector_has_large_type_until_it_is_put_back(own_site: Site) -> None:
    client = own_site.client("all")
    assert '<html lang="zh-CN">' in client.get("/").text
    client.get("/display/large")
    assert '<html lang="zh-CN" class="large">' in client.get("/").text
    client.get("/display/normal")
    assert '<html lang="zh-CN">' in client.get("/").text


# --- headers, limits, methods


@pytest.mark.parametrize(
    "address", ["/login", "/", "/nowhere", "/api/v1/me", f"{AT}/files/README.txt", "/static/service.css"]
)
def test_every_answer_carries_the_headers(site: Site, address: str) -> None:
    for who in (None, "all"):
        headers = site.client(who).get(address).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy and "unsafe" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["x-frame-options"] == "DENY"


def test_a_foreign_host_name_is_refused(site: Site) -> None:
    assert site.client("all").get("/", headers={"host": "evil"}).status_code == 400


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_nothing_can_be_written(site: Site, method: str) -> None:
    for address in (f"/api/v1{AT}", AT, f"/api/v1{AT}/files/README.txt"):
        assert site.client("all").request(method, address).status_code == 405


def test_who_asks_too_often_waits(tmp_path: Path) -> None:
    site = open_site(tmp_path / "home", per_minute=20)
    client = site.client("all")
    answers = [client.get("/api/v1/me").status_code for _ in range(25)]
    assert answers == [200] * 20 + [429] * 5
    assert client.get("/api/v1/me").headers["retry-after"] == "60"
    assert site.client("city").get("/api/v1/me").status_code == 200, "each token counts for itself"
    strangers = [site.client().get("/login").status_code for _ in range(4)]
    assert strangers == [200, 200, 429, 429], "who has no token gets a tenth"


# --- files


def test_a_file_comes_as_issued_once(site: Site) -> None:
    client, address = site.client("all"), f"{AT}/files/data/fct_item.parquet"
    answer = client.get(address)
    package: dict[str, Any] = json.loads((site.certified / CERTIFICATE / DATAPACKAGE).read_bytes())
    described = next(one for one in package["resources"] if one["path"] == "data/fct_item.parquet")
    assert answer.content == (site.certified / CERTIFICATE / "data/fct_item.parquet").read_bytes()
    assert answer.headers["etag"] == f'"{described["hash"]}"'
    assert "immutable" in answer.headers["cache-control"] and "private" in answer.headers["cache-control"]
    assert CERTIFICATE in answer.headers["content-disposition"]
    again = client.get(address, headers={"if-none-match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert client.get(address, headers={"if-none-match": '"other"'}).status_code == 200
    head = client.head(address)
    assert (head.status_code, head.content, head.headers["etag"]) == (200, b"", answer.headers["etag"])
    assert int(head.headers["content-length"]) == described["bytes"]


def test_the_whole_certificate_comes_in_one_archive(site: Site) -> None:
    folder, client = site.certified / CERTIFICATE, site.client("all")
    answer = client.get(f"{AT}/archive")
    assert (
        answer.headers["content-type"] == "application/x-tar" and CERTIFICATE in answer.headers["content-disposition"]
    )
    with tarfile.open(fileobj=io.BytesIO(answer.content)) as archive:
        members = archive.getmembers()
        held = {one.name: archive.extractfile(one).read() for one in members}  # type: ignore[union-attr]
    assert list(held) == sorted(held) and {(one.mode, one.mtime, one.uid) for one in members} == {(0o444, 0, 0)}
    assert held == {
        path.relative_to(site.certified).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }
    assert client.get(f"/api/v1{AT}/archive").content == answer.content
    assert site.client("hospital").get(f"{AT}/archive").status_code == 403


@pytest.mark.parametrize("path", ["register.jsonl", DATAPACKAGE])
def test_what_is_bound_by_signatures_comes_too(site: Site, path: str) -> None:
    client = site.client("all")
    assert client.get(f"{AT}/files/{path}").content == (site.certified / CERTIFICATE / path).read_bytes()
    assert path in {one["path"] for one in client.get(f"/api/v1{AT}/files").json()["files"]}


@pytest.mark.parametrize(
    "path", ["../register.jsonl", "..%2F..%2Fservice%2Ftokens.json", "/etc/passwd", "data", "data/none.parquet", ""]
)
def test_no_other_file_comes(site: Site, path: str) -> None:
    assert site.client("all").get(f"{AT}/files/{path}").status_code == 404


def test_the_public_edition_is_for_every_token(site: Site) -> None:
    for who in ("all", "city", "hospital"):
        client = site.client(who)
        for address in (f"{AT}/public/README.txt", f"/api/v1{AT}/public/README.txt"):
            assert client.get(address).text == "公开版\n"
        assert client.get(f"{AT}/public/..%2FREADME.txt").status_code == 404
        assert f'href="{AT}/public/README.txt"' in client.get(AT).text
    assert site.client().get(f"/api/v1{AT}/public/README.txt").status_code == 401


def test_a_changed_file_is_not_handed_out_and_the_verification_names_it(own_site: Site) -> None:
    file = own_site.certified / CERTIFICATE / "data" / "dim_window.parquet"
    file.chmod(0o644)
    content = bytearray(file.read_bytes())
    content[10] ^= 1
    client = own_site.client("all")
    assert client.get(f"{AT}/files/data/dim_window.parquet").status_code == 200
    file.write_bytes(content)
    refused = client.get(f"/api/v1{AT}/files/data/dim_window.parquet")
    assert refused.status_code == 409 and "与证书清单不符" in refused.json()["detail"]
    found = client.get(f"/api/v1{AT}/verification").json()
    assert not found["is_sound"] and "data/dim_window.parquet" in {one["file"] for one in found["faults"]}
    assert "dim_window.parquet" in client.get(f"{AT}/verification").text


# --- standing


def test_a_sound_certificate_says_who_signed(site: Site) -> None:
    found = site.client("hospital").get(f"/api/v1{AT}/verification").json()
    assert (found["is_sound"], found["counts"], found["faults"]) == (True, True, [])
    assert found["said"][:2] == ["签署人：乙、甲", "签发人：丙，2026-03-10"]


def test_a_revoked_certificate_says_so_on_every_page(own_site: Site) -> None:
    client = own_site.client("all")
    assert "已撤销" not in client.get(AT).text
    revoke_certificate(own_site.certified)
    for name, address in PAGES.items():
        if name != "refusal":
            assert "已撤销" in client.get(address).text, name
    found = client.get(f"/api/v1{AT}/verification").json()
    assert (found["is_sound"], found["counts"]) == (True, False)
    entry = client.get("/api/v1/certificates").json()["certificates"][0]["standing"]
    assert (entry["status"], entry["by"], entry["reason"]) == ("revoked", "丙", "输入有误")


def test_a_draft_is_not_shown(own_site: Site) -> None:
    bundle = own_site.certified / CERTIFICATE
    other = CERTIFICATE.replace("-r1", "-r2")
    bundle.rename(own_site.certified / other)
    client = own_site.client("all")
    assert client.get("/api/v1/certificates").json()["certificates"] == []
    assert client.get(f"/api/v1/certificates/{other}").status_code == 404, "a folder alone is no certificate"


def test_a_damaged_register_is_told_and_nothing_is_shown(own_site: Site) -> None:
    register = own_site.certified / "register.jsonl"
    register.write_bytes(register.read_bytes().replace("核对无误".encode(), "没有核对".encode()))
    answer = own_site.client("all").get("/api/v1/certificates")
    assert answer.status_code == 409 and "登记册有误" in answer.json()["detail"]


# --- the log


def test_each_access_leaves_a_line_that_says_who_what_when_and_how_it_ended(own_site: Site) -> None:
    own_site.client("hospital").get(f"/api/v1{RANKING}/hospitals/{A}", params={"tier": "national"})
    own_site.clock.now += timedelta(minutes=1)
    own_site.client("hospital").get(f"{RANKING}/hospitals/{B}")
    own_site.client().get("/api/v1/me")
    own_site.client("hospital").get("/nowhere")
    lines = [json.loads(line) for line in own_site.audit.file.read_text().splitlines()]
    token = own_site.tokens["hospital"].split("_")[1]
    told = [(line["token"], line["action"], line["status"], line["at"][11:16]) for line in lines]
    assert told == [
        (token, "api_score_sheet", 200, "09:00"),
        (token, "score_sheet", 403, "09:01"),
        ("", "api_me", 401, "09:01"),
        (token, "", 404, "09:01"),
    ]
    asked = {"certificate_id": CERTIFICATE, "specialty_code": SPECIALTY, "hospital_id": A, "tier": "national"}
    assert lines[0]["subject"] == asked
    assert lines[1]["subject"] == {"certificate_id": CERTIFICATE, "hospital_id": B}, "whom somebody tried to see"
    assert own_site.audit.verify().fault is None


def test_no_answer_leaves_before_its_line_is_written(own_site: Site) -> None:
    own_site.audit.file.parent.joinpath("audit.lock").unlink(missing_ok=True)
    own_site.audit.file.unlink(missing_ok=True)
    own_site.audit.file.mkdir()
    with pytest.raises(OSError, match="audit"):
        own_site.client("all").get("/api/v1/me")
