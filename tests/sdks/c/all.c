/* Does what it is told, by all that the header has. */

#define MCP_GUARDRAIL_IMPLEMENTATION
#include "mcp_guardrail.h"
#include "mcp_guardrail_http.h"

#define JOIN(...) mcp_join((mcp_str[]){__VA_ARGS__}, sizeof((mcp_str[]){__VA_ARGS__}) / sizeof(mcp_str))

mcp_str guardrail_configure(mcp_str config, mcp_manifest *manifest) {
    if (!mcp_equal(config, MCP_STR("{}"))) return MCP_STR("it takes no configuration");
    mcp_describe(manifest, MCP_STR("all"), MCP_STR("0.1.0"), MCP_STR("Does what it is told."));
    mcp_wants(manifest, MCP_STR("tools/*"), MCP_STR("request"));
    mcp_wants(manifest, MCP_STR("tools/*"), MCP_STR("response"));
    mcp_config_schema(manifest, MCP_STR("{\"type\":\"object\"}"));
    mcp_example(manifest, MCP_STR("tools/call"), MCP_TO_CLIENT, MCP_STR("SECRET é"), MCP_REDACT, MCP_STR("<S> é"));
    mcp_example(manifest, MCP_STR("tools/call"), MCP_TO_SERVER, MCP_STR("block"), MCP_BLOCK, MCP_NONE);
    return MCP_NONE;
}

static mcp_str unquoted(mcp_str json) {
    return (mcp_str){json.ptr + 1, json.len - 2};
}

static void swap(mcp_verdict *verdict) {
    const mcp_str one = MCP_STR("one");
    const struct {
        const mcp_str *expected;
        mcp_str value;
    } swaps[] = {{&one, MCP_STR("two")}, {NULL, one}, {NULL, MCP_STR("three")}, {&one, MCP_STR("two é")}};
    mcp_str said = MCP_STR(""), kept;
    for (size_t i = 0; i < 4; i++) {
        bool swapped;
        if (!mcp_state_swap(MCP_SESSION, MCP_STR("s"), swaps[i].expected, swaps[i].value, 60, &swapped)) return;
        said = JOIN(said, swapped ? MCP_STR("true ") : MCP_STR("false "));
    }
    if (mcp_state_get(MCP_SESSION, MCP_STR("s"), &kept)) mcp_block(verdict, JOIN(said, kept));
}

/* A key in hexadecimal digits. */
static mcp_str key(const char *purpose) {
    const mcp_str bytes = mcp_key(MCP_SESSION, (mcp_str){purpose, 1});
    char *text = mcp_alloc(2 * bytes.len);
    for (size_t i = 0; i < bytes.len; i++) {
        text[2 * i] = "0123456789abcdef"[(uint8_t)bytes.ptr[i] >> 4];
        text[2 * i + 1] = "0123456789abcdef"[bytes.ptr[i] & 15];
    }
    return (mcp_str){text, 2 * bytes.len};
}

/* What follows is an address, a space, and a body. */
static void post(mcp_verdict *verdict, mcp_str text) {
    const size_t space = mcp_find(text, MCP_STR(" "), 0);
    if (space == SIZE_MAX) return;
    const mcp_http_header header = {MCP_STR("x-guardrail"), MCP_STR("all")};
    const mcp_http_request request = {
        .method = MCP_STR("POST"),
        .url = {text.ptr, space},
        .headers = &header,
        .header_count = 1,
        .body = {text.ptr + space + 1, text.len - space - 1},
        .patience_ms = 5000,
    };
    const char *kinds[] = {"", "refused", "unreachable", "untrusted", "timed out", "broken", "too large"};
    mcp_http_response answer;
    const mcp_http_outcome outcome = mcp_http_send(&request, &answer);
    const mcp_str between = MCP_STR(" "), kind = {kinds[outcome], strlen(kinds[outcome])};
    if (outcome != MCP_HTTP_ANSWERED) {
        mcp_block(verdict, JOIN(kind, MCP_STR(": "), answer.error));
        return;
    }
    mcp_str header_of = MCP_STR("none"), start = answer.body;
    mcp_http_header_of(&answer, MCP_STR("x-answer"), &header_of);
    if (start.len > 40) start.len = 40;
    mcp_block(verdict, JOIN(mcp_number(answer.status), between, header_of, between, mcp_number(answer.body.len), between,
                            start));
}

static void told(const mcp_message *message, mcp_verdict *verdict, mcp_text text) {
#define TOLD(word) mcp_equal(text.str, MCP_STR(word))
    mcp_str value;
    if (TOLD("note")) {
        mcp_note(verdict, MCP_STR("noted"));
    } else if (TOLD("block")) {
        mcp_block(verdict, MCP_STR("as told"));
    } else if (TOLD("ask")) {
        mcp_ask(verdict, MCP_STR("may it?"));
    } else if (TOLD("fail")) {
        mcp_fail(verdict, MCP_STR("it cannot"));
    } else if (TOLD("envelope")) {
        const mcp_str space = MCP_STR(" ");
        const mcp_str way = message->direction == MCP_TO_SERVER ? MCP_STR("to-server") : MCP_STR("to-client");
        mcp_block(verdict, JOIN(message->server, space, message->method, space, message->kind, space, way, space,
                                message->subject));
    } else if (TOLD("place")) {
        bool is_key;
        if (!mcp_place(message, text, &value, &is_key)) return;
        mcp_block(verdict, JOIN(value, is_key ? MCP_STR(" key") : MCP_STR(" value")));
    } else if (TOLD("value")) {
        mcp_str kind;
        if (!mcp_value(message, MCP_STR("/content/0/type"), &kind)) return;
        const bool more = mcp_value(message, MCP_STR("/content/1"), &value);
        mcp_block(verdict, JOIN(MCP_STR("type "), unquoted(kind), more ? MCP_STR(", more") : MCP_STR(", no more")));
    } else if (TOLD("payload")) {
        if (!mcp_payload(message, &value)) return;
        const bool has = mcp_find(value, MCP_STR("\"content\""), 0) != SIZE_MAX;
        mcp_block(verdict, JOIN(mcp_number(has), MCP_STR(" content")));
    } else if (TOLD("request")) {
        mcp_block(verdict, mcp_request(message, &value) ? value : MCP_STR("none"));
    } else if (TOLD("earlier")) {
        const mcp_earlier *it;
        const size_t found = mcp_earlier_findings(message, &it);
        if (found) mcp_block(verdict, JOIN(it->guardrail, MCP_STR(" found "), it->rule));
    } else if (TOLD("elapsed")) {
        if (mcp_elapsed(message) > 0) mcp_block(verdict, MCP_STR("some time passed"));
    } else if (TOLD("add")) {
        mcp_add(verdict, MCP_STR("/b"), MCP_STR("[\"é\"]"));
    } else if (TOLD("replace")) {
        mcp_replace(verdict, MCP_STR("/a"), MCP_STR("7"));
    } else if (TOLD("remove")) {
        mcp_remove(verdict, MCP_STR("/a"));
    } else if (TOLD("count")) {
        int64_t sum;
        if (!mcp_state_increment(MCP_SESSION, MCP_STR("n"), 2, 60, &sum)) return;
        mcp_block(verdict, JOIN(MCP_STR("counted "), mcp_number((uint64_t)sum)));
    } else if (TOLD("keep")) {
        if (!mcp_state_set(MCP_SESSION, MCP_STR("k"), MCP_STR("kept é"), 60)) return;
        if (mcp_state_get(MCP_SESSION, MCP_STR("k"), &value)) mcp_block(verdict, value);
    } else if (TOLD("forget")) {
        const bool was = mcp_state_remove(MCP_SESSION, MCP_STR("k"));
        mcp_block(verdict, was ? MCP_STR("forgotten") : MCP_STR("never known"));
    } else if (TOLD("swap")) {
        swap(verdict);
    } else if (TOLD("tell")) {
        if (mcp_state_set(MCP_GLOBAL, MCP_STR("g"), MCP_STR("told"), -1)) mcp_block(verdict, MCP_STR("told all"));
    } else if (TOLD("hear")) {
        if (!mcp_state_get(MCP_GLOBAL, MCP_STR("g"), &value)) value = MCP_STR("nothing");
        mcp_block(verdict, JOIN(MCP_STR("heard "), value));
    } else if (TOLD("key")) {
        const mcp_str space = MCP_STR(" "), p = key("p"), q = key("q");
        mcp_block(verdict, JOIN(p, space, key("p"), space, q));
    } else if (TOLD("log")) {
        for (mcp_level level = MCP_ERROR; level <= MCP_DEBUG; level++) mcp_log(level, MCP_STR("a line é"));
    }
}

static size_t next(mcp_text text, mcp_str part, size_t *from) {
    const size_t at = mcp_find(text.str, part, *from);
    if (at != SIZE_MAX) *from = at + part.len;
    return at;
}

void guardrail_check(const mcp_message *message, mcp_verdict *verdict) {
    const mcp_str secret = MCP_STR("SECRET"), longer = MCP_STR("SECRET-LONG"), mark = MCP_STR("MARK");
    for (size_t i = 0; i < message->texts; i++) {
        const mcp_text text = mcp_text_at(message, i);
        size_t at, from = 0;
        while ((at = next(text, secret, &from)) != SIZE_MAX)
            mcp_mask(verdict, text, at, from, MCP_STR("secret"), MCP_STR("<S>"));
        from = 0;
        while ((at = next(text, longer, &from)) != SIZE_MAX)
            mcp_mask(verdict, text, at, from, MCP_STR("long"), MCP_STR("<L>"));
        from = 0;
        while ((at = next(text, mark, &from)) != SIZE_MAX) mcp_mark(verdict, text, at, from, MCP_STR("mark"));
        told(message, verdict, text);
        if (mcp_find(text.str, MCP_STR("post "), 0) == 0)
            post(verdict, (mcp_str){text.str.ptr + 5, text.str.len - 5});
    }
}
