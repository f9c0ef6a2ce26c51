"""Many visitors at once.

Run: python -m benchmarks.visitors

Each of 20 visitors has a websocket of their own, speaks Streamlit's protocol as its page does, and clicks
"Draw another pair" every 2 s for 2 minutes. A click is measured until its new figure is here and the server
says that the run is over. Clients and server share the machine.
"""

from __future__ import annotations

import asyncio
import os
import time
from dataclasses import dataclass, field
from statistics import median, quantiles
from typing import Any

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect

from benchmarks import report
from benchmarks.report import Table
from benchmarks.server import Server, running

SESSIONS = 20
SECONDS = 120.0
PERIOD_S = 2.0
DEADLINE_S = 20.0
_SAMPLE_S = 5.0


@dataclass
class Visitor:
    """One session: what its page would know after the messages so far."""

    socket: ClientConnection
    page_hash: str = ""
    button: str = ""
    fragment: str = ""
    figure: str = ""
    cached: set[str] = field(default_factory=set)
    received_bytes: int = 0

    async def open(self) -> None:
        """Run the whole page, as a browser does when it has connected."""
        message = BackMsg()
        message.rerun_script.context_info.locale = "en-US"
        await self._run(message)
        if not (self.button and self.fragment and self.figure):
            raise RuntimeError("the page has no pair")

    async def draw(self) -> None:
        """Click "Draw another pair" and wait for another figure."""
        before = self.figure
        message = BackMsg()
        run = message.rerun_script
        run.fragment_id, run.page_script_hash = self.fragment, self.page_hash
        run.context_info.locale = "en-US"
        run.cached_message_hashes.extend(self.cached)
        run.widget_states.widgets.add(id=self.button, trigger_value=True)
        await self._run(message)
        if self.figure == before:
            raise RuntimeError("no new figure came")

    async def _run(self, message: BackMsg) -> None:
        await self.socket.send(message.SerializeToString())
        async with asyncio.timeout(DEADLINE_S):
            while True:
                data = await self.socket.recv()
                self.received_bytes += len(data)
                answer = ForwardMsg.FromString(data)
                if answer.WhichOneof("type") == "script_finished":
                    break
                self._take(answer)
        status = ForwardMsg.ScriptFinishedStatus.Name(answer.script_finished)
        if "SUCCESSFULLY" not in status:
            raise RuntimeError(status)

    def _take(self, answer: ForwardMsg) -> None:
        if answer.metadata.cacheable:
            self.cached.add(answer.hash)
        if answer.HasField("new_session"):
            self.page_hash = answer.new_session.page_script_hash
        element = answer.delta.new_element
        match element.WhichOneof("type"):
            case "exception":
                raise RuntimeError(element.exception.message)
            case "button" if element.button.id.endswith("-draw"):
                self.button, self.fragment = element.button.id, answer.delta.fragment_id
            case "plotly_chart" if element.plotly_chart.id.endswith("-comparison_figure"):
                self.figure = element.plotly_chart.spec


async def _visit(number: int, sessions: int, server: Server, result: dict[str, Any]) -> None:
    """One visitor from opening the page to the last click."""
    await asyncio.sleep(PERIOD_S * number / sessions)
    address = server.url.replace("http", "ws") + "_stcore/stream"
    protocols = ["streamlit", "PLACEHOLDER_AUTH_TOKEN"]
    async with connect(address, subprotocols=protocols, max_size=None) as socket:  # type: ignore[arg-type]
        visitor = Visitor(socket)
        start = time.perf_counter()
        await visitor.open()
        result["open_s"].append(time.perf_counter() - start)
        next_click = start + PERIOD_S
        while next_click < start + SECONDS:
            await asyncio.sleep(max(0.0, next_click - time.perf_counter()))
            clicked = time.perf_counter()
            try:
                await visitor.draw()
                result["draw_s"].append(time.perf_counter() - clicked)
            except (RuntimeError, TimeoutError) as error:
                result["errors"].append(repr(error))
            next_click = max(next_click + PERIOD_S, time.perf_counter())
        result["received_bytes"] += visitor.received_bytes


async def _watch(server: Server, result: dict[str, Any]) -> None:
    while True:
        result["resident_mb"].append(server.resident_mb)
        await asyncio.sleep(_SAMPLE_S)


async def visits(server: Server, sessions: int = SESSIONS) -> dict[str, Any]:
    """All visitors of a server."""
    result: dict[str, Any] = {
        "open_s": [],
        "draw_s": [],
        "errors": [],
        "resident_mb": [],
        "received_bytes": 0,
    }
    watch = asyncio.create_task(_watch(server, result))
    start, cpu_s = time.perf_counter(), server.cpu_s
    ends = await asyncio.gather(
        *(_visit(number, sessions, server, result) for number in range(sessions)), return_exceptions=True
    )
    result["seconds"] = time.perf_counter() - start
    result["server_cpu_share"] = (server.cpu_s - cpu_s) / result["seconds"]
    watch.cancel()
    result["resident_mb"].append(server.resident_mb)
    result["errors"] += [repr(end) for end in ends if end is not None]
    result["faults_in_log"] = server.faults()
    return result


def run() -> dict[str, Any]:
    """Measure all visitors; the load average before tells how busy the machine was with other work."""
    load = os.getloadavg()[0]
    with running() as server:
        return {
            "load_average": load,
            "sessions": SESSIONS,
            "period_s": PERIOD_S,
            **asyncio.run(visits(server)),
        }


def tables(result: dict[str, Any]) -> list[Table]:
    """Waiting times of many visitors, and the load of the server."""
    draws = quantiles(result["draw_s"], n=100)
    resident = result["resident_mb"]
    # The first samples are from before every visitor is there.
    start, middle, end = resident[2], resident[len(resident) // 2], resident[-1]
    rows = [
        ["draws a second", f"{len(result['draw_s']) / result['seconds']:.1f}"],
        [
            "wait, median / 95th / 99th percentile",
            f"{1000 * median(draws):.0f} / {1000 * draws[94]:.0f} / {1000 * draws[98]:.0f} ms",
        ],
        ["errors", f"{len(result['errors']) + result['faults_in_log']}"],
        ["processor of the server, of one core", f"{100 * result['server_cpu_share']:.0f} %"],
        ["resident memory of the server, start / middle / end", f"{start:.0f} / {middle:.0f} / {end:.0f} MB"],
    ]
    title = f"The app: {result['sessions']} visitors, each drawing a pair every {result['period_s']:g} s"
    return [Table(title, ("what", "figure"), rows)]


if __name__ == "__main__":
    result = run()
    report.save("visitors", result)
    print(*tables(result), sep="\n\n")
