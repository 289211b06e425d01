"""The description of the API: complete, open, and true under requests that nobody thought of."""

from __future__ import annotations

import html
import os

import hypothesis
import pytest
import schemathesis
from schemathesis.config import SchemathesisConfig

from tests.api.program import Program
from tests.api.test_states import in_state
from tests.desk import Desk, PageCheck

EXAMPLES = int(os.environ.get("KIOSK_API_EXAMPLES", "5"))


@pytest.fixture
def document(app, hall):
    answer = Program(app).get("/api/openapi.json")
    assert answer.status_code == 200
    return answer.json


def operations(document):
    return [
        (method, path, operation) for path, calls in document["paths"].items() for method, operation in calls.items()
    ]


def test_every_route_of_the_api_is_described(app, document):
    known = {(method.upper(), path) for method, path, _ in operations(document)}
    for rule in app.url_map.iter_rules():
        if rule.endpoint.startswith("api.") and rule.endpoint not in ("api.openapi", "api.docs"):
            path = rule.rule.replace("<uuid:", "{").replace(">", "}")
            assert {(method, path) for method in rule.methods - {"HEAD", "OPTIONS"}} <= known


def test_every_call_declares_its_errors(document):
    for method, path, operation in operations(document):
        declared = set(operation["responses"])
        wanted = {"401", "503"} | ({"404"} if "{" in path else set()) | ({"400", "413"} if method != "get" else set())
        wanted |= {"415"} if "requestBody" in operation else set()
        wanted |= {"403"} if path != "/api/auth/login/" else {"429"}
        assert wanted <= declared, (method, path, wanted - declared)
        for status, answer in operation["responses"].items():
            if status >= "400":
                assert "application/problem+json" in answer["content"]


def test_every_reference_leads_somewhere(document):
    text = repr(document)
    for name in document["components"]["schemas"]:
        assert f"#/components/schemas/{name}'" in text, f"{name} is used nowhere"
    assert document["openapi"].startswith("3.1")


def test_the_page_for_people_is_sound_and_takes_nothing_from_elsewhere(app, hall, document):
    answer = Desk(app).get("/api/docs")
    page = html.unescape(answer.get_data(as_text=True))
    assert answer.status_code == 200
    assert PageCheck(answer.get_data(as_text=True)).found() == []
    assert "https://" not in page
    for _, path, operation in operations(document):
        assert path in page
        assert operation["summary"] in page


@pytest.mark.parametrize("method", ["get", "post", "put", "delete", "patch", "trace", "propfind"])
def test_another_method_is_answered_with_those_there_are(app, document, method):
    program = Program(app, "N001")
    some_id = "00000000-0000-7000-8000-000000000000"
    for path, calls in document["paths"].items():
        if method in calls:
            continue
        address = path.replace("{paper_id}", some_id).replace("{attempt_id}", some_id)
        answer = program.call(method.upper(), address)
        assert answer.status_code == 405, (method, path)
        assert {name.upper() for name in calls} <= set(answer.headers["Allow"].split(", "))
        assert answer.json["code"] == "method_not_allowed"


@pytest.mark.parametrize("login", ["N001", "centre"])
def test_requests_that_nobody_thought_of_find_nothing(app, hall, login):
    """Schemathesis over WSGI, with a running attempt among the ids that it may hit."""
    program = Program(app, "N001")
    attempt_id, _ = in_state("running", hall, program)
    who = Program(app, login)
    config = SchemathesisConfig.from_dict({"generation": {"max-examples": EXAMPLES}})
    schema = schemathesis.openapi.from_wsgi("/api/openapi.json", app, config=config)

    @schema.hook
    def map_path_parameters(context, path_parameters):
        # ids out of the air are found by nobody: half of the calls get one that exists
        if path_parameters and hall_hash(path_parameters) % 2:
            known = {"attempt_id": attempt_id, "paper_id": str(hall.paper_id)}
            return {name: known.get(name, value) for name, value in path_parameters.items()}
        return path_parameters

    problems = []
    for result in schema.get_all_operations():
        operation = result.ok()
        strategy = operation.as_strategy()

        @hypothesis.settings(
            max_examples=EXAMPLES,
            deadline=None,
            database=None,
            derandomize=True,
            suppress_health_check=list(hypothesis.HealthCheck),
        )
        @hypothesis.given(case=strategy)
        def run(case):
            # the WSGI client does not unpack
            case.call_and_validate(headers={"Authorization": f"Bearer {who.token}", "Accept-Encoding": "identity"})

        try:
            run()
        except Exception as error:
            problems.append(f"{operation.label}: {error}")
    assert not problems, "\n\n".join(problems)


def hall_hash(values):
    """A number that is the same in each run."""
    return sum(map(ord, "".join(map(str, values.values()))))
