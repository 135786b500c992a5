"""10,000 questions at 32 at once against a service of 50 ms: the ideal time, and limbeck's.

Run with ``python benchmarks/endpoints.py``; the service is a process of its own. ``--count`` asks
fewer. Prints the ratio, and the time that the store takes for an answer.
"""

from __future__ import annotations

import argparse
import multiprocessing
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from limbeck.teachers import Endpoint
from limbeck.teachers.answer_store import AnswerStore, question_key

LATENCY, CONCURRENCY = 0.05, 32


def serve(port: Any) -> None:
    import asyncio

    async def answer(reader: Any, writer: Any) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = head.lower().split(b"content-length:")[1].split(b"\r\n")[0]
                await reader.readexactly(int(length))
                await asyncio.sleep(LATENCY)
                body = b'{"predictions": [0.5]}'
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body))
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    async def main() -> None:
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        port.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(main())


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=10_000)
    count = parser.parse_args().count
    ours, theirs = multiprocessing.Pipe()
    server = multiprocessing.Process(target=serve, args=(theirs,), daemon=True)
    server.start()
    url = f"http://127.0.0.1:{ours.recv()}/"
    with tempfile.TemporaryDirectory() as folder:
        store = AnswerStore(Path(folder) / "answers.sqlite")
        teacher = Endpoint(url, batch=1, concurrency=CONCURRENCY, store=store)
        started, used = time.perf_counter(), time.process_time()
        teacher.scores(np.arange(2.0 * count).reshape(count, 2))
        seconds, cpu = time.perf_counter() - started, time.process_time() - used
        ideal = count / CONCURRENCY * LATENCY
        print(f"{count:,} questions: {seconds:.2f} s, ideal {ideal:.2f} s, {seconds / ideal:.2f}x;")
        print(f"{1000 * cpu / count:.2f} ms of processor time a question")
        keys = [question_key([i]) for i in range(2000)]
        started = time.perf_counter()
        for key in keys:
            store.add("one at a time", [(key, 0.5)])
        print(f"store: {1000 * (time.perf_counter() - started) / len(keys):.3f} ms an answer")
        store.close()
    server.terminate()


if __name__ == "__main__":
    main()
