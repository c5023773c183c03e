#!/usr/bin/env node
// Starts the mcp-gateway of this platform, which is in a package of its own, and ends as it does.
"use strict";

const { spawn } = require("node:child_process");

const platform = `mcp-guardrail-gateway-${process.platform}-${process.arch}`;
const file = process.platform === "win32" ? "mcp-gateway.exe" : "mcp-gateway";

let program;
try {
  program = require.resolve(`${platform}/bin/${file}`);
} catch {
  console.error(
    `mcp-gateway: the package ${platform} is not installed. If you install without optional ` +
      "dependencies (--omit=optional), allow them; if there is no such package, your platform " +
      "has no built mcp-gateway: build it from its source.",
  );
  process.exit(1);
}

const gateway = spawn(program, process.argv.slice(2), { stdio: "inherit" });
// A terminal sends these to both; whoever ends this process alone means the gateway.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
  process.on(signal, () => gateway.kill(signal));
}
gateway.on("error", (error) => {
  console.error(`mcp-gateway: cannot start ${program}: ${error.message}`);
  process.exit(1);
});
gateway.on("exit", (code, signal) => {
  if (signal) {
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  } else {
    process.exit(code);
  }
});
