# SPDX-License-Identifier: Apache-2.0
"""The part of Azure's guest agent that runs extension handlers, on a machine of the testbed."""

from .agent import CommandFailed, GuestAgent
from .handlers import Handlers

__all__ = ["CommandFailed", "GuestAgent", "Handlers"]
