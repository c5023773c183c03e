// Refuses calls of tools when a session makes too many in a time.
package main

import (
	"errors"
	"fmt"

	guardrail "github.com/mcp-gateway/mcp-gateway/sdk/go"
)

type rateLimit struct {
	Calls   int64
	Seconds int
	Per     string
}

func configure(config []byte) (guardrail.Guardrail, guardrail.Manifest, error) {
	limit := rateLimit{Calls: 30, Seconds: 60, Per: "tool"}
	if err := guardrail.Read(config, &limit); err != nil {
		return nil, manifest, err
	}
	switch {
	case limit.Calls < 1:
		return nil, manifest, errors.New("calls has to be at least 1")
	case limit.Seconds < 1:
		return nil, manifest, errors.New("seconds has to be at least 1")
	case limit.Per != "tool" && limit.Per != "session":
		return nil, manifest, errors.New(`per has to be "tool" or "session"`)
	}
	return limit, manifest, nil
}

var manifest = guardrail.Manifest{
	Name:        "rate-limit",
	Version:     "0.1.0",
	Description: "Refuses calls of tools when a session makes too many in a time.",
	Wants: []guardrail.Interest{
		{Methods: []string{"tools/call"}, Kinds: []string{"request"}, Directions: []guardrail.Direction{guardrail.ToServer}},
	},
	Examples: []guardrail.Example{{ToServer: true, Texts: []string{"the first call"}, Expects: guardrail.Pass}},
}

func (r rateLimit) Check(message *guardrail.Message, verdict *guardrail.Verdict) error {
	key := "calls"
	if r.Per == "tool" {
		key = "calls of " + message.Server + " " + message.Subject
	}
	calls, err := guardrail.Increment(guardrail.Session, key, 1, r.Seconds)
	if err != nil {
		return err
	}
	if calls > r.Calls {
		verdict.Note(guardrail.Rule{ID: "rate"})
		verdict.Block(fmt.Sprintf("there may be %d calls in %d seconds; wait before the next", r.Calls, r.Seconds))
	}
	return nil
}

func init() { guardrail.Register(configure) }

func main() {}
