/*
 * Write guardrails for mcp-gateway in C: one header, for the contract mcp-gateway:guardrail@0.1.0.
 *
 * Include it everywhere, and in one file after `#define MCP_GUARDRAIL_IMPLEMENTATION`. Define there what the gateway
 * calls, guardrail_configure and guardrail_check. See the README.
 *
 * Everything that this hands out (texts, values, memory of mcp_alloc) lives until guardrail_check returns; what
 * guardrail_configure allocates stays. Nothing is to be freed.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef MCP_GUARDRAIL_H
#define MCP_GUARDRAIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* UTF-8, without a zero at its end. */
typedef struct {
    const char *ptr;
    size_t len;
} mcp_str;

/* A literal. */
#define MCP_STR(literal) ((mcp_str){(literal), sizeof(literal) - 1})

/* Nothing, where something is optional. */
#define MCP_NONE ((mcp_str){NULL, 0})

typedef enum { MCP_TO_SERVER, MCP_TO_CLIENT } mcp_direction;
typedef enum { MCP_SESSION, MCP_GLOBAL } mcp_scope;
typedef enum { MCP_ERROR, MCP_WARN, MCP_INFO, MCP_DEBUG } mcp_level;
typedef enum { MCP_PASS, MCP_REDACT, MCP_PATCH, MCP_BLOCK, MCP_ASK } mcp_decision;

/* One text of a message, and its number among them. */
typedef struct {
    mcp_str str;
    size_t index;
    /* Where it starts among all texts. */
    size_t start;
} mcp_text;

/* The message that is being checked. */
typedef struct {
    mcp_str session;   /* the client connection; opaque */
    bool has_exchange; /* whether it belongs to a request */
    uint64_t exchange; /* pairs a request with its progress and its response */
    mcp_str server;    /* as the gateway's configuration names it */
    mcp_str method;    /* such as tools/call; of an answer, the method that it answers */
    mcp_str kind;      /* request, response, error, …; let what you do not know pass */
    mcp_direction direction;
    mcp_str subject; /* the tool's or prompt's name, or the resource's URI; may be MCP_NONE */
    size_t texts;    /* how many texts it has: all strings of the payload, values and keys */
    /* Of the header's own. */
    mcp_str joined_;
    const uint32_t *ends_;
    int32_t handle_;
} mcp_message;

/* What an earlier guardrail found: its name in the configuration, and the rule. */
typedef struct {
    mcp_str guardrail, rule;
} mcp_earlier;

typedef struct mcp_verdict mcp_verdict;
typedef struct mcp_manifest mcp_manifest;

/* ---- What the author defines. ---- */

/* Takes the configuration, a JSON text ({} where there is none), and says what the guardrail is. Calls nothing of the
 * gateway. Returns MCP_NONE, or why the configuration is refused: the key at fault and the remedy. */
mcp_str guardrail_configure(mcp_str config, mcp_manifest *manifest);

/* Judges one message. */
void guardrail_check(const mcp_message *message, mcp_verdict *verdict);

/* ---- The manifest. ---- */

void mcp_describe(mcp_manifest *manifest, mcp_str name, mcp_str version, mcp_str description);
/* Asks for messages; those of no call are not shown. MCP_NONE leaves open; a method may end in a star behind a slash. */
void mcp_wants(mcp_manifest *manifest, mcp_str method, mcp_str kind);
/* A JSON Schema for the configuration. */
void mcp_config_schema(mcp_manifest *manifest, mcp_str schema);
/* A case that the guardrail ships about itself, with one text; `after` is what is left of it by MCP_REDACT. */
void mcp_example(mcp_manifest *manifest, mcp_str method, mcp_direction direction, mcp_str text, mcp_decision expects,
                 mcp_str after);

/* ---- A closer look at the message; asking the gateway costs time. ---- */

mcp_text mcp_text_at(const mcp_message *message, size_t index);
/* The JSON text of the value at a JSON Pointer into the payload. False where there is none. */
bool mcp_value(const mcp_message *message, mcp_str pointer, mcp_str *value);
/* The JSON text of `params`, `result` or `error`. */
bool mcp_payload(const mcp_message *message, mcp_str *payload);
/* For an answer or a progress notification: the JSON text of the `params` of its request. */
bool mcp_request(const mcp_message *message, mcp_str *params);
/* What the earlier guardrails of the chain found in it: how many findings there are. */
size_t mcp_earlier_findings(const mcp_message *message, const mcp_earlier **findings);
/* For an answer: microseconds since its request was sent on. */
uint64_t mcp_elapsed(const mcp_message *message);
/* Where a text stands: the JSON Pointer of the value, or of the member whose key it is. */
bool mcp_place(const mcp_message *message, mcp_text text, mcp_str *pointer, bool *is_key);

/* ---- The verdict. Places are bytes of one text, in any order; masks that overlap become one that covers all. ---- */

/* Replaces a part of a text. */
void mcp_mask(mcp_verdict *verdict, mcp_text text, size_t start, size_t end, mcp_str rule, mcp_str replacement);
/* Reports a part of a text, and leaves it. */
void mcp_mark(mcp_verdict *verdict, mcp_text text, size_t start, size_t end, mcp_str rule);
/* Reports something about the whole message. */
void mcp_note(mcp_verdict *verdict, mcp_str rule);
/* Change the payload; values are JSON texts. Operations apply in order: remove from the end of an array. */
void mcp_add(mcp_verdict *verdict, mcp_str pointer, mcp_str value);
void mcp_replace(mcp_verdict *verdict, mcp_str pointer, mcp_str value);
void mcp_remove(mcp_verdict *verdict, mcp_str pointer);
/* Refuses the message; model and person read the reason. The first stands. */
void mcp_block(mcp_verdict *verdict, mcp_str reason);
/* Lets a person decide. */
void mcp_ask(mcp_verdict *verdict, mcp_str question);
/* Says that the guardrail could not do its work. */
void mcp_fail(mcp_verdict *verdict, mcp_str reason);

/* ---- The gateway. ---- */

/* Writes a line to its log. Never log what a message holds. */
void mcp_log(mcp_level level, mcp_str line);

/* What it keeps for the guardrail: the configuration has to grant it, and wit/world.wit to import it. `seconds` below 0
 * stand for as long as the store lasts. False: the gateway has no room for it. */
bool mcp_state_get(mcp_scope scope, mcp_str key, mcp_str *value);
bool mcp_state_set(mcp_scope scope, mcp_str key, mcp_str value, int64_t seconds);
bool mcp_state_remove(mcp_scope scope, mcp_str key);
bool mcp_state_increment(mcp_scope scope, mcp_str key, int64_t by, int64_t seconds, int64_t *sum);
/* Sets a value if what is there is what is expected: this value, or nothing where it is NULL. Tells in `swapped` whether
 * it did; if not, all is as it was. */
bool mcp_state_swap(mcp_scope scope, mcp_str key, const mcp_str *expected, mcp_str value, int64_t seconds,
                    bool *swapped);

/* The secret key for a purpose: 32 bytes that nobody else can make, of this session alone, or the same in all. Granted
 * and imported like the state, by the name of `keys`. */
mcp_str mcp_key(mcp_scope scope, mcp_str purpose);

/* ---- Strings and memory. ---- */

void *mcp_alloc(size_t size);
bool mcp_equal(mcp_str one, mcp_str other);
/* Where a part first stands at or behind a place, or SIZE_MAX. */
size_t mcp_find(mcp_str text, mcp_str part, size_t from);
/* Several in a row. */
mcp_str mcp_join(const mcp_str *parts, size_t count);
/* A number in decimal digits. */
mcp_str mcp_number(uint64_t number);

#endif

#ifdef MCP_GUARDRAIL_IMPLEMENTATION

#include <stdlib.h>
#include <string.h>

/* Records are laid out as the canonical ABI has them, which is how C lays them out on wasm32. */

typedef struct {
    const void *ptr;
    size_t len;
} mcp_list_;

typedef struct {
    uint8_t some;
    mcp_str value;
} mcp_maybe_;

typedef struct {
    mcp_list_ methods, kinds, directions;
} mcp_interest_;

typedef struct {
    mcp_str method, kind;
    uint8_t direction;
    mcp_list_ texts;
    uint8_t expects;
    mcp_list_ after;
} mcp_example_;

struct mcp_manifest {
    mcp_str name, version, description;
    mcp_list_ wants;
    mcp_maybe_ schema;
    mcp_list_ examples;
};

typedef struct {
    mcp_str rule;
    uint8_t has_span;
    uint32_t start, end;
    mcp_maybe_ replacement;
    float confidence;
    mcp_maybe_ note;
} mcp_finding_;

typedef struct {
    uint8_t tag; /* add, replace, remove */
    mcp_str path, value;
} mcp_operation_;

/* Something that grows. */
typedef struct {
    void *items;
    size_t len, room;
} mcp_vec_;

struct mcp_verdict {
    mcp_vec_ masks, marks, notes, patch;
    mcp_str refusal, question, fault;
};

typedef struct {
    uint8_t is_error;
    union {
        mcp_manifest manifest;
        mcp_str error;
    };
} mcp_configured_;

typedef struct {
    uint8_t is_error;
    union {
        struct {
            uint8_t decision;
            union {
                mcp_str text;
                mcp_list_ patch;
            };
            mcp_list_ findings;
        };
        mcp_str error;
    };
} mcp_checked_;

typedef struct {
    mcp_str session;
    uint8_t has_exchange;
    uint64_t exchange;
    mcp_str server, method, kind;
    uint8_t direction;
    mcp_maybe_ subject;
    mcp_str joined;
    mcp_list_ ends;
    int32_t message;
} mcp_arguments_;

/* ---- Memory: chunks that are given back all at once. ---- */

typedef struct mcp_chunk_ {
    struct mcp_chunk_ *before;
    size_t used, room, unused; /* what follows is for records with 64 bits, too */
} mcp_chunk_;

static mcp_chunk_ *mcp_chunks_;

void *mcp_alloc(size_t size) {
    const size_t usual = 65536 - sizeof(mcp_chunk_) - 64;
    size = (size + 7) & ~(size_t)7;
    if (!mcp_chunks_ || mcp_chunks_->room - mcp_chunks_->used < size) {
        size_t room = size > usual ? size : usual;
        mcp_chunk_ *chunk = malloc(sizeof *chunk + room);
        if (!chunk) abort();
        chunk->before = mcp_chunks_;
        chunk->used = 0;
        chunk->room = room;
        mcp_chunks_ = chunk;
    }
    void *place = (char *)(mcp_chunks_ + 1) + mcp_chunks_->used;
    mcp_chunks_->used += size;
    return place;
}

/* One chunk stays for the next message. */
static void mcp_forget_(void) {
    while (mcp_chunks_ && mcp_chunks_->before) {
        mcp_chunk_ *before = mcp_chunks_->before;
        free(mcp_chunks_);
        mcp_chunks_ = before;
    }
    if (mcp_chunks_) mcp_chunks_->used = 0;
}

__attribute__((export_name("cabi_realloc"))) void *mcp_realloc_(void *old, size_t old_size, size_t align,
                                                                size_t size) {
    (void)align; /* never more than 8 */
    void *place = mcp_alloc(size);
    if (old) memcpy(place, old, old_size < size ? old_size : size);
    return place;
}

static void *mcp_push_(mcp_vec_ *vec, size_t size) {
    if (vec->len == vec->room) {
        size_t room = vec->room ? vec->room * 2 : 8;
        void *items = mcp_alloc(room * size);
        if (vec->len) memcpy(items, vec->items, vec->len * size);
        vec->items = items;
        vec->room = room;
    }
    return memset((char *)vec->items + vec->len++ * size, 0, size);
}

/* ---- Strings. ---- */

bool mcp_equal(mcp_str one, mcp_str other) {
    return one.len == other.len && (one.len == 0 || memcmp(one.ptr, other.ptr, one.len) == 0);
}

size_t mcp_find(mcp_str text, mcp_str part, size_t from) {
    if (part.len == 0 || part.len > text.len) return SIZE_MAX;
    const size_t last = text.len - part.len;
    while (from <= last) {
        const char *hit = memchr(text.ptr + from, part.ptr[0], last - from + 1);
        if (!hit) break;
        from = (size_t)(hit - text.ptr);
        if (memcmp(hit, part.ptr, part.len) == 0) return from;
        from++;
    }
    return SIZE_MAX;
}

mcp_str mcp_join(const mcp_str *parts, size_t count) {
    size_t len = 0;
    for (size_t i = 0; i < count; i++) len += parts[i].len;
    char *joined = mcp_alloc(len), *end = joined;
    for (size_t i = 0; i < count; i++) {
        if (parts[i].len) memcpy(end, parts[i].ptr, parts[i].len);
        end += parts[i].len;
    }
    return (mcp_str){joined, len};
}

mcp_str mcp_number(uint64_t number) {
    char *end = (char *)mcp_alloc(24) + 24, *start = end;
    do *--start = (char)('0' + number % 10);
    while (number /= 10);
    return (mcp_str){start, (size_t)(end - start)};
}

/* ---- The manifest. ---- */

static mcp_vec_ mcp_interests_, mcp_examples_;

static mcp_list_ mcp_list_of_(mcp_str one) {
    if (!one.ptr) return (mcp_list_){NULL, 0};
    mcp_str *item = mcp_alloc(sizeof *item);
    *item = one;
    return (mcp_list_){item, 1};
}

void mcp_describe(mcp_manifest *manifest, mcp_str name, mcp_str version, mcp_str description) {
    manifest->name = name;
    manifest->version = version;
    manifest->description = description;
}

void mcp_wants(mcp_manifest *manifest, mcp_str method, mcp_str kind) {
    mcp_interest_ *interest = mcp_push_(&mcp_interests_, sizeof *interest);
    interest->methods = mcp_list_of_(method);
    interest->kinds = mcp_list_of_(kind);
    manifest->wants = (mcp_list_){mcp_interests_.items, mcp_interests_.len};
}

void mcp_config_schema(mcp_manifest *manifest, mcp_str schema) {
    manifest->schema = (mcp_maybe_){1, schema};
}

void mcp_example(mcp_manifest *manifest, mcp_str method, mcp_direction direction, mcp_str text, mcp_decision expects,
                 mcp_str after) {
    mcp_example_ *example = mcp_push_(&mcp_examples_, sizeof *example);
    example->method = method;
    example->kind = direction == MCP_TO_SERVER ? MCP_STR("request") : MCP_STR("response");
    example->direction = (uint8_t)direction;
    example->texts = mcp_list_of_(text);
    example->expects = (uint8_t)expects;
    example->after = mcp_list_of_(after);
    manifest->examples = (mcp_list_){mcp_examples_.items, mcp_examples_.len};
}

/* ---- The message. ---- */

#define MCP_IMPORT_(interface, name) \
    __attribute__((import_module("mcp-gateway:guardrail/" interface "@0.1.0"), import_name(name))) extern

MCP_IMPORT_("message", "[method]message.value") void mcp_raw_value_(int32_t, const char *, size_t, mcp_maybe_ *);
MCP_IMPORT_("message", "[method]message.payload") void mcp_raw_payload_(int32_t, mcp_maybe_ *);
MCP_IMPORT_("message", "[method]message.request") void mcp_raw_request_(int32_t, mcp_maybe_ *);
typedef struct {
    uint8_t some;
    mcp_str pointer;
    uint8_t role;
} mcp_maybe_place_;
MCP_IMPORT_("message", "[method]message.place") void mcp_raw_place_(int32_t, int32_t, mcp_maybe_place_ *);
MCP_IMPORT_("message", "[method]message.earlier-findings") void mcp_raw_earlier_(int32_t, mcp_list_ *);
MCP_IMPORT_("message", "[method]message.elapsed") uint64_t mcp_raw_elapsed_(int32_t);
MCP_IMPORT_("message", "[resource-drop]message") void mcp_raw_drop_(int32_t);

mcp_text mcp_text_at(const mcp_message *message, size_t index) {
    if (index >= message->texts) return (mcp_text){MCP_NONE, index, 0};
    const size_t start = index ? message->ends_[index - 1] : 0;
    return (mcp_text){{message->joined_.ptr + start, message->ends_[index] - start}, index, start};
}

static bool mcp_take_(mcp_maybe_ maybe, mcp_str *value) {
    if (maybe.some) *value = maybe.value;
    return maybe.some;
}

bool mcp_value(const mcp_message *message, mcp_str pointer, mcp_str *value) {
    mcp_maybe_ maybe;
    mcp_raw_value_(message->handle_, pointer.ptr, pointer.len, &maybe);
    return mcp_take_(maybe, value);
}

bool mcp_payload(const mcp_message *message, mcp_str *payload) {
    mcp_maybe_ maybe;
    mcp_raw_payload_(message->handle_, &maybe);
    return mcp_take_(maybe, payload);
}

bool mcp_request(const mcp_message *message, mcp_str *params) {
    mcp_maybe_ maybe;
    mcp_raw_request_(message->handle_, &maybe);
    return mcp_take_(maybe, params);
}

size_t mcp_earlier_findings(const mcp_message *message, const mcp_earlier **findings) {
    mcp_list_ list;
    mcp_raw_earlier_(message->handle_, &list);
    *findings = list.ptr;
    return list.len;
}

uint64_t mcp_elapsed(const mcp_message *message) { return mcp_raw_elapsed_(message->handle_); }

bool mcp_place(const mcp_message *message, mcp_text text, mcp_str *pointer, bool *is_key) {
    mcp_maybe_place_ maybe;
    mcp_raw_place_(message->handle_, (int32_t)text.index, &maybe);
    if (maybe.some) {
        *pointer = maybe.pointer;
        *is_key = maybe.role == 0;
    }
    return maybe.some;
}

/* ---- The verdict. ---- */

static void mcp_claim_(mcp_verdict *verdict, mcp_vec_ *vec, mcp_text text, size_t start, size_t end, mcp_str rule,
                       mcp_maybe_ replacement) {
    if (start >= end || end > text.str.len) {
        mcp_fail(verdict, MCP_STR("a finding is no part of its text"));
        return;
    }
    mcp_finding_ *finding = mcp_push_(vec, sizeof *finding);
    finding->rule = rule;
    finding->has_span = 1;
    finding->start = (uint32_t)(text.start + start);
    finding->end = (uint32_t)(text.start + end);
    finding->replacement = replacement;
    finding->confidence = 1;
}

void mcp_mask(mcp_verdict *verdict, mcp_text text, size_t start, size_t end, mcp_str rule, mcp_str replacement) {
    mcp_claim_(verdict, &verdict->masks, text, start, end, rule, (mcp_maybe_){1, replacement});
}

void mcp_mark(mcp_verdict *verdict, mcp_text text, size_t start, size_t end, mcp_str rule) {
    mcp_claim_(verdict, &verdict->marks, text, start, end, rule, (mcp_maybe_){0, MCP_NONE});
}

void mcp_note(mcp_verdict *verdict, mcp_str rule) {
    mcp_finding_ *finding = mcp_push_(&verdict->notes, sizeof *finding);
    finding->rule = rule;
    finding->confidence = 1;
}

static void mcp_operation_of_(mcp_verdict *verdict, uint8_t tag, mcp_str path, mcp_str value) {
    mcp_operation_ *operation = mcp_push_(&verdict->patch, sizeof *operation);
    *operation = (mcp_operation_){tag, path, value};
}

void mcp_add(mcp_verdict *verdict, mcp_str pointer, mcp_str value) { mcp_operation_of_(verdict, 0, pointer, value); }

void mcp_replace(mcp_verdict *verdict, mcp_str pointer, mcp_str value) {
    mcp_operation_of_(verdict, 1, pointer, value);
}

void mcp_remove(mcp_verdict *verdict, mcp_str pointer) { mcp_operation_of_(verdict, 2, pointer, MCP_NONE); }

void mcp_block(mcp_verdict *verdict, mcp_str reason) {
    if (!verdict->refusal.ptr) verdict->refusal = reason;
}

void mcp_ask(mcp_verdict *verdict, mcp_str question) {
    if (!verdict->question.ptr) verdict->question = question;
}

void mcp_fail(mcp_verdict *verdict, mcp_str reason) {
    if (!verdict->fault.ptr) verdict->fault = reason;
}

static int mcp_order_(const void *one, const void *other) {
    const mcp_finding_ *a = one, *b = other;
    if (a->start != b->start) return a->start < b->start ? -1 : 1;
    return a->end == b->end ? 0 : a->end > b->end ? -1 : 1;
}

/* Without its place. */
static void mcp_lose_(mcp_vec_ *lost, mcp_finding_ finding) {
    finding.has_span = 0;
    finding.replacement = (mcp_maybe_){0, MCP_NONE};
    *(mcp_finding_ *)mcp_push_(lost, sizeof finding) = finding;
}

/* Makes one finding of those that overlap; the longest gives its rule and its replacement. */
static void mcp_merge_(mcp_vec_ *vec, mcp_vec_ *lost) {
    mcp_finding_ *all = vec->items;
    size_t kept = 0;
    uint32_t longest = 0;
    if (vec->len > 1) qsort(all, vec->len, sizeof *all, mcp_order_);
    for (size_t i = 0; i < vec->len; i++) {
        mcp_finding_ next = all[i], *last = kept ? &all[kept - 1] : NULL;
        const uint32_t length = next.end - next.start;
        if (!last || last->end <= next.start) {
            all[kept++] = next;
            longest = length;
            continue;
        }
        mcp_finding_ loser = next;
        const uint32_t start = last->start, end = last->end > next.end ? last->end : next.end;
        if (length > longest) {
            longest = length;
            loser = *last;
            *last = next;
            last->start = start;
        }
        last->end = end;
        /* The same rule twice on the same place tells a person nothing. */
        if (!mcp_equal(loser.rule, last->rule)) mcp_lose_(lost, loser);
    }
    vec->len = kept;
}

static mcp_list_ mcp_findings_(mcp_verdict *verdict) {
    mcp_vec_ lost = {0};
    mcp_merge_(&verdict->masks, &lost);
    mcp_merge_(&verdict->marks, &lost);
    const mcp_finding_ *masks = verdict->masks.items, *marks = verdict->marks.items;
    const size_t masked = verdict->masks.len;
    mcp_vec_ all = {0};
    size_t mask = 0;
    /* A mark that overlaps a mask loses its place. */
    for (size_t mark = 0; mark < verdict->marks.len; mark++) {
        for (; mask < masked && masks[mask].end <= marks[mark].start; mask++)
            *(mcp_finding_ *)mcp_push_(&all, sizeof *masks) = masks[mask];
        if (mask < masked && masks[mask].start < marks[mark].end)
            mcp_lose_(&lost, marks[mark]);
        else
            *(mcp_finding_ *)mcp_push_(&all, sizeof *marks) = marks[mark];
    }
    for (; mask < masked; mask++) *(mcp_finding_ *)mcp_push_(&all, sizeof *masks) = masks[mask];
    const mcp_vec_ rest[] = {lost, verdict->notes};
    for (size_t i = 0; i < 2; i++)
        for (size_t j = 0; j < rest[i].len; j++)
            *(mcp_finding_ *)mcp_push_(&all, sizeof *masks) = ((const mcp_finding_ *)rest[i].items)[j];
    return (mcp_list_){all.items, all.len};
}

/* ---- The gateway. ---- */

MCP_IMPORT_("log", "write") void mcp_raw_log_(int32_t, const char *, size_t);
MCP_IMPORT_("state", "get") void mcp_raw_get_(int32_t, const char *, size_t, mcp_maybe_ *);
MCP_IMPORT_("state", "set")
void mcp_raw_set_(int32_t, const char *, size_t, const char *, size_t, int32_t, int32_t, uint8_t *);
MCP_IMPORT_("state", "delete") int32_t mcp_raw_delete_(int32_t, const char *, size_t);
typedef struct {
    uint8_t is_error;
    int64_t sum;
} mcp_sum_;
MCP_IMPORT_("state", "increment")
void mcp_raw_increment_(int32_t, const char *, size_t, int64_t, int32_t, int32_t, mcp_sum_ *);

MCP_IMPORT_("state", "compare-and-swap")
void mcp_raw_swap_(int32_t, const char *, size_t, int32_t, const char *, size_t, const char *, size_t, int32_t, int32_t,
                   uint8_t *);
MCP_IMPORT_("keys", "derive") void mcp_raw_derive_(int32_t, const char *, size_t, mcp_str *);

void mcp_log(mcp_level level, mcp_str line) { mcp_raw_log_((int32_t)level, line.ptr, line.len); }

bool mcp_state_get(mcp_scope scope, mcp_str key, mcp_str *value) {
    mcp_maybe_ maybe;
    mcp_raw_get_((int32_t)scope, key.ptr, key.len, &maybe);
    return mcp_take_(maybe, value);
}

bool mcp_state_set(mcp_scope scope, mcp_str key, mcp_str value, int64_t seconds) {
    uint8_t result[2];
    mcp_raw_set_((int32_t)scope, key.ptr, key.len, value.ptr, value.len, seconds >= 0, (int32_t)seconds, result);
    return result[0] == 0;
}

bool mcp_state_remove(mcp_scope scope, mcp_str key) { return mcp_raw_delete_((int32_t)scope, key.ptr, key.len) != 0; }

bool mcp_state_increment(mcp_scope scope, mcp_str key, int64_t by, int64_t seconds, int64_t *sum) {
    mcp_sum_ result;
    mcp_raw_increment_((int32_t)scope, key.ptr, key.len, by, seconds >= 0, (int32_t)seconds, &result);
    if (!result.is_error) *sum = result.sum;
    return !result.is_error;
}

bool mcp_state_swap(mcp_scope scope, mcp_str key, const mcp_str *expected, mcp_str value, int64_t seconds,
                    bool *swapped) {
    const mcp_str there = expected ? *expected : MCP_NONE;
    uint8_t result[2];
    mcp_raw_swap_((int32_t)scope, key.ptr, key.len, expected != NULL, there.ptr, there.len, value.ptr, value.len,
                  seconds >= 0, (int32_t)seconds, result);
    *swapped = result[0] == 0 && result[1] != 0;
    return result[0] == 0;
}

mcp_str mcp_key(mcp_scope scope, mcp_str purpose) {
    mcp_str key;
    mcp_raw_derive_((int32_t)scope, purpose.ptr, purpose.len, &key);
    return key;
}

/* ---- The exports. ---- */

#define MCP_CHECK_ "mcp-gateway:guardrail/guardrail@0.1.0#check"

__attribute__((export_name("mcp-gateway:guardrail/guardrail@0.1.0#configure"))) void *mcp_configure_(char *config,
                                                                                                    size_t len) {
    mcp_configured_ *result = mcp_alloc(sizeof *result);
    memset(result, 0, sizeof *result);
    const mcp_str refused = guardrail_configure((mcp_str){config, len}, &result->manifest);
    if (refused.ptr) {
        result->is_error = 1;
        result->error = refused;
    }
    /* All of it stays. */
    mcp_chunks_ = NULL;
    return result;
}

__attribute__((export_name(MCP_CHECK_))) void *mcp_check_(const mcp_arguments_ *it) {
    const mcp_message message = {
        .session = it->session,
        .has_exchange = it->has_exchange,
        .exchange = it->exchange,
        .server = it->server,
        .method = it->method,
        .kind = it->kind,
        .direction = (mcp_direction)it->direction,
        .subject = it->subject.some ? it->subject.value : MCP_NONE,
        .texts = it->ends.len,
        .joined_ = it->joined,
        .ends_ = it->ends.ptr,
        .handle_ = it->message,
    };
    mcp_verdict verdict = {0};
    guardrail_check(&message, &verdict);
    mcp_raw_drop_(message.handle_);

    mcp_checked_ *result = mcp_alloc(sizeof *result);
    memset(result, 0, sizeof *result);
    if (verdict.fault.ptr) {
        result->is_error = 1;
        result->error = verdict.fault;
        return result;
    }
    const bool masked = verdict.masks.len > 0;
    result->findings = mcp_findings_(&verdict);
    if (verdict.refusal.ptr) {
        result->decision = MCP_BLOCK;
        result->text = verdict.refusal;
    } else if (verdict.question.ptr) {
        result->decision = MCP_ASK;
        result->text = verdict.question;
    } else if (verdict.patch.len) {
        result->decision = MCP_PATCH;
        result->patch = (mcp_list_){verdict.patch.items, verdict.patch.len};
    } else {
        result->decision = masked ? MCP_REDACT : MCP_PASS;
    }
    return result;
}

__attribute__((export_name("cabi_post_" MCP_CHECK_))) void mcp_post_check_(void *result) {
    (void)result;
    mcp_forget_();
}

#endif
