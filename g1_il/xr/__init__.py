# SPDX-License-Identifier: Apache-2.0
"""The headset: server, WebXR page, frames and bases."""
