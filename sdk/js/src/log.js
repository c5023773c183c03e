// Lines for the gateway's log.

import { write } from "mcp-gateway:guardrail/log@0.1.0";

export const error = (line) => write("error", line);
export const warn = (line) => write("warn", line);
export const info = (line) => write("info", line);
export const debug = (line) => write("debug", line);
