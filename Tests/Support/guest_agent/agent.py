# SPDX-License-Identifier: Apache-2.0
"""Runs one extension's handlers as the published agent (WALinuxAgent 2) does: its order of calls, environment, folders,
files, states and limits. The case passes as arguments what the agent fetches from Azure (goal states, packages). Control
groups, telemetry and extensions with several configurations are left out."""

from __future__ import annotations

import json
import time
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from testbed.machine import Machine

from .handler import Handler, State

# The limit of each verb in seconds; after that the agent kills the handler's processes.
LIMITS = {"install": 900, "enable": 300, "disable": 900, "update": 900, "uninstall": 300}
NOT_RUN = "NOT_RUN"
PREFIX = "AZURE_GUEST_AGENT"


class CommandFailed(Exception):
    """A handler's command ended with an exit status other than 0."""

    def __init__(self, verb: str, version: str, status: int, output: str) -> None:
        super().__init__(f"{verb} of {version}: exit status {status}: {output}")
        self.verb, self.version, self.status, self.output = verb, version, status, output


@dataclass
class Call:
    verb: str
    version: str
    status: int
    seconds: float

    def __str__(self) -> str:
        return f"{self.verb} {self.version} {self.status}"


class GuestAgent:
    """`machine` must be running; `name` is PUBLISHER.TYPE. `calls` lists the commands that the agent called, in order."""

    def __init__(self, machine: Machine, name: str = "Entralogin.SSHLogin") -> None:
        self.machine = machine
        self.name = name
        self.calls: list[Call] = []
        self._sequence = 0

    # Goal states

    def enable(self, package: Path, public: Any = None, sequence: int | None = None, protected: Any = None) -> dict[str, Any]:
        """Applies a goal state with this version and these settings. Returns the status that the handler reports."""
        if sequence is None:
            sequence, self._sequence = self._sequence, self._sequence + 1
        handler = self._handler(_version(package))
        before = self.installed()
        uninstalled = NOT_RUN
        if handler.state in (State.NOT_INSTALLED, State.FAILED_UPGRADE):
            handler.state = State.NOT_INSTALLED
            self._set_up(handler, package)
            handler.write_settings(sequence, public, protected)
            if before is None:
                self._run(handler, "install", {f"{PREFIX}_UNINSTALL_CMD_EXIT_CODE": NOT_RUN})
                handler.state = State.INSTALLED
            elif before.version != handler.version:
                uninstalled = self._update(before, handler)
        else:
            handler.write_settings(sequence, public, protected)
        self._run(handler, "enable", {f"{PREFIX}_UNINSTALL_CMD_EXIT_CODE": uninstalled})
        handler.state = State.ENABLED
        return handler.status(sequence)

    def disable(self) -> None:
        handler = self._needed()
        if handler.state == State.ENABLED:
            self._run(handler, "disable")
            handler.state = State.INSTALLED

    def uninstall(self) -> None:
        """Applies a goal state without the extension. Removes its folder, whatever exit status its command has."""
        handler = self._needed()
        self.disable()
        try:
            self._run(handler, "uninstall")
        finally:
            handler.remove()

    # Handlers

    def installed(self) -> Handler | None:
        """The newest version that is completely installed and has not failed; None if there is none."""
        found = [self._handler(version) for version in self._versions()]
        usable = [h for h in found if h.state in (State.INSTALLED, State.ENABLED)]
        return max(usable, key=lambda h: _numbers(h.version), default=None)

    def handler(self, package: Path) -> Handler:
        return self._handler(_version(package))

    def status(self, package: Path, sequence: int) -> dict[str, Any]:
        return self._handler(_version(package)).status(sequence)

    def _needed(self) -> Handler:
        handler = self.installed()
        if handler is None:
            raise RuntimeError(f"{self.name} is not installed")
        return handler

    def _handler(self, version: str) -> Handler:
        return Handler(self.machine, self.name, version)

    def _versions(self) -> list[str]:
        folders = self.machine.path("/var/lib/waagent").glob(f"{self.name}-*")
        return [folder.name.rsplit("-", 1)[1] for folder in folders if folder.is_dir()]

    def _set_up(self, handler: Handler, package: Path) -> None:
        handler.unpack(package)
        handler.write_environment()

    def _update(self, before: Handler, handler: Handler) -> str:
        """Updates from `before` to `handler`; returns the exit status of the old version's uninstallation."""
        disabled = NOT_RUN
        if before.state == State.ENABLED:
            self._run(before, "disable")
            before.state, disabled = State.INSTALLED, "0"
        handler.take_statuses(before)
        forward = _numbers(handler.version) > _numbers(before.version)
        # For a downgrade the agent calls the newer version's command, with the older version in both variables.
        asked, origin = (handler, before.version) if forward else (before, handler.version)
        try:
            self._run(asked, "update", {"VERSION": handler.version, f"{PREFIX}_UPDATING_FROM_VERSION": origin,
                                        f"{PREFIX}_DISABLE_CMD_EXIT_CODE": disabled})
        except CommandFailed:
            asked.state = State.FAILED_UPGRADE
            raise
        self._run(before, "uninstall")
        before.remove()
        if handler.updates_with_install:
            self._run(handler, "install", {f"{PREFIX}_UNINSTALL_CMD_EXIT_CODE": "0"})
        handler.state = State.INSTALLED
        return "0"

    def _run(self, handler: Handler, verb: str, more: dict[str, str] | None = None) -> None:
        environment = {
            **(more or {}),
            f"{PREFIX}_EXTENSION_PATH": handler.folder,
            f"{PREFIX}_EXTENSION_VERSION": handler.version,
            f"{PREFIX}_WIRE_PROTOCOL_ADDRESS": "168.63.129.16",
            f"{PREFIX}_EXTENSION_SUPPORTED_FEATURES": json.dumps([{"Key": "ExtensionTelemetryPipeline", "Value": "1.0"}]),
            "ConfigSequenceNumber": str(handler.sequence),
        }
        words = [f"{key}={value}" for key, value in environment.items()]
        limit = LIMITS[verb]
        began = time.monotonic()
        outcome = self.machine.run("/usr/bin/env", "-C", handler.folder, *words, "timeout", "-s", "KILL", str(limit),
                                   "sh", "-c", f"{handler.folder}/{handler.command(verb)}", timeout=limit + 30)
        self.calls.append(Call(verb, handler.version, outcome.status, time.monotonic() - began))
        if not outcome.ok:
            raise CommandFailed(verb, handler.version, outcome.status, outcome.text)


def _version(package: Path) -> str:
    """The version in the name of the package, which is NAME-VERSION.zip."""
    with zipfile.ZipFile(package) as archive:
        if "HandlerManifest.json" not in archive.namelist():
            raise RuntimeError(f"{package} has no manifest")
    return package.stem.rsplit("-", 1)[1]


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))
