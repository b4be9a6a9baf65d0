"""A model hub on loopback: its upload and download calls as huggingface_hub makes them.

Repositories are kept in memory, each a list of commits from path to content. A file is "large" as
on the hub where it is no text, and then only its pointer is in a commit; its content is uploaded
before, by its SHA-256, once for all repositories.
"""

import base64
import hashlib
import json
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

import yaml

from tests.classifier.data.local_hub import PAGE, git_hash

TOKENS = {"hf_writer": "write", "hf_reader": "read"}
OWNER = "anna"
ATTRIBUTES = b"*.safetensors filter=lfs diff=lfs merge=lfs -text\n"
LICENSES = {"mit", "apache-2.0"}


@dataclass
class Repo:
    """One repository: its commits by id, the newest last."""

    private: bool = False
    commits: dict[str, dict[str, bytes]] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)

    @property
    def head(self) -> str:
        return next(reversed(self.commits))

    @property
    def files(self) -> dict[str, bytes]:
        """Of the newest commit."""
        return self.commits[self.head]

    def commit(self, files: dict[str, bytes]) -> str:
        seed = f"{len(self.commits)}{sorted(files)}".encode()
        name = hashlib.sha1(seed + b"".join(files.values()), usedforsecurity=False).hexdigest()
        self.commits[name] = files
        return name


class ModelHub(ThreadingHTTPServer):
    """`asked` lists the calls; `before(call)` runs before each is answered, and may answer it."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answers)
        self.repos: dict[str, Repo] = {}
        self.large: dict[str, bytes] = {}  # by SHA-256
        self.asked: list[str] = []
        self.received: dict[str, bytes] = {}  # bodies by call
        self.before: Callable[[str], tuple[int, str] | None] = lambda call: None
        self.after_commit: Callable[[], None] = lambda: None
        self.closing = threading.Event()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, *_: object) -> None:
        """Nothing: a client that gives up, or is killed, is what the tests are about."""

    def end_silence(self) -> None:
        """Let go whoever waits; who waits later does wait."""
        self.closing.set()
        self.closing.clear()

    def new_repo(self, name: str, *, private: bool = False) -> Repo:
        repo = self.repos[name] = Repo(private)
        repo.commit({".gitattributes": ATTRIBUTES})
        return repo

    def count(self, pattern: str) -> int:
        return sum(re.search(pattern, call) is not None for call in self.asked)


def manifest_of(files: dict[str, bytes]) -> bytes:
    """The manifest of a repository's files, which tells of those it names as they are now."""
    manifest = json.loads(files["manifest.json"])
    for path in manifest["files"]:
        digest = hashlib.sha256(files[path]).hexdigest()
        manifest["files"][path] = {"size": len(files[path]), "sha256": digest}
    return json.dumps(manifest).encode()


def metadata_errors(card: str) -> list[str]:
    """What the hub says of a card's front matter: of the rules of its documentation, the ones used.

    https://huggingface.co/docs/hub/model-cards and, for model-index,
    https://github.com/huggingface/hub-docs/blob/main/modelcard.md
    """
    parts = card.split("---\n", 2)
    if len(parts) < 3 or parts[0]:
        return ["no front matter"]
    data = yaml.safe_load(parts[1])
    errors = []
    if data.get("license") not in LICENSES:
        errors.append('"license" must be one of the known ones')
    if not re.fullmatch("[a-z]{2,3}", data.get("language", "")):
        errors.append('"language" must be an ISO 639 code')
    if data.get("pipeline_tag") != "text-classification":
        errors.append('"pipeline_tag" is unknown')
    for key in ("tags", "datasets"):
        if key in data and not all(isinstance(one, str) and one for one in data[key]):
            errors.append(f'"{key}" must be an array of strings')
    for key in ("base_model",):
        if key in data and not re.fullmatch(r"[\w.-]+/[\w.-]+", data[key]):
            errors.append(f'"{key}" must be a model id')
    for model in data.get("model-index", []):
        if not model.get("name"):
            errors.append('"model-index[].name" is required')
        for result in model["results"]:
            if not result["task"].get("type"):
                errors.append('"task.type" is required')
            if not (result["dataset"].get("type") and result["dataset"].get("name")):
                errors.append('"dataset.type" and "dataset.name" are required')
            for metric in result["metrics"]:
                if not (metric.get("type") and isinstance(metric.get("value"), (int, float))):
                    errors.append('"metrics[].type" and "value" are required')
    return errors


class _Answers(BaseHTTPRequestHandler):
    server: ModelHub
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        path = unquote(urlsplit(self.path).path)
        hub = self.server
        if self._is_answered(path):
            return
        if path == "/api/whoami-v2":
            role = TOKENS[self._token()]
            self._json({"name": OWNER, "auth": {"accessToken": {"role": role}}, "orgs": []})
        elif found := re.fullmatch(r"/api/models/([^/]+/[^/]+)(?:/revision/(.+))?", path):
            if (at := self._at(found[1], found[2])) is not None:
                self._info(found[1], at)
        elif found := re.fullmatch(r"/api/models/([^/]+/[^/]+)/tree/([^/]+)(?:/(.*))?", path):
            if (at := self._at(found[1], found[2])) is not None:
                self._tree(hub.repos[found[1]].commits[at], found[3] or "")
        elif found := re.fullmatch(r"/([^/]+/[^/]+)/resolve/([^/]+)/(.+)", path):
            if (at := self._at(found[1], found[2])) is not None:
                self._file(hub.repos[found[1]], at, found[3])
        else:
            self._send(200, PAGE)

    do_HEAD = do_GET  # noqa: N815

    def do_POST(self) -> None:
        hub, path = self.server, unquote(urlsplit(self.path).path)
        body = self._body()
        if self._is_answered(path):
            return
        if path == "/api/repos/create":
            self._create(json.loads(body))
        elif path == "/api/validate-yaml":
            errors = metadata_errors(json.loads(body)["content"])
            found = {"errors": [{"message": error} for error in errors], "warnings": []}
            self._json(found, 400 if errors else 200)
        elif found_name := re.fullmatch(r"/api/models/([^/]+/[^/]+)/preupload/main", path):
            self._preupload(hub.repos[found_name[1]], json.loads(body)["files"])
        elif re.fullmatch(r"/[^/]+/[^/]+\.git/info/lfs/objects/batch", path):
            self._batch(json.loads(body)["objects"])
        elif found_name := re.fullmatch(r"/api/models/([^/]+/[^/]+)/commit/main", path):
            self._commit(found_name[1], [json.loads(line) for line in body.splitlines()])
        else:
            self._json({"error": "unknown"}, 404)

    def do_PUT(self) -> None:
        hub, path = self.server, urlsplit(self.path).path
        if self._is_answered(path):
            return
        body = self._body()
        if hashlib.sha256(body).hexdigest() != path.removeprefix("/large/"):
            self._json({"error": "another content"}, 400)
            return
        hub.large[path.removeprefix("/large/")] = body
        self._send(200)

    def _is_answered(self, path: str) -> bool:
        """Whether the test has answered, or the token has been refused."""
        hub, call = self.server, f"{self.command} {path}"
        hub.asked.append(call)
        if answer := hub.before(call):
            status, said = answer
            if status:
                self._json({"error": said}, status) if said != "page" else self._send(status, PAGE)
            else:
                self.close_connection = True
            return True
        if path.startswith("/large/") or path == "/":
            return False
        token = self._token()
        needed = self.command != "GET" or path == "/api/whoami-v2"
        if (token and token not in TOKENS) or (not token and needed and self.command != "HEAD"):
            said = "Invalid credentials in Authorization header"
            self._json({"error": said}, 401, {"X-Error-Message": said})
            return True
        if self.command == "POST" and path != "/api/validate-yaml" and TOKENS[token] == "read":
            self._json({"error": "this token may not write"}, 403)
            return True
        return False

    def _token(self) -> str:
        return self.headers.get("Authorization", "").removeprefix("Bearer ")

    def _body(self) -> bytes:
        body = self._whole_body()
        self.server.received[f"{self.command} {self.path}"] = body
        return body

    def _whole_body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = []
        while size := int(self.rfile.readline(), 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def _at(self, name: str, revision: str | None) -> str | None:
        """The commit; None once it is answered that there is none, or none for this token."""
        repo = self.server.repos.get(name)
        if repo is None or (repo.private and not self._token()):
            status = 404 if self._token() else 401
            self._json({"error": "Repository not found"}, status, {"X-Error-Code": "RepoNotFound"})
            return None
        revision = revision or "main"
        commit = repo.head if revision == "main" else repo.tags.get(revision, revision)
        if commit not in repo.commits:
            headers = {"X-Error-Code": "RevisionNotFound"}
            self._json({"error": "Invalid rev id"}, 404, headers)
            return None
        return commit

    def _info(self, name: str, commit: str) -> None:
        repo = self.server.repos[name]
        siblings = [{"rfilename": path} for path in repo.commits[commit]]
        info = {"id": name, "modelId": name, "sha": commit, "private": repo.private, "tags": []}
        self._json(info | {"siblings": siblings, "downloads": 0, "likes": 0})

    def _tree(self, files: dict[str, bytes], folder: str) -> None:
        """All files below the folder, whether or not that is asked for."""
        tree: list[dict[str, Any]] = []
        within = {
            path: files[path] for path in files if path.startswith(f"{folder}/" * bool(folder))
        }
        if not within:
            self._json({"error": "none"}, 404, {"X-Error-Code": "EntryNotFound"})
            return
        for path, content in within.items():
            entry = {"type": "file", "path": path, "size": len(content), "oid": git_hash(content)}
            if is_large(path):
                oid = hashlib.sha256(content).hexdigest()
                entry["lfs"] = {"oid": oid, "size": len(content), "pointerSize": 134}
            tree.append(entry)
        self._json(tree)

    def _file(self, repo: Repo, commit: str, path: str) -> None:
        content = repo.commits[commit].get(path)
        headers = {"X-Repo-Commit": commit}
        if content is None:
            self._json({"error": "none"}, 404, headers | {"X-Error-Code": "EntryNotFound"})
            return
        headers["ETag"] = f'"{git_hash(content)}"'
        if is_large(path):
            headers["X-Linked-ETag"] = f'"{hashlib.sha256(content).hexdigest()}"'
            headers["X-Linked-Size"] = str(len(content))
        self._send(200, content, headers)

    def _create(self, asked: dict[str, Any]) -> None:
        owner = asked["organization"] or OWNER
        name = f"{owner}/{asked['name']}"
        if owner != OWNER:
            said = f'You don\'t have the rights to create a model under the namespace "{owner}"'
            self._json({"error": said}, 403)
        elif name in self.server.repos:
            said = "You already created this model repo"
            self._json({"error": said, "url": f"{self.server.address}/{name}"}, 409)
        else:
            self.server.new_repo(name, private=asked.get("visibility") == "private")
            self._json({"url": f"{self.server.address}/{name}"})

    def _preupload(self, repo: Repo, files: list[dict[str, Any]]) -> None:
        self._json({"files": [_mode(file["path"], repo.files.get(file["path"])) for file in files]})

    def _batch(self, objects: list[dict[str, Any]]) -> None:
        answer = []
        for one in objects:
            entry = {"oid": one["oid"], "size": one["size"]}
            if one["oid"] not in self.server.large:
                upload = {"href": f"{self.server.address}/large/{one['oid']}"}
                entry["actions"] = {"upload": upload}
            answer.append(entry)
        self._json({"objects": answer, "transfer": "basic"})

    def _commit(self, name: str, lines: list[dict[str, Any]]) -> None:
        repo, hub = self.server.repos[name], self.server
        parent = lines[0]["value"].get("parentCommit")
        if parent not in (None, repo.head):
            self._json({"error": "A commit has happened since. Please refresh and try again."}, 412)
            return
        files = dict(repo.files)
        for line in lines[1:]:
            value = line["value"]
            if line["key"] == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif line["key"] == "lfsFile":
                files[value["path"]] = hub.large[value["oid"]]
            else:
                del files[value["path"]]
        commit = repo.commit(files)
        hub.after_commit()
        self._json({"commitUrl": f"{hub.address}/{name}/commit/{commit}", "commitOid": commit})

    def _json(self, value: Any, status: int = 200, headers: dict[str, str] | None = None) -> None:
        kind = {"Content-Type": "application/json"}
        self._send(status, json.dumps(value).encode(), kind | (headers or {}))

    def _send(self, status: int, body: bytes = b"", headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing: the test's output is not the place."""


def is_large(path: str) -> bool:
    return path.endswith(".safetensors")


def _mode(path: str, there: bytes | None) -> dict[str, Any]:
    found: dict[str, Any] = {"path": path, "shouldIgnore": False}
    found["uploadMode"] = "lfs" if is_large(path) else "regular"
    if there is not None:
        large = hashlib.sha256(there).hexdigest()
        found["oid"] = large if is_large(path) else git_hash(there)
    return found
