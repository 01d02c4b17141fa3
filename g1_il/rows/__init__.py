# SPDX-License-Identifier: Apache-2.0
"""FrameAssembler: stamped streams to rows, for training and for the running policy."""
