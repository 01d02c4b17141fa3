# SPDX-License-Identifier: Apache-2.0
"""The gate that every command passes before the wire."""
