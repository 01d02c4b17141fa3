# SPDX-License-Identifier: Apache-2.0
"""LeRobotDataset v3.0: writer, reader, validator, statistics."""
