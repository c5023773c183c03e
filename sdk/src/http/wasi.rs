//! A request as `wasi:http` has it.

use wasip2::http::outgoing_handler::handle;
use wasip2::http::types::{
    ErrorCode, Fields, IncomingResponse, Method, OutgoingBody, OutgoingRequest, RequestOptions,
    Scheme, http_error_code,
};
use wasip2::io::streams::{OutputStream, StreamError};

use super::{Address, HttpError, Request, Response};

/// Bytes of an answer that are asked for at a time.
const PIECE: u64 = 64 << 10;

pub(super) fn send(request: &Request<'_>, address: &Address<'_>) -> Result<Response, HttpError> {
    let outgoing = outgoing(request, address)
        .ok_or_else(|| HttpError::Refused("it is no request that can be sent".into()))?;
    let body = outgoing.body().map_err(|()| no_body())?;
    let answer = handle(outgoing, options(request)).map_err(told)?;
    let stream = body.write().map_err(|()| no_body())?;
    // Where it cannot be written, the answer says why.
    let _ = write(&stream, request.body);
    drop(stream);
    let _ = OutgoingBody::finish(body, None);

    answer.subscribe().block();
    match answer.get() {
        Some(Ok(response)) => received(&response.map_err(told)?),
        _ => Err(HttpError::Broken("the gateway has no answer".into())),
    }
}

fn outgoing(request: &Request<'_>, address: &Address<'_>) -> Option<OutgoingRequest> {
    let headers = Fields::new();
    for (name, value) in &request.headers {
        headers.append(name, value.as_bytes()).ok()?;
    }
    let outgoing = OutgoingRequest::new(headers);
    let method = match request.method {
        "GET" => Method::Get,
        "POST" => Method::Post,
        other => Method::Other(other.to_owned()),
    };
    let scheme = match address.secure {
        true => Scheme::Https,
        false => Scheme::Http,
    };
    outgoing.set_method(&method).ok()?;
    outgoing.set_scheme(Some(&scheme)).ok()?;
    outgoing.set_authority(Some(address.authority)).ok()?;
    outgoing.set_path_with_query(Some(address.path)).ok()?;
    Some(outgoing)
}

fn options(request: &Request<'_>) -> Option<RequestOptions> {
    let patience = u64::try_from(request.patience?.as_nanos()).ok()?;
    let options = RequestOptions::new();
    options.set_connect_timeout(Some(patience)).ok()?;
    options.set_first_byte_timeout(Some(patience)).ok()?;
    options.set_between_bytes_timeout(Some(patience)).ok()?;
    Some(options)
}

fn write(stream: &OutputStream, mut body: &[u8]) -> Result<(), StreamError> {
    while !body.is_empty() {
        let room = usize::try_from(stream.check_write()?).unwrap_or(usize::MAX);
        if room == 0 {
            stream.subscribe().block();
            continue;
        }
        let (now, later) = body.split_at(room.min(body.len()));
        stream.write(now)?;
        body = later;
    }
    Ok(())
}

fn received(response: &IncomingResponse) -> Result<Response, HttpError> {
    let incoming = response.consume().map_err(|()| no_body())?;
    let stream = incoming.stream().map_err(|()| no_body())?;
    let mut body = Vec::new();
    loop {
        match stream.blocking_read(PIECE) {
            Ok(piece) => body.extend(piece),
            Err(StreamError::Closed) => break,
            Err(StreamError::LastOperationFailed(error)) => {
                return Err(match http_error_code(&error) {
                    Some(code) => told(code),
                    None => HttpError::Broken(error.to_debug_string()),
                });
            }
        }
    }
    Ok(Response {
        status: response.status(),
        headers: response.headers().entries(),
        body,
    })
}

fn told(code: ErrorCode) -> HttpError {
    let words = format!("{code:?}");
    match code {
        ErrorCode::InternalError(Some(words)) => HttpError::Refused(words),
        ErrorCode::HttpRequestDenied
        | ErrorCode::HttpRequestMethodInvalid
        | ErrorCode::HttpRequestUriInvalid
        | ErrorCode::DestinationIpProhibited => HttpError::Refused(words),
        ErrorCode::DnsError(cause) => HttpError::Unreachable(cause.rcode.unwrap_or(words)),
        ErrorCode::DnsTimeout
        | ErrorCode::DestinationNotFound
        | ErrorCode::DestinationUnavailable
        | ErrorCode::ConnectionRefused
        | ErrorCode::ConnectionTimeout => HttpError::Unreachable(words),
        ErrorCode::TlsCertificateError
        | ErrorCode::TlsProtocolError
        | ErrorCode::TlsAlertReceived(_) => HttpError::Untrusted(words),
        ErrorCode::HttpResponseTimeout
        | ErrorCode::ConnectionReadTimeout
        | ErrorCode::ConnectionWriteTimeout => HttpError::TimedOut(words),
        ErrorCode::HttpRequestBodySize(_) | ErrorCode::HttpResponseBodySize(_) => {
            HttpError::TooLarge(words)
        }
        _ => HttpError::Broken(words),
    }
}

fn no_body() -> HttpError {
    HttpError::Broken("the gateway gives no body".into())
}
