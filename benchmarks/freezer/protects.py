"""Protects, restores and deletes through Freezer, many at once.

All are asked for at once, and each job takes as long as the table says. Ours is the runner with the
memory store and the default policy. The *hand-written loop* is what one writes with
python-freezerclient: eight threads, a look at the list of all jobs every five seconds. *Karbor's
own plugin* is the Freezer plugin of Karbor 1.6.0 with its default poll interval of 20 s, in
greenthreads as Karbor runs it, in an environment of its own; it imports a freezerclient that is no
more, and is given version 2 of it. Ours protects directories, Karbor's plugin volumes: for Freezer
both are one job with one action.

Requests to Freezer are counted in the client's process; requests to Keystone are not. *Late* is
the average time from the moment that a job's end is in Freezer's database to the moment that the
client knows of it. Schedulers and agents are played on that database, so that the API serves
nobody but the client that is measured.
"""

import statistics
from collections.abc import Iterator, Mapping
from typing import Any, Final

from benchmarks.freezer.crew import Crew
from benchmarks.freezer.laboratory import Outcome
from benchmarks.freezer.subjects import KARBOR, LOOP
from benchmarks.freezer.work import Answer
from benchmarks.measurement import OURS, Goal, Measurement
from benchmarks.report.plots import AXIS
from benchmarks.workbench import Workbench
from sandbox import karbor

LARGE: Final = 1000
"""The number in flight that the goals are about."""

_LEAVE_THE_REST: Final = 100
"""The number in flight beyond which only protects are measured."""


def measure(workbench: Workbench) -> Iterator[Measurement]:
    """Measure each subject at each number in flight, in turn."""
    counts = workbench.pick((10, 100, LARGE), (10, 50))
    for count in counts:
        seconds = workbench.pick(20.0 if count < LARGE else 60.0, 4.0)
        for subject in (OURS, LOOP, KARBOR):
            if subject == KARBOR and (count == LARGE or workbench.quick):
                continue
            verbs = ["protect"] if count > _LEAVE_THE_REST else ["protect", "restore", "delete"]
            yield from _measure(workbench, subject, count, seconds, verbs)


def _measure(
    workbench: Workbench, subject: str, count: int, seconds: float, verbs: list[str]
) -> Iterator[Measurement]:
    laboratory = workbench.freezer
    request = {"count": count, "verbs": verbs}
    with laboratory.crew(seconds) as crew:
        match subject:
            case "karbor-backup":
                outcome = laboratory.run("benchmarks.freezer.ours", request)
            case "hand-written loop":
                outcome = laboratory.run("benchmarks.freezer.loop", request)
            case _:
                environment = karbor.services(laboratory.sandbox.instance.project, workbench.say)
                outcome = laboratory.run(
                    "benchmarks.freezer.karbor_plugin", request, python=str(environment.python)
                )
    for answer in outcome.answers:
        yield from _of_verb(subject, answer, count, crew)
    yield from _of_process(subject, outcome, count)


def _of_verb(subject: str, answer: Answer, count: int, crew: Crew) -> Iterator[Measurement]:
    common: Mapping[str, Any] = {"subject": subject, "parameters": {AXIS: count}}
    verb = answer.verb
    goals = subject == OURS and count == LARGE and verb == "protect"
    yield Measurement(
        what=f"requests per {verb}",
        value=answer.requests.total() / count,
        unit="requests",
        goal=Goal(3.2) if goals else None,
        note=", ".join(f"{n} {what}" for what, n in answer.requests.most_common()),
        **common,
    )
    late = [answer.known[job] - crew.ended[job] for job in answer.known]
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


def _of_process(subject: str, outcome: Outcome, count: int) -> Iterator[Measurement]:
    for what, value in (
        ("threads", outcome.watched.threads),
        ("sockets", outcome.watched.sockets),
    ):
        yield Measurement(
            what=what, subject=subject, value=value, unit=what, parameters={AXIS: count}
        )
