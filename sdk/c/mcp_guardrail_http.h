/*
 * Requests over HTTP for guardrails in C, to the destinations that the configuration grants:
 * grant = { http = ["https://example.com"] }. Include it behind mcp_guardrail.h; the world of the guardrail
 * (wit/world.wit) has to import wasi:http/outgoing-handler@0.2.0.
 *
 * The gateway sends them with its own client, adds the headers that the configuration names for a destination (a key need
 * never be in a guardrail), and follows no redirect. Requests and bytes are limited for each message, and the time is
 * that of the check. Nothing leaves in guardrail_configure, nor for messages that nobody sent, such as examples.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef MCP_GUARDRAIL_HTTP_H
#define MCP_GUARDRAIL_HTTP_H

#ifndef MCP_GUARDRAIL_H
#error "include mcp_guardrail.h first"
#endif

typedef struct {
    mcp_str name, value;
} mcp_http_header;

typedef struct {
    mcp_str method; /* GET, if MCP_NONE */
    mcp_str url;    /* of http or https */
    const mcp_http_header *headers;
    size_t header_count;
    mcp_str body;
    /* How long the answer may take to begin, and between any two pieces of it; at most, and with 0, as long as the
     * check. */
    uint32_t patience_ms;
} mcp_http_request;

typedef struct {
    uint16_t status;
    const mcp_http_header *headers; /* names in lower case */
    size_t header_count;
    mcp_str body;
    mcp_str error; /* where there is no answer, why; of a refusal, with the remedy */
} mcp_http_response;

typedef enum {
    MCP_HTTP_ANSWERED,    /* whatever the status */
    MCP_HTTP_REFUSED,     /* the request did not leave, and another attempt will not, either */
    MCP_HTTP_UNREACHABLE, /* nobody is there to talk to; the request did not arrive */
    MCP_HTTP_UNTRUSTED,   /* the other side is not whom it should be: its certificate is not trusted */
    MCP_HTTP_TIMED_OUT,   /* it took too long; the request may have arrived */
    MCP_HTTP_BROKEN,      /* the connection ended in the middle; the request may have arrived */
    MCP_HTTP_TOO_LARGE,   /* the request, or its answer, is larger than one may be */
} mcp_http_outcome;

/* Sends a request, and waits for the whole answer. */
mcp_http_outcome mcp_http_send(const mcp_http_request *request, mcp_http_response *response);

/* The first header of a name, which is in lower case. False where there is none. */
bool mcp_http_header_of(const mcp_http_response *response, mcp_str name, mcp_str *value);

#endif

#ifdef MCP_GUARDRAIL_IMPLEMENTATION

#define MCP_WASI_(interface, name) \
    __attribute__((import_module("wasi:" interface "@0.2.0"), import_name(name))) extern

/* Where results are written, which have as many bytes at most. At 0 stands whether it is there, or an error; where the
 * rest stands depends on its alignment. */
typedef union {
    uint8_t bytes[56];
    uint32_t words[14];
    uint64_t align;
} mcp_room_;

MCP_WASI_("http/types", "[constructor]fields") int32_t mcp_fields_(void);
MCP_WASI_("http/types", "[method]fields.append")
void mcp_append_(int32_t, const char *, size_t, const char *, size_t, mcp_room_ *);
MCP_WASI_("http/types", "[method]fields.entries") void mcp_entries_(int32_t, mcp_list_ *);
MCP_WASI_("http/types", "[resource-drop]fields") void mcp_drop_fields_(int32_t);
MCP_WASI_("http/types", "[constructor]outgoing-request") int32_t mcp_request_(int32_t);
MCP_WASI_("http/types", "[resource-drop]outgoing-request") void mcp_drop_request_(int32_t);
MCP_WASI_("http/types", "[method]outgoing-request.set-method")
int32_t mcp_set_method_(int32_t, int32_t, const char *, size_t);
MCP_WASI_("http/types", "[method]outgoing-request.set-scheme")
int32_t mcp_set_scheme_(int32_t, int32_t, int32_t, const char *, size_t);
MCP_WASI_("http/types", "[method]outgoing-request.set-authority")
int32_t mcp_set_authority_(int32_t, int32_t, const char *, size_t);
MCP_WASI_("http/types", "[method]outgoing-request.set-path-with-query")
int32_t mcp_set_path_(int32_t, int32_t, const char *, size_t);
MCP_WASI_("http/types", "[method]outgoing-request.body") void mcp_body_(int32_t, mcp_room_ *);
MCP_WASI_("http/types", "[method]outgoing-body.write") void mcp_writer_(int32_t, mcp_room_ *);
MCP_WASI_("http/types", "[static]outgoing-body.finish") void mcp_finish_(int32_t, int32_t, int32_t, mcp_room_ *);
MCP_WASI_("http/types", "[resource-drop]outgoing-body") void mcp_drop_outgoing_(int32_t);
MCP_WASI_("http/types", "[constructor]request-options") int32_t mcp_options_(void);
MCP_WASI_("http/types", "[method]request-options.set-connect-timeout")
int32_t mcp_connect_timeout_(int32_t, int32_t, int64_t);
MCP_WASI_("http/types", "[method]request-options.set-first-byte-timeout")
int32_t mcp_first_byte_timeout_(int32_t, int32_t, int64_t);
MCP_WASI_("http/types", "[method]request-options.set-between-bytes-timeout")
int32_t mcp_between_bytes_timeout_(int32_t, int32_t, int64_t);
MCP_WASI_("http/outgoing-handler", "handle") void mcp_handle_(int32_t, int32_t, int32_t, mcp_room_ *);
MCP_WASI_("http/types", "[method]future-incoming-response.subscribe") int32_t mcp_subscribe_(int32_t);
MCP_WASI_("http/types", "[method]future-incoming-response.get") void mcp_get_(int32_t, mcp_room_ *);
MCP_WASI_("http/types", "[resource-drop]future-incoming-response") void mcp_drop_answer_(int32_t);
MCP_WASI_("http/types", "[method]incoming-response.status") int32_t mcp_status_(int32_t);
MCP_WASI_("http/types", "[method]incoming-response.headers") int32_t mcp_headers_(int32_t);
MCP_WASI_("http/types", "[method]incoming-response.consume") void mcp_consume_(int32_t, mcp_room_ *);
MCP_WASI_("http/types", "[resource-drop]incoming-response") void mcp_drop_response_(int32_t);
MCP_WASI_("http/types", "[method]incoming-body.stream") void mcp_reader_(int32_t, mcp_room_ *);
MCP_WASI_("http/types", "[resource-drop]incoming-body") void mcp_drop_incoming_(int32_t);
MCP_WASI_("http/types", "http-error-code") void mcp_error_code_(int32_t, mcp_room_ *);
MCP_WASI_("io/error", "[resource-drop]error") void mcp_drop_error_(int32_t);
MCP_WASI_("io/poll", "[method]pollable.block") void mcp_block_on_(int32_t);
MCP_WASI_("io/poll", "[resource-drop]pollable") void mcp_drop_pollable_(int32_t);
MCP_WASI_("io/streams", "[method]output-stream.check-write") void mcp_check_write_(int32_t, mcp_room_ *);
MCP_WASI_("io/streams", "[method]output-stream.write") void mcp_write_(int32_t, const char *, size_t, mcp_room_ *);
MCP_WASI_("io/streams", "[method]output-stream.subscribe") int32_t mcp_writable_(int32_t);
MCP_WASI_("io/streams", "[resource-drop]output-stream") void mcp_drop_writer_(int32_t);
MCP_WASI_("io/streams", "[method]input-stream.blocking-read") void mcp_read_(int32_t, int64_t, mcp_room_ *);
MCP_WASI_("io/streams", "[resource-drop]input-stream") void mcp_drop_reader_(int32_t);

static mcp_http_outcome mcp_unanswered_(mcp_http_response *response, mcp_http_outcome outcome, mcp_str error) {
    response->error = error;
    return outcome;
}

/* What an error code in a result means: by its number a letter for the outcome, and a name. */
static mcp_http_outcome mcp_told_(mcp_http_response *response, const mcp_room_ *result, size_t at) {
    static const char kinds[] = "uuuurbubuttbxxxrblrrbbbbbbbblbbbbtbbbbb", letters[] = ".ruxtbl";
    static const char *const names[] = {
        "DNS-timeout",
        "DNS-error",
        "destination-not-found",
        "destination-unavailable",
        "destination-IP-prohibited",
        "destination-IP-unroutable",
        "connection-refused",
        "connection-terminated",
        "connection-timeout",
        "connection-read-timeout",
        "connection-write-timeout",
        "connection-limit-reached",
        "TLS-protocol-error",
        "TLS-certificate-error",
        "TLS-alert-received",
        "HTTP-request-denied",
        "HTTP-request-length-required",
        "HTTP-request-body-size",
        "HTTP-request-method-invalid",
        "HTTP-request-URI-invalid",
        "HTTP-request-URI-too-long",
        "HTTP-request-header-section-size",
        "HTTP-request-header-size",
        "HTTP-request-trailer-section-size",
        "HTTP-request-trailer-size",
        "HTTP-response-incomplete",
        "HTTP-response-header-section-size",
        "HTTP-response-header-size",
        "HTTP-response-body-size",
        "HTTP-response-trailer-section-size",
        "HTTP-response-trailer-size",
        "HTTP-response-transfer-coding",
        "HTTP-response-content-coding",
        "HTTP-response-timeout",
        "HTTP-upgrade-failed",
        "HTTP-protocol-error",
        "loop-detected",
        "configuration-error",
        "internal-error",
    };
    const uint8_t code = result->bytes[at];
    /* The gateway's own words: an optional string behind the number. */
    if (code == 38 && result->bytes[at + 8]) {
        const uint32_t *text = &result->words[(at + 12) / 4];
        return mcp_unanswered_(response, MCP_HTTP_REFUSED, (mcp_str){(const char *)(uintptr_t)text[0], text[1]});
    }
    const size_t kind = (size_t)(strchr(letters, kinds[code]) - letters);
    return mcp_unanswered_(response, (mcp_http_outcome)kind, (mcp_str){names[code], strlen(names[code])});
}

static void mcp_wait_(int32_t pollable) {
    mcp_block_on_(pollable);
    mcp_drop_pollable_(pollable);
}

/* Says whether it is a request that can be sent. */
static bool mcp_outgoing_(const mcp_http_request *request, int32_t *outgoing) {
    const mcp_str https = MCP_STR("https://"), http = MCP_STR("http://");
    const mcp_str method = request->method.ptr ? request->method : MCP_STR("GET");
    const bool secure = mcp_find(request->url, https, 0) == 0;
    const size_t start = secure ? https.len : http.len;
    if (!secure && mcp_find(request->url, http, 0) != 0) return false;
    size_t path = start, end = start;
    while (path < request->url.len && !memchr("/?#", request->url.ptr[path], 3)) path++;
    for (end = path; end < request->url.len && request->url.ptr[end] != '#'; end++) {}
    mcp_str where = {request->url.ptr + path, end - path};
    if (where.len == 0 || where.ptr[0] != '/') where = mcp_join((mcp_str[]){MCP_STR("/"), where}, 2);

    const int32_t fields = mcp_fields_();
    bool wrong = path == start;
    for (size_t i = 0; i < request->header_count; i++) {
        const mcp_http_header *header = &request->headers[i];
        mcp_room_ result;
        mcp_append_(fields, header->name.ptr, header->name.len, header->value.ptr, header->value.len, &result);
        wrong |= result.bytes[0] != 0;
    }
    const int32_t which = mcp_equal(method, MCP_STR("GET")) ? 0 : mcp_equal(method, MCP_STR("POST")) ? 2 : 9;
    *outgoing = mcp_request_(fields);
    wrong |= mcp_set_method_(*outgoing, which, method.ptr, method.len) != 0;
    wrong |= mcp_set_scheme_(*outgoing, 1, secure, NULL, 0) != 0;
    wrong |= mcp_set_authority_(*outgoing, 1, request->url.ptr + start, path - start) != 0;
    wrong |= mcp_set_path_(*outgoing, 1, where.ptr, where.len) != 0;
    if (wrong) mcp_drop_request_(*outgoing);
    return !wrong;
}

/* Gives back why a stream ended, if there is a reason. */
static bool mcp_ended_(const mcp_room_ *result, size_t at) {
    if (result->bytes[0] && result->bytes[at] == 0) mcp_drop_error_((int32_t)result->words[at / 4 + 1]);
    return result->bytes[0] != 0;
}

/* Where it cannot be written, the answer says why. */
static void mcp_send_body_(int32_t outgoing, mcp_str body) {
    mcp_room_ result;
    mcp_writer_(outgoing, &result);
    bool broken = result.bytes[0] != 0;
    if (!broken) {
        const int32_t stream = (int32_t)result.words[1];
        for (size_t done = 0; done < body.len && !broken;) {
            mcp_room_ room;
            mcp_check_write_(stream, &room);
            if ((broken = mcp_ended_(&room, 8))) break;
            const size_t left = body.len - done;
            const size_t now = room.words[3] || room.words[2] > left ? left : room.words[2];
            if (now == 0) {
                mcp_wait_(mcp_writable_(stream));
                continue;
            }
            mcp_write_(stream, body.ptr + done, now, &room);
            broken = mcp_ended_(&room, 4);
            done += now;
        }
        mcp_drop_writer_(stream);
    }
    if (broken)
        mcp_drop_outgoing_(outgoing);
    else
        mcp_finish_(outgoing, 0, 0, &result);
}

static mcp_http_outcome mcp_read_all_(int32_t stream, mcp_http_response *response) {
    mcp_vec_ pieces = {0};
    for (;;) {
        mcp_room_ read, code;
        mcp_read_(stream, 65536, &read);
        if (read.bytes[0] == 0) {
            *(mcp_str *)mcp_push_(&pieces, sizeof(mcp_str)) =
                (mcp_str){(const char *)(uintptr_t)read.words[1], read.words[2]};
            continue;
        }
        if (read.bytes[4] != 0) {
            response->body = mcp_join(pieces.items, pieces.len);
            return MCP_HTTP_ANSWERED;
        }
        mcp_error_code_((int32_t)read.words[2], &code);
        mcp_drop_error_((int32_t)read.words[2]);
        if (code.bytes[0]) return mcp_told_(response, &code, 8);
        return mcp_unanswered_(response, MCP_HTTP_BROKEN, MCP_STR("in the middle"));
    }
}

static mcp_http_outcome mcp_received_(int32_t incoming, mcp_http_response *response) {
    response->status = (uint16_t)mcp_status_(incoming);
    const int32_t fields = mcp_headers_(incoming);
    mcp_list_ entries;
    mcp_entries_(fields, &entries);
    mcp_drop_fields_(fields);
    response->headers = entries.ptr;
    response->header_count = entries.len;
    mcp_room_ body, stream;
    mcp_consume_(incoming, &body);
    if (body.bytes[0]) return mcp_unanswered_(response, MCP_HTTP_BROKEN, MCP_STR("the gateway gives no body"));
    mcp_reader_((int32_t)body.words[1], &stream);
    mcp_http_outcome outcome = MCP_HTTP_BROKEN;
    if (stream.bytes[0] == 0) {
        outcome = mcp_read_all_((int32_t)stream.words[1], response);
        mcp_drop_reader_((int32_t)stream.words[1]);
    } else {
        response->error = MCP_STR("the gateway gives no body");
    }
    mcp_drop_incoming_((int32_t)body.words[1]);
    return outcome;
}

mcp_http_outcome mcp_http_send(const mcp_http_request *request, mcp_http_response *response) {
    memset(response, 0, sizeof *response);
    int32_t outgoing, options = 0;
    if (!mcp_outgoing_(request, &outgoing))
        return mcp_unanswered_(response, MCP_HTTP_REFUSED, MCP_STR("it is no request that can be sent"));
    mcp_room_ body, answer, got;
    mcp_body_(outgoing, &body);
    if (request->patience_ms) {
        const int64_t patience = (int64_t)request->patience_ms * 1000000;
        options = mcp_options_();
        mcp_connect_timeout_(options, 1, patience);
        mcp_first_byte_timeout_(options, 1, patience);
        mcp_between_bytes_timeout_(options, 1, patience);
    }
    mcp_handle_(outgoing, request->patience_ms != 0, options, &answer);
    if (answer.bytes[0]) {
        mcp_drop_outgoing_((int32_t)body.words[1]);
        return mcp_told_(response, &answer, 8);
    }
    mcp_send_body_((int32_t)body.words[1], request->body);
    mcp_wait_(mcp_subscribe_((int32_t)answer.words[2]));
    /* A result in a result in an option: that it is there, that it is the first to ask, and what there is. */
    mcp_get_((int32_t)answer.words[2], &got);
    mcp_drop_answer_((int32_t)answer.words[2]);
    if (!got.bytes[0] || got.bytes[8])
        return mcp_unanswered_(response, MCP_HTTP_BROKEN, MCP_STR("the gateway has no answer"));
    if (got.bytes[16]) return mcp_told_(response, &got, 24);
    const mcp_http_outcome outcome = mcp_received_((int32_t)got.words[6], response);
    mcp_drop_response_((int32_t)got.words[6]);
    return outcome;
}

bool mcp_http_header_of(const mcp_http_response *response, mcp_str name, mcp_str *value) {
    for (size_t i = 0; i < response->header_count; i++) {
        if (!mcp_equal(response->headers[i].name, name)) continue;
        *value = response->headers[i].value;
        return true;
    }
    return false;
}

#endif
