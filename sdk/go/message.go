package guardrail

import "time"

// Message is what is being checked. Its methods ask the gateway, which costs time.
type Message struct {
	// The client connection. Opaque.
	Session string
	// Pairs a request with its progress and its response; 0 where there is none.
	Exchange uint64
	// The server, as the gateway's configuration names it.
	Server string
	// The MCP method; of an answer, the method that it answers.
	Method string
	// request, response, … The set may grow: let what you do not know pass.
	Kind      string
	Direction Direction
	// The tool's or prompt's name as the server knows it, or the resource's URI.
	Subject string
	// Every string of the payload, values and object keys, in document order; long numbers, too.
	Texts []Text

	details details
}

// Text is one text of a message.
type Text struct {
	// Its number among the message's texts.
	Index int
	Value string

	start int
}

// Place is where a text stands.
type Place struct {
	// The JSON Pointer of the value, or of the member whose key it is, from the root of the payload.
	Pointer string
	// Whether it is a key.
	Key bool
}

// EarlierFinding is what an earlier guardrail of the chain found: its name in the configuration, and the rule.
type EarlierFinding struct{ Guardrail, Rule string }

// details is what the gateway is asked for.
type details interface {
	place(text int) (Place, bool)
	payload() (string, bool)
	value(pointer string) (string, bool)
	request() (string, bool)
	earlier() []EarlierFinding
	elapsed() time.Duration
}

// Place tells where a text stands.
func (m *Message) Place(text Text) (Place, bool) { return m.details.place(text.Index) }

// Payload is the JSON text of params, result or error.
func (m *Message) Payload() (string, bool) { return m.details.payload() }

// Value is the JSON text of the value at a JSON Pointer into the payload.
func (m *Message) Value(pointer string) (string, bool) { return m.details.value(pointer) }

// Request is, for an answer or a progress notification, the JSON text of the params of its request.
func (m *Message) Request() (string, bool) { return m.details.request() }

// EarlierFindings are what the earlier guardrails of the chain found in this message.
func (m *Message) EarlierFindings() []EarlierFinding { return m.details.earlier() }

// Elapsed is, for an answer, how long ago its request was sent on.
func (m *Message) Elapsed() time.Duration { return m.details.elapsed() }

func texts(joined string, ends []uint32) []Text {
	texts := make([]Text, len(ends))
	start := 0
	for index, end := range ends {
		texts[index] = Text{index, joined[start:end], start}
		start = int(end)
	}
	return texts
}
