# SPDX-License-Identifier: Apache-2.0
"""Human motion to robot motion: arm IK, hand QP, filters, clutch."""
