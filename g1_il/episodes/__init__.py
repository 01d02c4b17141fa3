# SPDX-License-Identifier: Apache-2.0
"""Recorded episodes: folders, cards, recovery, quality."""
