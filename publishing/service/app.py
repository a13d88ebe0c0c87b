"""The application: routes, refusals and the edge, put together.

Belongs here: assembling, and refusing to start with a route that the guard does not cover.
Does not belong here: anything that a route does.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from fastapi import Depends, FastAPI, HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse
from fastapi.routing import iter_route_contexts
from secure.middleware import SecureASGIMiddleware
from starlette.exceptions import HTTPException as StarletteHTTPException
from starlette.middleware.trustedhost import TrustedHostMiddleware

from publishing.certificates.register import RegisterProblem
from publishing.service import api, pages
from publishing.service.access import Permission, guard, permission_of
from publishing.service.audit import AuditLog
from publishing.service.edge import HEADERS, Clock, Edge
from publishing.service.shelf import NotAsIssued, NotOnShelf, Shelf
from publishing.service.tokens import TokenStore

TOKENS, AUDIT = "tokens.json", "audit.jsonl"
API = "/api/"
WORDS = {404: "没有这个页面", 405: "此处只读，不接受这种请求"}


def service(
    certified: Path,
    records: Path,
    *,
    hosts: Sequence[str] = ("127.0.0.1", "localhost"),
    per_minute: int = 300,
    clock: Clock = lambda: datetime.now().astimezone(),
) -> FastAPI:
    """The service over a folder of certificates; `records` holds its tokens and its audit log."""
    app = FastAPI(
        title="专科指标证书只读服务",
        description="供评审人员查阅已签发的证书：排名、指标、计入的病例、文件与核验。数值为精确小数，以文本给出。",
        version="1",
        openapi_url=None,  # a guarded route of the API answers with it
        redirect_slashes=False,
        dependencies=[Depends(guard)],
    )
    app.state.shelf, app.state.clock = Shelf(certified), clock
    app.state.tokens = TokenStore(records / TOKENS)
    app.include_router(api.router)
    app.include_router(pages.router)
    app.add_exception_handler(StarletteHTTPException, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(NotOnShelf, lambda request, error: _answer(request, 404, str(error)))
    app.add_exception_handler(NotAsIssued, lambda request, error: _answer(request, 409, str(error)))
    app.add_exception_handler(RegisterProblem, lambda request, error: _answer(request, 409, f"登记册有误：{error}"))
    # the last one added is the first that a request meets
    app.add_middleware(
        Edge, tokens=app.state.tokens, audit=AuditLog(records / AUDIT), clock=clock, per_minute=per_minute
    )
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=list(hosts), www_redirect=False)
    app.add_middleware(SecureASGIMiddleware, secure=HEADERS)
    if faults := unguarded(app):
        raise RuntimeError("；".join(faults))
    return app


def unguarded(app: FastAPI) -> list[str]:
    """Routes that the guard would not cover."""
    faults = []
    for route in iter_route_contexts(app.routes):
        permission = permission_of(route.endpoint)
        if permission is None:
            faults.append(f"{route.path}：未声明权限")
        if "{hospital_id}" in (route.path or "") and permission is not Permission.HOSPITAL:
            faults.append(f"{route.path}：含机构而未声明机构权限")
        # a route of another kind, as a mounted folder, has no dependencies at all
        if not any(one.call is guard for one in getattr(getattr(route, "dependant", None), "dependencies", ())):
            faults.append(f"{route.path}：未受检")
    return faults


def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, StarletteHTTPException)
    if error.status_code == 401 and not request.url.path.startswith(API):
        return RedirectResponse(f"/login?{pages.query(next=request.url.path)}", 303)
    words = error.detail if isinstance(error, HTTPException) else WORDS.get(error.status_code, "请求有误")
    return _answer(request, error.status_code, words, error.headers)


def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    names = "、".join(sorted({str(fault["loc"][-1]) for fault in error.errors()}))
    return _answer(request, 422, f"参数不合规：{names}；允许的值见接口说明 /api/v1/openapi.json")


def _answer(request: Request, status: int, detail: str, headers: object = None) -> Response:
    if request.url.path.startswith(API):
        answer: Response = JSONResponse({"detail": detail}, status)
    else:
        answer = pages.problem_page(request, status, detail)
    answer.headers.update(headers if isinstance(headers, dict) else {})
    return answer
