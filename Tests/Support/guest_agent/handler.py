# SPDX-License-Identifier: Apache-2.0
"""One version of a handler on a machine: its folder, and the files through which agent and handler communicate."""

from __future__ import annotations

import json
import shutil
import zipfile
from pathlib import Path
from typing import Any

from testbed.checks import require
from testbed.machine import Machine

_STATUSES = ("transitioning", "warning", "error", "success")


class State:
    NOT_INSTALLED = "NotInstalled"
    INSTALLED = "Installed"
    ENABLED = "Enabled"
    FAILED_UPGRADE = "FailedUpgrade"


class Handler:
    def __init__(self, machine: Machine, name: str, version: str) -> None:
        self.name = name
        self.version = version
        self.folder = f"/var/lib/waagent/{name}-{version}"
        self.log_folder = f"/var/log/azure/{name}"
        self._machine = machine
        self._there = machine.path(self.folder)

    # State

    @property
    def state(self) -> str:
        file = self._there / "config/HandlerState"
        return file.read_text() if file.exists() else State.NOT_INSTALLED

    @state.setter
    def state(self, state: str) -> None:
        (self._there / "config").mkdir(parents=True, exist_ok=True, mode=0o700)
        (self._there / "config/HandlerState").write_text(state)

    @property
    def sequence(self) -> int:
        """The number of the settings that were written last; 0 if there are none."""
        files = sorted((self._there / "config").glob("*.settings"), key=lambda file: file.stat().st_mtime_ns)
        return int(files[-1].stem) if files else 0

    # Files

    def unpack(self, package: Path) -> None:
        """Unpacks with zipfile, which sets no modes; then makes every file executable for its owner."""
        with zipfile.ZipFile(package) as archive:
            archive.extractall(self._there)
        for path in self._there.rglob("*"):
            if path.is_file():
                path.chmod(path.stat().st_mode | 0o100)

    def write_environment(self) -> None:
        for name in ("status", "config"):
            (self._there / name).mkdir(exist_ok=True, mode=0o700)
        self._machine.path(self.log_folder).mkdir(parents=True, exist_ok=True)
        folders = {"logFolder": self.log_folder, "configFolder": f"{self.folder}/config",
                   "statusFolder": f"{self.folder}/status", "heartbeatFile": f"{self.folder}/heartbeat.log",
                   "eventsFolder": f"{self.log_folder}/events", "eventsFolder_preview": f"{self.log_folder}/events"}
        environment = [{"name": self.name, "version": 1.0, "handlerEnvironment": folders}]
        (self._there / "HandlerEnvironment.json").write_text(json.dumps(environment))

    def write_settings(self, sequence: int, public: Any, protected: Any) -> None:
        """Writes an empty file if no settings are given."""
        thumbprint = "0" * 40 if protected else None
        settings = {"publicSettings": public, "protectedSettings": protected, "protectedSettingsCertThumbprint": thumbprint}
        text = json.dumps({"runtimeSettings": [{"handlerSettings": settings}]})
        (self._there / f"config/{sequence}.settings").write_text(text if public is not None or protected else "")

    def take_statuses(self, before: Handler) -> None:
        for file in (before._there / "status").iterdir():
            if file.is_file():
                shutil.copy2(file, self._there / "status")

    def remove(self) -> None:
        shutil.rmtree(self._there)

    # What the handler declares and reports

    def command(self, verb: str) -> str:
        return str(self._manifest[f"{verb}Command"]).lstrip("/")

    @property
    def updates_with_install(self) -> bool:
        return str(self._manifest.get("updateMode", "UpdateWithInstall")).lower() == "updatewithinstall"

    @property
    def _manifest(self) -> dict[str, Any]:
        return json.loads((self._there / "HandlerManifest.json").read_text())[0]["handlerManifest"]

    def status(self, sequence: int) -> dict[str, Any]:
        """The status that the handler reported under that number, and as `message` the text of its formattedMessage. Checks the
        document as strictly as the agent does."""
        document = json.loads((self._there / f"status/{sequence}.status").read_text())
        require(isinstance(document, list) and len(document) == 1, document)
        require(set(document[0]) == {"version", "timestampUTC", "status"}, document)
        status = document[0]["status"]
        require(set(status) == {"name", "operation", "status", "code", "formattedMessage"}, document)
        require(status["status"] in _STATUSES and isinstance(status["code"], int), document)
        require(status["name"] == self.name and status["formattedMessage"]["lang"] == "en-US", document)
        return {**status, "message": status["formattedMessage"]["message"]}

    def log(self) -> str:
        return self._machine.read(f"{self.log_folder}/extension.log")
