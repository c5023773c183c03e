package guardrail

import (
	"strings"
	"time"
)

// Request is a request over HTTP, to a destination that the configuration grants: grant = { http = ["https://…"] }.
type Request struct {
	// GET, if empty.
	Method string
	// Of http or https.
	URL string
	// One that the configuration adds takes the place of one of the same name.
	Header Header
	Body   []byte
	// How long the answer may take to begin, and between any two pieces of it; at most, and without it, as long as the
	// check.
	Patience time.Duration
}

// Response is an answer, whatever its status.
type Response struct {
	Status int
	// Names in lower case.
	Header Header
	Body   []byte
}

// Header is headers by their names.
type Header map[string][]string

// Get gives the first header of a name.
func (h Header) Get(name string) string {
	if values := h[strings.ToLower(name)]; len(values) > 0 {
		return values[0]
	}
	return ""
}

// Send sends a request, and waits for the whole answer. The gateway sends it with its own client, adds the headers that the
// configuration names for the destination (a key need never be in a guardrail), and follows no redirect. Requests and
// bytes are limited for each message, and the time is that of the check. wit/world.wit has to import
// wasi:http/outgoing-handler@0.2.0. Nothing leaves while a guardrail is configured, nor for messages that nobody sent,
// such as examples; without a gateway nobody is reached. Where there is no answer, the error is an HTTPError.
func Send(request Request) (Response, error) {
	to, ok := destinationOf(request.URL)
	if !ok {
		return Response{}, HTTPError{Refused, "its address is none of http or https"}
	}
	if request.Method == "" {
		request.Method = "GET"
	}
	return send(request, to)
}

// HTTPError is why there is no answer.
type HTTPError struct {
	Kind  HTTPErrorKind
	Words string
}

func (e HTTPError) Error() string { return e.Kind.String() + ": " + e.Words }

// HTTPErrorKind tells errors apart by what can be done about them.
type HTTPErrorKind uint8

// The kinds.
const (
	// The request did not leave, and another attempt will not, either. The words name the remedy.
	Refused HTTPErrorKind = iota
	// Nobody is there to talk to. The request did not arrive.
	Unreachable
	// The other side is not whom it should be: its certificate is not trusted.
	Untrusted
	// It took too long. The request may have arrived.
	TimedOut
	// The connection ended in the middle. The request may have arrived.
	Broken
	// The request, or its answer, is larger than one may be.
	TooLarge
)

// String says it in words.
func (k HTTPErrorKind) String() string {
	return [...]string{
		"the request does not leave",
		"nobody is reached",
		"the other side is not trusted",
		"there is no answer in time",
		"the connection broke",
		"it is larger than it may be",
	}[k]
}

// The parts of a URL that a request names apart.
type destination struct {
	secure          bool
	authority, path string
}

func destinationOf(url string) (destination, bool) {
	scheme, rest, ok := strings.Cut(url, "://")
	if !ok || scheme != "http" && scheme != "https" {
		return destination{}, false
	}
	rest, _, _ = strings.Cut(rest, "#")
	end := strings.IndexAny(rest, "/?")
	if end < 0 {
		end = len(rest)
	}
	path := rest[end:]
	if !strings.HasPrefix(path, "/") {
		path = "/" + path
	}
	return destination{scheme == "https", rest[:end], path}, end > 0
}
