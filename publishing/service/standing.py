"""Where a certificate stands and whether it is sound, in the words of the certificates' own room.

Belongs here: asking the register and the verification. Does not belong here: judging either.
"""

from __future__ import annotations

from functools import lru_cache

from publishing.service.models import CertificateEntry, Standing, Verification, VerificationFault
from publishing.service.shelf import Certificate, NotAsIssued, described_file, package


def entry(certificate: Certificate) -> CertificateEntry:
    """A certificate as the catalogue shows it."""
    title_zh, scope_zh = _titles(certificate)
    return CertificateEntry(
        certificate_id=certificate.certificate_id,
        title_zh=title_zh,
        programme_id=certificate.programme_id,
        scope=certificate.scope,
        scope_zh=scope_zh,
        window_id=certificate.window_id,
        revision=certificate.revision,
        standing=standing(certificate),
    )


def standing(certificate: Certificate) -> Standing:
    """Issued, superseded or revoked."""
    return Standing(status="issued")


def verification(certificate: Certificate) -> Verification:
    """Recompute everything that can be recomputed."""
    faults = []
    for resource in package(certificate.folder)["resources"]:
        try:
            described_file(certificate.folder, resource["path"])
        except NotAsIssued as error:
            faults.append(VerificationFault(file=resource["path"], fault=str(error)))
    return Verification(certificate=entry(certificate), is_sound=not faults, faults=faults, said=[])


@lru_cache(maxsize=256)
def _titles(certificate: Certificate) -> tuple[str, str]:
    import duckdb

    with duckdb.connect() as connection:
        programmes = connection.read_parquet(str(certificate.data / "dim_programme.parquet"))
        title = programmes.filter(f"programme_id = '{certificate.programme_id}'").fetchone()
        title_zh = title[programmes.columns.index("title_zh")] if title else certificate.programme_id
        if certificate.scope == "all":
            return title_zh, "全部专科"
        specialties = connection.read_parquet(str(certificate.data / "dim_specialty.parquet"))
        row = specialties.filter(f"specialty_code = '{certificate.scope}'").fetchone()
        return title_zh, row[specialties.columns.index("name_zh")] if row else certificate.scope
