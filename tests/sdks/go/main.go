// Does what it is told, by all that the SDK has.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	guardrail "github.com/mcp-gateway/mcp-gateway/sdk/go"
)

var (
	secret = regexp.MustCompile("SECRET")
	long   = regexp.MustCompile("SECRET-LONG")
	mark   = regexp.MustCompile("MARK")
)

type all struct{}

func (all) Check(message *guardrail.Message, verdict *guardrail.Verdict) error {
	for _, text := range message.Texts {
		verdict.MaskAll(text, secret, guardrail.Rule{ID: "secret"}, "<S>")
		verdict.MaskAll(text, long, guardrail.Rule{ID: "long", Confidence: 0.5, Note: "a remark"}, "<L>")
		for _, at := range mark.FindAllStringIndex(text.Value, -1) {
			verdict.Mark(text, at[0], at[1], guardrail.Rule{ID: "mark"})
		}
		if err := told(message, verdict, text); err != nil {
			return err
		}
		if words := strings.SplitN(text.Value, " ", 3); words[0] == "post" && len(words) == 3 {
			post(verdict, words[1], words[2])
		}
	}
	return nil
}

func told(message *guardrail.Message, verdict *guardrail.Verdict, text guardrail.Text) error {
	switch text.Value {
	case "note":
		verdict.Note(guardrail.Rule{ID: "noted"})
	case "block":
		verdict.Block("as told")
	case "ask":
		verdict.Ask("may it?")
	case "fail":
		return errors.New("it cannot")
	case "envelope":
		way := map[guardrail.Direction]string{guardrail.ToServer: "to-server", guardrail.ToClient: "to-client"}
		verdict.Block(fmt.Sprintln(message.Server, message.Method, message.Kind, way[message.Direction], message.Subject))
	case "place":
		place, _ := message.Place(text)
		role := "value"
		if place.Key {
			role = "key"
		}
		verdict.Block(place.Pointer + " " + role)
	case "value":
		value, _ := message.Value("/content/0/type")
		more := "more"
		if _, ok := message.Value("/content/1"); !ok {
			more = "no more"
		}
		var kind string
		if err := json.Unmarshal([]byte(value), &kind); err != nil {
			return err
		}
		verdict.Block("type " + kind + ", " + more)
	case "payload":
		var payload struct{ Content []any }
		text, _ := message.Payload()
		if err := json.Unmarshal([]byte(text), &payload); err != nil {
			return err
		}
		verdict.Block(fmt.Sprintf("%d content", len(payload.Content)))
	case "request":
		request := struct{ Name string }{"none"}
		if text, ok := message.Request(); ok {
			if err := json.Unmarshal([]byte(text), &request); err != nil {
				return err
			}
		}
		verdict.Block(request.Name)
	case "earlier":
		for _, it := range message.EarlierFindings() {
			verdict.Block(it.Guardrail + " found " + it.Rule)
		}
	case "elapsed":
		if message.Elapsed() > 0 {
			verdict.Block("some time passed")
		}
	case "add":
		verdict.Add("/b", `["é"]`)
	case "replace":
		verdict.Replace("/a", "7")
	case "remove":
		verdict.Remove("/a")
	case "count":
		sum, err := guardrail.Increment(guardrail.Session, "n", 2, 60)
		verdict.Block(fmt.Sprintf("counted %d", sum))
		return err
	case "keep":
		if err := guardrail.Set(guardrail.Session, "k", "kept é", 60); err != nil {
			return err
		}
		kept, _ := guardrail.Get(guardrail.Session, "k")
		verdict.Block(kept)
	case "forget":
		if guardrail.Remove(guardrail.Session, "k") {
			verdict.Block("forgotten")
		}
		verdict.Block("never known")
	case "swap":
		return swap(verdict)
	case "tell":
		verdict.Block("told all")
		return guardrail.Set(guardrail.Global, "g", "told", 0)
	case "hear":
		heard, ok := guardrail.Get(guardrail.Global, "g")
		if !ok {
			heard = "nothing"
		}
		verdict.Block("heard " + heard)
	case "key":
		key := func(purpose string) []byte { return guardrail.DeriveKey(guardrail.Session, purpose) }
		verdict.Block(fmt.Sprintf("%x %x %x", key("p"), key("p"), key("q")))
	case "log":
		for _, write := range []func(string){guardrail.Error, guardrail.Warn, guardrail.Info, guardrail.Debug} {
			write("a line é")
		}
	}
	return nil
}

func post(verdict *guardrail.Verdict, url, body string) {
	answer, err := guardrail.Send(guardrail.Request{
		Method:   "POST",
		URL:      url,
		Header:   guardrail.Header{"x-guardrail": {"all"}},
		Body:     []byte(body),
		Patience: 5 * time.Second,
	})
	if err != nil {
		kinds := map[guardrail.HTTPErrorKind]string{guardrail.Refused: "refused", guardrail.Unreachable: "unreachable"}
		var why guardrail.HTTPError
		errors.As(err, &why)
		verdict.Block(kinds[why.Kind] + ": " + err.Error())
		return
	}
	start := answer.Body[:min(len(answer.Body), 40)]
	verdict.Block(fmt.Sprintln(answer.Status, answer.Header.Get("X-Answer"), len(answer.Body), string(start)))
}

func swap(verdict *guardrail.Verdict) error {
	one := "one"
	said := ""
	for _, it := range []struct {
		expected *string
		value    string
	}{{&one, "two"}, {nil, "one"}, {nil, "three"}, {&one, "two é"}} {
		swapped, err := guardrail.CompareAndSwap(guardrail.Session, "s", it.expected, it.value, 60)
		if err != nil {
			return err
		}
		said += fmt.Sprint(swapped, " ")
	}
	kept, _ := guardrail.Get(guardrail.Session, "s")
	verdict.Block(said + kept)
	return nil
}

func init() {
	guardrail.Register(func(config []byte) (guardrail.Guardrail, guardrail.Manifest, error) {
		return all{}, guardrail.Manifest{
			Name:        "all",
			Version:     "0.1.0",
			Description: "Does what it is told.",
			Wants: []guardrail.Interest{{
				Methods:    []string{"tools/*"},
				Kinds:      []string{"request", "response"},
				Directions: []guardrail.Direction{guardrail.ToServer, guardrail.ToClient},
			}},
			ConfigSchema: `{"type":"object"}`,
			Examples: []guardrail.Example{
				{Texts: []string{"SECRET é"}, Expects: guardrail.Redact, After: []string{"<S> é"}},
				{ToServer: true, Texts: []string{"block"}, Expects: guardrail.Block},
			},
		}, guardrail.Read(config, &struct{}{})
	})
}

func main() {}
