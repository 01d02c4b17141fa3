# SPDX-License-Identifier: Apache-2.0
"""Training: data loading, policies in torch, export."""
