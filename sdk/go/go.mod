module github.com/mcp-gateway/mcp-gateway/sdk/go

go 1.24
