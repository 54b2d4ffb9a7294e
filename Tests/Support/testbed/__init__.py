# SPDX-License-Identifier: Apache-2.0
"""The testbed: private Debian machines in namespaces of their own, with the simulator of Azure beside them.

`enter` makes the namespaces and runs a program in them; that program makes a `Testbed`, and in it `Machine`s.
"""

from .clock import Clock
from .installed import Installed
from .journal import Journal
from .machine import Machine, Outcome
from .person import Person
from .service import Service
from .source import Source
from .testbed import Testbed

__all__ = ["Clock", "Installed", "Journal", "Machine", "Outcome", "Person", "Service", "Source", "Testbed"]
