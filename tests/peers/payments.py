"""A server whose tools have numbers of cards, as numbers, in arguments and results.

usage: payments.py FILE

What reaches `pay` is written to the file, as Python shows it.
"""

import sys

from mcp.server import MCPServer
from pydantic import BaseModel, StrictInt


class Customer(BaseModel):
    id: int
    name: str
    card: StrictInt
    mobile: StrictInt
    since: int


class Paid(BaseModel):
    card: StrictInt


server = MCPServer("payments")


@server.tool()
def customer() -> Customer:
    """The only customer there is."""
    return Customer(
        id=4111111111111111, name="x", card=4111111111111111, mobile=4155552671, since=1753698896123
    )


@server.tool()
def pay(card: StrictInt, note: str) -> Paid:
    """Pays with a card."""
    with open(sys.argv[1], "a") as file:
        print(repr(card), repr(note), file=file)
    return Paid(card=card)


server.run()
