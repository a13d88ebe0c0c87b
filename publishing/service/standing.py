"""Where a certificate stands and whether it is sound, in the words of the certificates' own room.

Belongs here: asking the register and the verification. Does not belong here: judging either.
"""

from __future__ import annotations

from functools import lru_cache
from threading import Lock

from publishing.certificates.keyring import KEYRING, Keyring
from publishing.certificates.names import ALL
from publishing.certificates.register import REGISTER
from publishing.certificates.verification import sentences, verify_bundle
from publishing.service.models import CertificateEntry, Standing, Verification, VerificationFault
from publishing.service.shelf import Certificate, Shelf

# reading every byte of a bundle is work: one reader at a time has it done, the others wait
_ONE_AT_A_TIME = Lock()


def entry(certificate: Certificate) -> CertificateEntry:
    """A certificate as the catalogue shows it."""
    name, (title_zh, scope_zh) = certificate.name, _titles(certificate)
    return CertificateEntry(
        certificate_id=certificate.certificate_id,
        title_zh=title_zh,
        programme_id=name.programme_id,
        scope=name.scope,
        scope_zh=scope_zh,
        window_id=name.window_id,
        revision=name.revision,
        standing=standing(certificate),
    )


def standing(certificate: Certificate) -> Standing:
    """Issued, superseded or revoked, by the register of today."""
    history = Shelf(certificate.folder.parent).history(certificate)
    ended = history.ended
    return Standing.model_validate(
        {
            "status": history.standing.value,
            "at": ended.at.date().isoformat() if ended else None,
            "by": ended.by if ended else None,
            "reason": ended.reason if ended else None,
        }
    )


def verification(certificate: Certificate) -> Verification:
    """Hold every byte against the public keys and the register of today."""
    certified = certificate.folder.parent
    with _ONE_AT_A_TIME:
        found = verify_bundle(certificate.folder, Keyring.read(certified / KEYRING), certified / REGISTER)
    faults = [VerificationFault(file=fault.file, fault=fault.fault) for fault in found.faults]
    said = [f"签署人：{'、'.join(sorted(found.signed_by))}"] if found.signed_by else []
    if found.issued is not None:
        said.append(f"签发人：{found.issued.by}，{found.issued.at.date()}")
    return Verification(
        certificate=entry(certificate),
        is_sound=found.is_intact,
        counts=found.counts,
        faults=faults,
        said=said + list(sentences(found))[len(faults) :],
    )


@lru_cache(maxsize=256)
def _titles(certificate: Certificate) -> tuple[str, str]:
    """Of programme and scope."""
    import duckdb

    name, data = certificate.name, certificate.data
    with duckdb.connect() as connection:

        def first(query: str, mart: str, code: str) -> str:
            row = connection.execute(query, {"file": str(data / f"{mart}.parquet"), "code": code}).fetchone()
            return str(row[0]) if row else code

        programmes = "select title_zh from read_parquet($file) where programme_id = $code order by serial limit 1"
        specialties = "select name_zh from read_parquet($file) where specialty_code = $code"
        title_zh = first(programmes, "dim_programme", name.programme_id)
        scope_zh = "全部专科" if name.scope == ALL else first(specialties, "dim_specialty", name.scope)
    return title_zh, scope_zh
