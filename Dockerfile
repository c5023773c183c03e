# docker build -t mcp-gateway .                          servers over HTTP; nothing but the gateway
# docker build -t mcp-gateway:servers --target servers . also Node.js, Python and uv, for npx and uvx

FROM rust:1.95-bookworm AS build
WORKDIR /source
COPY . .
# The toolchain file names what else is needed, such as the target of the guardrails.
RUN cargo build --release --locked --package mcp-gateway --bin mcp-gateway \
    && mkdir /state

FROM ghcr.io/astral-sh/uv:0.9.5 AS uv

FROM node:22-bookworm-slim AS servers
# The certificates are for servers over HTTPS.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates python3 \
    && rm -rf /var/lib/apt/lists/*
COPY --from=uv /uv /uvx /usr/local/bin/
COPY --from=build /source/target/release/mcp-gateway /usr/local/bin/
# What servers fetch and what the gateway keeps; mount volumes here to keep it.
RUN mkdir -p /home/node/.cache/mcp-gateway /home/node/.npm /home/node/.local/state/mcp-gateway \
    && chown -R node:node /home/node
USER 1000:1000
WORKDIR /home/node
ENTRYPOINT ["mcp-gateway"]
CMD ["--config", "/config/gateway.toml"]

FROM gcr.io/distroless/cc-debian12:nonroot
COPY --from=build /source/target/release/mcp-gateway /usr/local/bin/
# Volumes that are mounted there are this user's, then.
COPY --from=build --chown=nonroot:nonroot /state /home/nonroot/.local/state/mcp-gateway
COPY --from=build --chown=nonroot:nonroot /state /home/nonroot/.cache/mcp-gateway
ENTRYPOINT ["mcp-gateway"]
CMD ["--config", "/config/gateway.toml"]
