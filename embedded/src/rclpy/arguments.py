# SPDX-License-Identifier: Apache-2.0
"""Command line of a node: `--ros-args -r -p --params-file --log-level`."""

from __future__ import annotations

import fnmatch
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .exceptions import RCLError

_FLAGS_IGNORED = (
    '--enable-rosout-logs',
    '--enable-stdout-logs',
    '--disable-stdout-logs',
    '--enable-external-lib-logs',
    '--disable-external-lib-logs',
)
_OPTIONS = {
    '-r': 'remap',
    '--remap': 'remap',
    '-p': 'param',
    '--param': 'param',
    '--params-file': 'file',
    '--log-level': 'log',
    '-e': 'enclave',
    '--enclave': 'enclave',
    '--log-config-file': 'ignored',
    '--log-file-name': 'ignored',
}


class UnknownROSArgsError(RuntimeError):
    """Something after --ros-args that nobody knows."""


@dataclass(kw_only=True)
class Arguments:
    """What the command line says; rules hold the node they are for, or ''."""

    remaps: list[tuple[str, str, str]] = field(default_factory=list)  # node, from, to
    parameters: list[tuple[str, str, Any]] = field(default_factory=list)  # node, name, value
    log_levels: list[tuple[str, str]] = field(default_factory=list)  # logger, level
    rosout: bool = True
    others: list[str] = field(default_factory=list)  # not ROS's business

    def node_name(self, name: str) -> str:
        """The node's name after `__node:=`."""
        return self._special(('__node', '__name'), name) or name

    def namespace(self, name: str, namespace: str) -> str:
        """The node's namespace after `__ns:=`; `name` is the node's name before remapping."""
        return self._special(('__ns',), name) or namespace

    def _special(self, keys: tuple[str, ...], node: str) -> str:
        for rule_node, old, new in self.remaps:
            if old in keys and rule_node in ('', node):
                return new
        return ''

    def overrides(self, node: str, namespace: str) -> dict[str, Any]:
        """Parameter values for a node; later ones win."""
        full = f'{namespace.rstrip("/")}/{node}'
        found: dict[str, Any] = {}
        for pattern, name, value in self.parameters:
            if not pattern or _matches(pattern, full, node):
                found[name] = value
        return found


def parse(argv: list[str]) -> Arguments:
    """Reads a command line.

    Raises:
        UnknownROSArgsError: An unknown option between --ros-args and --.
        RCLError: An option without its value, or a value that cannot be understood.
    """
    result = Arguments()
    words = iter(argv)
    ours = False
    for word in words:
        if word == '--ros-args':
            ours = True
        elif not ours:
            result.others.append(word)
        elif word == '--':
            ours = False
        elif word == '--disable-rosout-logs':
            result.rosout = False
        elif word not in _FLAGS_IGNORED:
            option, _, value = word.partition(':=') if word.startswith('--') else (word, '', '')
            kind = _OPTIONS.get(option)
            if kind is None:
                raise UnknownROSArgsError(f'Found unknown ROS arguments: [{word!r}]')
            text = value or next(words, None)
            if text is None:
                raise RCLError(f"Couldn't parse trailing {word} flag. No value given.")
            _apply(result, kind, option, text)
    return result


def _apply(result: Arguments, kind: str, option: str, text: str) -> None:
    if kind == 'remap':
        node, old, new = _rule(option, text)
        result.remaps.append((node, old, new))
    elif kind == 'param':
        node, name, value = _rule(option, text)
        result.parameters.append((node, name, _yaml(value, f'{option} {text}')))
    elif kind == 'file':
        result.parameters += read_parameter_file(Path(text))
    elif kind == 'log':
        name, _, level = text.rpartition(':=')
        result.log_levels.append((name, level))


def _rule(option: str, text: str) -> tuple[str, str, str]:
    left, separator, right = text.partition(':=')
    if not separator or not left or not right:
        raise RCLError(
            f"Couldn't parse: '{option} {text}'. Write {option} name:=value or node:name:=value."
        )
    node, _, name = left.rpartition(':')
    if name.startswith('rostopic://') or left.startswith(('rostopic:', 'rosservice:')):
        raise RCLError(f"Couldn't parse: '{option} {text}'. rostopic:// rules are not offered.")
    return node, name, right


def _yaml(text: str, origin: str) -> Any:
    import yaml

    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise RCLError(f"Couldn't parse: '{origin}': {error}") from error
    return text if value is None or isinstance(value, dict) else value


def read_parameter_file(path: Path) -> list[tuple[str, str, Any]]:
    """Parameters of a YAML file as (node pattern, name, value).

    Raises:
        RCLError: The file cannot be read, or is no parameter file.
    """
    import yaml

    try:
        content = yaml.safe_load(path.read_text(encoding='utf-8'))
    except (OSError, yaml.YAMLError) as error:
        raise RCLError(f"Couldn't parse params file: '--params-file {path}'. {error}") from error
    found: list[tuple[str, str, Any]] = []

    def walk(node: str, content: Any) -> None:
        if not isinstance(content, dict):
            raise RCLError(
                f"Couldn't parse params file: '--params-file {path}'. {node or 'The top level'} "
                f'must map names to ros__parameters, got {content!r}'
            )
        for key, value in content.items():
            if key == 'ros__parameters':
                found.extend((node, name, item) for name, item in _flat('', value or {}))
            else:
                walk(f'{node.rstrip("/")}/{str(key).strip("/")}', value)

    if content is not None:
        walk('', content)
    return found


def _flat(prefix: str, values: Any) -> list[tuple[str, Any]]:
    found = []
    for key, value in values.items():
        name = f'{prefix}{key}'
        found += _flat(f'{name}.', value) if isinstance(value, dict) else [(name, value)]
    return found


def _matches(pattern: str, full: str, node: str) -> bool:
    if '*' not in pattern:
        return pattern in (full, node)
    wanted, given = pattern.strip('/').split('/'), full.strip('/').split('/')
    return _match_tokens(wanted, given)


def _match_tokens(wanted: list[str], given: list[str]) -> bool:
    if not wanted or not given:
        return wanted == given or wanted == ['**']
    if wanted[0] == '**':
        return _match_tokens(wanted[1:], given) or _match_tokens(wanted, given[1:])
    return fnmatch.fnmatchcase(given[0], wanted[0]) and _match_tokens(wanted[1:], given[1:])
