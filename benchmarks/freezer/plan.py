"""A Karbor plan through the glue.

A plan is protected at once by Karbor's own flow, each resource a directory of its own: one job with
one action, as a volume would be. The peer is Karbor's own Freezer plugin, its hooks called in as
many greenthreads; in a flow of Karbor's it would fail at the seventh volume, whose container has
grown too long. *Blocked* is the longest time for which no other greenthread of the process could
run.
"""

from collections.abc import Iterator
from typing import Final

from benchmarks.context import BenchmarkContext
from benchmarks.freezer.environment import SubjectResult
from benchmarks.freezer.subjects import KARBOR
from benchmarks.measurement import OURS, Measurement
from sandbox import karbor

GLUE: Final = f"{OURS}, by its glue"
RESOURCES: Final = "resources in the plan"


def measure(context: BenchmarkContext) -> Iterator[Measurement]:
    """Measure the glue, then the peer."""
    environment = context.freezer
    project = environment.sandbox.instance.project
    count = context.choose(200, 20)
    seconds = context.choose(30.0, 3.0)
    newest = karbor.newest(project, context.say)
    with environment.run_jobs(seconds):
        outcome = environment.run_subject(
            "benchmarks.freezer.karbor_plan",
            {"count": count, "verbs": ["protect"]},
            python=str(newest.python),
        )
    yield from _to_measurements(GLUE, outcome, count)
    if context.quick:
        return
    services = karbor.services(project, context.say)
    with environment.run_jobs(seconds):
        outcome = environment.run_subject(
            "benchmarks.freezer.karbor_plugin",
            {"count": count, "verbs": ["protect"]},
            python=str(services.python),
        )
    yield from _to_measurements(KARBOR, outcome, count)


def _to_measurements(subject: str, outcome: SubjectResult, count: int) -> Iterator[Measurement]:
    (answer,) = outcome.verbs
    for what, value, unit in (
        ("requests per resource", answer.requests.total() / count, "requests"),
        ("wall time of the plan", answer.wall, "s"),
        ("client CPU per resource", answer.cpu / count * 1000, "ms"),
        ("longest time blocked", outcome.process.answer["blocked"], "s"),
    ):
        yield Measurement(
            what=what, subject=subject, value=value, unit=unit, parameters={RESOURCES: count}
        )
