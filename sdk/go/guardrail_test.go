package guardrail

import (
	"errors"
	"regexp"
	"slices"
	"strings"
	"testing"
)

type checks func(*Message, *Verdict)

func (c checks) Check(message *Message, verdict *Verdict) error {
	c(message, verdict)
	return nil
}

func judged(t *testing.T, check checks, texts ...string) Outcome {
	t.Helper()
	outcome, err := Sample{Example: Example{Texts: texts}}.Judge(check)
	if err != nil {
		t.Fatal(err)
	}
	return outcome
}

func rules(outcome Outcome) string {
	var ids []string
	for _, it := range outcome.Findings {
		ids = append(ids, it.Rule.ID)
	}
	return strings.Join(ids, " ")
}

func TestMasksAreAppliedWhateverTheCharacters(t *testing.T) {
	name := regexp.MustCompile("NAME")
	outcome := judged(t, func(message *Message, verdict *Verdict) {
		for _, text := range message.Texts {
			verdict.MaskAll(text, name, Rule{ID: "name"}, "<X>")
		}
	}, "é😀 NAME ü NAME", "", "żółć", "NAME")
	if want := []string{"é😀 <X> ü <X>", "", "żółć", "<X>"}; !slices.Equal(outcome.Texts, want) {
		t.Errorf("%q", outcome.Texts)
	}
}

func TestMasksThatOverlapBecomeOneWithTheRuleOfTheLongest(t *testing.T) {
	outcome := judged(t, func(message *Message, verdict *Verdict) {
		text := message.Texts[0]
		verdict.Mask(text, 4, 7, Rule{ID: "short"}, "S")
		verdict.Mask(text, 0, 5, Rule{ID: "long"}, "L")
		verdict.Mark(text, 6, 8, Rule{ID: "mark"})
		verdict.Mark(text, 8, 9, Rule{ID: "beside"})
	}, "0123456789")
	if outcome.Texts[0] != "L789" || rules(outcome) != "long beside short mark" {
		t.Errorf("%q %s", outcome.Texts, rules(outcome))
	}
}

func TestAPlaceThatIsNoPartOfItsTextIsAnError(t *testing.T) {
	for _, at := range [][2]int{{1, 4}, {0, 1}, {2, 2}, {-1, 2}} {
		check := checks(func(message *Message, verdict *Verdict) {
			verdict.Mask(message.Texts[0], at[0], at[1], Rule{ID: "r"}, "")
		})
		if _, err := (Sample{Example: Example{Texts: []string{"éa", "bc"}}}).Judge(check); err == nil {
			t.Errorf("%v passes", at)
		}
	}
}

func TestToBlockGoesBeforeMasksAndTheFirstReasonStands(t *testing.T) {
	outcome := judged(t, func(message *Message, verdict *Verdict) {
		verdict.Mask(message.Texts[0], 0, 1, Rule{ID: "mask"}, "")
		verdict.Ask("sure?")
		verdict.Block("no")
		verdict.Block("never")
	}, "a")
	if outcome.Decision != Block || outcome.Reason != "no" || outcome.Texts[0] != "a" {
		t.Errorf("%+v", outcome)
	}
}

func TestAConfigurationWithAnUnknownKeyIsRefused(t *testing.T) {
	var config struct{ Name string }
	if err := Read([]byte(`{"nmae":"x"}`), &config); err == nil || !strings.Contains(err.Error(), "nmae") {
		t.Error(err)
	}
}

func TestATestCanKeepState(t *testing.T) {
	Increment(Session, "calls", 1, 0)
	if sum, err := Increment(Session, "calls", 2, 60); sum != 3 || err != nil {
		t.Error(sum, err)
	}
	if _, ok := Get(Global, "calls"); ok {
		t.Error("kept for all")
	}
	one := "one"
	for _, it := range []struct {
		expected *string
		value    string
		swaps    bool
	}{{&one, "two", false}, {nil, "one", true}, {nil, "three", false}, {&one, "two", true}} {
		if swapped, err := CompareAndSwap(Session, "s", it.expected, it.value, 0); swapped != it.swaps || err != nil {
			t.Error(it.value, swapped, err)
		}
	}
	if kept, _ := Get(Session, "s"); kept != "two" {
		t.Error(kept)
	}
	Set(Session, "word", "w", 0)
	if _, err := Increment(Session, "word", 1, 0); err != ErrNotANumber {
		t.Error(err)
	}
}

func TestATestHasKeysToo(t *testing.T) {
	key := DeriveKey(Session, "p")
	if len(key) != 32 || !slices.Equal(key, DeriveKey(Session, "p")) || slices.Equal(key, DeriveKey(Session, "q")) {
		t.Error(key)
	}
}

func TestAnAddressIsTakenApartAsItIsWritten(t *testing.T) {
	for url, parts := range map[string]destination{
		"https://a.example":  {true, "a.example", "/"},
		"http://a:1/b/c?d#e": {false, "a:1", "/b/c?d"},
		"https://a?b/c":      {true, "a", "/?b/c"},
	} {
		if to, ok := destinationOf(url); !ok || to != parts {
			t.Error(url, to)
		}
	}
	for _, url := range []string{"ftp://a", "a.example/b", "https:///b"} {
		if _, ok := destinationOf(url); ok {
			t.Error(url)
		}
	}
}

func TestNobodyIsReachedOutsideOfAGateway(t *testing.T) {
	_, err := Send(Request{URL: "https://a.example/b"})
	var why HTTPError
	if !errors.As(err, &why) || why.Kind != Unreachable {
		t.Error(err)
	}
}
