package main

import (
	"slices"
	"testing"

	guardrail "github.com/mcp-gateway/mcp-gateway/sdk/go"
)

func TestTheNameIsHiddenWhereverItStands(t *testing.T) {
	texts := []string{"BLUEBIRD-7 of BLUEBIRD", "bluebird"}
	outcome, err := guardrail.Sample{Example: guardrail.Example{Texts: texts}}.Judge(myGuardrail{})
	want := []string{"<CODENAME>-7 of <CODENAME>", "bluebird"}
	if err != nil || !slices.Equal(outcome.Texts, want) {
		t.Error(outcome.Texts, err)
	}
}

func TestItsExamplesHold(t *testing.T) {
	if err := guardrail.ExamplesHold(myGuardrail{}, manifest); err != nil {
		t.Error(err)
	}
}
