"""Contracts: one YAML file per system and interface version says what each column is and what becomes of it.

A contract is the only place that names a source column.  Landing, the source pages and the empty relations of
datasets without a file are all derived from it.
"""

from __future__ import annotations

import hashlib
import re
from functools import cache
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, model_validator

CONTRACTS_DIR = Path(__file__).parent / "contracts"
REFERENCE_DIR = Path(__file__).parent / "reference"

FieldType = Literal[
    "text",
    "code",
    "icd",
    "integer",
    "decimal",
    "amount_yuan",
    "datetime",
    "date",
    "year",
    "month",
    "flag",
    "code_set",
    "department",
]

_SQL_TYPES: dict[str, str] = {
    "text": "VARCHAR",
    "code": "VARCHAR",
    "icd": "VARCHAR",
    "department": "VARCHAR",
    "integer": "INTEGER",
    "amount_yuan": "BIGINT",
    "datetime": "TIMESTAMP",
    "date": "DATE",
    "year": "INTEGER",
    "month": "VARCHAR",
    "flag": "BOOLEAN",
    "presence": "BOOLEAN",
    "code_set": "VARCHAR[]",
}


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ContractField(_Strict):
    """One source column.

    ``use`` decides its fate: ``keep`` lands it as ``name``; ``pseudonymise`` feeds a keyed pseudonym;
    ``drop`` never lands it.  A column with a ``role`` is also handed to the derivations of
    :mod:`sources.hqms` (an address gives the residence division, a birth date the age) before it is dropped.
    """

    source: str
    title_zh: str
    type: FieldType = "text"
    name: str | None = None
    use: Literal["keep", "pseudonymise", "drop"] = "keep"
    required: bool = False
    code_list: str | None = None
    checked: bool = False  # membership in the code list is a condition of landing
    extension: bool = False  # a later addition to the interface: a file without the column lacks nothing
    identity: str | None = None  # kind of direct identifier, for the source pages and the privacy test
    role: str | None = None
    hour: str | None = None  # second column that holds the hour of a date
    map: dict[str, str] = Field(default_factory=dict)
    precision: int = 18
    scale: int = 4
    max_length: int = 200

    @model_validator(mode="after")
    def _name_follows_use(self) -> ContractField:
        if self.use == "keep" and not self.name:
            raise ValueError(f"{self.source}: a kept column needs a name")
        if self.use == "drop" and self.name:
            raise ValueError(f"{self.source}: a dropped column has no name")
        if self.checked and not (self.code_list or self.map):
            raise ValueError(f"{self.source}: checked needs a code list or a map")
        return self

    @property
    def sql_type(self) -> str:
        return f"DECIMAL({self.precision},{self.scale})" if self.type == "decimal" else _SQL_TYPES[self.type]


class ListColumn(_Strict):
    """One landed list column of a repeated group, e.g. ``diagnoses``."""

    name: str
    title_zh: str
    type: Literal["code", "icd", "date", "flag", "presence"] = "code"
    code_list: str | None = None
    extension: bool = False

    @property
    def sql_type(self) -> str:
        return _SQL_TYPES[self.type] + "[]"


class SlotRange(_Strict):
    """Source columns of one slot, or of ``repeat`` slots whose names follow a pattern with ``{n}``."""

    columns: dict[str, str]
    drop: list[str] = Field(default_factory=list)
    repeat: int = 1
    first: int = 1

    def expand(self) -> list[tuple[dict[str, str], list[str]]]:
        slots = []
        for n in range(self.first, self.first + self.repeat):
            slots.append(
                ({key: text.format(n=n) for key, text in self.columns.items()}, [d.format(n=n) for d in self.drop])
            )
        return slots


class ListGroup(_Strict):
    """A repeated group (diagnoses, operations, process items); the first slot is the principal one.

    A slot counts when its ``code`` column is filled.  Where the principal slot is empty but others are not, the
    lists begin with NULL, so that element 1 is always the principal one.
    """

    name: str
    title_zh: str
    columns: dict[str, ListColumn]
    slots: list[SlotRange]
    principal: bool = True

    @property
    def slot_columns(self) -> list[dict[str, str]]:
        return [columns for slot in self.slots for columns, _ in slot.expand()]

    @property
    def dropped(self) -> list[str]:
        return [name for slot in self.slots for _, names in slot.expand() for name in names]


class Contract(_Strict):
    """One layout of one dataset."""

    dataset: str
    layout: str
    system: str
    title_zh: str
    recognised_by: Annotated[list[str], Field(min_length=1)]
    file_month: str | None = None
    partition: str | None = None
    key: list[str]
    replaces_by: list[str]
    carrier: Literal["table", "dossier"] = "table"
    fields: list[ContractField]
    lists: list[ListGroup] = Field(default_factory=list)

    @model_validator(mode="after")
    def _names_resolve(self) -> Contract:
        names = set(self.landed_types())
        for name in [*self.key, *(n for n in self.replaces_by if n != "month")]:
            if name not in names:
                raise ValueError(f"{self.layout}: {name} is not a landed column")
        if "month" in self.replaces_by and not self.partition and "month" not in names:
            raise ValueError(f"{self.layout}: replaces_by month needs a partition")
        if self.file_month:
            re.compile(self.file_month)
        return self

    @property
    def kept(self) -> list[ContractField]:
        return [field for field in self.fields if field.use == "keep"]

    @property
    def pseudonymised(self) -> ContractField | None:
        return next((field for field in self.fields if field.use == "pseudonymise"), None)

    def landed_types(self) -> dict[str, str]:
        """Landed column → DuckDB type, in landed order (without ``source_id`` and ``source_row``)."""
        types: dict[str, str] = {}
        for field in self.fields:
            if field.use == "keep":
                types[str(field.name)] = field.sql_type
            elif field.use == "pseudonymise":
                types["patient_id"] = "VARCHAR"
        for group in self.lists:
            for column in group.columns.values():
                types[column.name] = column.sql_type
        return types

    def roles(self) -> dict[str, ContractField]:
        return {field.role: field for field in self.fields if field.role}


@cache
def load_contracts() -> dict[str, Contract]:
    """All contracts by layout; raises a pydantic error that names the file's fault."""
    contracts: dict[str, Contract] = {}
    for path in sorted(CONTRACTS_DIR.glob("*.yml")):
        contract = Contract.model_validate(yaml.load(path.read_text("utf-8"), Loader=yaml.CSafeLoader))
        if contract.layout != path.stem:
            raise ValueError(f"{path.name}: layout {contract.layout} differs from the file name")
        contracts[contract.layout] = contract
    return contracts


def contracts_of(dataset: str) -> list[Contract]:
    """The layouts of one dataset."""
    return [contract for contract in load_contracts().values() if contract.dataset == dataset]


def datasets() -> tuple[str, ...]:
    """Every dataset that has a contract, in a fixed order."""
    return tuple(sorted({contract.dataset for contract in load_contracts().values()}))


_LANDING_MODULES = ("batch", "contract", "dossier", "expressions", "hqms", "outputs", "privacy", "residence")


@cache
def contracts_digest() -> str:
    """Hash of everything that decides what a received file becomes: contracts, reference tables, landing code."""
    digest = hashlib.sha256()
    here = Path(__file__).parent
    paths = [*CONTRACTS_DIR.glob("*.yml"), *REFERENCE_DIR.glob("*.csv"), *(here / "connectors").glob("*.py")]
    paths += [here / f"{name}.py" for name in _LANDING_MODULES]
    for path in sorted(paths):
        digest.update(f"{path.relative_to(here).as_posix()}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()
