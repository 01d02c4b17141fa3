# SPDX-License-Identifier: Apache-2.0
"""Loggers: to stderr as rcutils formats it, and to /rosout for the loggers of nodes."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable
from enum import IntEnum
from typing import Any


class LoggingSeverity(IntEnum):
    """Levels."""

    UNSET = 0
    DEBUG = 10
    INFO = 20
    WARN = 30
    ERROR = 40
    FATAL = 50


_COLORS = {10: '32', 20: '0', 30: '33', 40: '31', 50: '31'}
_FORMAT = '[{severity}] [{time}] [{name}]: {message}'
_lock = threading.RLock()
_levels: dict[str, int] = {}
_default_level = LoggingSeverity.INFO
# Publishers of /rosout by logger name, set by nodes.
_rosout: dict[str, Callable[[int, str, str, Any, int], None]] = {}


def get_logging_severity_from_string(log_severity: str) -> LoggingSeverity:
    """The level of a name, e.g. 'debug'.

    Raises:
        RuntimeError: There is no such level.
    """
    try:
        return LoggingSeverity[log_severity.upper()]
    except KeyError:
        allowed = ', '.join(level.name for level in LoggingSeverity)
        raise RuntimeError(
            f"'{log_severity}' is no logging severity; allowed are {allowed}"
        ) from None


def configure(levels: list[tuple[str, str]]) -> None:
    """Applies what --log-level says: (logger or '', level)."""
    global _default_level
    with _lock:
        for name, text in levels:
            level = get_logging_severity_from_string(text)
            if name:
                _levels[name] = level
            else:
                _default_level = level


def initialize() -> None:
    """Nothing needs to be set up."""


def shutdown() -> None:
    """Nothing needs to be closed."""


def clear_config() -> None:
    """Forgets all levels."""
    global _default_level
    with _lock:
        _levels.clear()
        _default_level = LoggingSeverity.INFO


def set_logger_level(name: str, level: int, detailed_error: bool = False) -> None:
    """Sets the level of a logger, or the default one when the name is empty."""
    global _default_level
    with _lock:
        if name:
            _levels[name] = LoggingSeverity(level)
        else:
            _default_level = LoggingSeverity(level)


def get_logger_effective_level(name: str) -> LoggingSeverity:
    """The level that counts: the logger's, else an ancestor's, else the default."""
    while name:
        if level := _levels.get(name):
            return LoggingSeverity(level)
        name = name.rpartition('.')[0]
    return LoggingSeverity(_default_level)


def get_logger_level(name: str) -> LoggingSeverity:
    """The level set for this logger itself."""
    return LoggingSeverity(_levels.get(name, 0) if name else _default_level)


def get_logger(name: str) -> RcutilsLogger:
    """A logger.

    Raises:
        ValueError: The name is empty.
    """
    if not name:
        raise ValueError('Logger name must not be empty.')
    return RcutilsLogger(name)


def set_rosout(name: str, publish: Callable[[int, str, str, Any, int], None] | None) -> None:
    """Sets or removes the /rosout publisher of a node's logger (and its children)."""
    with _lock:
        if publish is None:
            _rosout.pop(name, None)
        else:
            _rosout[name] = publish


class RcutilsLogger:
    """Writes messages above its level.

    Every method takes `throttle_duration_sec`, `skip_first` and `once`; what was said before is
    remembered per line of code.
    """

    def __init__(self, name: str = '') -> None:
        self.name = name
        self._said: dict[tuple[str, int, int], int] = {}

    def get_child(self, name: str) -> RcutilsLogger:
        """The logger 'self.name'."""
        if not name:
            raise ValueError('Child logger name must not be empty.')
        return RcutilsLogger(f'{self.name}.{name}' if self.name else name)

    def set_level(self, level: int) -> None:
        """Sets the level of this logger and its children."""
        set_logger_level(self.name, level)

    def get_effective_level(self) -> LoggingSeverity:
        """The level that counts for this logger."""
        return get_logger_effective_level(self.name)

    def is_enabled_for(self, severity: int) -> bool:
        """Whether a message of this level is written."""
        return self.get_effective_level() <= severity

    def log(self, message: object, severity: int, **options: Any) -> bool:
        """Writes a message; tells whether it was written."""
        return self._log(message, severity, options)

    def debug(self, message: object, **options: Any) -> bool:
        """Writes a message for developers."""
        return self._log(message, 10, options)

    def info(self, message: object, **options: Any) -> bool:
        """Writes a message about what happens."""
        return self._log(message, 20, options)

    def warning(self, message: object, **options: Any) -> bool:
        """Writes a message about something odd."""
        return self._log(message, 30, options)

    def warn(self, message: object, **options: Any) -> bool:
        """Writes a message about something odd."""
        return self._log(message, 30, options)

    def error(self, message: object, **options: Any) -> bool:
        """Writes a message about a failure."""
        return self._log(message, 40, options)

    def fatal(self, message: object, **options: Any) -> bool:
        """Writes a message about the end."""
        return self._log(message, 50, options)

    def _log(self, message: object, severity: int, options: dict[str, Any]) -> bool:
        if severity < self.get_effective_level():
            return False
        frame = sys._getframe(2)
        if options and not self._may_say(frame, severity, **options):
            return False
        text, now_ns = str(message), time.time_ns()
        _write(self.name, severity, text, now_ns)
        name = self.name
        while name and name not in _rosout:
            name = name.rpartition('.')[0]
        if publish := _rosout.get(name):
            publish(severity, self.name, text, frame, now_ns)
        return True

    def _may_say(
        self,
        frame: Any,
        severity: int,
        throttle_duration_sec: float | None = None,
        throttle_time_source_type: Any = None,
        skip_first: bool = False,
        once: bool = False,
        name: str | None = None,
    ) -> bool:
        key = (frame.f_code.co_filename, frame.f_lineno, severity)
        now_ns = time.monotonic_ns()
        if throttle_time_source_type is not None:
            now_ns = throttle_time_source_type.now().nanoseconds
        last_ns = self._said.get(key)
        if last_ns is None:
            self._said[key] = now_ns
            return not skip_first
        if once:
            return False
        if throttle_duration_sec is not None:
            if now_ns - last_ns < throttle_duration_sec * 1e9:
                return False
            self._said[key] = now_ns
        return True


def _write(name: str, severity: int, message: str, now_ns: int) -> None:
    level = LoggingSeverity(severity).name if severity in _COLORS else str(severity)
    template = os.environ.get('RCUTILS_CONSOLE_OUTPUT_FORMAT') or _FORMAT
    parts = {
        '{severity}': level,
        '{time}': f'{now_ns // 1_000_000_000}.{now_ns % 1_000_000_000:09d}',
        '{time_as_nanoseconds}': str(now_ns),
        '{name}': name,
        '{message}': message,
    }
    for key, value in parts.items():
        template = template.replace(key, value)
    wanted = os.environ.get('RCUTILS_COLORIZED_OUTPUT')
    if wanted == '1' or (wanted != '0' and sys.stderr is not None and sys.stderr.isatty()):
        template = f'\033[{_COLORS.get(severity, "0")}m{template}\033[0m'
    try:
        sys.stderr.write(template + '\n')
        sys.stderr.flush()
    except (AttributeError, OSError, ValueError):
        pass  # nobody reads any more, e.g. the terminal is gone: a log line must not end a node
