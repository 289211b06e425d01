"""Commands for files: candidates and questions in; candidates, answers, results and the audit log out."""

from __future__ import annotations

import os
import sys
import tempfile
from contextlib import AbstractContextManager, nullcontext, suppress
from pathlib import Path
from typing import Any, BinaryIO

import click
from flask.cli import AppGroup
from sqlalchemy import select

from kiosk import clock
from kiosk.cli.manners import USAGE_ERROR, fail, only_organisation, plainly
from kiosk.extensions import db, transaction
from kiosk.models import Job, Paper, Trade
from kiosk.services import candidate_imports, candidate_plans, exports, jobs, papers, stored_files, working
from kiosk.services.audit import Actor
from kiosk.services.candidate_photos import Photos
from kiosk.services.candidate_plans import Scope
from kiosk.services.exchange import questions, writers
from kiosk.services.exchange.problems import Problem

import_group = AppGroup("import", help="Read files in: all or nothing.")
export_group = AppGroup("export", help="Write tables to files.")


@import_group.command("candidates")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--photos", type=click.Path(path_type=Path), help="ZIP with the photos that the column photo names.")
@click.option("--dry-run", is_flag=True, help="Say what would happen; change nothing.")
@click.option("--result", type=click.Path(path_type=Path), help="Where the list of passwords goes (FILE.result.csv).")
@click.option("--yes", is_flag=True, help="Taken, as by all commands that change something.")
@plainly
def import_candidates(
    file: Path,
    photos: Path | None,
    dry_run: bool,
    result: Path | None,
    yes: bool,  # noqa: ARG001
) -> None:
    """Import the candidates of a CSV or XLSX file: new ones are added, others changed, nobody is deleted."""
    content, scope = _content(file), Scope(only_organisation().id)
    with _opened(photos) as zipped:
        if dry_run:
            _say_what_would_happen(content, scope, zipped)
            return
        place = _free(result, file)
        photos_id = stored_files.keep(zipped, now=clock.now()) if zipped else None
    by = Actor("cli", "command line", organisation_id=scope.organisation_id)
    order = candidate_imports.order_directly(content, file.name, scope, photos_id)
    work = jobs.begin(order, by=by, now=clock.now())
    done = _done(work)
    click.echo(f"{done['new']} new, {done['changed']} changed, {done['unchanged']} unchanged.")
    _say_of_photos(done)
    if done["generated_passwords"]:
        _write_passwords(work.id, place, by)


@import_group.command("questions")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--trade", required=True, help="Code of a trade, or common for the paper that all trades share.")
@click.option("--paper", required=True, type=click.Choice(["primary", "secondary"]))
@click.option("--set", "label", required=True, help="Label of the set.")
@click.option("--dry-run", is_flag=True, help="Say what would happen; change nothing.")
@click.option("--yes", is_flag=True, help="Taken, as by all commands that change something.")
@plainly
def import_questions(file: Path, trade: str, paper: str, label: str, dry_run: bool, yes: bool) -> None:  # noqa: ARG001
    """Import a question set as a draft, in a new version."""
    organisation_id = only_organisation().id
    paper_id = _paper(organisation_id, trade, paper)
    if not 0 < len(label.strip()) <= 20:
        fail("--set must have 1 to 20 characters.", USAGE_ERROR)
    read = questions.read(_content(file))
    if read.problems:
        _refuse(read.problems)
    if dry_run:
        click.echo(f"{len(read.questions)} questions would go into a new draft of set {label.strip()}.")
        return
    by = Actor("cli", "command line", organisation_id=organisation_id)
    with transaction():
        papers.add_set(paper_id, label.strip(), read.questions, publish=False, by=by, now=clock.now())
    click.echo(f"{len(read.questions)} questions imported into a new draft of set {label.strip()}.")


def _add_export(name: str) -> None:
    @export_group.command(name, help=f"Write the {name} to a file.")
    @click.option("--format", "form", required=True, type=click.Choice(sorted(writers.MIME)))
    @click.option("-o", "--output", "output", required=True, type=click.Path(path_type=Path))
    @click.option("--force", is_flag=True, help="Replace a file that exists.")
    @plainly
    def export(form: str, output: Path, force: bool) -> None:
        if output.exists() and not force:
            fail(f"{output} exists already; --force replaces it.")
        table: exports.Export = getattr(exports, name)(only_organisation().id)
        count = _write(output, form, table)
        click.echo(f"{count} rows written to {output}.")


for _name in ("answers", "audit", "candidates", "results"):
    _add_export(_name)


def _done(work: jobs.Work) -> dict[str, Any]:
    """Do the job here, with a bar on a terminal; its result, or the end of the command with what is wrong."""
    with click.progressbar(length=1, label="Importing", hidden=not sys.stderr.isatty(), file=sys.stderr) as bar:

        def show(done: int, total: int) -> None:
            bar.length = total
            bar.update(done - bar.pos)

        work.watch = show
        working.do(work)
    status, result = db.session.execute(select(Job.status, Job.result).where(Job.id == work.id)).one()
    db.session.rollback()
    result = result or {}
    if result.get("problems"):
        _refuse([Problem(**problem) for problem in result["problems"]])
    if status != "done":
        fail(result.get("problem") or "It was not finished; a running server takes it up again.")
    return result


def _say_what_would_happen(content: bytes, scope: Scope, zipped: BinaryIO | None) -> None:
    opened = (lambda: Photos(zipped, lambda _line, _image: None)) if zipped else None
    plan = candidate_plans.plan(content, scope, lambda _count: None, opened)
    if plan.problems.lines:
        _refuse(plan.problems.listed)
    numbers = [plan.count(outcome) for outcome in ("new", "changed", "unchanged")]
    click.echo("{} would be new, {} changed, {} unchanged.".format(*numbers))
    if plan.photos is not None:
        _say_of_photos(plan.photos.report())


def _say_of_photos(found: dict[str, Any]) -> None:
    """How many photos are new; on stderr what is odd about the ZIP."""
    if "photos" not in found:
        return
    click.echo(f"{found['photos']} photos new or changed.")
    for kind, words in (("unused", "files of the ZIP are named by no row"), ("shared", "photos are named by several")):
        if found[f"{kind}_photos"]:
            names = ", ".join(found[f"{kind}_names"])
            click.echo(f"Warning: {found[f'{kind}_photos']} {words}: {names}", err=True)


def _opened(photos: Path | None) -> AbstractContextManager[BinaryIO | None]:
    if photos is None:
        return nullcontext()
    try:
        return photos.open("rb")
    except OSError as error:
        fail(f"{photos} cannot be read: {error.strerror}", USAGE_ERROR)
        raise


def _refuse(problems: list[Problem]) -> None:
    for problem in problems:
        place = f"line {problem.line}" if problem.line else "file"
        named = ", ".join(filter(None, (place, problem.cell, problem.column)))
        printable = "".join(char if char.isprintable() else repr(char)[1:-1] for char in f"{named}: {problem.text}")
        click.echo(printable, err=True)
    fail("Nothing was imported.")


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        fail(f"{file} cannot be read: {error.strerror}", USAGE_ERROR)
        raise


def _paper(organisation_id: Any, trade: str, paper_type: str) -> Any:
    trade_id = db.session.scalars(
        select(Trade.id).where(Trade.organisation_id == organisation_id, Trade.code == trade)
    ).one_or_none()
    if trade_id is None and trade != "common":
        fail(f"There is no trade {trade}.", USAGE_ERROR)
    rows = db.session.execute(
        select(Paper.id, Paper.trade_id).where(
            Paper.organisation_id == organisation_id, Paper.paper_type == paper_type, Paper.status != "archived"
        )
    ).all()
    # a trade without a paper of its own sits the one that all trades share
    found = {row.trade_id: row.id for row in rows}
    paper_id = found.get(trade_id) or found.get(None)
    if paper_id is None:
        fail(f"There is no {paper_type} paper for {trade}.", USAGE_ERROR)
    return paper_id


def _free(wanted: Path | None, file: Path) -> Path:
    """Where passwords can be written: the place that was asked for, or one beside the file. Ends if that is taken."""
    if wanted is not None:
        if wanted.exists():
            fail(f"{wanted} exists already.")
        return wanted
    places = (file.with_name(f"{file.stem}.result{number}.csv") for number in ("", *range(2, 1000)))
    return next(place for place in places if not place.exists())


def _write_passwords(job_id: Any, place: Path, by: Actor) -> None:
    """Move the list out of the job into a file that only its owner can read; the job keeps it where that fails."""
    content = db.session.scalars(select(Job.output_file).where(Job.id == job_id)).one()
    db.session.rollback()
    try:
        _replace(place, lambda file: file.write(bytes(content or b"")), must_be_new=True)
    except OSError as error:
        fail(f"The list of passwords could not be written ({error.strerror}); download it from the page Jobs.")
    jobs.take_output(job_id, by=by, now=clock.now())
    click.echo(f"Passwords: {place}")


def _write(output: Path, form: str, table: exports.Export) -> int:
    counted = 0

    def rows() -> Any:
        nonlocal counted
        for row in table.rows:
            counted += 1
            yield row

    try:
        _replace(output, lambda file: writers.write(file, form, table.names, rows()))
    except OSError as error:
        fail(f"{output} cannot be written: {error.strerror}")
    return counted


def _replace(place: Path, write: Any, *, must_be_new: bool = False) -> None:
    """Write beside the place and rename: nobody ever finds half a file. Raises OSError."""
    descriptor, draft = tempfile.mkstemp(dir=place.absolute().parent, prefix=f".{place.name}.")
    try:
        with os.fdopen(descriptor, "w+b") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        if must_be_new:
            os.link(draft, place)
        else:
            os.replace(draft, place)
    finally:
        with suppress(FileNotFoundError):
            os.unlink(draft)
