"""An extension of VS Code, packed as its maker would."""

from __future__ import annotations

import json
import subprocess
import zipfile
from pathlib import Path

_MANIFEST = """\
<?xml version="1.0" encoding="utf-8"?>
<PackageManifest Version="2.0.0" xmlns="http://schemas.microsoft.com/developer/vsx-schema/2011">
  <Metadata>
    <Identity Language="en-US" Id="{name}" Version="{version}" Publisher="einfra-tests"/>
    <DisplayName>{name}</DisplayName>
  </Metadata>
  <Installation><InstallationTarget Id="Microsoft.VisualStudio.Code"/></Installation>
  <Assets>
    <Asset Type="Microsoft.VisualStudio.Code.Manifest" Path="extension/package.json"/>
  </Assets>
</PackageManifest>
"""

_TYPES = """\
<?xml version="1.0" encoding="utf-8"?>
<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">
  <Default Extension=".json" ContentType="application/json"/>
  <Default Extension=".js" ContentType="application/javascript"/>
  <Default Extension=".vsixmanifest" ContentType="text/xml"/>
</Types>
"""


def pack(path: Path, name: str, script: str, *, version: str = "1.0.0") -> None:
    """Write an extension whose script runs as soon as the window is there."""
    package = {
        "name": name,
        "publisher": "einfra-tests",
        "version": version,
        "engines": {"vscode": "^1.80.0"},
        "main": "extension.js",
        "activationEvents": ["onStartupFinished"],
    }
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("extension.vsixmanifest", _MANIFEST.format(name=name, version=version))
        archive.writestr("[Content_Types].xml", _TYPES)
        archive.writestr("extension/package.json", json.dumps(package))
        archive.writestr("extension/extension.js", script)


def install(code_server: Path, vsix: Path, extensions: Path, home: Path) -> None:
    """Bring an extension into an image, as its Dockerfile would."""
    command = [str(code_server), f"--extensions-dir={extensions}", f"--install-extension={vsix}"]
    env = {"HOME": str(home), "PATH": "/usr/bin:/bin"}
    done = subprocess.run(
        command, env=env, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr
