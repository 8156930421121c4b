"""Protects, restores and deletes through Freezer, many at once.

All are asked for at once; each job takes 30 s, or 60 s where there are a thousand. Ours is the
runner with the memory store and the default policy. The *hand-written loop* is what one writes
with python-freezerclient: eight threads, a look at the list of all jobs every five seconds.
*Karbor's own plugin* is the Freezer plugin of Karbor 1.6.0 with its default poll interval of 20 s,
in greenthreads as Karbor runs it, in an environment of its own; it imports a freezerclient that is
no more, and is given version 2 of it. Ours protects directories, Karbor's plugin volumes: for
Freezer both are one job with one action. Ours also finds Freezer's record of each backup, and
removes it with a delete; the peers do neither.

Requests to Freezer are counted in the client's process; requests to Keystone are not. *Late* is
the average time from the moment that a job's end is in Freezer's database to the moment that the
client knows of it. Schedulers and agents are played on that database, so that the API serves
nobody but the client that is measured.
"""

import statistics
from collections.abc import Iterator, Mapping
from typing import Any, Final

from benchmarks.context import BenchmarkContext
from benchmarks.freezer.database_scheduler import DatabaseScheduler
from benchmarks.freezer.environment import SubjectResult
from benchmarks.freezer.subject_protocol import VerbResult
from benchmarks.freezer.subjects import KARBOR, LOOP
from benchmarks.measurement import OURS, Goal, Measurement
from benchmarks.report.plots import AXIS
from sandbox import karbor

LARGE: Final = 1000
"""The number in flight that the goals are about."""

_ALL_VERBS: Final = 100
"""The number in flight at which restores and deletes are measured as well."""

_SECONDS: Final = {10: 30.0, 100: 30.0, LARGE: 60.0}
"""How long a job takes, by the number in flight."""


def measure(context: BenchmarkContext) -> Iterator[Measurement]:
    """Measure each subject at each number in flight, in turn."""
    for count in context.choose(tuple(_SECONDS), (10, 50)):
        seconds = context.choose(_SECONDS.get(count, 0.0), 4.0)
        verbs = ["protect", "restore", "delete"] if count == _ALL_VERBS else ["protect"]
        for subject in (OURS, LOOP, KARBOR):
            if subject != KARBOR or not (count == LARGE or context.quick):
                yield from measure_subject(context, subject, count, seconds, verbs)


def measure_subject(
    context: BenchmarkContext, subject: str, count: int, seconds: float, verbs: list[str]
) -> Iterator[Measurement]:
    """Measure one subject at one number in flight."""
    environment = context.freezer
    request = {"count": count, "verbs": verbs}
    with environment.run_jobs(seconds) as scheduler:
        match subject:
            case "karbor-backup":
                outcome = environment.run_subject("benchmarks.freezer.own_runner", request)
            case "hand-written loop":
                outcome = environment.run_subject("benchmarks.freezer.handwritten_loop", request)
            case _:
                karbor_environment = karbor.services(
                    environment.sandbox.instance.project, context.say
                )
                outcome = environment.run_subject(
                    "benchmarks.freezer.karbor_plugin",
                    request,
                    python=str(karbor_environment.python),
                )
    for answer in outcome.verbs:
        yield from _verb_measurements(subject, answer, count, scheduler)
    yield from _process_measurements(subject, outcome, count)


def _verb_measurements(
    subject: str, answer: VerbResult, count: int, scheduler: DatabaseScheduler
) -> Iterator[Measurement]:
    common: Mapping[str, Any] = {"subject": subject, "parameters": {AXIS: count}}
    verb = answer.verb
    goals = subject == OURS and count >= LARGE and verb == "protect"
    yield Measurement(
        what=f"requests per {verb}",
        value=answer.requests.total() / count,
        unit="requests",
        goal=Goal(3.2) if goals else None,
        note=", ".join(f"{n} {what}" for what, n in answer.requests.most_common()),
        **common,
    )
    late = [answer.known[job] - scheduler.end_times[job] for job in answer.known]
    yield Measurement(
        what=f"late in knowing the end of a {verb}",
        value=statistics.fmean(late),
        unit="s",
        goal=Goal(1.0) if goals else None,
        note=f"{len(late)} jobs, at most {max(late):.1f} s",
        **common,
    )
    yield Measurement(
        what=f"client CPU per {verb}",
        value=answer.cpu / count * 1000,
        unit="ms",
        goal=Goal(1.0, of=LOOP) if subject == OURS else None,
        **common,
    )
    yield Measurement(what=f"wall time of all {verb}s", value=answer.wall, unit="s", **common)


def _process_measurements(
    subject: str, outcome: SubjectResult, count: int
) -> Iterator[Measurement]:
    watched = outcome.process
    for what, value, unit in (
        ("most memory of the process", watched.memory, "MiB"),
        ("most threads", watched.threads, "threads"),
        ("most connections", watched.sockets, "sockets"),
    ):
        yield Measurement(
            what=what, subject=subject, value=value, unit=unit, parameters={AXIS: count}
        )
