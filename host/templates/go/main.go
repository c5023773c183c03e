// Hides the name of an internal project.
package main

import (
	"regexp"

	guardrail "github.com/mcp-gateway/mcp-gateway/sdk/go"
)

var name = regexp.MustCompile("BLUEBIRD")

type myGuardrail struct{}

func configure(config []byte) (guardrail.Guardrail, guardrail.Manifest, error) {
	err := guardrail.Read(config, &struct{}{})
	return myGuardrail{}, manifest, err
}

var manifest = guardrail.Manifest{
	Name:        "my-guardrail",
	Version:     "0.1.0",
	Description: "Hides the name of an internal project.",
	Examples: []guardrail.Example{
		{Texts: []string{"BLUEBIRD 2"}, Expects: guardrail.Redact, After: []string{"<CODENAME> 2"}},
	},
}

func (myGuardrail) Check(message *guardrail.Message, verdict *guardrail.Verdict) error {
	for _, text := range message.Texts {
		verdict.MaskAll(text, name, guardrail.Rule{ID: "codename"}, "<CODENAME>")
	}
	return nil
}

func init() { guardrail.Register(configure) }

func main() {}
