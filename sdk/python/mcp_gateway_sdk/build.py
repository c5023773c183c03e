"""`python3 -m mcp_gateway_sdk.build MODULE -o FILE`: from a module that has `Guardrail` to a component.

componentize-py makes it. With `--stub-wasi` nothing of WASI is imported that Python itself would have; but then nothing of
`wasi:http` either, which a guardrail sends requests with. So all of `wasi:` that the guardrail imports has another name, as
long, until the component is made.
"""

from __future__ import annotations

import subprocess
import sys
from argparse import ArgumentParser
from pathlib import Path
from shutil import copytree
from tempfile import TemporaryDirectory

NAME, OTHER = b"wasi:", b"wq9x:"


def build(module: str, out: Path, wit: Path, world: str) -> int:
    """Makes the component, and gives the exit code of componentize-py."""
    with TemporaryDirectory() as folder:
        copy = copytree(wit, Path(folder, "wit"))
        for file in copy.rglob("*.wit"):
            file.write_bytes(file.read_bytes().replace(NAME, OTHER))
        out.parent.mkdir(parents=True, exist_ok=True)
        made = Path(folder, "made.wasm")
        sdk = Path(__file__).parent.parent
        paths = ["--python-path", ".", "--python-path", str(sdk)]
        words = ["--wit-path", str(copy), "--world", world, "--quiet"]
        words += ["componentize", "--stub-wasi", *paths, module, "--output", str(made)]
        code = subprocess.run(["componentize-py", *words]).returncode
        if code == 0:
            out.write_bytes(made.read_bytes().replace(OTHER, NAME))
        return code


def main() -> int:
    parser = ArgumentParser(prog="python3 -m mcp_gateway_sdk.build")
    parser.add_argument("module")
    parser.add_argument("-o", "--out", type=Path, required=True)
    parser.add_argument("--wit", type=Path, default=Path("wit"))
    parser.add_argument("--world", default="guardrail")
    args = parser.parse_args()
    return build(args.module, args.out, args.wit, args.world)


if __name__ == "__main__":
    sys.exit(main())
