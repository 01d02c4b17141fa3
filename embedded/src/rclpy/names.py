# SPDX-License-Identifier: Apache-2.0
"""Names of nodes, topics and services: checked, expanded, remapped."""

from __future__ import annotations

import re

from .exceptions import (
    InvalidNamespaceException,
    InvalidNodeNameException,
    InvalidServiceNameException,
    InvalidTopicNameException,
)

_SUBSTITUTIONS = ('node', 'ns', 'namespace')


def validate_node_name(name: str) -> bool:
    """True, or InvalidNodeNameException."""
    if not name:
        raise InvalidNodeNameException(name, 'node name must not be empty', 0)
    if bad := re.search(r'[^A-Za-z0-9_]', name):
        raise InvalidNodeNameException(
            name,
            "node name must not contain characters other than alphanumerics or '_'",
            bad.start(),
        )
    if name[0].isdigit():
        raise InvalidNodeNameException(name, 'node name must not start with a number', 0)
    return True


def validate_namespace(namespace: str) -> bool:
    """True, or InvalidNamespaceException."""
    problem = _problem(namespace, 'namespace', absolute=True)
    if problem and namespace != '/':
        raise InvalidNamespaceException(namespace, *problem)
    return True


def validate_topic_name(name: str, *, is_service: bool = False) -> bool:
    """True, or InvalidTopicNameException / InvalidServiceNameException."""
    kind = 'service name' if is_service else 'topic name'
    bare = re.sub(r'\{[A-Za-z_]\w*\}', lambda found: 's' * len(found[0]), name)
    if bare.startswith('~') and (bare == '~' or bare[1] == '/'):
        bare = '~' + bare[1:].replace('~', '!') if bare != '~' else bare
        problem = _problem('s' + bare[1:], kind, absolute=False)
    else:
        problem = _problem(bare, kind, absolute=False)
    if problem:
        error = InvalidServiceNameException if is_service else InvalidTopicNameException
        raise error(name, *problem)
    return True


def expand_name(name: str, node_name: str, namespace: str, *, is_service: bool = False) -> str:
    """The absolute name: '~' is the node, '{node}' and '{ns}' are put in, the rest is relative."""
    validate_topic_name(name, is_service=is_service)
    node = f'{namespace.rstrip("/")}/{node_name}'
    values = {'node': node_name, 'ns': namespace, 'namespace': namespace}

    def put_in(found: re.Match[str]) -> str:
        if found[1] not in _SUBSTITUTIONS:
            error = InvalidServiceNameException if is_service else InvalidTopicNameException
            raise error(name, f'unknown substitution {{{found[1]}}}', found.start())
        return values[found[1]]

    expanded = re.sub(r'\{(\w+)\}', put_in, name)
    if expanded.startswith('~'):
        return node + expanded[1:]
    return expanded if expanded.startswith('/') else f'{namespace.rstrip("/")}/{expanded}'


def _problem(name: str, kind: str, *, absolute: bool) -> tuple[str, int] | None:
    if not name:
        return f'{kind} must not be empty', 0
    if absolute and not name.startswith('/'):
        return f"{kind} must be absolute, it must lead with a '/'", 0
    if bad := re.search(r'[^A-Za-z0-9_/]', name):
        allowed = "'_' or '/'" if absolute else "'_', '~', '{', '}' or '/'"
        return (
            f'{kind} must not contain characters other than alphanumerics, {allowed}',
            bad.start(),
        )
    if name.endswith('/'):
        return f"{kind} must not end with a forward slash, '/'", len(name) - 1
    if bad := re.search('//', name):
        return f"{kind} must not contain repeated '/'", bad.start() + 1
    if bad := re.search(r'(^|/)[0-9]', name):
        return f'{kind} token must not start with a number', bad.end() - 1
    return None
