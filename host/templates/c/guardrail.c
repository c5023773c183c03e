/* Hides the name of an internal project. */

#define MCP_GUARDRAIL_IMPLEMENTATION
#include "mcp_guardrail.h"

static const mcp_str NAME = MCP_STR("BLUEBIRD");

mcp_str guardrail_configure(mcp_str config, mcp_manifest *manifest) {
    if (!mcp_equal(config, MCP_STR("{}"))) return MCP_STR("it takes no configuration");
    mcp_describe(manifest, MCP_STR("my-guardrail"), MCP_STR("0.1.0"),
                 MCP_STR("Hides the name of an internal project."));
    mcp_example(manifest, MCP_STR("tools/call"), MCP_TO_CLIENT, MCP_STR("BLUEBIRD 2"), MCP_REDACT,
                MCP_STR("<CODENAME> 2"));
    return MCP_NONE;
}

void guardrail_check(const mcp_message *message, mcp_verdict *verdict) {
    for (size_t i = 0; i < message->texts; i++) {
        const mcp_text text = mcp_text_at(message, i);
        size_t at = mcp_find(text.str, NAME, 0);
        for (; at != SIZE_MAX; at = mcp_find(text.str, NAME, at + NAME.len)) {
            mcp_mask(verdict, text, at, at + NAME.len, MCP_STR("codename"), MCP_STR("<CODENAME>"));
        }
    }
}
