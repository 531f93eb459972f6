"""The recipe: from a university's extracts to a published release, top to bottom."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pandas as pd

from pipelines import (
    attack,
    catalogue,
    engines,
    follow,
    pooled,
    publish,
    settled,
    sources,
    unchanged,
    warehouse,
    workers,
)
from pipelines import definitions as definition_files
from pipelines.check import CheckOutcome, check
from pipelines.disclosure import cost, ledger
from pipelines.engines import Connection
from pipelines.extract import Extracted, extract
from pipelines.lost import lost
from pipelines.measure import measure, terms
from pipelines.model import cells, rows
from pipelines.progress import Progress
from pipelines.protect import Decision, Protected, protect, rounded, terms_of
from pipelines.pseudonymise import load_key, pseudonymise
from pipelines.settings import Settings


@dataclass(frozen=True)
class Summary:
    """What a run did."""

    release: str
    extracted: Extracted
    outcome: CheckOutcome
    safe: Protected
    decision: Decision
    source: catalogue.Source
    in_progress: str | None = None  # the academic year


def run(
    sources_file: Path, settings: Settings, progress: Progress, revised: Collection[str] = (), full: bool = False
) -> Summary:
    """Make and publish a release from the extracts that `sources_file` maps.

    What was published of a period stays as it was, unless its academic year is in `revised` (or 'all' is). Extracts
    that have not changed since the last run are not read again, nor periods counted again whose rows have not, unless
    `full`.
    Raises InputError, CheckFailed, AttackError or ReleaseError with a message for the user. Whatever happens, the
    release in force stays until the new one is complete.
    """
    definitions = definition_files.load(settings.definitions, settings.material)
    with publish.only_run(settings):
        ledger.remove(settings.warehouse, publish.unfinished(settings))
        publish.clear_unfinished(settings)
        mapped = sources.load(sources_file)
        source = _source(mapped)
        publish.only_real_after_real(source, settings)
        with (
            engines.named(settings.engine).open_new(settings) as con,
            workers.Workers(settings.processors) as processes,
        ):
            extracted, outcome = _take_in(con, mapped, definitions, settings, progress, full)
            with progress.step("model", "one row per enrolment, then cells"):
                published = ledger.load(settings.warehouse, in_force := publish.current(settings))
                if in_force and published is ledger.NOTHING:
                    progress.say(ledger.missing(settings.warehouse, in_force))
                periods, marks = rows(con, definitions, extracted.present), settled.marks(con, extracted.present)
                ledger.must_know(revised, periods)
                kept = published.kept(periods, terms_of(definitions, settings, str(source)), revised)
                there = settled.in_force(settings, periods)
                as_before = settled.periods(marks, published, frozenset() if full else kept & there)
                modelled = cells(con, definitions, extracted.present, periods, as_before)
                publish.same_faculties(modelled.schools, kept, settings)
                modelled = pooled.with_periods(modelled, published.labels(pooled.POOLED))
                told = f"; {len(as_before)} of {len(periods)} periods are as they were" if as_before else ""
                progress.note(f"{len(modelled.cells):,} cells{told}")
            counting = partial(follow.count, con, definitions, extracted.present, modelled)
            with workers.meanwhile(counting, con.interrupt) as counted:  # as it needs no decision
                with progress.step("protect", "decide what may be shown"):
                    decision = protect(
                        modelled, definitions, settings, published,
                        source=str(source), revised=revised, corrected=mapped.example, workers=processes,
                    )  # fmt: skip
                    progress.note(f"{(decision.hidden & decision.listed).sum():,} cells hidden")
                with progress.step("attack", "try to work out what is hidden"):
                    done = attack.withstand(decision, modelled, definitions, settings, published, processes)
                    decision = done.decision
                    progress.note(done.attack.summary())
                with progress.step("follow", "through the year, tutors, and who answered"):
                    followed = follow.tables(counted.result(), definitions, modelled, decision, settings)
                    followed = settled.as_published(followed, decision.kept, modelled, settings)
                    progress.note(f"{sum(map(len, followed.values())):,} figures")
        with progress.step("measure", "values, gaps and how sure they are"):
            known = terms(definitions, modelled.schools, settings)
            absent = decision.absent(definitions)
            measured = measure(decision.coded, decision.hidden, known, decision.listed, absent)
            safe = decision.explained(rounded(measured, definitions, settings)).with_tables(followed)
            safe = safe.listing_absent(absent, definitions)
            costs = cost.protection(safe.tables["cell"], modelled.schools, definitions)
            safe = safe.with_tables({"protection": costs}).unexplained()
            attack.assert_unseen(safe.tables, decision)
            checks = outcome.tables | {"check": pd.concat([outcome.tables["check"], attack.checks(done)])}
            progress.note(f"{len(measured['gap']):,} gaps")
        with progress.step("publish", "write the release and switch to it"):
            release = publish.new_name()
            publish.begin(release, settings)
            same = {period: mark for period, mark in marks.items() if period not in decision.differing}
            decided = decision.cells, decision.why, modelled.periods, decision.terms, same
            ledger.save(settings.warehouse, release, published, *decided)  # first: no release is without its ledger
            publish.publish(release, safe, modelled, checks, definitions, extracted.present, source, settings)
            ledger.tidy(settings.warehouse, publish.folders(settings))
            progress.note(release)
    in_progress = modelled.periods.loc[modelled.periods["in_progress"].astype(bool), "academic_year"]
    return Summary(release, extracted, outcome, safe, decision, source, next(iter(in_progress), None))


def check_only(sources_file: Path, settings: Settings, progress: Progress, full: bool = False) -> CheckOutcome:
    """Run the suites on the extracts and keep nothing. Raises CheckFailed on a critical failure."""
    definitions = definition_files.load(settings.definitions)
    with publish.only_run(settings):
        mapped = sources.load(sources_file)
        with engines.named(settings.engine).open_new(settings, keep=False) as con:
            return _take_in(con, mapped, definitions, settings, progress, full, warehouse.QUARANTINE_OF_CHECK)[1]


def _source(mapped: sources.Sources) -> catalogue.Source:
    return catalogue.Source(mapped.university, mapped.example)


def _take_in(
    con: Connection,
    mapped: sources.Sources,
    definitions: definition_files.Definitions,
    settings: Settings,
    progress: Progress,
    full: bool,
    quarantine: str = warehouse.QUARANTINE,
) -> tuple[Extracted, CheckOutcome]:
    """The first three steps: from files to staged rows that passed their checks."""
    key = load_key(settings, mapped.example)
    engines.begin_loading()
    with progress.step("extract", "read, map columns and codes"):
        earlier = unchanged.earlier(con, settings, key, full)
        extracted = extract(con, mapped, definitions, settings, progress.report, earlier)
    with progress.step("pseudonymise", "replace identifiers, type columns"):
        pseudonymise(con, definitions, extracted, key, progress.report)
        unchanged.take(con, definitions, extracted, earlier)
    gone = lost(extracted.files, _source(mapped), settings)
    with progress.step("check", "expectations, quarantine, reconciliation"):
        try:
            outcome = check(con, definitions, extracted, settings, progress.report, mapped.as_of, gone)
        finally:  # most wanted when the checks stop the run
            warehouse.write_quarantine(con, settings, quarantine)
    return extracted, outcome
