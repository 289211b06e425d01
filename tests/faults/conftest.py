"""The two installations that the faults are injected into."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.faults.bots import acknowledged
from tests.faults.processes import Postgres
from tests.faults.site import Site
from tests.figures import count
from tests.postgresql import bin_folder


@pytest.fixture(scope="session")
def laptop_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One server on SQLite."""
    site = Site(tmp_path_factory.mktemp("laptop"))
    yield site
    site.close()


@pytest.fixture(scope="session")
def country_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Several workers and a sweeper on PostgreSQL."""
    programs = bin_folder()
    if programs is None:
        pytest.skip("no PostgreSQL here")
    site = Site(tmp_path_factory.mktemp("country"), Postgres(programs))
    yield site
    site.close()


@pytest.fixture
def laptop(laptop_site: Site, request: pytest.FixtureRequest) -> Iterator[Site]:
    """The laptop, healthy; after the test the ack log and the invariants are checked."""
    yield from _judged(laptop_site, request)


@pytest.fixture
def country(country_site: Site, request: pytest.FixtureRequest) -> Iterator[Site]:
    """The country, healthy; after the test the ack log and the invariants are checked."""
    yield from _judged(country_site, request)


def _judged(site: Site, request: pytest.FixtureRequest) -> Iterator[Site]:
    site.log.begin_test()
    yield site
    site.put_right()
    try:
        site.judge()
    finally:
        log = site.log
        answers = len(acknowledged(log.lately()))
        count(request, "faults", answers_acknowledged=answers, lost=log.lost, faults_injected=log.faults)
