"""What is shipped: the README's session, `cmake --install`, the hardening of the programs, documents that agree with tests."""
import json
import os
import pathlib
import re
import shutil
import subprocess

import harness

PROGRAMS = {"mailzone": "bin", "mailzoned": "sbin", "rbldnsd": "sbin"}


def session():
    """The README's console block as [command, [output lines]]."""
    block = re.search(r"```console\n(.*?)```", (harness.ROOT / "README.md").read_text(), re.DOTALL).group(1)
    steps = []
    for line in block.splitlines():
        if line.startswith("$ "):
            steps.append([line[2:], []])
        else:
            steps[-1][1].append(line)
    return steps


def comparable(line):
    """Times and identities differ between two runs."""
    line = re.sub(r"\b[0-9a-f]{16}\b", "IDENTITY", line)
    return re.sub(r"\b[\d.]+ (us|ms|s)\b", r"N \1", line)


def test_readme_session(t):
    """Every command of the README gives the output that stands there."""
    port = str(harness.free_port())
    environment = {**os.environ, "PATH": f"{pathlib.Path(t.options.bin).resolve()}:{os.environ['PATH']}"}
    server = None
    for command, expected in session():
        command = command.replace("5300", port)
        if command.endswith("&"):
            server = t.start(["/bin/sh", "-c", "exec " + command.removesuffix("&").rstrip()], env=environment,
                             preexec=lambda: os.chdir(t.directory))
            t.wait_ready(server, t.client(int(port)))
            continue
        done = subprocess.run(["/bin/sh", "-c", command + " 2>&1"], cwd=t.directory, env=environment, text=True,
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=30)
        got = [comparable(line.replace(port, "5300")) for line in done.stdout.splitlines()]
        t.equal(f"$ {command}", got, [comparable(line) for line in expected])
        t.equal(f"$ {command}: exit code", done.returncode, 0)
    t.check("the session has a server", server is not None and server.running())


def test_install(t):
    """cmake --install puts programs, manual pages, licence, units and examples where they belong."""
    build = pathlib.Path(t.options.bin).resolve().parent
    if not (build / "cmake_install.cmake").exists():
        raise harness.Skip("--bin is not inside a build directory")
    prefix = t.directory / "prefix"
    done = t.run(["cmake", "--install", build, "--prefix", prefix])
    t.require("cmake --install succeeds", done.returncode == 0, done.stdout + done.stderr)
    files = {str(path.relative_to(prefix)) for path in prefix.rglob("*") if path.is_file()}
    for program, folder in PROGRAMS.items():
        t.check(f"{folder}/{program}", f"{folder}/{program}" in files)
        version = t.run([prefix / folder / program, "-h" if program == "rbldnsd" else "--help"])
        t.equal(f"{program} runs where it was installed", version.returncode, 0)
    for name in ("mailzone.1", "mailzoned.8", "mailzone-rbldnsd.8", "mailzone.toml.5"):
        t.check(f"manual page {name}", f"share/man/man{name[-1]}/{name}" in files)
    for name in ("SPF", "EXPURGATE", "HEALTHCHECK", "HEALTHCHECK-MAIL", "LOAD", "OPERATIONS", "COMPATIBILITY"):
        t.check(f"{name}.md", f"share/doc/mailzone/{name}.md" in files)
    for name in ("share/doc/mailzone/LICENSE", "share/doc/mailzone/examples/mailzone.toml",
                 "share/doc/mailzone/examples/customers.zone", "lib/systemd/system/mailzoned.socket",
                 "lib/systemd/system/mailzoned.service"):
        t.check(name, name in files)
    unit = (prefix / "lib/systemd/system/mailzoned.service").read_text()
    t.check("the unit has no placeholder left", "@" not in unit.replace("@system-service", "").replace("@privileged", "")
            .replace("@resources", ""), unit)
    check = t.run([prefix / "bin" / "mailzone", "check", prefix / "share/doc/mailzone/examples/mailzone.toml"])
    t.equal("the example configuration is accepted", check.returncode, 0)


def test_hardening(t):
    """Position-independent, full RELRO, stack protector, fortified, control-flow protection, no executable stack."""
    if not shutil.which("readelf"):
        raise harness.Skip("readelf is not installed")
    for program in PROGRAMS:
        path = t.binary(program)
        headers = t.run(["readelf", "-hldW", path]).stdout
        symbols = t.run(["readelf", "--dyn-syms", "-W", path]).stdout
        code = t.run(["objdump", "-d", "--no-show-raw-insn", path]).stdout
        t.check(f"{program}: PIE", "DYN (Position-Independent Executable file)" in headers or "PIE" in headers)
        t.check(f"{program}: RELRO and BIND_NOW", "GNU_RELRO" in headers and re.search(r"BIND_NOW|NOW", headers))
        t.check(f"{program}: no executable stack", re.search(r"GNU_STACK.* RW ", headers))
        t.check(f"{program}: stack protector", "__stack_chk_fail" in symbols)
        t.check(f"{program}: fortified", re.search(r"__\w+_chk\b", symbols.replace("__stack_chk_fail", "")))
        # Debian's start files carry no CET note, so the program's note is empty; our own functions must be ready for it.
        t.check(f"{program}: control-flow protection", code.count("endbr64") > 500, f"{code.count('endbr64')}")


def test_daemon_links_little(t):
    """The daemon parses no text: no TOML, JSON, gzip or TLS library is loaded into it."""
    needed = re.findall(r"NEEDED.*\[(.*)\]", t.run(["readelf", "-dW", t.binary("mailzoned")]).stdout)
    for library in ("libz.", "libzstd", "toml", "json", "libssl", "libcurl", "libsystemd"):
        t.check(f"mailzoned does not need {library}", not any(library in name for name in needed), str(needed))


def compatibility_rows():
    text = (harness.ROOT / "docs" / "COMPATIBILITY.md").read_text()
    return re.findall(r"^\| `([a-z0-9-]+)` \|(.*)\|$", text, re.MULTILINE)


def test_documents(t):
    """Each row of COMPATIBILITY.md names a test that exists; each deviation in the data names a row; links lead somewhere."""
    rows = compatibility_rows()
    names = [name for name, _ in rows]
    t.equal("row identifiers are unique", sorted(names), sorted(set(names)))
    t.check("there are rows", len(rows) > 10)
    sources = "\n".join(path.read_text(errors="replace") for pattern in ("*.py", "*.cc", "*.json")
                        for path in (harness.ROOT / "tests").rglob(pattern))
    for name, columns in rows:
        tests = re.findall(r"`([^`]+)`", columns.split("|")[-1])
        t.check(f"row {name} names a test", tests)
        for test in tests:
            t.check(f"row {name}: test {test} exists", re.search(rf"\b{re.escape(test.split('.')[-1])}\b", sources))
    deviations = json.loads((harness.DATA / "rbldnsd_deviations.json").read_text())
    t.equal("rows named by recorded deviations exist", sorted({d["row"] for d in deviations} - set(names)), [])
    used = re.findall(r'self\.rows\["([a-z0-9-]+)"\]', (harness.ROOT / "tests/e2e/differential.py").read_text())
    t.equal("rows named by the differential test exist", sorted(set(used) - set(names)), [])
    for document in [harness.ROOT / "README.md", *(harness.ROOT / "docs").rglob("*.md")]:
        for link in re.findall(r"\]\(([^)#:]+)\)", document.read_text()):
            t.check(f"{document.name}: {link} exists", (document.parent / link).exists())
