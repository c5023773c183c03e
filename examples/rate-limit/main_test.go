package main

import (
	"testing"

	guardrail "github.com/mcp-gateway/mcp-gateway/sdk/go"
)

func TestCallsAreCountedByTool(t *testing.T) {
	limit, _, err := configure([]byte(`{"calls": 2, "seconds": 10}`))
	if err != nil {
		t.Fatal(err)
	}
	for number, want := range []guardrail.Decision{guardrail.Pass, guardrail.Pass, guardrail.Block} {
		sample := guardrail.Sample{Example: guardrail.Example{ToServer: true}, Subject: "a"}
		if outcome, err := sample.Judge(limit); err != nil || outcome.Decision != want {
			t.Error(number, outcome, err)
		}
	}
	other := guardrail.Sample{Example: guardrail.Example{ToServer: true}, Subject: "b"}
	if outcome, _ := other.Judge(limit); outcome.Decision != guardrail.Pass {
		t.Error(outcome)
	}
}

func TestAConfigurationThatCannotBeUsedIsRefused(t *testing.T) {
	for _, config := range []string{`{"calls": 0}`, `{"seconds": 0}`, `{"per": "server"}`, `{"call": 1}`} {
		if _, _, err := configure([]byte(config)); err == nil {
			t.Error(config)
		}
	}
}
