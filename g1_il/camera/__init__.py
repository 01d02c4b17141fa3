# SPDX-License-Identifier: Apache-2.0
"""Cameras: RealSense, UVC, video file, encoding."""
