"""What is wrong with the files that openstacksdk passes over without a word in its exception."""

import os
from collections.abc import Iterator
from pathlib import Path


def describe_unreadable_files() -> str:
    """Return which of openstacksdk's configuration files cannot be read, and the parser's words.

    openstacksdk logs a warning of such a file, goes on without it, and then says that a cloud was
    not found.

    Returns:
        One line, empty where there is no such file.
    """
    return "; ".join(_find_problems())


def _find_problems() -> Iterator[str]:
    import yaml
    from openstack.config.loader import CONFIG_FILES, SECURE_FILES

    named = (os.environ.get("OS_CLIENT_CONFIG_FILE"), os.environ.get("OS_CLIENT_SECURE_FILE"))
    for path in dict.fromkeys(filter(None, (*named, *CONFIG_FILES, *SECURE_FILES))):
        try:
            # A JSON file is YAML as well.
            yaml.safe_load(Path(path).read_text(encoding="utf-8"))
        except FileNotFoundError:
            continue
        except OSError as error:
            yield f"{path} cannot be read: {error.strerror}"
        except UnicodeDecodeError:
            yield f"{path} is not UTF-8 text"
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark
            place = f", line {mark.line + 1}, character {mark.column + 1}" if mark else ""
            yield f"{path}{place}: {error.problem or 'it is not YAML'}"
        except yaml.YAMLError as error:
            yield f"{path}: {' '.join(str(error).split())}"
