"""What the tests of the command line share: run `mailzone` in a directory of its own."""
import json
import os
import pathlib
import subprocess
import tempfile
import unittest

BIN = pathlib.Path(os.environ.get("MZ_BIN") or pathlib.Path(__file__).resolve().parents[2] / "build/release/bin")

OK, FINDINGS, USAGE, UNREADABLE, TEMPORARY, INTERNAL = range(6)


class Result:
    def __init__(self, process):
        self.code, self.out, self.err = process.returncode, process.stdout, process.stderr

    def json(self):
        return json.loads(self.out)


class ToolTest(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self._directory = tempfile.TemporaryDirectory(prefix="mz-cli-")
        self.addCleanup(self._directory.cleanup)
        self.dir = pathlib.Path(self._directory.name)

    def write(self, name, text):
        path = self.dir / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    def environment(self, **more):
        clean = {k: v for k, v in os.environ.items() if not k.startswith("MAILZONE_") and k != "NOTIFY_SOCKET"}
        return {**clean, "TZ": "UTC", **more}

    def run_tool(self, *arguments, env=None, timeout=60):
        process = subprocess.run([BIN / "mailzone", *map(str, arguments)], cwd=self.dir, capture_output=True, text=True,
                                 timeout=timeout, env=self.environment(**(env or {})), errors="surrogateescape")
        return Result(process)

    def ok(self, *arguments, **options):
        result = self.run_tool(*arguments, **options)
        self.assertEqual(result.code, OK, f"{arguments}: {result.out}{result.err}")
        return result
