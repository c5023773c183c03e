// Package guardrail is for writing guardrails for mcp-gateway in Go: see the README.
package guardrail

import (
	"bytes"
	"encoding/json"
)

// A Guardrail judges messages.
type Guardrail interface {
	// Check judges one message. An error means that it could not; the gateway then blocks, unless configured otherwise.
	Check(message *Message, verdict *Verdict) error
}

// Configure takes the configuration, a JSON text, and makes a guardrail of it. The gateway keeps a snapshot of the
// memory that it leaves behind, where it can: compile patterns in it. It can call nothing of the gateway. Its error
// refuses the configuration: it names the key at fault and the remedy.
type Configure func(config []byte) (Guardrail, Manifest, error)

var configure Configure

// Register says what the component is made of. Call it once, in init.
func Register(with Configure) {
	configure = with
}

// Read reads a configuration into a struct, and refuses keys that this does not have.
func Read(config []byte, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(config))
	decoder.DisallowUnknownFields()
	return decoder.Decode(into)
}

// Direction is the way that a message travels.
type Direction uint8

// The ways.
const (
	ToServer Direction = iota
	ToClient
)

// Decision is what becomes of a message.
type Decision uint8

// The decisions.
const (
	Pass Decision = iota
	Redact
	Patch
	Block
	Ask
)

// String is what the gateway calls it.
func (d Decision) String() string {
	return [...]string{"pass", "redact", "patch", "block", "ask"}[d]
}

// Manifest is what a guardrail says about itself.
type Manifest struct {
	Name, Version string
	// One sentence for a person who decides whether to use it.
	Description string
	// The messages that it wants to see; all, if there is none.
	Wants []Interest
	// A JSON Schema for the configuration.
	ConfigSchema string
	// Cases that hold under this configuration. The gateway runs all of them before a build goes live.
	Examples []Example
}

// Interest is messages that a guardrail wants to see; what is left out is not narrowed down.
type Interest struct {
	// MCP methods, such as tools/call; one that ends in /* stands for all that start so.
	Methods []string
	// Kinds of message: request, response, error, notification, log-line, record.
	Kinds      []string
	Directions []Direction
}

// Example is a case that a guardrail ships about itself: the result of a tool, unless said otherwise.
type Example struct {
	// tools/call, if empty.
	Method string
	// request or response, if empty.
	Kind string
	// Whether it goes to the server.
	ToServer bool
	Texts    []string
	Expects  Decision
	// For Redact: the texts afterwards.
	After []string
}

func (e Example) filled() Example {
	if e.Method == "" {
		e.Method = "tools/call"
	}
	if e.Kind == "" {
		e.Kind = "response"
		if e.ToServer {
			e.Kind = "request"
		}
	}
	return e
}

func (e Example) direction() Direction {
	if e.ToServer {
		return ToServer
	}
	return ToClient
}
