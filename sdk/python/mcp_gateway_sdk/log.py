"""Lines for the gateway's log, which carries the guardrail's name beside them.

Without a gateway they go to standard error. Never log what a message holds: the log is no secret. A configuration cannot
be logged about.
"""

import sys

try:
    from wit_world.imports import log as _log
except ImportError:
    _log = None


def _write(level: str, line: str) -> None:
    if _log is None:
        print(f"{level}: {line}", file=sys.stderr)
    else:
        _log.write(_log.Level[level.upper()], line)


def error(line: str) -> None:
    """The guardrail could not do its work."""
    _write("error", line)


def warn(line: str) -> None:
    """Something that a person should look at."""
    _write("warn", line)


def info(line: str) -> None:
    """Something that a person may want to know."""
    _write("info", line)


def debug(line: str) -> None:
    """For the author of the guardrail."""
    _write("debug", line)
