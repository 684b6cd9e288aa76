"""The agent of a host, run on this machine as ssh would run it there, in a folder of a test."""

import hashlib
import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from ring.hosts.agent.place import Place
from ring.hosts.agent.wire import GREETING
from ring.hosts.agent_file import agent_archive, agent_name
from ring.nodes.process import ProcessRecord

ANSWER_SECONDS: Final = 60.0

NODE_SCRIPT: Final = """\
#!/bin/sh
echo "a node with $MAX_HEAP_SIZE, told $JVM_EXTRA_OPTS"
[ -e "$CASSANDRA_CONF/fails" ] && { echo "Error: no such option"; exit 3; }
exec sleep 600
"""
APP_MAIN: Final = """\
import http.server, os

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/readyz" else 404)
        self.end_headers()

    def log_message(self, *words):
        pass

if __name__ == "__main__":
    place = os.environ["CATALOG_HOST"], int(os.environ["CATALOG_PORT"])
    http.server.ThreadingHTTPServer(place, Handler).serve_forever()
"""


class HostAgent:
    """The agent, and what it did to its folder."""

    def __init__(self, directory: Path) -> None:
        self.place = Place(directory)
        directory.mkdir(parents=True, exist_ok=True)
        self.archive = directory / agent_name()
        self.archive.write_bytes(agent_archive())

    def call(self, do: str, payload: bytes = b"", **values: Any) -> dict[str, Any]:
        """Carry out one command; return its answer, which may be an error."""
        process = self.start(do, payload, **values)
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == GREETING
            answer: dict[str, Any] = json.loads(process.stdout.readline())
            process.communicate(timeout=ANSWER_SECONDS)
        finally:
            process.kill()
            process.wait()
        return answer

    def start(self, do: str, payload: bytes = b"", **values: Any) -> "subprocess.Popen[bytes]":
        """Begin a command; its input stays open."""
        process = subprocess.Popen(
            [sys.executable, "-IS", str(self.archive)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        request = {"do": do, "directory": str(self.place.directory), "ring": "tests", **values}
        assert process.stdin is not None
        process.stdin.write(json.dumps(request).encode() + b"\n" + payload)
        process.stdin.flush()
        return process

    def install(self, kind: str, name: str, files: Mapping[str, str]) -> dict[str, Any]:
        """Install files of these texts; those that end with `.sh` can be run."""
        entries, contents = [], {}
        for path, text in files.items():
            content = text.encode()
            digest = hashlib.sha256(content).hexdigest()
            mode = 0o755 if path.startswith("bin/") else 0o644
            entries.append((path, mode, len(content), digest))
            contents[digest] = content
        what: dict[str, Any] = {"kind": kind, "name": name, "files": entries}
        found = self.call("missing", **what)
        if "error" in found or found["complete"]:
            return found
        sent = found["missing"]
        payload = b"".join(contents[digest] for digest in sent)
        answer = self.call("install", payload, sent=sent, **what)
        return {**answer, "sent": len(sent)}

    def install_node(self, name: str = "5.0.9-one", **files: str) -> dict[str, Any]:
        """Install what behaves as a node does: it starts, and stays."""
        sound = {"bin/cassandra": NODE_SCRIPT, "conf/cassandra-env.sh": "# shipped\n"}
        return self.install("cassandra", name, {**sound, **files})

    def install_app(self, name: str = "one", main: str = APP_MAIN) -> dict[str, Any]:
        """Install what behaves as an app server does: it listens, and is ready."""
        texts = {"catalog_api/__main__.py": main, "nginx/render.py": ""}
        return self.install("app", name, texts)

    def start_node(self, **changes: Any) -> dict[str, Any]:
        """Start the node."""
        values: dict[str, Any] = {
            "conf": {"cassandra.yaml": 'cluster_name: "tests"\nseed_provider: []\n'},
            "environ": {},
            "heap_mib": 512,
            "jvm_arguments": ["-Da=b"],
        }
        return self.call("start_node", **{**values, **changes})

    def stop_all(self) -> None:
        """Stop whatever runs in the folder."""
        self.call("stop_node", seconds=5)
        self.call("stop_app")

    def record(self, name: str, kind: str = "pid") -> ProcessRecord:
        """Return the record of a process that runs."""
        record = ProcessRecord.read(self.place.run / f"{name}.{kind}.json")
        assert record is not None
        assert record.alive
        return record
