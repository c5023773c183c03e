//go:build wasip1

package guardrail

import (
	"structs"
	"unsafe"
)

// What is between the gateway and a guardrail: records as the canonical ABI lays them out, in which addresses have 32
// bits.

type str struct {
	_        structs.HostLayout
	ptr, len uint32
}

type maybe struct {
	_     structs.HostLayout
	some  uint8
	value str
}

type arguments struct {
	_                    structs.HostLayout
	session              str
	hasExchange          uint8
	exchange             uint64
	server, method, kind str
	direction            uint8
	subject              maybe
	joined, ends         str
	message              uint32
}

type rawInterest struct {
	_                          structs.HostLayout
	methods, kinds, directions str
}

type rawExample struct {
	_            structs.HostLayout
	method, kind str
	direction    uint8
	texts        str
	expects      uint8
	after        str
}

type configured struct {
	_                          structs.HostLayout
	isError                    uint8
	name, version, description str // or the error, in the place of the name
	wants                      str
	schema                     maybe
	examples                   str
}

type rawFinding struct {
	_           structs.HostLayout
	rule        str
	hasSpan     uint8
	start, end  uint32
	replacement maybe
	confidence  float32
	note        maybe
}

type rawOperation struct {
	_           structs.HostLayout
	tag         uint8
	path, value str
}

type checked struct {
	_        structs.HostLayout
	isError  uint8
	decision uint32 // a byte, and room; or the error's address, with its length behind
	text     str    // the reason, or the patch
	findings str
}

// kept holds what the gateway reads, or has written, until it is done with that.
var kept []any

func keep[T any](it T) *T {
	kept = append(kept, &it)
	return &it
}

func address[T any](it *T) uint32 { return uint32(uintptr(unsafe.Pointer(it))) }

func out(text string) str {
	kept = append(kept, text)
	return str{ptr: uint32(uintptr(unsafe.Pointer(unsafe.StringData(text)))), len: uint32(len(text))}
}

func outList[T any](list []T) str {
	if len(list) == 0 {
		return str{}
	}
	kept = append(kept, list)
	return str{ptr: address(&list[0]), len: uint32(len(list))}
}

func outTexts(texts []string) str {
	list := make([]str, len(texts))
	for i, text := range texts {
		list[i] = out(text)
	}
	return outList(list)
}

func outMaybe(text string) maybe {
	if text == "" {
		return maybe{}
	}
	return maybe{some: 1, value: out(text)}
}

// in reads what was written into memory of realloc.
func in(text str) string {
	if text.len == 0 {
		return ""
	}
	return unsafe.String((*byte)(unsafe.Pointer(uintptr(text.ptr))), text.len)
}

func inMaybe(text maybe) (string, bool) { return in(text.value), text.some != 0 }

//go:wasmexport cabi_realloc
func realloc(old, oldSize, align, size uint32) uint32 {
	memory := make([]uint64, size/8+1)
	kept = append(kept, memory)
	place := &memory[0]
	if old != 0 {
		copy(unsafe.Slice((*byte)(unsafe.Pointer(place)), size), unsafe.Slice((*byte)(unsafe.Pointer(uintptr(old))), oldSize))
	}
	return address(place)
}

var guardrail Guardrail

//go:wasmexport mcp-gateway:guardrail/guardrail@0.1.0#configure
func exportConfigure(config, length uint32) uint32 {
	result := keep(configured{})
	made, manifest, err := configure([]byte(in(str{ptr: config, len: length})))
	if err != nil {
		result.isError, result.name = 1, out(err.Error())
		return address(result)
	}
	guardrail = made
	result.name, result.version, result.description = out(manifest.Name), out(manifest.Version), out(manifest.Description)
	interests := make([]rawInterest, len(manifest.Wants))
	for i, it := range manifest.Wants {
		interests[i] = rawInterest{methods: outTexts(it.Methods), kinds: outTexts(it.Kinds), directions: outList(it.Directions)}
	}
	examples := make([]rawExample, len(manifest.Examples))
	for i, it := range manifest.Examples {
		it = it.filled()
		examples[i] = rawExample{
			method: out(it.Method), kind: out(it.Kind), direction: uint8(it.direction()),
			texts: outTexts(it.Texts), expects: uint8(it.Expects), after: outTexts(it.After),
		}
	}
	result.wants, result.schema, result.examples = outList(interests), outMaybe(manifest.ConfigSchema), outList(examples)
	return address(result)
}

//go:wasmexport cabi_post_mcp-gateway:guardrail/guardrail@0.1.0#configure
func postConfigure(uint32) { kept = nil }

//go:wasmexport mcp-gateway:guardrail/guardrail@0.1.0#check
func exportCheck(at uint32) uint32 {
	it := (*arguments)(unsafe.Pointer(uintptr(at)))
	subject, _ := inMaybe(it.subject)
	message := &Message{
		Session: in(it.session), Exchange: it.exchange, Server: in(it.server), Method: in(it.method), Kind: in(it.kind),
		Direction: Direction(it.direction), Subject: subject, details: handle(it.message),
	}
	if it.hasExchange == 0 {
		message.Exchange = 0
	}
	if it.ends.len > 0 {
		ends := unsafe.Slice((*uint32)(unsafe.Pointer(uintptr(it.ends.ptr))), it.ends.len)
		message.Texts = texts(in(it.joined), ends)
	}
	var verdict Verdict
	err := guardrail.Check(message, &verdict)
	rawDrop(it.message)
	if err == nil {
		err = verdict.fault
	}
	result := keep(checked{})
	if err != nil {
		text := out(err.Error())
		result.isError, result.decision, result.text.ptr = 1, text.ptr, text.len
		return address(result)
	}
	findings := verdict.findings()
	list := make([]rawFinding, len(findings))
	for i, it := range findings {
		finding := rawFinding{rule: out(it.Rule.ID), confidence: it.Rule.Confidence, note: outMaybe(it.Rule.Note)}
		if finding.confidence == 0 {
			finding.confidence = 1
		}
		if it.End > 0 {
			finding.hasSpan, finding.start, finding.end = 1, uint32(it.Start), uint32(it.End)
		}
		if it.Masked {
			finding.replacement = maybe{some: 1, value: out(it.Replacement)}
		}
		list[i] = finding
	}
	decision := verdict.decision()
	result.decision, result.findings = uint32(decision), outList(list)
	switch decision {
	case Block, Ask:
		result.text = out(verdict.reason)
	case Patch:
		operations := make([]rawOperation, len(verdict.patch))
		for i, it := range verdict.patch {
			tag := map[string]uint8{"add": 0, "replace": 1, "remove": 2}[it.Op]
			operations[i] = rawOperation{tag: tag, path: out(it.Pointer), value: out(it.Value)}
		}
		result.text = outList(operations)
	}
	return address(result)
}

//go:wasmexport cabi_post_mcp-gateway:guardrail/guardrail@0.1.0#check
func postCheck(uint32) {
	clear(kept)
	kept = kept[:0]
}
