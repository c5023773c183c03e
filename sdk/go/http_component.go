//go:build wasip1

package guardrail

import (
	"strings"
	"unsafe"
)

// How many bytes of an answer are asked for at a time.
const piece = 64 << 10

// room is where a result is written, whatever it is: none of these has more bytes. At 0 stands whether it is there, or
// an error; where the rest stands depends on its alignment.
type room [7]uint64

func (r *room) at(place uintptr) unsafe.Pointer { return unsafe.Add(unsafe.Pointer(r), place) }
func (r *room) byte(place uintptr) uint8        { return *(*uint8)(r.at(place)) }
func (r *room) word(place uintptr) uint32       { return *(*uint32)(r.at(place)) }
func (r *room) list(place uintptr) str          { return *(*str)(r.at(place)) }

func asked(call func(result unsafe.Pointer)) *room {
	result := keep(room{})
	call(unsafe.Pointer(result))
	return result
}

func send(request Request, to destination) (Response, error) {
	outgoing, ok := outgoing(request, to)
	if !ok {
		return Response{}, HTTPError{Refused, "it is no request that can be sent"}
	}
	body := asked(func(result unsafe.Pointer) { wasiBody(outgoing, result) })
	if body.byte(0) != 0 {
		return Response{}, noBody
	}
	some, options := options(request)
	answer := asked(func(result unsafe.Pointer) { wasiHandle(outgoing, some, options, result) })
	if answer.byte(0) != 0 {
		wasiDropOutgoing(body.word(4))
		return Response{}, told(answer, 8)
	}
	// Where it cannot be written, the answer says why.
	writeBody(body.word(4), request.Body)

	pollable := wasiSubscribe(answer.word(8))
	wasiBlock(pollable)
	wasiDropPollable(pollable)
	// A result in a result in an option: that it is there, that it is the first to ask, and what there is.
	got := asked(func(result unsafe.Pointer) { wasiGet(answer.word(8), result) })
	wasiDropAnswer(answer.word(8))
	switch {
	case got.byte(0) == 0 || got.byte(8) != 0:
		return Response{}, HTTPError{Broken, "the gateway has no answer"}
	case got.byte(16) != 0:
		return Response{}, told(got, 24)
	}
	defer wasiDropResponse(got.word(24))
	return received(got.word(24))
}

func outgoing(request Request, to destination) (uint32, bool) {
	fields := wasiFields()
	refused := false
	for name, values := range request.Header {
		for _, value := range values {
			name, value := out(name), out(value)
			refused = asked(func(result unsafe.Pointer) {
				wasiAppend(fields, name.ptr, name.len, value.ptr, value.len, result)
			}).byte(0) != 0 || refused
		}
	}
	it := wasiRequest(fields)
	which := uint32(9)
	switch request.Method {
	case "GET":
		which = 0
	case "POST":
		which = 2
	}
	scheme := uint32(0)
	if to.secure {
		scheme = 1
	}
	method, authority, path := out(request.Method), out(to.authority), out(to.path)
	wrong := wasiSetMethod(it, which, method.ptr, method.len) | wasiSetScheme(it, 1, scheme, 0, 0) |
		wasiSetAuthority(it, 1, authority.ptr, authority.len) | wasiSetPath(it, 1, path.ptr, path.len)
	if refused || wrong != 0 {
		wasiDropRequest(it)
		return 0, false
	}
	return it, true
}

func options(request Request) (some, options uint32) {
	if request.Patience <= 0 {
		return 0, 0
	}
	options = wasiOptions()
	nanoseconds := request.Patience.Nanoseconds()
	wasiConnectTimeout(options, 1, nanoseconds)
	wasiFirstByteTimeout(options, 1, nanoseconds)
	wasiBetweenBytesTimeout(options, 1, nanoseconds)
	return 1, options
}

func writeBody(outgoing uint32, body []byte) {
	stream := asked(func(result unsafe.Pointer) { wasiWriter(outgoing, result) })
	if stream.byte(0) != 0 || !writeAll(stream.word(4), body) {
		wasiDropOutgoing(outgoing)
		return
	}
	asked(func(result unsafe.Pointer) { wasiFinish(outgoing, 0, 0, result) })
}

func writeAll(stream uint32, body []byte) bool {
	defer wasiDropWriter(stream)
	for len(body) > 0 {
		free := asked(func(result unsafe.Pointer) { wasiCheckWrite(stream, result) })
		if free.byte(0) != 0 {
			dropBroken(free, 8)
			return false
		}
		now := body[:min(free[1], uint64(len(body)))]
		if len(now) == 0 {
			pollable := wasiWritable(stream)
			wasiBlock(pollable)
			wasiDropPollable(pollable)
			continue
		}
		at := outList(now)
		written := asked(func(result unsafe.Pointer) { wasiWrite(stream, at.ptr, at.len, result) })
		if written.byte(0) != 0 {
			dropBroken(written, 4)
			return false
		}
		body = body[len(now):]
	}
	return true
}

// dropBroken gives back why a stream ended, if there is a reason.
func dropBroken(result *room, place uintptr) {
	if result.byte(place) == 0 {
		wasiDropError(result.word(place + 4))
	}
}

func received(response uint32) (Response, error) {
	answer := Response{Status: int(wasiStatus(response)), Header: Header{}}
	fields := wasiHeaders(response)
	entries := asked(func(result unsafe.Pointer) { wasiEntries(fields, result) }).list(0)
	wasiDropFields(fields)
	if entries.len > 0 {
		for _, it := range unsafe.Slice((*[2]str)(unsafe.Pointer(uintptr(entries.ptr))), entries.len) {
			name := strings.Clone(in(it[0]))
			answer.Header[name] = append(answer.Header[name], strings.Clone(in(it[1])))
		}
	}
	body := asked(func(result unsafe.Pointer) { wasiConsume(response, result) })
	if body.byte(0) != 0 {
		return answer, noBody
	}
	defer wasiDropIncoming(body.word(4))
	stream := asked(func(result unsafe.Pointer) { wasiReader(body.word(4), result) })
	if stream.byte(0) != 0 {
		return answer, noBody
	}
	defer wasiDropReader(stream.word(4))
	for {
		read := asked(func(result unsafe.Pointer) { wasiRead(stream.word(4), piece, result) })
		switch {
		case read.byte(0) == 0:
			answer.Body = append(answer.Body, in(read.list(4))...)
		case read.byte(4) != 0:
			return answer, nil
		default:
			broken := read.word(8)
			code := asked(func(result unsafe.Pointer) { wasiErrorCode(broken, result) })
			wasiDropError(broken)
			if code.byte(0) == 0 {
				return answer, HTTPError{Broken, "in the middle"}
			}
			return answer, told(code, 8)
		}
	}
}

var noBody = HTTPError{Broken, "the gateway gives no body"}

// told makes of an error code in a result what a guardrail is told.
func told(result *room, place uintptr) error {
	code := result.byte(place)
	if code == internalError && result.byte(place+8) != 0 {
		return HTTPError{Refused, strings.Clone(in(result.list(place + 12)))}
	}
	return HTTPError{codes[code].kind, codes[code].name}
}

const internalError = 38

var codes = [...]struct {
	name string
	kind HTTPErrorKind
}{
	{"DNS-timeout", Unreachable},
	{"DNS-error", Unreachable},
	{"destination-not-found", Unreachable},
	{"destination-unavailable", Unreachable},
	{"destination-IP-prohibited", Refused},
	{"destination-IP-unroutable", Broken},
	{"connection-refused", Unreachable},
	{"connection-terminated", Broken},
	{"connection-timeout", Unreachable},
	{"connection-read-timeout", TimedOut},
	{"connection-write-timeout", TimedOut},
	{"connection-limit-reached", Broken},
	{"TLS-protocol-error", Untrusted},
	{"TLS-certificate-error", Untrusted},
	{"TLS-alert-received", Untrusted},
	{"HTTP-request-denied", Refused},
	{"HTTP-request-length-required", Broken},
	{"HTTP-request-body-size", TooLarge},
	{"HTTP-request-method-invalid", Refused},
	{"HTTP-request-URI-invalid", Refused},
	{"HTTP-request-URI-too-long", Broken},
	{"HTTP-request-header-section-size", Broken},
	{"HTTP-request-header-size", Broken},
	{"HTTP-request-trailer-section-size", Broken},
	{"HTTP-request-trailer-size", Broken},
	{"HTTP-response-incomplete", Broken},
	{"HTTP-response-header-section-size", Broken},
	{"HTTP-response-header-size", Broken},
	{"HTTP-response-body-size", TooLarge},
	{"HTTP-response-trailer-section-size", Broken},
	{"HTTP-response-trailer-size", Broken},
	{"HTTP-response-transfer-coding", Broken},
	{"HTTP-response-content-coding", Broken},
	{"HTTP-response-timeout", TimedOut},
	{"HTTP-upgrade-failed", Broken},
	{"HTTP-protocol-error", Broken},
	{"loop-detected", Broken},
	{"configuration-error", Broken},
	{"internal-error", Broken},
}
