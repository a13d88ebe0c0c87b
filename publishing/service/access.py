"""Who may ask what: the one guard before every route.

Belongs here: permissions, what each of them wants, finding the visitor and what the visitor sees. Does not belong
here: rows (`sight` limits them below every route), tokens.

A route says its permission with `@permit`. The guard refuses a route that says none, `publishing.service.app` refuses
to start with one, and it refuses a route that names a hospital without asking for it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Annotated, Any, TypeVar

from fastapi import Depends, HTTPException, Request
from fastapi.security import HTTPBearer

from publishing.service.shelf import Certificate, Shelf
from publishing.service.sight import Sight, sight
from publishing.service.tokens import Scope, TokenStore

COOKIE = "zhuanke_token"
Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])
bearer = HTTPBearer(auto_error=False, description="令牌，由 zhuanke serve token new 发放")


class Permission(Enum):
    """What a route wants of its visitor."""

    OPEN = "nothing"
    READ = "any valid token; rows are limited to its scope"
    HOSPITAL = "a token whose scope holds the hospital that the path names"
    WHOLE = "a token that sees every hospital"


@dataclass(frozen=True)
class Visitor:
    """The holder of a valid token."""

    token_id: str
    scope: Scope
    expires_at: datetime


def permit(permission: Permission) -> Callable[[Endpoint], Endpoint]:
    """Say what a route wants."""

    def mark(endpoint: Endpoint) -> Endpoint:
        endpoint.permission = permission  # type: ignore[attr-defined]
        return endpoint

    return mark


def permission_of(endpoint: object) -> Permission | None:
    """What a route said that it wants."""
    return getattr(endpoint, "permission", None)


def visitor_of(request: Request, tokens: TokenStore, now: datetime) -> Visitor | None:
    """The visitor by the bearer header, or by the cookie of the login form."""
    kind, _, text = request.headers.get("authorization", "").partition(" ")
    token = tokens.find(text if kind.lower() == "bearer" else request.cookies.get(COOKIE, ""), now)
    return Visitor(token.token_id, token.scope, token.expires_at) if token else None


def guard(request: Request, _scheme: Annotated[object, Depends(bearer)]) -> None:
    """Let a request through, or refuse it; what the visitor may see of the certificate goes with the request."""
    permission, visitor = permission_of(request.scope["endpoint"]), request.state.visitor
    if permission is Permission.OPEN:
        return
    if permission is None:
        raise HTTPException(403, "此页未声明权限，一律拒绝")
    if visitor is None:
        raise HTTPException(401, "请出示有效的令牌：未给出、有误、已过期或已撤销", {"WWW-Authenticate": "Bearer"})
    certificate_id = request.path_params.get("certificate_id")
    if certificate_id is None:
        return
    shelf: Shelf = request.app.state.shelf
    seen = sight(shelf.find(certificate_id), visitor.scope)
    request.state.sight = seen
    request.state.subject["certificate_id"] = certificate_id
    hospital_id = request.path_params.get("hospital_id")
    if hospital_id in seen.all_hospitals:
        request.state.subject["hospital_id"] = hospital_id
    if permission is Permission.HOSPITAL and hospital_id not in seen.hospitals:
        raise HTTPException(403, "这家机构不在本令牌的范围之内")
    if permission is Permission.WHOLE and not seen.sees_all:
        raise HTTPException(403, "整份文件含全部机构的数据，本令牌只能看到一部分；请用页面与接口查看范围之内的数据")


def _visitor(request: Request) -> Visitor:
    visitor: Visitor = request.state.visitor
    return visitor


def _sight(request: Request) -> Sight:
    seen: Sight = request.state.sight
    return seen


def _certificate(request: Request) -> Certificate:
    return _sight(request).certificate


def _shelf(request: Request) -> Shelf:
    shelf: Shelf = request.app.state.shelf
    return shelf


TheVisitor = Annotated[Visitor, Depends(_visitor)]
TheSight = Annotated[Sight, Depends(_sight)]
TheCertificate = Annotated[Certificate, Depends(_certificate)]
TheShelf = Annotated[Shelf, Depends(_shelf)]
