# SPDX-License-Identifier: Apache-2.0
"""A report that names no person, tenant or resource."""

from __future__ import annotations

import re

ROLE_SERVICE = "ce6ff14a-7fdc-4685-bbe0-f6afdfcfa8e0"  # the application "Azure Linux VM Sign-In"
GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


class Report:
    """Lines that name no person, tenant or resource: known ids become labels, other ids become <id>."""

    def __init__(self) -> None:
        self.labels: dict[str, str] = {}
        self.lines: list[str] = []

    def hide(self, value: str | None, label: str) -> None:
        if value:
            self.labels[value.lower()] = f"<{label}>"

    def clean(self, text: str) -> str:
        text = re.sub(r"[^\x20-\x7e]", "?", text)
        text = re.sub(r"eyJ[\w.-]+", "<token>", text)
        for value, label in sorted(self.labels.items(), key=lambda item: -len(item[0])):
            text = re.sub(re.escape(value), label.replace("\\", r"\\"), text, flags=re.IGNORECASE)
        text = GUID.sub(lambda found: found[0] if found[0].lower() == ROLE_SERVICE else "<id>", text)
        return re.sub(r"[\w.#+'-]+@[\w-]+\.[\w.-]+", lambda found: found[0] if "sshservice" in found[0] or
                      "openssh" in found[0] else "<name>", text)[:600]

    def add(self, text: str) -> None:
        self.lines.append(self.clean(text))

    def section(self, title: str) -> None:
        self.lines += ["", f"## {title}", ""]
