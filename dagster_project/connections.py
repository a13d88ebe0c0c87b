"""Databases that an installation talks to, by name: where they are, and where their secrets are kept.

Belongs here: the `[connections.<name>]` tables of the settings and how a secret is found. Sources read through these
connections, targets write through them.
Does not belong here: a secret. It stands in the environment or in a file that only its owner can read, and it leaves
this module only inside a SQLAlchemy URL, which hides it when printed.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field

if TYPE_CHECKING:
    from sqlalchemy import URL


class ConnectionProblem(Exception):
    """A connection is not usable as it is set; the text says in Chinese which and how to set it."""


class Connection(BaseModel):
    """One `[connections.<name>]` table of the settings."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str = Field(description="SQLAlchemy 连接串，不含密码，如 postgresql+psycopg://reader@10.0.0.8/his")
    password_env: str | None = Field(default=None, description="存放密码的环境变量名")
    password_file: Path | None = Field(default=None, description="存放密码的文件，权限 0600")

    def resolved(self, name: str) -> URL:
        """The URL with its password; `name` is for messages."""
        from sqlalchemy import make_url
        from sqlalchemy.exc import ArgumentError

        try:
            url = make_url(self.url)
        except ArgumentError:
            raise ConnectionProblem(
                f"连接 {name} 的 url 不是连接串；写法如 postgresql+psycopg://用户@主机:端口/数据库"
            ) from None
        if url.password is not None:
            raise ConnectionProblem(
                f"连接 {name} 的 url 含有密码。请从 zhuanke.toml 删去，改用 password_env（环境变量名）"
                "或 password_file（权限 0600 的文件）"
            )
        return url.set(password=self._password(name)) if self._has_secret else url

    @property
    def _has_secret(self) -> bool:
        return self.password_env is not None or self.password_file is not None

    def _password(self, name: str) -> str:
        if self.password_env is not None:
            secret = os.environ.get(self.password_env)
            if not secret:
                raise ConnectionProblem(f"连接 {name} 的密码应在环境变量 {self.password_env} 中，现未设置")
            return secret
        assert self.password_file is not None
        path = self.password_file.expanduser()
        try:
            open_to_others = path.stat().st_mode & 0o077
            secret = path.read_text(encoding="utf-8").strip()
        except OSError as error:
            raise ConnectionProblem(f"连接 {name} 的密码文件 {path} 无法读取：{error.strerror}") from error
        if open_to_others:
            raise ConnectionProblem(f"连接 {name} 的密码文件 {path} 他人可读；请执行 chmod 600 {path}")
        return secret
