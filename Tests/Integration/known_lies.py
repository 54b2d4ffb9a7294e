# SPDX-License-Identifier: Apache-2.0
"""Where `doctor` or `explain` are known to say what is not so: states by name (fnmatch), kinds of lie, and why."""

from __future__ import annotations

from fnmatch import fnmatchcase

KNOWN: dict[str, tuple[tuple[str, ...], str]] = {}


def known(title: str) -> tuple[str, ...]:
    return tuple(kind for pattern, (kinds, _) in KNOWN.items() if fnmatchcase(title, pattern) for kind in kinds)
