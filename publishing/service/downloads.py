"""Handing out a file of a certificate, byte for byte as issued.

Belongs here: ETag, conditional requests, caching. Does not belong here: who may have it.
"""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

from fastapi import Request, Response
from fastapi.responses import FileResponse

from publishing.service.shelf import described_file


def certified_file(request: Request, folder: Path, path: str) -> Response:
    """A file that the bundle lists; its hash is its ETag, and what is certified never changes."""
    file, described = described_file(folder, path)
    etag = f'"{described["hash"]}"'
    headers = {"ETag": etag, "Cache-Control": "private, max-age=31536000, immutable"}
    if etag in (one.strip().removeprefix("W/") for one in request.headers.get("if-none-match", "").split(",")):
        return Response(status_code=304, headers=headers)
    name = f"{folder.name}-{file.name}"
    headers["Content-Disposition"] = f"attachment; filename*=utf-8''{quote(name)}"
    return FileResponse(file, media_type=described["mediatype"], headers=headers)
