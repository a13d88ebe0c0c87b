"""The edge: what happens to every request and answer, whatever the route.

Belongs here: finding the visitor, rate limits, the line in the audit log, security headers. Does not belong here: what
a visitor may do (`access`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from fastapi import Request
from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from secure import (
    ContentSecurityPolicy,
    CrossOriginOpenerPolicy,
    CrossOriginResourcePolicy,
    PermissionsPolicy,
    ReferrerPolicy,
    Secure,
    XContentTypeOptions,
    XFrameOptions,
)
from starlette.concurrency import run_in_threadpool
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from publishing.service.access import visitor_of
from publishing.service.audit import AuditLog
from publishing.service.tokens import TokenStore

Clock = Callable[[], datetime]

# Nothing from elsewhere, no script, no style in attributes: what a page needs comes from this service.
POLICY = (
    ContentSecurityPolicy()
    .default_src("'none'")
    .style_src("'self'")
    .img_src("'self'")
    .form_action("'self'")
    .frame_ancestors("'none'")
    .base_uri("'none'")
)
HEADERS = Secure(
    csp=POLICY,
    xcto=XContentTypeOptions().nosniff(),
    xfo=XFrameOptions().deny(),
    referrer=ReferrerPolicy().no_referrer(),
    coop=CrossOriginOpenerPolicy().same_origin(),
    corp=CrossOriginResourcePolicy().same_origin(),
    permissions=PermissionsPolicy().camera().geolocation().microphone(),
)

# What an address may hold that is worth noting. Where the answer succeeded and the route asks for them, these are codes
# of the certificate; anything else is what somebody typed.
NOTED = ("specialty_code", "indicator_id", "hospital_id", "tier", "part", "page", "path")


@dataclass(frozen=True)
class Edge:
    """Around the application: no answer leaves without its line in the audit log."""

    app: ASGIApp
    tokens: TokenStore
    audit: AuditLog
    clock: Clock
    per_minute: int
    # in memory: the service is one process, and after a restart everybody starts anew
    limiter: MovingWindowRateLimiter = field(default_factory=lambda: MovingWindowRateLimiter(MemoryStorage()))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request = Request(scope)
        request.state.subject = {}
        request.state.visitor = visitor_of(request, self.tokens, self.clock())

        async def noting(message: Message) -> None:
            if message["type"] == "http.response.start":
                await run_in_threadpool(self._note, request, message["status"])
            await send(message)

        if not self._within_limit(request):
            answer = PlainTextResponse("请求过于频繁，请一分钟后再试\n", 429, {"Retry-After": "60"})
            await answer(scope, receive, noting)
            return
        await self.app(scope, receive, noting)

    def _within_limit(self, request: Request) -> bool:
        """A token may ask so often; an address without one a tenth of that, which is enough to sign in."""
        if visitor := request.state.visitor:
            return self.limiter.hit(RateLimitItemPerMinute(self.per_minute), "token", visitor.token_id)
        address = request.client.host if request.client else ""
        return self.limiter.hit(RateLimitItemPerMinute(max(1, self.per_minute // 10)), "address", address)

    def _note(self, request: Request, status: int) -> None:
        subject: dict[str, str] = request.state.subject
        if status < 400:
            asked = {one.alias for one in request.scope["route"].dependant.query_params} & request.query_params.keys()
            given = {name: request.query_params[name] for name in asked} | request.path_params
            subject |= {name: str(given[name]) for name in NOTED if name in given}
        visitor, endpoint = request.state.visitor, request.scope.get("endpoint")
        self.audit.append(
            token_id=visitor.token_id if visitor else "",
            action=getattr(endpoint, "__name__", ""),
            subject=subject,
            status=status,
            at=self.clock(),
        )
