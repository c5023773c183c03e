//go:build !wasip1

package guardrail

import (
	"crypto/sha256"
	"fmt"
	"os"
	"strconv"
)

// What stands in for the gateway in a test: values stay until they are removed, whatever their seconds.
var stores [2]map[string]string

func write(level uint32, line string) {
	fmt.Fprintf(os.Stderr, "%s: %s\n", [...]string{"error", "warn", "info", "debug"}[level], line)
}

func stateGet(scope Scope, key string) (string, bool) {
	value, ok := stores[scope][key]
	return value, ok
}

func stateSet(scope Scope, key, value string, _ int) error {
	if stores[scope] == nil {
		stores[scope] = map[string]string{}
	}
	stores[scope][key] = value
	return nil
}

func stateRemove(scope Scope, key string) bool {
	_, ok := stores[scope][key]
	delete(stores[scope], key)
	return ok
}

func stateIncrement(scope Scope, key string, by int64, seconds int) (int64, error) {
	var sum int64
	if kept, ok := stores[scope][key]; ok {
		number, err := strconv.ParseInt(kept, 10, 64)
		if err != nil {
			return 0, ErrNotANumber
		}
		sum = number
	}
	sum += by
	return sum, stateSet(scope, key, strconv.FormatInt(sum, 10), seconds)
}

func stateSwap(scope Scope, key string, expected *string, value string, seconds int) (bool, error) {
	kept, ok := stores[scope][key]
	if ok != (expected != nil) || ok && kept != *expected {
		return false, nil
	}
	return true, stateSet(scope, key, value, seconds)
}

func derive(scope Scope, purpose string) string {
	key := sha256.Sum256(fmt.Appendf(nil, "no secret %d %s", scope, purpose))
	return string(key[:])
}

func send(_ Request, to destination) (Response, error) {
	return Response{}, HTTPError{Unreachable, to.authority + " is not reached outside of a gateway"}
}
