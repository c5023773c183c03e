"""A server of both eras that offers what the MCP conformance suite asks for.

usage: fixture.py [--era dual|legacy|modern] stdio
       fixture.py [--era dual|legacy|modern] http PORT

In front of the official SDK's server, which speaks both eras, `--era` refuses
what a server of one era only would not know. With port 0 the system picks one;
the line `listening on http://127.0.0.1:PORT/mcp` on standard error says which.
"""

import argparse
import asyncio
import logging
import socket
import sys
import warnings

import uvicorn
from mcp.server.stdio import stdio_server

from fixture import eras, offers
from fixture.events import Events


async def stdio(era):
    server = offers.server()
    async with stdio_server() as (read, write):
        async with eras.only(era, read, write) as theirs:
            await server.run(theirs, write, offers.initialization(server))


def http(era, port):
    server = offers.server()
    app = server.streamable_http_app(event_store=Events(), retry_interval=500)
    listener = socket.create_server(("127.0.0.1", port))
    port = listener.getsockname()[1]
    print(f"listening on http://127.0.0.1:{port}/mcp", file=sys.stderr, flush=True)
    config = uvicorn.Config(eras.Only(era, app), log_level="error", timeout_graceful_shutdown=1)
    uvicorn.Server(config).run(sockets=[listener])


def main():
    warnings.simplefilter("ignore")
    logging.disable(logging.ERROR)
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--era", choices=["dual", "legacy", "modern"], default="dual")
    transports = arguments.add_subparsers(dest="transport", required=True)
    transports.add_parser("stdio")
    transports.add_parser("http").add_argument("port", type=int)
    asked = arguments.parse_args()
    if asked.transport == "stdio":
        asyncio.run(stdio(asked.era))
    else:
        http(asked.era, asked.port)


main()
