#!/usr/bin/env node
// `build-guardrail ENTRY -o FILE`: from a module that exports `guardrail` to a component.

import { mkdir, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { parseArgs } from "node:util";

import { componentize } from "componentize-qjs";
import { build } from "esbuild";

import { dropInTime } from "./drop.js";
import { byAnotherName, byItsName, inFolder } from "./wasi.js";

const USAGE = "usage: build-guardrail ENTRY -o FILE [--wit FOLDER] [--world NAME]";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    out: { type: "string", short: "o" },
    wit: { type: "string", default: "wit" },
    world: { type: "string" },
  },
});
if (positionals.length !== 1 || !values.out) {
  console.error(USAGE);
  process.exit(2);
}

const { outputFiles } = await build({
  entryPoints: positionals,
  bundle: true,
  minify: true,
  format: "esm",
  target: "es2023",
  platform: "neutral",
  mainFields: ["module", "main"],
  // What the gateway provides.
  external: ["mcp-gateway:*"],
  plugins: [byAnotherName],
  write: false,
});
const wit = await inFolder(values.wit);
const { component } = await componentize({
  witPath: wit.folder,
  world: values.world,
  jsSource: outputFiles[0].text,
  stubWasi: true,
  optSize: true,
  sync: true,
});
await wit.remove();
const done = byItsName(dropInTime(component));
await mkdir(dirname(values.out), { recursive: true });
await writeFile(values.out, done);
console.error(`${values.out}: ${done.length} bytes`);
