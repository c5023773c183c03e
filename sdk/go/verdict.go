package guardrail

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"unicode/utf8"
)

// Rule is a rule that fired. Neither its identifier nor its note may hold what was found.
type Rule struct {
	// Short and stable, such as aws-access-key.
	ID string
	// How sure it is, from 0 to 1; 0 stands for 1.
	Confidence float32
	// A remark for the person who reads the audit trail.
	Note string
}

// Finding is what was found.
type Finding struct {
	Rule Rule
	// Where, in bytes of all texts; nowhere if both are 0.
	Start, End int
	// What takes its place, if Masked.
	Replacement string
	Masked      bool
}

// Operation changes the payload: add, replace or remove, at a JSON Pointer, with a JSON text.
type Operation struct{ Op, Pointer, Value string }

// Verdict collects what was found. Places are bytes of one text, as in a Go string; they may come in any order and
// overlap: masks that overlap become one, which covers all of them. To block goes before to ask, before a patch, before
// masks.
type Verdict struct {
	masks, marks, notes []Finding
	patch               []Operation
	reason              string
	blocked, asked      bool
	fault               error
}

// Mask replaces a part of a text.
func (v *Verdict) Mask(text Text, start, end int, rule Rule, replacement string) {
	if v.isPart(text, start, end, rule) {
		v.masks = append(v.masks, Finding{rule, text.start + start, text.start + end, replacement, true})
	}
}

// MaskAll replaces all that a pattern matches.
func (v *Verdict) MaskAll(text Text, pattern *regexp.Regexp, rule Rule, replacement string) {
	for _, at := range pattern.FindAllStringIndex(text.Value, -1) {
		if at[0] < at[1] {
			v.Mask(text, at[0], at[1], rule, replacement)
		}
	}
}

// Mark reports a part of a text, and leaves it as it is.
func (v *Verdict) Mark(text Text, start, end int, rule Rule) {
	if v.isPart(text, start, end, rule) {
		v.marks = append(v.marks, Finding{Rule: rule, Start: text.start + start, End: text.start + end})
	}
}

// Note reports something about the whole message.
func (v *Verdict) Note(rule Rule) { v.notes = append(v.notes, Finding{Rule: rule}) }

// Add inserts into an array of the payload (- appends), or sets an object's member, to a JSON text.
func (v *Verdict) Add(pointer, value string) {
	v.patch = append(v.patch, Operation{"add", pointer, value})
}

// Replace replaces a value of the payload by a JSON text.
func (v *Verdict) Replace(pointer, value string) {
	v.patch = append(v.patch, Operation{"replace", pointer, value})
}

// Remove removes a value of the payload. Operations apply in order: remove from the end of an array.
func (v *Verdict) Remove(pointer string) {
	v.patch = append(v.patch, Operation{"remove", pointer, ""})
}

// Block refuses the message; the first reason stands. Model and person read it, so it must not hold what was found.
func (v *Verdict) Block(reason string) {
	if !v.blocked {
		v.blocked, v.reason = true, reason
	}
}

// Ask lets a person decide.
func (v *Verdict) Ask(question string) {
	if !v.blocked && !v.asked {
		v.asked, v.reason = true, question
	}
}

func (v *Verdict) isPart(text Text, start, end int, rule Rule) bool {
	whole := func(at int) bool { return at == len(text.Value) || utf8.RuneStart(text.Value[at]) }
	if 0 <= start && start < end && end <= len(text.Value) && whole(start) && whole(end) {
		return true
	}
	if v.fault == nil {
		v.fault = fmt.Errorf("rule %q: %d..%d is no part of a text of %d bytes", rule.ID, start, end, len(text.Value))
	}
	return false
}

func (v *Verdict) decision() Decision {
	switch {
	case v.blocked:
		return Block
	case v.asked:
		return Ask
	case len(v.patch) > 0:
		return Patch
	case len(v.masks) > 0:
		return Redact
	}
	return Pass
}

// findings are those with a place, sorted and free of overlaps, then the rest.
func (v *Verdict) findings() []Finding {
	masks, lost := merge(v.masks)
	marks, lostMarks := merge(v.marks)
	lost = append(lost, lostMarks...)
	all := make([]Finding, 0, len(masks)+len(marks)+len(lost)+len(v.notes))
	// A mark that overlaps a mask loses its place.
	for _, mark := range marks {
		for len(masks) > 0 && masks[0].End <= mark.Start {
			all, masks = append(all, masks[0]), masks[1:]
		}
		if len(masks) > 0 && masks[0].Start < mark.End {
			lost = append(lost, mark)
		} else {
			all = append(all, mark)
		}
	}
	all = append(all, masks...)
	for _, finding := range lost {
		all = append(all, Finding{Rule: finding.Rule})
	}
	return append(all, v.notes...)
}

// merge makes one finding of those that overlap; the longest gives its rule and its replacement.
func merge(findings []Finding) (kept, lost []Finding) {
	slices.SortStableFunc(findings, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(b.End, a.End))
	})
	longest := 0
	for _, next := range findings {
		length := next.End - next.Start
		if len(kept) == 0 || kept[len(kept)-1].End <= next.Start {
			kept, longest = append(kept, next), length
			continue
		}
		last := &kept[len(kept)-1]
		start, end, loser := last.Start, max(last.End, next.End), next
		if length > longest {
			longest, loser = length, *last
			*last = next
		}
		last.Start, last.End = start, end
		// The same rule twice on the same place tells a person nothing.
		if loser.Rule.ID != last.Rule.ID {
			lost = append(lost, loser)
		}
	}
	return kept, lost
}
