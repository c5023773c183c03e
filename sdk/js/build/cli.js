#!/usr/bin/env node
// `build-guardrail ENTRY -o FILE`: from a module that exports `guardrail` to a component.

import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
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

const { outputFiles, metafile } = await build({
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
  metafile: true,
});

// What is called has to be asked for; the engine's own words for it name no file.
const asked = (await readdir(values.wit, { withFileTypes: true })).filter((file) => file.isFile());
const world = (await Promise.all(asked.map((file) => readFile(join(values.wit, file.name), "utf8")))).join("\n");
const statements = world.replace(/\/\/.*$/gm, "");
for (const { path } of Object.values(metafile.outputs).flatMap((output) => output.imports)) {
  if (/^mcp-gateway:guardrail\/(state|keys)@/.test(path) && !statements.includes(`import ${path}`)) {
    console.error(`${values.wit}/world.wit does not ask for it: write \`import ${path};\` within the braces of its world`);
    process.exit(1);
  }
}

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
