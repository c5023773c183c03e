"""A request as `wasi:http` has it. What belongs to another resource is given back before that."""

from __future__ import annotations

from typing import Any, Iterable
from urllib.parse import SplitResult

from wit_world.imports import outgoing_handler, streams

# Its name is what `build` calls it meanwhile.
from wit_world.imports import wq9x_http_types as raw

from .contract import Err
from .errors import HttpError

PIECE = 64 << 10
"""Bytes of an answer that are asked for at a time."""


def send(
    method: str, address: SplitResult, headers: Iterable[tuple[str, str]], body: bytes, patience: float | None
) -> tuple[int, list[tuple[str, bytes]], bytes]:
    """The status, the headers and the body of the answer."""
    request = _request(method, address, headers)
    outgoing = request.body()
    try:
        answer = outgoing_handler.handle(request, _options(patience))
    except Err as error:
        raise _told(error.value) from None
    _write(outgoing, body)
    with answer:
        with answer.subscribe() as pollable:
            pollable.block()
        # A result in a result: that it is the first to ask, and what there is.
        got = answer.get().value
    if isinstance(got, Err):
        raise _told(got.value)
    with got.value as response:
        return response.status(), _headers(response), _body(response)


def _request(method: str, address: SplitResult, headers: Iterable[tuple[str, str]]) -> raw.OutgoingRequest:
    known = {"GET": raw.Method_Get, "POST": raw.Method_Post}.get(method)
    path = (address.path or "/") + (f"?{address.query}" if address.query else "")
    try:
        fields = raw.Fields()
        for name, value in headers:
            fields.append(name, value.encode())
        request = raw.OutgoingRequest(fields)
        request.set_method(known() if known else raw.Method_Other(method))
        request.set_scheme(raw.Scheme_Https() if address.scheme == "https" else raw.Scheme_Http())
        request.set_authority(address.netloc)
        request.set_path_with_query(path)
    except Err:
        raise HttpError("refused", "it is no request that can be sent") from None
    return request


def _options(patience: float | None) -> raw.RequestOptions | None:
    if patience is None:
        return None
    nanoseconds = int(patience * 1e9)
    options = raw.RequestOptions()
    options.set_connect_timeout(nanoseconds)
    options.set_first_byte_timeout(nanoseconds)
    options.set_between_bytes_timeout(nanoseconds)
    return options


def _write(outgoing: raw.OutgoingBody, body: bytes) -> None:
    """Where it cannot be written, the answer says why."""
    try:
        with outgoing.write() as stream:
            while body:
                room = stream.check_write()
                if room == 0:
                    with stream.subscribe() as pollable:
                        pollable.block()
                    continue
                stream.write(body[:room])
                body = body[room:]
        raw.OutgoingBody.finish(outgoing, None)
    except Err:
        pass


def _headers(response: raw.IncomingResponse) -> list[tuple[str, bytes]]:
    with response.headers() as headers:
        return headers.entries()


def _body(response: raw.IncomingResponse) -> bytes:
    pieces = []
    with response.consume() as incoming, incoming.stream() as stream:
        while True:
            try:
                pieces.append(stream.blocking_read(PIECE))
            except Err as error:
                if isinstance(error.value, streams.StreamError_Closed):
                    return b"".join(pieces)
                with error.value.value as broken:
                    code = raw.http_error_code(broken)
                    raise (HttpError("broken", "in the middle") if code is None else _told(code)) from None


def _told(code: Any) -> HttpError:
    name = type(code).__name__.removeprefix("ErrorCode_")
    words = getattr(code, "value", None)
    if name == "InternalError" and words is not None:
        return HttpError("refused", words)
    return HttpError(_KINDS.get(name, "broken"), name)


_KINDS = {
    "HttpRequestDenied": "refused",
    "HttpRequestMethodInvalid": "refused",
    "HttpRequestUriInvalid": "refused",
    "DestinationIpProhibited": "refused",
    "DnsError": "unreachable",
    "DnsTimeout": "unreachable",
    "DestinationNotFound": "unreachable",
    "DestinationUnavailable": "unreachable",
    "ConnectionRefused": "unreachable",
    "ConnectionTimeout": "unreachable",
    "TlsCertificateError": "untrusted",
    "TlsProtocolError": "untrusted",
    "TlsAlertReceived": "untrusted",
    "HttpResponseTimeout": "timed-out",
    "ConnectionReadTimeout": "timed-out",
    "ConnectionWriteTimeout": "timed-out",
    "HttpRequestBodySize": "too-large",
    "HttpResponseBodySize": "too-large",
}
