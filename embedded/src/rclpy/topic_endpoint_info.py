# SPDX-License-Identifier: Apache-2.0
"""What is known about a publisher or subscription of anybody."""

from __future__ import annotations

from .node_graph import TopicEndpointInfo, TopicEndpointTypeEnum

__all__ = ['TopicEndpointInfo', 'TopicEndpointTypeEnum']
