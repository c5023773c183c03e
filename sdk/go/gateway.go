//go:build wasip1

package guardrail

import (
	"strings"
	"time"
	"unsafe"
)

// handle is the message as the gateway knows it.
type handle uint32

//go:wasmimport mcp-gateway:guardrail/message@0.1.0 [method]message.place
func rawPlace(handle, text uint32, result unsafe.Pointer)

//go:wasmimport mcp-gateway:guardrail/message@0.1.0 [method]message.payload
func rawPayload(handle uint32, result unsafe.Pointer)

//go:wasmimport mcp-gateway:guardrail/message@0.1.0 [method]message.value
func rawValue(handle, pointer, length uint32, result unsafe.Pointer)

//go:wasmimport mcp-gateway:guardrail/message@0.1.0 [method]message.request
func rawRequest(handle uint32, result unsafe.Pointer)

//go:wasmimport mcp-gateway:guardrail/message@0.1.0 [method]message.earlier-findings
func rawEarlier(handle uint32, result unsafe.Pointer)

//go:wasmimport mcp-gateway:guardrail/message@0.1.0 [method]message.elapsed
func rawElapsed(handle uint32) int64

//go:wasmimport mcp-gateway:guardrail/message@0.1.0 [resource-drop]message
func rawDrop(handle uint32)

//go:wasmimport mcp-gateway:guardrail/log@0.1.0 write
func rawWrite(level, line, length uint32)

//go:wasmimport mcp-gateway:guardrail/state@0.1.0 get
func rawGet(scope, key, length uint32, result unsafe.Pointer)

//go:wasmimport mcp-gateway:guardrail/state@0.1.0 set
func rawSet(scope, key, keyLength, value, valueLength, hasTTL, ttl uint32, result unsafe.Pointer)

//go:wasmimport mcp-gateway:guardrail/state@0.1.0 delete
func rawDelete(scope, key, length uint32) uint32

//go:wasmimport mcp-gateway:guardrail/state@0.1.0 increment
func rawIncrement(scope, key, length uint32, by int64, hasTTL, ttl uint32, result unsafe.Pointer)

//go:wasmimport mcp-gateway:guardrail/state@0.1.0 compare-and-swap
func rawSwap(scope, key, keyLength, some, expected, expectedLength, value, valueLength, hasTTL, ttl uint32, result unsafe.Pointer)

//go:wasmimport mcp-gateway:guardrail/keys@0.1.0 derive
func rawDerive(scope, purpose, length uint32, result unsafe.Pointer)

func (h handle) place(text int) (Place, bool) {
	result := keep(struct {
		some    uint8
		pointer str
		role    uint8
	}{})
	rawPlace(uint32(h), uint32(text), unsafe.Pointer(result))
	return Place{in(result.pointer), result.role == 0}, result.some != 0
}

func (h handle) payload() (string, bool) {
	result := keep(maybe{})
	rawPayload(uint32(h), unsafe.Pointer(result))
	return inMaybe(*result)
}

func (h handle) value(pointer string) (string, bool) {
	result, at := keep(maybe{}), out(pointer)
	rawValue(uint32(h), at.ptr, at.len, unsafe.Pointer(result))
	return inMaybe(*result)
}

func (h handle) request() (string, bool) {
	result := keep(maybe{})
	rawRequest(uint32(h), unsafe.Pointer(result))
	return inMaybe(*result)
}

func (h handle) earlier() []EarlierFinding {
	result := keep(str{})
	rawEarlier(uint32(h), unsafe.Pointer(result))
	if result.len == 0 {
		return nil
	}
	raw := unsafe.Slice((*[2]str)(unsafe.Pointer(uintptr(result.ptr))), result.len)
	findings := make([]EarlierFinding, len(raw))
	for i, it := range raw {
		findings[i] = EarlierFinding{strings.Clone(in(it[0])), strings.Clone(in(it[1]))}
	}
	return findings
}

func (h handle) elapsed() time.Duration {
	return time.Duration(rawElapsed(uint32(h))) * time.Microsecond
}

func write(level uint32, line string) {
	text := out(line)
	rawWrite(level, text.ptr, text.len)
}

func stateGet(scope Scope, key string) (string, bool) {
	result, at := keep(maybe{}), out(key)
	rawGet(uint32(scope), at.ptr, at.len, unsafe.Pointer(result))
	return inMaybe(*result)
}

func stateSet(scope Scope, key, value string, seconds int) error {
	result, at, with := keep([2]uint8{}), out(key), out(value)
	has, ttl := lifetime(seconds)
	rawSet(uint32(scope), at.ptr, at.len, with.ptr, with.len, has, ttl, unsafe.Pointer(result))
	return refused(result[0], result[1])
}

func stateRemove(scope Scope, key string) bool {
	at := out(key)
	return rawDelete(uint32(scope), at.ptr, at.len) != 0
}

func stateIncrement(scope Scope, key string, by int64, seconds int) (int64, error) {
	result := keep(struct {
		isError uint8
		sum     int64
	}{})
	at := out(key)
	has, ttl := lifetime(seconds)
	rawIncrement(uint32(scope), at.ptr, at.len, by, has, ttl, unsafe.Pointer(result))
	return result.sum, refused(result.isError, uint8(result.sum))
}

func stateSwap(scope Scope, key string, expected *string, value string, seconds int) (bool, error) {
	result, at, with := keep([2]uint8{}), out(key), out(value)
	var old maybe
	if expected != nil {
		old = maybe{some: 1, value: out(*expected)}
	}
	has, ttl := lifetime(seconds)
	rawSwap(
		uint32(scope), at.ptr, at.len, uint32(old.some), old.value.ptr, old.value.len, with.ptr, with.len, has, ttl,
		unsafe.Pointer(result),
	)
	return result[0] == 0 && result[1] != 0, refused(result[0], result[1])
}

func derive(scope Scope, purpose string) string {
	result, at := keep(str{}), out(purpose)
	rawDerive(uint32(scope), at.ptr, at.len, unsafe.Pointer(result))
	return in(*result)
}

func lifetime(seconds int) (has, ttl uint32) {
	if seconds <= 0 {
		return 0, 0
	}
	return 1, uint32(seconds)
}

func refused(isError, why uint8) error {
	if isError == 0 {
		return nil
	}
	return [...]error{ErrFull, ErrTooLarge, ErrNotANumber}[why]
}
