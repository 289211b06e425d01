"""The product's own application, with counters around it. The benchmark starts the servers in this folder."""

from __future__ import annotations

from kiosk import create_app
from tests.bench import counters

app = create_app()
app.wsgi_app = counters.install(app.wsgi_app)  # type: ignore[method-assign]
