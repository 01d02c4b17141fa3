# SPDX-License-Identifier: Apache-2.0
"""Running a policy: protocol, ONNX back end, chunking."""
