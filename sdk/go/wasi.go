//go:build wasip1

package guardrail

import "unsafe"

// A request as wasi:http has it: handles of resources, and results that are written where they are asked for. What belongs
// to another resource is given back before that.

//go:wasmimport wasi:http/types@0.2.0 [constructor]fields
func wasiFields() uint32

//go:wasmimport wasi:http/types@0.2.0 [method]fields.append
func wasiAppend(fields, name, nameLength, value, valueLength uint32, result unsafe.Pointer)

//go:wasmimport wasi:http/types@0.2.0 [method]fields.entries
func wasiEntries(fields uint32, result unsafe.Pointer)

//go:wasmimport wasi:http/types@0.2.0 [resource-drop]fields
func wasiDropFields(fields uint32)

//go:wasmimport wasi:http/types@0.2.0 [constructor]outgoing-request
func wasiRequest(fields uint32) uint32

//go:wasmimport wasi:http/types@0.2.0 [resource-drop]outgoing-request
func wasiDropRequest(request uint32)

//go:wasmimport wasi:http/types@0.2.0 [method]outgoing-request.set-method
func wasiSetMethod(request, which, other, length uint32) uint32

//go:wasmimport wasi:http/types@0.2.0 [method]outgoing-request.set-scheme
func wasiSetScheme(request, some, which, other, length uint32) uint32

//go:wasmimport wasi:http/types@0.2.0 [method]outgoing-request.set-authority
func wasiSetAuthority(request, some, authority, length uint32) uint32

//go:wasmimport wasi:http/types@0.2.0 [method]outgoing-request.set-path-with-query
func wasiSetPath(request, some, path, length uint32) uint32

//go:wasmimport wasi:http/types@0.2.0 [method]outgoing-request.body
func wasiBody(request uint32, result unsafe.Pointer)

//go:wasmimport wasi:http/types@0.2.0 [method]outgoing-body.write
func wasiWriter(body uint32, result unsafe.Pointer)

//go:wasmimport wasi:http/types@0.2.0 [static]outgoing-body.finish
func wasiFinish(body, some, trailers uint32, result unsafe.Pointer)

//go:wasmimport wasi:http/types@0.2.0 [resource-drop]outgoing-body
func wasiDropOutgoing(body uint32)

//go:wasmimport wasi:http/types@0.2.0 [constructor]request-options
func wasiOptions() uint32

//go:wasmimport wasi:http/types@0.2.0 [method]request-options.set-connect-timeout
func wasiConnectTimeout(options, some uint32, nanoseconds int64) uint32

//go:wasmimport wasi:http/types@0.2.0 [method]request-options.set-first-byte-timeout
func wasiFirstByteTimeout(options, some uint32, nanoseconds int64) uint32

//go:wasmimport wasi:http/types@0.2.0 [method]request-options.set-between-bytes-timeout
func wasiBetweenBytesTimeout(options, some uint32, nanoseconds int64) uint32

//go:wasmimport wasi:http/outgoing-handler@0.2.0 handle
func wasiHandle(request, some, options uint32, result unsafe.Pointer)

//go:wasmimport wasi:http/types@0.2.0 [method]future-incoming-response.subscribe
func wasiSubscribe(answer uint32) uint32

//go:wasmimport wasi:http/types@0.2.0 [method]future-incoming-response.get
func wasiGet(answer uint32, result unsafe.Pointer)

//go:wasmimport wasi:http/types@0.2.0 [resource-drop]future-incoming-response
func wasiDropAnswer(answer uint32)

//go:wasmimport wasi:http/types@0.2.0 [method]incoming-response.status
func wasiStatus(response uint32) uint32

//go:wasmimport wasi:http/types@0.2.0 [method]incoming-response.headers
func wasiHeaders(response uint32) uint32

//go:wasmimport wasi:http/types@0.2.0 [method]incoming-response.consume
func wasiConsume(response uint32, result unsafe.Pointer)

//go:wasmimport wasi:http/types@0.2.0 [resource-drop]incoming-response
func wasiDropResponse(response uint32)

//go:wasmimport wasi:http/types@0.2.0 [method]incoming-body.stream
func wasiReader(body uint32, result unsafe.Pointer)

//go:wasmimport wasi:http/types@0.2.0 [resource-drop]incoming-body
func wasiDropIncoming(body uint32)

//go:wasmimport wasi:http/types@0.2.0 http-error-code
func wasiErrorCode(broken uint32, result unsafe.Pointer)

//go:wasmimport wasi:io/error@0.2.0 [resource-drop]error
func wasiDropError(broken uint32)

//go:wasmimport wasi:io/poll@0.2.0 [method]pollable.block
func wasiBlock(pollable uint32)

//go:wasmimport wasi:io/poll@0.2.0 [resource-drop]pollable
func wasiDropPollable(pollable uint32)

//go:wasmimport wasi:io/streams@0.2.0 [method]output-stream.check-write
func wasiCheckWrite(stream uint32, result unsafe.Pointer)

//go:wasmimport wasi:io/streams@0.2.0 [method]output-stream.write
func wasiWrite(stream, bytes, length uint32, result unsafe.Pointer)

//go:wasmimport wasi:io/streams@0.2.0 [method]output-stream.subscribe
func wasiWritable(stream uint32) uint32

//go:wasmimport wasi:io/streams@0.2.0 [resource-drop]output-stream
func wasiDropWriter(stream uint32)

//go:wasmimport wasi:io/streams@0.2.0 [method]input-stream.blocking-read
func wasiRead(stream uint32, most int64, result unsafe.Pointer)

//go:wasmimport wasi:io/streams@0.2.0 [resource-drop]input-stream
func wasiDropReader(stream uint32)
