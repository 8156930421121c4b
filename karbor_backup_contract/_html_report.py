"""The page that people look at: the matrix of rules by backends, in one file of its own."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from karbor_backup_contract._registry import all_rules, rules_by_subject
from karbor_backup_contract._report import Report, write_json_report

HTML_FILE_NAME: Final = "conformance.html"
_TEMPLATE: Final = "report.html.j2"


def write_report(reports: Sequence[Report], folder: Path) -> tuple[Path, Path]:
    """Write ``conformance.json`` and the page; answer their paths."""
    written = write_json_report(reports, folder)
    page = folder / HTML_FILE_NAME
    page.write_text(render_html(reports), encoding="utf-8")
    return written, page


def render_html(reports: Sequence[Report]) -> str:
    """Return the page as HTML that needs nothing else."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters["code"] = _render_code
    page: str = environment.get_template(_TEMPLATE).render(
        reports=reports, subjects=_group_by_subject(reports)
    )
    return page


def _render_code(text: str) -> Any:
    """Return a text as HTML in which what stands between backticks is code."""
    import markupsafe

    return markupsafe.Markup(re.sub(r"`(.+?)`", r"<code>\1</code>", str(markupsafe.escape(text))))  # noqa: S704 - what is not ours is escaped


def _group_by_subject(reports: Sequence[Report]) -> list[dict[str, Any]]:
    """Return the rules by subject, each with its verdicts, one for each report."""
    verdicts = [dict(zip(all_rules(), report.results, strict=True)) for report in reports]
    return [
        {
            "name": subject,
            "rows": [{"rule": rule, "results": [v[rule] for v in verdicts]} for rule in rules],
        }
        for subject, rules in rules_by_subject().items()
    ]
