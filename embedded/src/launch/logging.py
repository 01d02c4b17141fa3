# SPDX-License-Identifier: Apache-2.0
"""Logging of launch: to the screen, and to `launch.log` in a folder per run.

The folder is in `$ROS_LOG_DIR`, else `$ROS_HOME/log`, else `~/.ros/log`; the first line makes it.
"""

from __future__ import annotations

import datetime
import logging
import os
import socket
import sys
from pathlib import Path
from typing import Any

from embedded_ros.gap import names_gaps

__getattr__ = names_gaps(__name__)
_OUTPUTS = {
    'screen': ({'screen'}, {'screen'}),
    'log': ({'log'}, {'log', 'screen'}),
    'both': ({'log', 'screen'}, {'log', 'screen'}),
    'own_log': ({'own_log'}, {'own_log'}),
    'full': ({'log', 'screen', 'own_log'}, {'log', 'screen', 'own_log'}),
}


class _ScreenHandler(logging.StreamHandler):
    """Writes to what is sys.stdout now."""

    def emit(self, record: logging.LogRecord) -> None:
        self.stream = sys.stdout
        super().emit(record)


class LaunchConfig:
    """Where and how much launch logs."""

    def __init__(self) -> None:
        self.level = logging.INFO
        self._log_dir: str | None = None
        self._file_handlers: dict[str, logging.Handler] = {}

    @property
    def log_dir(self) -> str:
        """Folder of this run's logs."""
        if self._log_dir is None:
            home = os.environ.get('ROS_HOME') or os.path.join('~', '.ros')
            root = os.environ.get('ROS_LOG_DIR') or os.path.join(home, 'log')
            stamp = datetime.datetime.now().strftime('%Y-%m-%d-%H-%M-%S-%f')
            run = f'{stamp}-{socket.gethostname()}-{os.getpid()}'
            self._log_dir = str(Path(root).expanduser() / run)
        return self._log_dir

    def get_log_file_path(self, file_name: str = 'launch.log') -> str:
        """Path of a log file of this run."""
        return os.path.join(self.log_dir, file_name)

    def get_log_file_handler(self, file_name: str = 'launch.log') -> logging.Handler:
        """Returns the handler that appends to a log file of this run."""
        if file_name not in self._file_handlers:
            os.makedirs(self.log_dir, exist_ok=True)
            handler = logging.FileHandler(self.get_log_file_path(file_name), encoding='utf-8')
            text = '{created:.7f} [{levelname}] [{name}] {message}'
            handler.setFormatter(logging.Formatter(text, style='{'))
            self._file_handlers[file_name] = handler
        return self._file_handlers[file_name]


class _LazyFileHandler(logging.Handler):
    """Opens the log file at the first line, so that an import leaves no folder behind."""

    def __init__(self, file_name: str = 'launch.log') -> None:
        super().__init__()
        self.file_name = file_name

    def emit(self, record: logging.LogRecord) -> None:
        launch_config.get_log_file_handler(self.file_name).emit(record)


def _logger(name: str, handlers: list[logging.Handler], screen_format: str) -> logging.Logger:
    logger = logging.getLogger(name)
    logger.setLevel(launch_config.level)
    for handler in handlers if not logger.handlers else []:
        handler.setFormatter(logging.Formatter(screen_format, style='{'))
        logger.addHandler(handler)
        logger.propagate = False
    return logger


def get_logger(name: str | None = None) -> logging.Logger:
    """Returns a logger to screen and log file, with level and name before each line."""
    handlers = [_ScreenHandler(), _LazyFileHandler()]
    return _logger(name or 'launch', handlers, '[{levelname}] [{name}]: {message}')


def get_output_loggers(process_name: str, output_config: Any) -> tuple[Any, Any]:
    """Returns the loggers of a process's stdout and stderr.

    Args:
        process_name: Such as `talker-1`.
        output_config: screen, log, both, own_log or full; or a dict {'stdout': .., 'stderr': ..}
            of these.

    Raises:
        ValueError: The configuration is none of these.
    """
    if not isinstance(output_config, dict):
        output_config = {'stdout': output_config, 'stderr': output_config}
    loggers = []
    for index, stream in enumerate(('stdout', 'stderr')):
        name = output_config.get(stream, output_config.get('both', 'log'))
        if name not in _OUTPUTS:
            raise ValueError(
                f"output of process '{process_name}' is {name!r}, allowed: {', '.join(_OUTPUTS)}"
            )
        sinks = _OUTPUTS[name][index]
        handlers: list[logging.Handler] = []
        if 'screen' in sinks:
            handlers.append(_ScreenHandler())
        if 'log' in sinks:
            handlers.append(_LazyFileHandler())
        if 'own_log' in sinks:
            handlers.append(_LazyFileHandler(f'{process_name}-{stream}.log'))
        logging.getLogger(f'{process_name}-{stream}').handlers.clear()
        loggers.append(_logger(f'{process_name}-{stream}', handlers, '{message}'))
    return loggers[0], loggers[1]


launch_config = LaunchConfig()
