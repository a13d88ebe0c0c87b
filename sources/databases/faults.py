"""What can go wrong with a database, as Chinese sentences that hold no secret and no value of a row.

A driver's own text may quote a value, a query or a password, so none of it is passed on: an error is known by its
code, and only the code is told.
"""

from __future__ import annotations

from dataclasses import dataclass


class PullProblem(Exception):
    """A source cannot be pulled; ``passing`` where another attempt may succeed."""

    def __init__(self, code: str, message: str, *, passing: bool = False):
        super().__init__(message)
        self.code = code
        self.message = message
        self.passing = passing


@dataclass(frozen=True)
class _Kind:
    """One kind of failure, by SQLSTATE (or its class), and by the numbers of databases that do not use SQLSTATE."""

    code: str
    message: str
    passing: bool
    states: tuple[str, ...]
    numbers: frozenset[int]


def _kind(code: str, message: str, *, states: str = "", numbers: str = "", passing: bool = False) -> _Kind:
    return _Kind(code, message, passing, tuple(states.split()), frozenset(map(int, numbers.split())))


# numbers: MySQL and MariaDB 1040 … 2055, SQL Server 102 … 20047, Oracle 51 … 28001; none of ours means two things
_KINDS = (
    _kind(
        "lost",
        "与数据库的连接中断或无法建立。请确认数据库在运行、网络可达；已拉取的月份已保存，下次从中断处继续。",
        states="08 57P01 57P02 57P03 53300",
        numbers="1040 1053 2002 2003 2006 2013 2055 20002 20003 20004 20006 20009 20047 "
        "28 1033 1034 1089 3113 3114 3135 12170 12514 12541 12543",
        passing=True,
    ),
    _kind(
        "locked",
        "等待表锁超时：数据库可能正在维护该表。请避开维护时间，或调大 lock_seconds。",
        states="55P03",
        numbers="1205 1222 51 54 30006",
        passing=True,
    ),
    _kind(
        "conflict",
        "数据库因并发冲突回滚了读取。",
        states="40",
        numbers="1213 1412 3960 1555 8177",
        passing=True,
    ),
    _kind("snapshot", "SQL Server 库未开启 ALLOW_SNAPSHOT_ISOLATION，请管理员开启后再拉取。", numbers="3952"),
    _kind("cancelled", "查询被数据库取消（超过服务端时限，或被管理员终止）。请为该账号放宽时限。", states="57014"),
    _kind("login", "数据库拒绝登录：用户名、密码或库名不对。", states="28 3D000", numbers="1044 1045 1049 18456 1017"),
    _kind("forbidden", "账号没有读取该表的权限。请授予只读权限。", states="42501", numbers="1142 1143 229 1031"),
    _kind("no_table", "找不到该表或视图。请核对表名与模式名。", states="42P01 3F000", numbers="1146 208 942"),
    _kind("no_column", "查询用到的列不存在。请核对列名与 query。", states="42703", numbers="1054 207 904"),
    _kind(
        "syntax", "query 不是该数据库能执行的查询。请在数据库客户端中试运行。", states="42601", numbers="1064 102 933"
    ),
)


def explain(error: BaseException) -> PullProblem:
    """Name a driver's error without repeating its text."""
    cause = getattr(error, "orig", None) or error
    state, number = getattr(cause, "sqlstate", None), _number(cause)
    known = f"{type(cause).__name__}{f' {state or number}' if state or number else ''}"
    for kind in _KINDS:
        if (state and state.startswith(kind.states)) or (state is None and number in kind.numbers):
            return PullProblem(kind.code, f"{kind.message}（{known}）", passing=kind.passing)
    return _by_text(str(cause).lower(), known, getattr(error, "connection_invalidated", False))


def _number(cause: BaseException) -> int | None:
    """The vendor's number: an attribute of Oracle's error object, else the first argument."""
    first = cause.args[0] if cause.args else None
    number = getattr(first, "code", first)
    return number if isinstance(number, int) else None


def _by_text(text: str, known: str, lost: bool) -> PullProblem:
    """Errors without a code: SQLite, and connections that PostgreSQL refuses; the text is looked at, never shown."""
    code = "other"
    if "authentication failed" in text or "no password supplied" in text or ("database" in text and "exist" in text):
        code = "login"
    elif "locked" in text:
        code = "locked"
    elif "no such table" in text:
        code = "no_table"
    elif "no such column" in text:
        code = "no_column"
    elif lost or any(word in text for word in ("connection", "could not connect", "unable to open", "timeout")):
        code = "lost"
    for kind in _KINDS:
        if kind.code == code:
            return PullProblem(code, f"{kind.message}（{known}）", passing=kind.passing)
    return PullProblem("other", f"数据库报错（{known}）。请在数据库客户端中试运行同一查询。")
