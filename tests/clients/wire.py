"""Stands between a transport and the official client, and keeps every message as it was."""

import json
from contextlib import AsyncExitStack, asynccontextmanager

import anyio


class Wire:
    def __init__(self):
        self.sent, self.answers = [], {}
        self.asked, self.told = [], []
        self.stir = anyio.Event()

    def came(self, message):
        if "method" not in message:
            self.answers[message.get("id")] = message
        elif "id" in message:
            self.asked.append(message)
        else:
            self.told.append(message)
        stir, self.stir = self.stir, anyio.Event()
        stir.set()

    async def until(self, seen, patience=30):
        """Waits for messages until it has seen what it looks for; says whether it has."""
        with anyio.move_on_after(patience):
            while not seen():
                await self.stir.wait()
        return seen()

    def was_told(self, method, since=0):
        return [note for note in self.told[since:] if note["method"] == method]


def plain(message):
    return json.loads(message.model_dump_json(by_alias=True, exclude_unset=True))


@asynccontextmanager
async def tapped(transport, wire):
    """A transport's two streams, with the wire tapped."""
    async with AsyncExitStack() as stack:
        read, write = (await stack.enter_async_context(transport))[:2]
        to_client, client_reads = anyio.create_memory_object_stream(100)
        client_writes, from_client = anyio.create_memory_object_stream(100)

        async def inwards():
            async with to_client:
                async for item in read:
                    if not isinstance(item, Exception):
                        wire.came(plain(item.message))
                    try:
                        await to_client.send(item)
                    except (anyio.ClosedResourceError, anyio.BrokenResourceError):
                        return

        async def outwards():
            async with write:
                async for item in from_client:
                    message = plain(item.message)
                    if "method" in message and "id" in message:
                        wire.sent.append(message["id"])
                    await write.send(item)

        tasks = await stack.enter_async_context(anyio.create_task_group())
        tasks.start_soon(inwards)
        tasks.start_soon(outwards)
        yield client_reads, client_writes
        tasks.cancel_scope.cancel()
