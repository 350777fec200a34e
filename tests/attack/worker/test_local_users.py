"""Other users of the machine, and the web process itself, at the worker's files and sockets."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tests.attack.register import attack, case
from topoweb.engine.streams import StreamServer
from topoweb.kernel import manifest
from topoweb.worker.launch.several import Place, prepare

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs several users")
WEB, STRANGER = 65534, 12345


@pytest.fixture
def place():
    folder = Path(tempfile.mkdtemp(prefix="tw-"))
    folder.chmod(0o755)
    own = Place(
        data=folder / "data", run=folder / "run", host="127.0.0.1", port=0, uid=WEB, gid=WEB
    )
    prepare(own)
    manifest.write(own.run, manifest.Manifest(lab=7, boot_id=manifest.boot_id()))
    (own.run / "owner").write_text("x" * 32)
    (own.run / "owner").chmod(0o600)
    (own.data / "topoweb.sqlite3").write_text("rows")
    shutil.chown(own.data / "topoweb.sqlite3", WEB, WEB)
    yield own
    shutil.rmtree(folder)


def as_user(uid, code, *arguments):
    """Run python text as a user; return its last line."""
    command = ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups", "--inh-caps=-all"]
    python = "/usr/bin/python3" if Path("/usr/bin/python3").exists() else sys.executable
    done = subprocess.run(
        [*command, python, "-I", "-c", code, *map(str, arguments)],
        capture_output=True, text=True, cwd="/", timeout=30,
    )  # fmt: skip
    return (done.stderr or done.stdout).strip().splitlines()[-1]


READ = "import sys; print(open(sys.argv[1], 'rb').read())"
WRITE = "import sys; open(sys.argv[1], 'r+b').write(b'x'); print('written')"
MAKE = "import sys; open(sys.argv[1], 'xb'); print('made')"
REMOVE = "import os, sys; os.unlink(sys.argv[1]); print('removed')"
RENAME = "import os, sys; os.rename(sys.argv[1], sys.argv[1] + '.old'); print('renamed')"
CONNECT = "import socket, sys; socket.socket(1).connect(sys.argv[1]); print('connected')"
DENIED = "PermissionError"


@pytest.mark.parametrize(
    ("code", "name"),
    [
        case("stream-key", "another user reads the key of the stream sockets", "EACCES",
             READ, "run/stream.key"),
        case("database", "another user reads the database", "EACCES", READ, "data/topoweb.sqlite3"),
        case("manifest", "another user reads a manifest", "EACCES",
             READ, "run/labs/7/manifest.json"),
        case("owner", "another user reads the owner's token", "EACCES", READ, "run/owner"),
        case("plant", "another user makes a file in the run directory", "EACCES",
             MAKE, "run/labs/7/services.json"),
    ],
)  # fmt: skip
def test_another_user(place, code, name):
    assert DENIED in as_user(STRANGER, code, place.run.parent / name)


@pytest.mark.parametrize(
    ("code", "name"),
    [
        case("manifest", "the web process writes a manifest", "EACCES",
             WRITE, "run/labs/7/manifest.json"),
        case("replace", "the web process replaces a lab's directory", "EACCES",
             RENAME, "run/labs/7"),
        case("plant", "the web process makes a lab's directory full of its own", "EACCES",
             MAKE, "run/labs/services.json"),
        case("key", "the web process changes the stream key", "EACCES", WRITE, "run/stream.key"),
        case("remove", "the web process removes the stream key to have it made anew", "EACCES",
             REMOVE, "run/stream.key"),
        case("owner", "the web process reads the owner's token of the holders", "EACCES",
             READ, "run/owner"),
        case("socket", "the web process puts a socket in the worker's place", "EACCES",
             MAKE, "run/worker.sock"),
    ],
)  # fmt: skip
def test_the_web_process(place, code, name):
    assert DENIED in as_user(WEB, code, place.run.parent / name)


@attack("another user connects to the worker's stream socket", "EACCES; the web process may")
async def test_stream_socket(place):
    server = StreamServer({}, b"x" * 32)
    path = place.run / "worker.sock"
    await server.start(path, group=place.gid)
    try:
        assert DENIED in as_user(STRANGER, CONNECT, path)
        assert as_user(WEB, CONNECT, path) == "connected"
    finally:
        await server.stop()
