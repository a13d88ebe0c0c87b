"""Handing out a file of a certificate, or all of them in one archive, byte for byte as issued.

Belongs here: ETag, conditional requests, caching, the archive. Does not belong here: who may have it.
"""

from __future__ import annotations

import tarfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import quote

from fastapi import Request, Response
from fastapi.responses import FileResponse, StreamingResponse

from publishing.service.shelf import described_file, files

_CHUNK = 1 << 20


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


def certified_archive(folder: Path) -> Response:
    """Every file that the bundle lists, in one archive that is never whole in memory; equal bundles, equal bytes."""
    # each is held against its hash before the first byte leaves
    paths = [described_file(folder, path)[0] for path in sorted(one["path"] for one in files(folder))]
    headers = {"Content-Disposition": f'attachment; filename="{folder.name}.tar"', "Cache-Control": "private"}
    return StreamingResponse(_archive(folder, paths), media_type="application/x-tar", headers=headers)


def _archive(folder: Path, paths: Sequence[Path]) -> Iterator[bytes]:
    """Not compressed: what is large in a bundle already is."""
    for path in paths:
        member = tarfile.TarInfo(path.relative_to(folder.parent).as_posix())
        member.size, member.mode = path.stat().st_size, 0o444
        yield member.tobuf(tarfile.PAX_FORMAT)
        with path.open("rb") as stream:
            while chunk := stream.read(_CHUNK):
                yield chunk
        yield bytes(-member.size % tarfile.BLOCKSIZE)
    yield bytes(2 * tarfile.BLOCKSIZE)
