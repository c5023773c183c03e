/* Takes tools out of the lists that servers give, and refuses calls of them. */

#define MCP_GUARDRAIL_IMPLEMENTATION
#include "mcp_guardrail.h"

#define MOST 256

static mcp_str hidden[MOST];
static size_t count;

/* ---- The configuration: {"hide": ["name", …]}. ---- */

static const char *at, *end;

static void skip_space(void) {
    while (at < end && (*at == ' ' || *at == '\n' || *at == '\t' || *at == '\r')) at++;
}

static bool take(char wanted) {
    skip_space();
    if (at == end || *at != wanted) return false;
    at++;
    return true;
}

/* The names of tools need no escapes. */
static bool take_string(mcp_str *string) {
    if (!take('"')) return false;
    string->ptr = at;
    while (at < end && *at != '"' && *at != '\\') at++;
    string->len = (size_t)(at - string->ptr);
    return string->len > 0 && take('"');
}

static bool take_names(void) {
    if (!take('[')) return false;
    if (take(']')) return true;
    do {
        if (count == MOST || !take_string(&hidden[count])) return false;
        count++;
    } while (take(','));
    return take(']');
}

static bool take_config(mcp_str config) {
    mcp_str key;
    at = config.ptr;
    end = config.ptr + config.len;
    count = 0;
    if (!take('{')) return false;
    if (!take('}')) {
        if (!take_string(&key) || !mcp_equal(key, MCP_STR("hide")) || !take(':') || !take_names() || !take('}')) {
            return false;
        }
    }
    skip_space();
    return at == end;
}

mcp_str guardrail_configure(mcp_str config, mcp_manifest *manifest) {
    if (!take_config(config)) {
        return MCP_STR("it takes hide = [\"name\", …], the names of up to 256 tools, and nothing else");
    }
    mcp_describe(manifest, MCP_STR("hide-tools"), MCP_STR("0.1.0"),
                 MCP_STR("Takes tools out of the lists that servers give, and refuses calls of them."));
    mcp_wants(manifest, MCP_STR("tools/list"), MCP_STR("response"));
    mcp_wants(manifest, MCP_STR("tools/call"), MCP_STR("request"));
    mcp_config_schema(manifest, MCP_STR("{\"type\":\"object\",\"properties\":{\"hide\":{\"type\":\"array\","
                                        "\"items\":{\"type\":\"string\"}}},\"additionalProperties\":false}"));
    mcp_example(manifest, MCP_STR("tools/list"), MCP_TO_CLIENT, MCP_STR("no tools"), MCP_PASS, MCP_NONE);
    return MCP_NONE;
}

/* ---- The rule. ---- */

static bool is_hidden(mcp_str tool) {
    for (size_t i = 0; i < count; i++) {
        mcp_str name = hidden[i];
        if (name.ptr[name.len - 1] == '*') {
            name.len--;
            if (tool.len >= name.len && mcp_equal((mcp_str){tool.ptr, name.len}, name)) return true;
        } else if (mcp_equal(tool, name)) {
            return true;
        }
    }
    return false;
}

static mcp_str pointer(size_t tool, mcp_str rest) {
    const mcp_str parts[] = {MCP_STR("/tools/"), mcp_number(tool), rest};
    return mcp_join(parts, 3);
}

static void check_list(const mcp_message *message, mcp_verdict *verdict) {
    size_t tools = 0;
    mcp_str name;
    while (mcp_value(message, pointer(tools, MCP_STR("/name")), &name)) tools++;
    /* From the end, so that the numbers of those before stay. */
    while (tools-- > 0) {
        /* Its JSON text, which has quotes. */
        if (!mcp_value(message, pointer(tools, MCP_STR("/name")), &name) || name.len < 2) continue;
        if (is_hidden((mcp_str){name.ptr + 1, name.len - 2})) {
            mcp_remove(verdict, pointer(tools, MCP_STR("")));
            mcp_note(verdict, MCP_STR("hidden-tool"));
        }
    }
}

void guardrail_check(const mcp_message *message, mcp_verdict *verdict) {
    if (count == 0) return;
    if (mcp_equal(message->method, MCP_STR("tools/list"))) {
        check_list(message, verdict);
    } else if (message->subject.ptr && is_hidden(message->subject)) {
        mcp_note(verdict, MCP_STR("hidden-tool"));
        mcp_block(verdict, MCP_STR("the tool is not for this client"));
    }
}
