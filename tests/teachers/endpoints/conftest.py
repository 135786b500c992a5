from __future__ import annotations

import asyncio
import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest


@dataclass
class Reply:
    """What the service does with a request."""

    body: Any = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    delay: float = 0.0
    drip: float = 0.0  # seconds between bytes
    hang_up: bool = False
    hold: bool = False  # never answer
    raw: bytes | None = None


class Service:
    """A real HTTP server on loopback that behaves as a function of the request says."""

    def __init__(self) -> None:
        self.respond: Callable[[Any, int], Reply] = lambda body, n: Reply({"predictions": []})
        self.requests: list[tuple[dict[str, str], Any]] = []
        self.answered: Counter[str] = Counter()
        self.path = ""
        self._started = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        self._started.wait(10)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/predict"

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._serve())
        self._loop.close()

    async def _serve(self) -> None:
        self._stop = asyncio.Event()
        self._tasks: set[Any] = set()
        server = await asyncio.start_server(self._connection, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        self._started.set()
        await self._stop.wait()
        server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _connection(self, reader: Any, writer: Any) -> None:
        self._tasks.add(asyncio.current_task())
        try:
            while await self._one(reader, writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            self._tasks.discard(asyncio.current_task())
            writer.close()

    async def _one(self, reader: Any, writer: Any) -> bool:
        lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        self.path = lines[0].split()[1]
        headers = dict(line.lower().split(": ", 1) for line in lines[1:] if ": " in line)
        content = await reader.readexactly(int(headers.get("content-length", 0)))
        body = json.loads(content)
        self.requests.append((headers, body))
        reply = self.respond(body, len(self.requests))
        await asyncio.sleep(reply.delay)
        if reply.hold:
            await self._stop.wait()
        if reply.hang_up or reply.hold:
            return False
        text = json.dumps(reply.body).encode() if reply.raw is None else reply.raw
        extra = "".join(f"{name}: {value}\r\n" for name, value in reply.headers.items())
        head = f"HTTP/1.1 {reply.status} X\r\ncontent-length: {len(text)}\r\n{extra}\r\n"
        writer.write(head.encode())
        for part in [text[i : i + 1] for i in range(len(text))] if reply.drip else [text]:
            writer.write(part)
            await writer.drain()
            if reply.drip:
                await asyncio.sleep(reply.drip)
        if reply.status == 200:
            self.answered[json.dumps(body)] += 1
        return True

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)


@pytest.fixture
def service() -> Iterator[Service]:
    pytest.importorskip("httpx2")
    made = Service()
    yield made
    made.close()


@pytest.fixture
def reply() -> type[Reply]:
    return Reply


@pytest.fixture
def sums(service: Service) -> Service:
    """A service of two classes: whether the sum of a row is above 1."""

    def respond(body: Any, n: int) -> Reply:
        high = [float(sum(row) > 1) for row in body["instances"]]
        return Reply({"predictions": [[0.9 - 0.8 * h, 0.1 + 0.8 * h] for h in high]})

    service.respond = respond
    return service
