"""Who sits at the desk, unless a file of tests says otherwise."""

from __future__ import annotations

import pytest
from flask import Flask

from tests.cast import Hall
from tests.desk import Desk


@pytest.fixture
def desk(app: Flask, hall: Hall) -> Desk:
    """The centre's admin, signed in."""
    return Desk(app, "centre")
