"""The exit statuses of the command, as ``docs/reference/cli.md`` lists them."""

from typing import Final

EXIT_FAILED: Final = 1
EXIT_WRONG_INPUT: Final = 2
EXIT_NOTHING_STORED: Final = 3
"""Nothing failed, and there is no backup: a script must not count it as one."""

EXIT_NOT_WRITTEN: Final = 4
"""It succeeded, and the output could not be written: it is neither done nor failed."""

EXIT_INTERRUPTED: Final = 130
"""128 and the number of SIGINT, as shells have it."""
