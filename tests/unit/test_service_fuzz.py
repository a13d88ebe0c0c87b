"""Whatever is asked, in whatever form the service's own description allows or forbids: an answer, never a crash."""

from __future__ import annotations

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from served_certificate import CERTIFICATE, INDICATOR, MARK, SPECIALTY, A, B
from served_site import SCOPES, Site, open_site

REAL = {"certificate_id": CERTIFICATE, "specialty_code": SPECIALTY, "indicator_id": INDICATOR, "path": "README.txt"}
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    return open_site(tmp_path_factory.mktemp("service"))


def test_every_route_answers_whatever_is_asked(site: Site) -> None:
    """With real codes for half of the questions, so that they get past the first refusal."""
    schema = schemathesis.openapi.from_asgi("/api/v1/openapi.json", site.app)
    operations = [found.ok() for found in schema.get_all_operations()]
    assert len(operations) >= 11
    for operation in operations:
        allowed, forbidden = (operation.as_strategy(generation_mode=mode) for mode in GenerationMode)
        asked = st.one_of(allowed, forbidden)

        @settings(max_examples=12, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
        @given(asked, st.sampled_from([None, *SCOPES]), st.sampled_from([A, B]), st.booleans())
        def ask(case: schemathesis.Case, who: str | None, hospital: str, is_real: bool) -> None:
            if is_real:
                known = REAL | {"hospital_id": hospital}
                case.path_parameters = {name: known[name] for name in case.path_parameters}
            headers = {"Authorization": f"Bearer {site.tokens[who]}" if who else "none"}
            answer = case.call_and_validate(base_url="http://testserver", headers=headers, checks=CHECKS)
            if who == "hospital":
                assert f"p{MARK[B]}0000".encode() not in answer.content
            if who is None:
                assert answer.status_code in (401, 404), "a stranger learns at most that there is no such page"

        ask()


def test_the_log_of_all_that_is_whole_and_holds_nothing_that_was_typed(site: Site) -> None:
    typed = "张三510102199001011234"
    client = site.client("all")
    for address in (f"/{typed}", f"/certificates/{typed}", f"/certificates/{CERTIFICATE}/specialties/{typed}"):
        assert client.get(address, params={"hospital_id": typed, "x": typed}).status_code == 404
    base = f"/certificates/{CERTIFICATE}/specialties/{SPECIALTY}/indicators/{INDICATOR}"
    assert client.get(base, params={"hospital_id": typed}).status_code == 404
    assert client.get(base, params={"x": typed}).status_code == 200
    assert client.get(base, params={"page": typed}).status_code == 200, "the page of an indicator has no pages"
    assert client.post("/login", content=f"token={typed}").status_code == 401
    assert site.audit.verify().fault is None
    logged = site.audit.file.read_text(encoding="utf-8")
    assert typed not in logged and typed[2:] not in logged and "张" not in logged
