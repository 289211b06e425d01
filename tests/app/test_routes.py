"""Every route of the application: closed without a sign-in, open to the right roles, and no GET changes anything."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from werkzeug.routing import Rule

from kiosk.capabilities import Role, may
from tests.desk import Desk, PageCheck, row_counts

# what 4-interfaces.md lists as open without a login, as far as it exists, and what belongs to signing in
OPEN = {
    "/login",
    "/logout",
    "/preferences",
    "/healthz",
    "/readyz",
    "/metrics",  # answers this machine only
    "/static/<path:filename>",
    "/kiosk/enrol",
    "/kiosk/enrol/here",
    "/kiosk/trust",
    "/kiosk/trust/exam-kiosk-ca.crt",
    "/api/auth/login/",
    "/api/openapi.json",
    "/api/docs",
}
STAFF = {
    "admin": Role.ADMIN,
    "auditor": Role.AUDITOR,
    "marks": Role.MARKS_OFFICER,
    "centre": Role.CENTRE_ADMIN,
    "invigilator": Role.INVIGILATOR,
}
READS = ("GET", "HEAD", "OPTIONS")


def rules(app: Flask) -> Iterator[tuple[Rule, str]]:
    """Each route with each of its methods."""
    for rule in app.url_map.iter_rules():
        for method in sorted(rule.methods - {"HEAD", "OPTIONS"}):
            yield rule, method


def address(rule: Rule, hall: Any = None) -> str:
    """The route's address with ids that exist, or without a hall with ids that don't."""
    values: dict[str, Any] = {
        "trade_id": hall.trade_id if hall else uuid4(),
        "candidate_id": hall.candidate_ids[0] if hall else uuid4(),
        "centre_id": hall.centre_id if hall else uuid4(),
        "paper_id": hall.paper_id if hall else uuid4(),
        "user_id": hall.centre_admin.id if hall else uuid4(),
        "shift_id": hall.shift_id if hall else uuid4(),
        "paper_type": "primary",
        "filename": "css/tokens.css",
    }
    known = {name: values.get(name, 1 if name in ("number", "to") else uuid4()) for name in rule.arguments}
    _, path = rule.build(known, append_unknown=False)
    return path


def staff_rules(app: Flask) -> list[tuple[Rule, str]]:
    return [(rule, method) for rule, method in rules(app) if rule.endpoint.startswith(("centre.", "admin."))]


def capability(app: Flask, rule: Rule) -> str | None:
    return getattr(app.view_functions[rule.endpoint], "needs_capability", None)


def test_every_route_is_closed_without_a_sign_in(app):
    visitor = Desk(app)
    for rule, method in rules(app):
        if rule.rule in OPEN or rule.endpoint == "static":
            continue
        answer = visitor.run(lambda: visitor.client.open(address(rule), method=method))  # noqa: B023
        closed = answer.status_code in (401, 403) or answer.headers.get("Location", "").endswith("/login")
        assert closed or (method != "GET" and answer.status_code == 400), (rule.rule, method, answer.status_code)


def test_htmx_is_told_to_go_to_the_login_page_and_gets_no_page(app):
    visitor = Desk(app)
    for rule, method in rules(app):
        is_page = rule.endpoint != "static" and not rule.endpoint.startswith("api.")
        if method == "GET" and rule.rule not in OPEN and is_page:
            answer = visitor.fragment(address(rule))
            assert (answer.status_code, answer.headers.get("HX-Redirect")) == (401, "/login"), rule.rule


def test_no_other_route_is_open(app):
    marked = {
        rule.rule for rule, _ in rules(app) if getattr(app.view_functions[rule.endpoint], "is_open_to_all", False)
    }
    assert marked <= OPEN


def test_every_staff_route_asks_for_a_capability_that_somebody_has(app):
    for rule, _ in staff_rules(app):
        asked = capability(app, rule)
        assert asked, rule.rule
        assert any(may(role, asked) for role in Role), (rule.rule, asked)


@pytest.mark.parametrize("login", STAFF)
def test_I10_each_role_reaches_exactly_what_its_capabilities_allow(app, hall, login):
    desk, reached = Desk(app, login), set()
    for rule, method in staff_rules(app):
        place = address(rule, hall)
        # the form says nothing: whoever may come in meets a form error, never a deed
        answer = desk.get(place) if method == "GET" else desk.post(place)
        allowed = may(STAFF[login], capability(app, rule) or "")
        assert (answer.status_code not in (401, 403)) == allowed, (rule.rule, method, answer.status_code)
        assert answer.status_code < 500, (rule.rule, method)
        if allowed:
            reached.add(rule.rule)
    assert reached, f"{login} reaches nothing"


def test_only_an_admin_and_the_centres_own_people_change_anything(app):
    writers = {
        login: {
            rule.rule
            for rule, method in staff_rules(app)
            if method == "POST" and may(role, capability(app, rule) or "")
        }
        for login, role in STAFF.items()
    }
    assert writers["auditor"] == writers["marks"] == set()
    assert writers["invigilator"] == {
        "/centre/board/seats/<uuid:candidate_id>/approve",
        "/centre/board/seats/<uuid:candidate_id>/time",
        "/centre/candidates/<uuid:candidate_id>/approve",
        "/centre/candidates/<uuid:candidate_id>/move",
        "/centre/check-in/<uuid:candidate_id>/absent",
        "/centre/check-in/<uuid:candidate_id>/present",
        "/centre/check-in/<uuid:candidate_id>/seat",
        "/centre/check-in/scan",
        "/centre/incidents/<uuid:incident_id>/grant",
        "/centre/incidents/new",
        "/centre/print/pdf",
        "/centre/shifts/<uuid:shift_id>/seats",
        "/centre/shifts/<uuid:shift_id>/time",
        "/centre/slots/pause",
        "/centre/slots/resume",
        "/centre/time",
        "/centre/candidates/<uuid:candidate_id>/unlock",
    }
    # the pages of the whole organisation, and what a centre may not undo by itself
    outside = {rule for rule in writers["admin"] - writers["centre"] if not rule.startswith("/admin/")}
    assert outside == {"/centre/attempts/<uuid:attempt_id>/restore"}


def test_a_candidate_reaches_no_page_of_the_staff(app, hall):
    candidate = Desk(app, "N001")
    for rule, method in staff_rules(app):
        if method == "GET":
            assert candidate.get(address(rule, hall)).status_code in (401, 403), rule.rule


def test_staff_reach_no_page_of_a_candidate(app, hall):
    admin = Desk(app, "admin")
    for rule, method in rules(app):
        if method == "GET" and rule.endpoint.startswith("candidate."):
            assert admin.get(address(rule, hall)).status_code in (401, 403, 404), rule.rule


@pytest.mark.parametrize("login", ["admin", "auditor", "centre"])
def test_looking_at_everything_changes_nothing(app, hall, login):
    hall.player(1).start()
    desk = Desk(app, login)
    before = row_counts()
    for rule, method in rules(app):
        if method == "GET":
            desk.get(address(rule, hall))
            desk.fragment(address(rule, hall))
    assert row_counts() == before


@pytest.mark.parametrize("login", STAFF)
def test_every_page_of_the_staff_is_sound(app, hall, login):
    hall.player(1).start()
    hall.player(2).start()
    hall.player(2).submit()
    desk = Desk(app, login)
    more = [
        f"/centre/slots/{action}?{query}"
        for action in ("assign", "reassign", "clear", "reset", "pause", "resume")
        for query in ("all=1", f"id={hall.candidate_ids[1]}", f"id={hall.candidate_ids[2]}")
    ]
    more += [
        f"/admin/sets/{hall.trade_id}/primary/switch?set={hall.sets['B']}",
        f"/admin/sets/{hall.trade_id}/secondary/switch?for=all&set={hall.secondary_sets['B']}",
        f"/centre/candidates/{hall.candidate_ids[2]}",
        "/centre/?q=nobody",
        "/centre/time?from=2026-11-21T09:00&to=2026-11-21T10:00",
        "/centre/time?from=2026-11-21T09:00&to=tomorrow",
        "/admin/?q=nobody",
        "/admin/results?q=nobody",
        "/nowhere",
    ]
    pages = [address(rule, hall) for rule, method in staff_rules(app) if method == "GET"]
    for place in [*pages, *more]:
        answer = desk.get(place)
        # a file that is sent has no heading
        if answer.mimetype == "text/html":
            assert PageCheck(answer.get_data(as_text=True)).found() == [], place


def test_nothing_of_a_page_may_be_kept(app, hall):
    desk = Desk(app, "centre")
    for place in ("/centre/", f"/centre/slots/reset?id={hall.candidate_ids[0]}", "/nowhere"):
        assert desk.get(place).headers["Cache-Control"] == "no-store"
