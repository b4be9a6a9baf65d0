"""A load balancer for webhooks: each request goes to the next server, past one that is down."""

from itertools import cycle

from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPRequest
from tornado.httpserver import HTTPServer
from tornado.httputil import HTTPHeaders
from tornado.netutil import bind_sockets
from tornado.web import Application, RequestHandler

HOST = "127.0.0.1"


class RoundRobin:
    def __init__(self, ports: list[int]) -> None:
        """Listens from `start` to `stop`; `ports` are those of the servers."""
        self.port = 0
        self.passed = dict.fromkeys(ports, 0)  # how many requests each server has taken
        self._ports, self._next = ports, cycle(ports)
        self._client = AsyncHTTPClient(force_instance=True, max_clients=100)
        self._http = HTTPServer(Application([(".*", _Pass, {"balancer": self})]))

    def start(self) -> None:
        sockets = bind_sockets(0, HOST)
        self.port = sockets[0].getsockname()[1]
        self._http.add_sockets(sockets)

    async def stop(self) -> None:
        self._http.stop()
        await self._http.close_all_connections()
        self._client.close()

    async def send(self, path: str, headers: HTTPHeaders, body: bytes) -> int:
        """The status that a server answered with; 502 where none has taken the request."""
        for _ in self._ports:
            port = next(self._next)
            url = f"http://{HOST}:{port}{path}"
            try:
                await self._client.fetch(HTTPRequest(url, "POST", headers, body))
            except HTTPClientError as error:
                if error.code != 599:  # tornado's own, for a server that hung up or was too slow
                    return int(error.code)
            except OSError:  # it is down
                continue
            else:
                self.passed[port] += 1
                return 200
        return 502


class _Pass(RequestHandler):
    def initialize(self, balancer: RoundRobin) -> None:
        self._balancer = balancer

    async def post(self) -> None:
        request = self.request
        path = request.uri or "/"
        self.set_status(await self._balancer.send(path, request.headers, request.body))
