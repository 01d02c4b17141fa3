# SPDX-License-Identifier: Apache-2.0
"""The graph in one process under a virtual clock: collect, evaluate."""
