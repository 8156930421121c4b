"""``python -m benchmarks``: runs the benchmarks and writes their results."""

import sys
from pathlib import Path

import click

from benchmarks import registry
from benchmarks.runner import run_all, write_report

ROOT = Path(__file__).parents[1]


@click.command()
@click.option("--quick", is_flag=True, help="A short look, in less than two minutes.")
@click.option("--only", multiple=True, metavar="NAME", help="Those whose names begin so.")
@click.option(
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    default=ROOT / "build" / "benchmarks",
    help="The folder for results.md, results.json and the plots.",
)
def main(*, quick: bool, only: tuple[str, ...], output: Path) -> None:
    """Measure, and write what came out; exit 1 if a benchmark broke off."""
    benchmarks = registry.select(only)
    if not benchmarks:
        raise click.UsageError(f"no such benchmark; there are: {', '.join(registry.list_names())}")
    run = run_all(benchmarks, ROOT, quick=quick, say=click.echo)
    page = write_report(run, output)
    for measurement in run.unmet_goals:
        click.echo(f"not met: {measurement.what} {measurement.subject} {measurement.goal}")
    click.echo(f"Written: {page}")
    sys.exit(any(result.failure for result in run.results))


if __name__ == "__main__":
    main()
