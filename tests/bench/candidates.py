"""What an import of candidates costs: python -m tests.bench.candidates [--rows N] [--photos N] [--xlsx] [--postgresql]

On SQLite in a folder of its own, or on a private PostgreSQL server. Prints seconds and peak memory of checking and of
importing in a process as the worker's is, and how long somebody who saves answers meanwhile waits at worst.
"""

from __future__ import annotations

import argparse
import io
import resource
import tempfile
import threading
import time
import zipfile
from pathlib import Path
from typing import Any

from PIL import Image, ImageChops

from kiosk import clock, create_app
from kiosk.config import load_settings
from kiosk.services.exchange import writers

NAMES = ("service_no", "name", "rank", "trade", "centre", "shift", "language", "extra_minutes_per_hour", "photo")


def table(rows: int, photos: int, form: str) -> bytes:
    """A file with so many candidates, the first of whom have photos."""
    trades, centres = ("TTC", "OCC", "MUSICIAN"), ("C01", "C02")
    content = io.BytesIO()
    lines = (
        (
            *(f"IC-{place:07}", f"Candidate Number {place}", "Naik", trades[place % 3], centres[place % 2]),
            *("", "hi", "20", f"{place}.jpg" if place < photos else ""),
        )
        for place in range(rows)
    )
    writers.write(content, form, NAMES, lines)
    return content.getvalue()


def album(photos: int) -> Path:
    """A ZIP with so many photos, as a phone takes them: 1200 x 1600, no two alike."""
    noise = Image.effect_noise((150, 200), 90).resize((1200, 1600))
    path = Path(tempfile.mkdtemp(prefix="kiosk-bench-")) / "photos.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for place in range(photos):
            one = ImageChops.offset(noise, place % 1200, place // 1200).convert("RGB")
            out = io.BytesIO()
            one.save(out, "JPEG", quality=85)
            archive.writestr(f"photos/{place}.jpg", out.getvalue())
    return path


def measure(database_url: str, content: bytes, name: str, zipped: Path | None) -> None:
    """Load the demo, check the file, import it."""
    import flask_migrate

    folder = tempfile.mkdtemp(prefix="kiosk-bench-")
    url = database_url or f"sqlite:///{folder}/kiosk.db"
    settings = load_settings({"KIOSK_INSTANCE_DIR": folder, "KIOSK_DATABASE_URL": url, "KIOSK_LOG_LEVEL": "error"})
    app = create_app(settings, background=False)
    with app.app_context():
        flask_migrate.upgrade(directory=app.config["MIGRATIONS_DIR"])
        from sqlalchemy import select

        from kiosk.extensions import db
        from kiosk.models import Job, Organisation
        from kiosk.services import candidate_imports, demo, jobs, stored_files, working
        from kiosk.services.audit import Actor
        from kiosk.services.candidate_plans import Scope

        demo.load_demo(clock.now())
        scope = Scope(db.session.scalars(select(Organisation.id)).one())
        by = Actor("cli", "bench", organisation_id=scope.organisation_id)
        _say("before", time.monotonic())
        _watch(candidate_imports)
        photos_id = None
        if zipped is not None:
            begun_at = time.monotonic()
            with zipped.open("rb") as file:
                photos_id = stored_files.keep(file, now=clock.now())
            print(f"{zipped.stat().st_size // 1_000_000} MB of photos are stored", flush=True)
            _say("store", begun_at)
        for step in ("check", "import"):
            begun_at = time.monotonic()
            order = (
                candidate_imports.order_of_check(content, name, scope, photos_id)
                if step == "check"
                else candidate_imports.order_of_import(work.id, scope)  # noqa: F821
            )
            saver = Saver(app)
            saver.start()
            work = jobs.begin(order, by=by, now=clock.now())
            working.do(work)
            _say(step, begun_at)
            print(saver.stop())
            print(db.session.scalars(select(Job.result).where(Job.id == work.id)).one())


def _watch(imports: Any) -> None:
    """Say how long the one transaction lasts that moves the rows in."""
    real = imports._write_rows

    def timed(*args: Any) -> None:
        begun_at, cpu_at = time.monotonic(), time.thread_time()
        real(*args)
        cpu = time.thread_time() - cpu_at
        print(f"the transaction: {time.monotonic() - begun_at:.2f} s, of CPU {cpu:.2f} s", flush=True)

    imports._write_rows = timed


class Saver(threading.Thread):
    """Somebody who goes on saving during the import: how long did they wait at worst?"""

    def __init__(self, app: Any) -> None:
        """Make them ready; `start` begins, `stop` ends."""
        super().__init__(daemon=True)
        self._app, self._over, self.waits = app, threading.Event(), [0.0]

    def run(self) -> None:
        """Write a small row every 20 ms, as a save does."""
        from sqlalchemy import update

        from kiosk.extensions import db, transaction
        from kiosk.models import Organisation

        with self._app.app_context():
            while not self._over.wait(0.02):
                begun_at = time.monotonic()
                with transaction():
                    db.session.execute(update(Organisation).values(name="Bench"))
                self.waits.append(time.monotonic() - begun_at)

    def stop(self) -> str:
        """End, and tell."""
        self._over.set()
        self.join()
        return f"{len(self.waits) - 1} saves meanwhile, the longest took {max(self.waits):.2f} s"


def _say(step: str, begun_at: float) -> None:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"{step}: {time.monotonic() - begun_at:.1f} s, peak {peak} MB", flush=True)


def main() -> None:
    """Read the command line and measure."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--rows", type=int, default=50_000)
    asked.add_argument("--photos", type=int, default=0)
    asked.add_argument("--xlsx", action="store_true")
    asked.add_argument("--postgresql", action="store_true")
    given = asked.parse_args()
    form = "xlsx" if given.xlsx else "csv"
    path = Path(tempfile.mkdtemp(prefix="kiosk-bench-")) / f"candidates.{form}"
    path.write_bytes(table(given.rows, given.photos, form))
    zipped = album(given.photos) if given.photos else None
    if not given.postgresql:
        measure("", path.read_bytes(), path.name, zipped)
        return
    from tests.postgresql import Cluster, bin_folder

    cluster = Cluster(bin_folder())
    try:
        measure(cluster.url("kiosk_bench"), path.read_bytes(), path.name, zipped)
    finally:
        cluster.stop()


if __name__ == "__main__":
    main()
