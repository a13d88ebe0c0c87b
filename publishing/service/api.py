"""The JSON interface under /api/v1: the same answers as the pages show.

Belongs here: routes, their parameters and descriptions. Does not belong here: queries (`reading`), permissions' meaning
(`access`).
"""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import JSONResponse

from publishing.service import reading
from publishing.service.access import Permission, TheCertificate, TheShelf, TheSight, TheVisitor, permit
from publishing.service.downloads import certified_archive, certified_file
from publishing.service.models import (
    CasePage,
    Catalogue,
    CertificatePage,
    FileList,
    IndicatorList,
    IndicatorPage,
    Me,
    Problem,
    Ranking,
    ScoreSheet,
    Verification,
)
from publishing.service.standing import entry, verification

# one description per refusal, on every route
REFUSALS = {
    401: "没有有效的令牌",
    403: "不在令牌的范围之内",
    404: "没有这份证书、文件或内容",
    409: "文件与证书清单不符",
    422: "参数不合规",
    429: "请求过于频繁",
}
router = APIRouter(
    prefix="/api/v1", responses={code: {"model": Problem, "description": text} for code, text in REFUSALS.items()}
)

CertificateId = Annotated[str, Path(description="证书编号", max_length=120)]
HospitalId = Annotated[str, Path(description="机构代码", max_length=40)]
IndicatorId = Annotated[str, Path(description="指标标识", max_length=80)]
SpecialtyCode = Annotated[str, Path(description="专科代码", max_length=20)]
TierId = Annotated[str | None, Query(description="项目层级；不给则为第一个", max_length=40)]
PageNumber = Annotated[int, Query(description="第几页", ge=1, le=1_000_000)]
FilePath = Annotated[str, Path(description="文件路径，见文件清单", max_length=300)]
Part = Literal["numerator", "denominator"]


@router.get("/openapi.json", include_in_schema=False)
@permit(Permission.OPEN)
def api_description(request: Request) -> Response:
    """This interface, described; words only, no data."""
    return JSONResponse(request.app.openapi())


@router.get("/me", summary="本令牌的范围与到期时间")
@permit(Permission.READ)
def api_me(visitor: TheVisitor) -> Me:
    """不含令牌本身。"""
    return Me(token_id=visitor.token_id, scope=visitor.scope.title(), expires_at=visitor.expires_at)


@router.get("/certificates", summary="证书目录")
@permit(Permission.READ)
def api_catalogue(shelf: TheShelf) -> Catalogue:
    """已签发的全部证书，连同已被取代与已撤销的。"""
    return Catalogue(certificates=[entry(one) for one in shelf.certificates()])


@router.get("/certificates/{certificate_id}", summary="一份证书的内容")
@permit(Permission.READ)
def api_certificate(certificate_id: CertificateId, sight: TheSight) -> CertificatePage:
    """层级、专科与读者须知。"""
    return reading.certificate_page(sight)


@router.get("/certificates/{certificate_id}/verification", summary="核验一份证书")
@permit(Permission.READ)
def api_verification(certificate_id: CertificateId, certificate: TheCertificate) -> Verification:
    """重新计算全部摘要，核对签名与登记。"""
    return verification(certificate)


@router.get("/certificates/{certificate_id}/specialties/{specialty_code}/ranking", summary="专科排名")
@permit(Permission.READ)
def api_ranking(
    certificate_id: CertificateId,
    specialty_code: SpecialtyCode,
    sight: TheSight,
    tier: TierId = None,
    sort: Annotated[reading.RankingSort, Query(description="排序字段")] = "rank",
    order: Annotated[reading.Order, Query(description="升序或降序")] = "asc",
) -> Ranking:
    """全部机构的总分与名次，各种令牌均可读。"""
    return reading.ranking(sight, specialty_code, tier, sort, order)


@router.get(
    "/certificates/{certificate_id}/specialties/{specialty_code}/hospitals/{hospital_id}",
    summary="一家机构的条目与得分",
)
@permit(Permission.HOSPITAL)
def api_score_sheet(
    certificate_id: CertificateId,
    specialty_code: SpecialtyCode,
    hospital_id: HospitalId,
    sight: TheSight,
    tier: TierId = None,
) -> ScoreSheet:
    """限令牌范围之内的机构。"""
    return reading.score_sheet(sight, hospital_id, specialty_code, tier)


@router.get(
    "/certificates/{certificate_id}/specialties/{specialty_code}/indicators/{indicator_id}", summary="一个指标的值"
)
@permit(Permission.READ)
def api_indicator(
    certificate_id: CertificateId,
    specialty_code: SpecialtyCode,
    indicator_id: IndicatorId,
    sight: TheSight,
    hospital_id: Annotated[str | None, Query(description="标出的机构，须在范围之内", max_length=40)] = None,
    sort: Annotated[reading.IndicatorSort, Query(description="排序字段")] = "value",
    order: Annotated[reading.Order, Query(description="升序或降序")] = "desc",
) -> IndicatorPage:
    """令牌范围之内各机构与全省的值，以及所标出机构的逐年值。"""
    return reading.indicator_page(sight, specialty_code, indicator_id, hospital_id, sort, order)


@router.get(
    "/certificates/{certificate_id}/specialties/{specialty_code}/hospitals/{hospital_id}/indicators/{indicator_id}/cases",
    summary="计入一个指标的病例（假名）",
)
@permit(Permission.HOSPITAL)
def api_cases(
    certificate_id: CertificateId,
    specialty_code: SpecialtyCode,
    hospital_id: HospitalId,
    indicator_id: IndicatorId,
    sight: TheSight,
    part: Annotated[Part | None, Query(description="只看分子或分母")] = None,
    page: PageNumber = 1,
) -> CasePage:
    """限令牌范围之内的机构；逐例写明计入的原因。"""
    return reading.case_page(sight, hospital_id, specialty_code, indicator_id, part, page)


@router.get("/certificates/{certificate_id}/indicators", summary="指标登记")
@permit(Permission.READ)
def api_indicators(certificate_id: CertificateId, sight: TheSight) -> IndicatorList:
    """名称、定义、单位与导向，以证书制作时为准。"""
    return reading.indicator_list(sight)


@router.get("/certificates/{certificate_id}/files", summary="文件清单")
@permit(Permission.READ)
def api_files(certificate_id: CertificateId, certificate: TheCertificate) -> FileList:
    """路径、大小与摘要；摘要可与自己手中的文件比对。"""
    return reading.file_list(certificate)


@router.get(
    "/certificates/{certificate_id}/files/{path:path}",
    summary="下载一个文件",
    response_class=Response,
    responses={200: {"content": {"*/*": {}}}, 304: {"description": "与已有的相同"}},
)
@permit(Permission.WHOLE)
def api_file(request: Request, certificate_id: CertificateId, path: FilePath, certificate: TheCertificate) -> Response:
    """限可见全部机构的令牌。内容与证书清单不符的文件不予提供。"""
    return certified_file(request, certificate.folder, path)


@router.get(
    "/certificates/{certificate_id}/archive",
    summary="下载整份证书",
    response_class=Response,
    responses={200: {"content": {"application/x-tar": {}}}},
)
@permit(Permission.WHOLE)
def api_archive(certificate_id: CertificateId, certificate: TheCertificate) -> Response:
    """限可见全部机构的令牌。全部文件按路径排列成一个 tar，解开后即可用 zhuanke verify 核验。"""
    return certified_archive(certificate.folder)


@router.get(
    "/certificates/{certificate_id}/public/{path:path}",
    summary="下载公开版的一个文件",
    response_class=Response,
    responses={200: {"content": {"*/*": {}}}, 304: {"description": "与已有的相同"}},
)
@permit(Permission.READ)
def api_public_file(
    request: Request, certificate_id: CertificateId, path: FilePath, certificate: TheCertificate
) -> Response:
    """公开版中小单元已隐去，各种令牌均可下载。"""
    return certified_file(request, certificate.folder, f"public/{path}")
