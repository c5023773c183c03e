// What an author calls: a description of the guardrail becomes what the component exports.

import { Message } from "./message.js";
import { Verdict } from "./verdict.js";

export { Verdict };

const NO_CONFIG = "it takes no configuration";

export function define(guardrail) {
  let settings;

  function configure(text) {
    const config = JSON.parse(text);
    if (guardrail.configure) {
      settings = guardrail.configure(config);
    } else {
      onlyKeys(config, [], NO_CONFIG);
    }
    return manifest(guardrail, settings);
  }

  function check(envelope, texts, details) {
    const verdict = new Verdict();
    guardrail.check(new Message(envelope, texts, details), verdict, settings);
    return verdict.finish();
  }

  return { configure, check };
}

export function onlyKeys(config, known, remedy = `it takes ${known.join(", ")}`) {
  for (const key of Object.keys(config)) {
    if (!known.includes(key)) throw `unknown key "${key}": ${remedy}`;
  }
}

function manifest(guardrail, settings) {
  const { name, version, description, wants = [], configSchema, examples = [] } = guardrail;
  const cases = typeof examples === "function" ? examples(settings) : examples;
  return {
    name,
    version,
    description,
    wants: wants.map(({ methods = [], kinds = [], directions = [] }) => ({ methods, kinds, directions })),
    configSchema: configSchema && JSON.stringify(configSchema),
    examples: cases.map(example),
  };
}

function example({ method = "tools/call", direction = "to-client", kind, texts, expects, after = [] }) {
  const usual = direction === "to-server" ? "request" : "response";
  return { method, kind: kind ?? usual, direction, texts, expects, after };
}
