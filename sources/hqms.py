"""Front pages: what is derived from a direct identifier before it is dropped.

Belongs here: the derivations, as SQL over the columns that the contracts give a ``role``.  They are the same for all
three layouts.  Does not belong here: parsing and checks common to every dataset (:mod:`sources.expressions`).

Only the present address (现住址), then its postcode, count as residence.  Household, birthplace, native province and
the first six digits of the identity number are landed as labelled proxies and never take its place.
"""

from __future__ import annotations

import re

_IDENTITY_NUMBER = re.compile("[0-9]{17}[0-9Xx]")

DERIVED: dict[str, str] = {
    "person_id": "VARCHAR",
    "age_from_birth_years": "INTEGER",
    "birth_after_admission": "BOOLEAN",
    "id_birth_matches": "BOOLEAN",
    "id_sex_matches": "BOOLEAN",
    "has_pathology_number": "BOOLEAN",
    "has_allergy_drug": "BOOLEAN",
    "has_receiving_institution": "BOOLEAN",
    "discharge_department_raw": "VARCHAR",
    "residence_division": "VARCHAR",
    "residence_basis": "VARCHAR",
    "household_division": "VARCHAR",
    "birthplace_division": "VARCHAR",
    "id_division": "VARCHAR",
}
"""Derived columns and their DuckDB types, landed after the contract's own."""

ADDRESS_ROLES = ("address", "household", "birthplace")


def person_text(number: str | None) -> str | None:
    """What a person's pseudonym is made of: an identity number in the one form that all hospitals write."""
    return number.upper() if number and _IDENTITY_NUMBER.fullmatch(number) else None


def derived_sql() -> dict[str, str]:
    """Expression per derived column.

    In scope: ``role_<role>`` (cleaned text or NULL; ``role_birth_date`` is a TIMESTAMP), the landed columns by name
    and ``person_pseudonym``, that of :func:`person_text`.
    """
    number = "role_identity_number"
    valid = f"regexp_full_match({number}, '{_IDENTITY_NUMBER.pattern}')"
    birth, admitted = "role_birth_date", "admission_time"
    return {
        "person_id": "person_pseudonym",
        "age_from_birth_years": (
            f"case when {birth} <= {admitted} then (date_diff('year', {birth}, {admitted}) - "
            f"(strftime({admitted}, '%m%d') < strftime({birth}, '%m%d'))::integer)::integer end"
        ),
        "birth_after_admission": f"{birth}::date > {admitted}::date",
        "id_birth_matches": f"case when {valid} then substr({number}, 7, 8) = strftime({birth}, '%Y%m%d') end",
        "id_sex_matches": (
            f"case when {valid} and sex in ('1', '2') then (substr({number}, 17, 1)::integer % 2 = 1) = (sex = '1') end"
        ),
        "has_pathology_number": "role_pathology_number is not null",
        "has_allergy_drug": "role_allergy_drug is not null",
        "has_receiving_institution": "role_receiving_institution is not null",
        "discharge_department_raw": "role_discharge_department",
        "id_division": f"case when {valid} then left({number}, 6) end",
    }


def division_sql() -> dict[str, str]:
    """Expression per column that rests on a division; in scope: relations ``<role>_of`` and ``postcode_of``."""
    return {
        "residence_division": "coalesce(address_of.division, postcode_of.division)",
        "residence_basis": (
            "case when address_of.division is not null then 'address' "
            "when postcode_of.division is not null then 'postcode' else 'none' end"
        ),
        "household_division": "household_of.division",
        "birthplace_division": "birthplace_of.division",
    }
