"""The command ``karbor-backup``. Its interface is the command line, and these names.

They are for other packages that add commands, by entry points in ``karbor_backup.commands``: such a
command takes the options of every command, uses the same configuration and store, and answers as
the others do. Each name's module is loaded when the name is first asked for.
"""

from typing import TYPE_CHECKING, Final

from karbor_backup_core.lazy_names import lazy_names

if TYPE_CHECKING:
    # "as" makes a name public to type checkers (PEP 484).
    from karbor_backup_cli._commands.shared_options import parse_unicode as parse_unicode
    from karbor_backup_cli._context import CliContext as CliContext
    from karbor_backup_cli._context import common_options as common_options
    from karbor_backup_cli._context import pass_cli_context as pass_cli_context
    from karbor_backup_cli._default_names import add_default_names as add_default_names
    from karbor_backup_cli._durations import parse_duration_option as parse_duration_option
    from karbor_backup_cli._formatting import format_status as format_status
    from karbor_backup_cli._formatting import format_subject as format_subject
    from karbor_backup_cli._formatting import format_time as format_time
    from karbor_backup_cli._logging import log_warnings as log_warnings
    from karbor_backup_cli._lookup import find_operation as find_operation
    from karbor_backup_cli._output import emit_json as emit_json
    from karbor_backup_cli._output import emit_table as emit_table
    from karbor_backup_cli._reports import report_result as report_result
    from karbor_backup_cli._resource_types import resolve_type as resolve_type
    from karbor_backup_cli._streams import flush_streams as flush_streams
    from karbor_backup_cli._streams import write_error as write_error
    from karbor_backup_cli._streams import write_output as write_output

_MODULES: Final = {
    "_commands.shared_options": "parse_unicode",
    "_context": "CliContext common_options pass_cli_context",
    "_default_names": "add_default_names",
    "_durations": "parse_duration_option",
    "_formatting": "format_status format_subject format_time",
    "_logging": "log_warnings",
    "_lookup": "find_operation",
    "_output": "emit_json emit_table",
    "_reports": "report_result",
    "_resource_types": "resolve_type",
    "_streams": "flush_streams write_error write_output",
}
"""The public names of each module."""

lazy_names(__name__, _MODULES)
