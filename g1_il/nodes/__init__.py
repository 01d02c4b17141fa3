# SPDX-License-Identifier: Apache-2.0
"""Thin rclpy nodes, one file each; nobody imports them."""
