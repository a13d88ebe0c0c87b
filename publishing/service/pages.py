"""The pages for people: the same readings as the API, as HTML that needs no script.

Belongs here: routes, the login form, templates' filters. Does not belong here: queries, permissions' meaning.
"""

from __future__ import annotations

import re
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import parse_qs, urlencode

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import FileResponse, HTMLResponse, RedirectResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from publishing.service import figures, reading
from publishing.service.access import (
    COOKIE,
    Permission,
    TheCertificate,
    TheShelf,
    TheSight,
    Visitor,
    permit,
)
from publishing.service.api import CertificateId, FilePath, HospitalId, IndicatorId, PageNumber, Part, SpecialtyCode
from publishing.service.api import TierId as TierParameter
from publishing.service.downloads import certified_archive, certified_file
from publishing.service.models import FileEntry
from publishing.service.standing import entry, verification
from publishing.service.tokens import TokenStore

HERE = Path(__file__).parent
DISPLAY = "zhuanke_display"
FORM_LIMIT = 4096
router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)


# --- signing in


@router.get("/login")
@permit(Permission.OPEN)
def login(request: Request, next_page: Annotated[str, Query(alias="next", max_length=400)] = "/") -> Response:
    """The form that asks for a token."""
    return _page(request, "login.html", next_page=_local(next_page), problem="")


@router.post("/login")
@permit(Permission.OPEN)
async def sign_in(request: Request) -> Response:
    """Keep a valid token in a cookie that no script can read and no other site can send."""
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > FORM_LIMIT:
            return _page(request, "login.html", status=413, next_page="/", problem="表单过大")
    form = parse_qs(body.decode("utf-8", "replace"))
    text, next_page = form.get("token", [""])[0].strip(), _local(form.get("next", ["/"])[0])
    tokens: TokenStore = request.app.state.tokens
    now: datetime = request.app.state.clock()
    token = tokens.find(text, now)
    if token is None:
        problem = "令牌有误、已过期或已撤销。请核对，或向发放令牌的卫生健康委索取新的令牌。"
        return _page(request, "login.html", status=401, next_page=next_page, problem=problem)
    request.state.visitor = Visitor(token.token_id, token.scope, token.expires_at)
    answer = RedirectResponse(next_page, 303)
    seconds = max(0, int((token.expires_at - now).total_seconds()))
    secure = request.url.scheme == "https"
    answer.set_cookie(COOKIE, text, max_age=seconds, httponly=True, samesite="strict", secure=secure)
    return answer


@router.post("/logout")
@permit(Permission.OPEN)
def sign_out() -> Response:
    """Forget the token in this browser; to end it everywhere it is revoked."""
    answer = RedirectResponse("/login", 303)
    answer.delete_cookie(COOKIE, httponly=True, samesite="strict")
    return answer


@router.get("/display/{mode}")
@permit(Permission.OPEN)
def display(
    mode: Literal["normal", "large"], next_page: Annotated[str, Query(alias="next", max_length=400)] = "/"
) -> Response:
    """Large type and strong contrast for a projector, or back."""
    answer = RedirectResponse(_local(next_page), 303)
    answer.set_cookie(DISPLAY, mode, max_age=31_536_000, httponly=True, samesite="strict")
    return answer


@router.get("/static/{name}")
@permit(Permission.OPEN)
def static(name: Literal["service.css", "icon.svg"]) -> Response:
    """The stylesheet and the icon."""
    return FileResponse(HERE / "static" / name, headers={"Cache-Control": "max-age=3600"})


# --- certificates


@router.get("/")
@permit(Permission.READ)
def catalogue(request: Request, shelf: TheShelf) -> Response:
    """All certificates."""
    return _page(request, "catalogue.html", certificates=[entry(one) for one in shelf.certificates()])


@router.get("/certificates/{certificate_id}")
@permit(Permission.READ)
def certificate(request: Request, certificate_id: CertificateId, sight: TheSight) -> Response:
    """One certificate: its specialties, notices, downloads."""
    rooms: dict[str, list[FileEntry]] = {room: [] for room in ROOMS}
    for one in reading.file_list(sight.certificate).files:
        rooms[next(room for room in ROOMS if one.path.startswith(room))].append(one)
    return _page(request, "certificate.html", page=reading.certificate_page(sight), rooms=rooms)


@router.get("/certificates/{certificate_id}/verification")
@permit(Permission.READ)
def verify(request: Request, certificate_id: CertificateId, certificate: TheCertificate) -> Response:
    """Whether it is what was signed."""
    return _page(request, "verification.html", page=verification(certificate))


@router.get("/certificates/{certificate_id}/specialties/{specialty_code}")
@permit(Permission.READ)
def ranking(
    request: Request,
    certificate_id: CertificateId,
    specialty_code: SpecialtyCode,
    sight: TheSight,
    tier: TierParameter = None,
    sort: reading.RankingSort = "rank",
    order: reading.Order = "asc",
) -> Response:
    """The ranking, and the indicators of the specialty."""
    page = reading.ranking(sight, specialty_code, tier, sort, order)
    overview = reading.certificate_page(sight)
    indicators = reading.indicator_list(sight).indicators
    return _page(request, "ranking.html", page=page, overview=overview, indicators=indicators, sort=sort, order=order)


@router.get("/certificates/{certificate_id}/specialties/{specialty_code}/hospitals/{hospital_id}")
@permit(Permission.HOSPITAL)
def score_sheet(
    request: Request,
    certificate_id: CertificateId,
    specialty_code: SpecialtyCode,
    hospital_id: HospitalId,
    sight: TheSight,
    tier: TierParameter = None,
) -> Response:
    """One hospital's items."""
    page = reading.score_sheet(sight, hospital_id, specialty_code, tier)
    return _page(request, "score_sheet.html", page=page, certificate=entry(sight.certificate))


@router.get("/certificates/{certificate_id}/specialties/{specialty_code}/indicators/{indicator_id}")
@permit(Permission.READ)
def indicator(
    request: Request,
    certificate_id: CertificateId,
    specialty_code: SpecialtyCode,
    indicator_id: IndicatorId,
    sight: TheSight,
    hospital_id: Annotated[str | None, Query(max_length=40)] = None,
    sort: reading.IndicatorSort = "value",
    order: reading.Order = "desc",
) -> Response:
    """An indicator: values, distribution, years."""
    page = reading.indicator_page(sight, specialty_code, indicator_id, hospital_id, sort, order)
    return _page(
        request,
        "indicator.html",
        page=page,
        certificate=entry(sight.certificate),
        has_cases=bool(reading.case_measures(sight, indicator_id)),
        within=sight.hospitals,
        sort=sort,
        order=order,
    )


@router.get("/certificates/{certificate_id}/specialties/{specialty_code}/indicators/{indicator_id}/{figure}.svg")
@permit(Permission.READ)
def chart(
    certificate_id: CertificateId,
    specialty_code: SpecialtyCode,
    indicator_id: IndicatorId,
    figure: Literal["distribution", "trend"],
    sight: TheSight,
    hospital_id: Annotated[str | None, Query(max_length=40)] = None,
) -> Response:
    """A chart of the page above, of what it shows."""
    page = reading.indicator_page(sight, specialty_code, indicator_id, hospital_id)
    drawn = figures.distribution(page) if figure == "distribution" else figures.trend(page)
    return Response(drawn, media_type="image/svg+xml", headers={"Cache-Control": "no-store"})


@router.get(
    "/certificates/{certificate_id}/specialties/{specialty_code}/hospitals/{hospital_id}/indicators/{indicator_id}/cases"
)
@permit(Permission.HOSPITAL)
def cases(
    request: Request,
    certificate_id: CertificateId,
    specialty_code: SpecialtyCode,
    hospital_id: HospitalId,
    indicator_id: IndicatorId,
    sight: TheSight,
    part: Part | None = None,
    page: PageNumber = 1,
) -> Response:
    """The counted cases."""
    listed = reading.case_page(sight, hospital_id, specialty_code, indicator_id, part, page)
    return _page(request, "cases.html", page=listed, part=part, certificate=entry(sight.certificate))


@router.api_route("/certificates/{certificate_id}/files/{path:path}", methods=["GET", "HEAD"])
@permit(Permission.WHOLE)
def file(request: Request, certificate_id: CertificateId, path: FilePath, certificate: TheCertificate) -> Response:
    """A file of the bundle."""
    return certified_file(request, certificate.folder, path)


@router.get("/certificates/{certificate_id}/archive")
@permit(Permission.WHOLE)
def archive(certificate_id: CertificateId, certificate: TheCertificate) -> Response:
    """The whole bundle."""
    return certified_archive(certificate.folder)


@router.api_route("/certificates/{certificate_id}/public/{path:path}", methods=["GET", "HEAD"])
@permit(Permission.READ)
def public_file(
    request: Request, certificate_id: CertificateId, path: FilePath, certificate: TheCertificate
) -> Response:
    """A file of the public edition, which holds nothing that is not for everybody."""
    return certified_file(request, certificate.folder, f"public/{path}")


# --- how things are shown


def problem_page(request: Request, status: int, detail: str) -> Response:
    """A refusal or a mistake, in words."""
    return _page(request, "problem.html", status=status, detail=detail)


def _page(request: Request, template: str, status: int = 200, **content: Any) -> Response:
    address = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    shown = _TEMPLATES.get_template(template).render(
        visitor=request.state.visitor,
        address=address if request.method == "GET" else "/",
        large=request.cookies.get(DISPLAY) == "large",
        here=request.url.path,
        **content,
    )
    return HTMLResponse(shown, status, {"Cache-Control": "no-store"})


def _local(address: str) -> str:
    """An address of this service: nothing that leads elsewhere."""
    return address if re.fullmatch(r"/(?![/\\])[\x21-\x7e]*", address) else "/"


def _number(value: Decimal | int | None, unit: str | None = None, decimals: int | None = None) -> str:
    """A number as people read it: rounded half up, shares as per cent."""
    if value is None:
        return "—"
    number = Decimal(value)
    if unit == "%":
        number *= 100
    places = decimals if decimals is not None else (0 if number == number.to_integral_value() else 2)
    shown = number.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
    return f"{shown:,}{'%' if unit == '%' else ''}"


def _plain(value: Decimal) -> str:
    """A number with all its digits and no zeros after them."""
    return f"{value.normalize():f}"


def query(**parameters: object) -> str:
    """The part of an address after the question mark."""
    return urlencode({name: value for name, value in parameters.items() if value is not None})


_TEMPLATES = Environment(
    loader=FileSystemLoader(HERE / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_TEMPLATES.filters["number"] = _number
_TEMPLATES.filters["plain"] = _plain
_TEMPLATES.globals["query"] = query
# the rooms of a bundle as its first page shows them; what is in no room comes last
ROOMS = {
    "form/": "官方附件表",
    "report/": "报告",
    "data/": "全部数值",
    "method/": "口径：指标、权重、开关与当时的计算规则",
    "evidence/": "依据：质量门裁决、来源与输入",
    "public/": "公开版：小单元已隐去，各种令牌均可下载",
    "attest/": "签名",
    "": "清单、登记册与说明",
}
OPEN_ROOMS = ("form/", "report/", "public/")
WORDS = {
    "standing": {"issued": "有效", "superseded": "已被取代", "revoked": "已撤销"},
    "level": {"3": "三级", "2": "二级", "1": "一级", "0": "未定级"},
    "direction": {"higher": "越高越好", "lower": "越低越好", "neutral": "中性"},
    "status": {
        "valued": "有值",
        "not_applicable": "不适用",
        "not_scored": "无法计分",
        "awaiting_dossier": "待申报材料",
    },
    "attribution": {"department": "按出院科别归属", "mdc": "按疾病分类归属"},
    "group": {"part": "部分", "group": "一级指标"},
    "decision": {
        "recommended": "推荐",
        "reserve": "候补",
        "not_recommended": "未推荐",
        "not_eligible": "不符合条件",
        "infeasible": "约束互相冲突",
    },
}
_TEMPLATES.globals.update(words=WORDS, room_titles=ROOMS, open_rooms=OPEN_ROOMS)
