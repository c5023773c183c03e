package guardrail

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Sample is a message to judge in a test, without a gateway: a tool's result, unless said otherwise.
type Sample struct {
	Example
	Subject string
	// What Payload, Value and Request give: JSON texts, values by their JSON Pointers.
	JSON, Params string
	Values       map[string]string
}

// Outcome is what became of a sample. Patches are not applied.
type Outcome struct {
	Decision Decision
	// Why it is refused, or what is asked.
	Reason   string
	Texts    []string
	Findings []Finding
	Patch    []Operation
}

// Judge lets a guardrail judge the sample.
func (s Sample) Judge(guardrail Guardrail) (Outcome, error) {
	it := s.filled()
	var ends []uint32
	joined := strings.Join(it.Texts, "")
	for _, text := range it.Texts {
		end := len(text)
		if len(ends) > 0 {
			end += int(ends[len(ends)-1])
		}
		ends = append(ends, uint32(end))
	}
	message := &Message{
		Session: "session", Exchange: 1, Server: "server", Method: it.Method, Kind: it.Kind,
		Direction: it.direction(), Subject: s.Subject, Texts: texts(joined, ends), details: s,
	}
	var verdict Verdict
	if err := guardrail.Check(message, &verdict); err != nil {
		return Outcome{}, err
	}
	if verdict.fault != nil {
		return Outcome{}, verdict.fault
	}
	outcome := Outcome{verdict.decision(), verdict.reason, it.Texts, verdict.findings(), verdict.patch}
	if outcome.Decision == Redact || outcome.Decision == Patch {
		outcome.Texts = redacted(joined, ends, outcome.Findings)
	}
	return outcome, nil
}

// ExamplesHold runs the examples of a manifest, and tells the first that fails.
func ExamplesHold(guardrail Guardrail, manifest Manifest) error {
	for number, example := range manifest.Examples {
		outcome, err := Sample{Example: example}.Judge(guardrail)
		if err != nil {
			return err
		}
		kept := example.After == nil || slices.Equal(outcome.Texts, example.After)
		if outcome.Decision != example.Expects || !kept {
			return fmt.Errorf("example %d: %v, %q", number+1, outcome.Decision, outcome.Texts)
		}
	}
	return nil
}

func redacted(joined string, ends []uint32, findings []Finding) []string {
	var after []string
	start := 0
	for _, end := range ends {
		var text strings.Builder
		for _, it := range findings {
			if it.Masked && start <= it.Start && it.Start < int(end) {
				text.WriteString(joined[start:it.Start] + it.Replacement)
				start = it.End
			}
		}
		text.WriteString(joined[start:end])
		after = append(after, text.String())
		start = int(end)
	}
	return after
}

func (s Sample) place(int) (Place, bool) { return Place{}, false }

func (s Sample) payload() (string, bool) { return s.JSON, s.JSON != "" }

func (s Sample) value(pointer string) (string, bool) {
	value, ok := s.Values[pointer]
	return value, ok
}

func (s Sample) request() (string, bool) { return s.Params, s.Params != "" }

func (s Sample) earlier() []EarlierFinding { return nil }

func (s Sample) elapsed() time.Duration { return 0 }
