package guardrail

import "errors"

// Scope is how far a value reaches that the gateway keeps.
type Scope uint8

// The scopes.
const (
	Session Scope = iota
	Global
)

// Why something is not kept.
var (
	ErrFull       = errors.New("the gateway has no more room for what this guardrail keeps")
	ErrTooLarge   = errors.New("the key or the value is longer than the gateway keeps")
	ErrNotANumber = errors.New("what is kept is no number that can be counted on")
)

// Get gives the value of a key that the gateway keeps for the guardrail. The state outlives instances, faults and swaps;
// the configuration has to grant it, and wit/world.wit to import it.
func Get(scope Scope, key string) (string, bool) { return stateGet(scope, key) }

// Set sets a value, for some seconds or, with 0, for as long as the store lasts.
func Set(scope Scope, key, value string, seconds int) error {
	return stateSet(scope, key, value, seconds)
}

// Remove removes a value. It says whether there was one.
func Remove(scope Scope, key string) bool { return stateRemove(scope, key) }

// Increment adds to a number, which counts from 0, and gives the sum. The seconds run from the first call.
func Increment(scope Scope, key string, by int64, seconds int) (int64, error) {
	return stateIncrement(scope, key, by, seconds)
}

// CompareAndSwap sets a value if what is there is what is expected: this value, or nothing where expected is nil. It says
// whether it did; if not, all is as it was.
func CompareAndSwap(scope Scope, key string, expected *string, value string, seconds int) (bool, error) {
	return stateSwap(scope, key, expected, value, seconds)
}

// DeriveKey gives the secret key for a purpose, 32 bytes that nobody else can make: for a session of this session alone,
// else the same in all, and after the gateway was started anew. Another purpose, or guardrail, has an unrelated key.
// The configuration has to grant it, and wit/world.wit to import it. Examples and tests have keys of a secret that is
// none.
func DeriveKey(scope Scope, purpose string) []byte { return []byte(derive(scope, purpose)) }

// Error logs that the guardrail could not do its work. Never log what a message holds: the log is no secret.
func Error(line string) { write(0, line) }

// Warn logs something that a person should look at.
func Warn(line string) { write(1, line) }

// Info logs something that a person may want to know.
func Info(line string) { write(2, line) }

// Debug logs something for the author of the guardrail.
func Debug(line string) { write(3, line) }
