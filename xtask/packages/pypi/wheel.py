"""Packs a folder into a wheel whose only content is a program and what belongs to it.

usage: wheel.py FOLDER METADATA LICENSE PLATFORM OUT

FOLDER has `scripts/` and `data/`, as a wheel's `.data` folder has. PLATFORM is the tag of
the platform; `linux_x86_64` and the like become the manylinux tag of the oldest glibc that
the program starts with, which its own symbols tell.
"""

import base64
import hashlib
import pathlib
import re
import sys
import zipfile


def manylinux(platform, program):
    if not platform.startswith("linux_"):
        return platform
    needed = [int(minor) for minor in re.findall(rb"GLIBC_2\.(\d+)", program)]
    return platform.replace("linux_", f"manylinux_2_{max(needed)}_")


def main(folder, metadata, license, platform, out):
    folder, text = pathlib.Path(folder), pathlib.Path(metadata).read_text("utf-8")
    value = lambda field: re.search(rf"^{field}: (.+)$", text, re.MULTILINE)[1]
    name, version = value("Name").replace("-", "_"), value("Version")
    programs = [path.read_bytes() for path in sorted((folder / "scripts").iterdir())]
    tag = f"py3-none-{manylinux(platform, b''.join(programs))}"
    info = f"{name}-{version}.dist-info"
    files = {
        f"{name}-{version}.data/{path.relative_to(folder).as_posix()}": path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
    files[f"{info}/METADATA"] = text.encode()
    files[f"{info}/WHEEL"] = (
        f"Wheel-Version: 1.0\nGenerator: mcp-gateway\nRoot-Is-Purelib: false\nTag: {tag}\n"
    ).encode()
    files[f"{info}/licenses/LICENSE"] = pathlib.Path(license).read_bytes()
    digest = lambda data: base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=")
    record = [f"{path},sha256={digest(data).decode()},{len(data)}\n" for path, data in files.items()]
    files[f"{info}/RECORD"] = "".join([*record, f"{info}/RECORD,,\n"]).encode()
    wheel = pathlib.Path(out) / f"{name}-{version}-{tag}.whl"
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, data in files.items():
            # One day for all, so that what is packed twice is the same.
            entry = zipfile.ZipInfo(path, (1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            mode = 0o755 if "/scripts/" in path else 0o644
            entry.external_attr = (0o100000 | mode) << 16
            archive.writestr(entry, data)


if __name__ == "__main__":
    main(*sys.argv[1:])
