module everything

go 1.24

require github.com/mcp-gateway/mcp-gateway/sdk/go v0.1.0

replace github.com/mcp-gateway/mcp-gateway/sdk/go => ../../../sdk/go
