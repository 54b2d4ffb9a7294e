# SPDX-License-Identifier: Apache-2.0
"""The manifest's fields for the signer of the extension: the agent compares a signed package with them."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import unittest
import zipfile
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[4]


class SigningInfo(unittest.TestCase):
    def build(self, **values: str) -> tuple[int, str, dict[str, object]]:
        """The status, the error message and the manifest of an extension around an empty package file."""
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "entralogin_0_amd64.deb").write_bytes(b"")
            environment = {k: v for k, v in os.environ.items() if k not in ("PUBLISHER", "TYPE", "VERSION")}
            done = subprocess.run([REPOSITORY / "packaging/extension/build", folder], check=False,
                                  env={**environment, **values}, capture_output=True, text=True)
            manifest: dict[str, object] = {}
            for path in Path(folder).glob("*.zip"):
                with zipfile.ZipFile(path) as archive:
                    manifest = json.loads(archive.read("HandlerManifest.json"))[0]
        return done.returncode, done.stderr, manifest

    def test_signed(self) -> None:
        status, complaint, manifest = self.build(PUBLISHER="Contoso.Linux", TYPE="Sign \"In\"", VERSION="1.2.3.4")
        self.assertEqual(status, 0, complaint)
        self.assertEqual(manifest["signingInfo"],
                         {"type": 'Sign "In"', "publisher": "Contoso.Linux", "version": "1.2.3.4"})

    def test_unsigned(self) -> None:
        status, complaint, manifest = self.build()
        self.assertEqual((status, "signingInfo" in manifest, "handlerManifest" in manifest), (0, False, True), complaint)

    def test_half(self) -> None:
        for values in ({"PUBLISHER": "Contoso"}, {"TYPE": "SignIn"}):
            status, complaint, manifest = self.build(**values)
            self.assertNotEqual(status, 0)
            self.assertIn("TYPE" if "PUBLISHER" in values else "PUBLISHER", complaint)
            self.assertEqual(manifest, {})
