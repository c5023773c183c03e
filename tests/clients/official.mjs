// The official TypeScript client: does what a plan says and prints what it saw.
//
// The plan is a JSON object, the only argument: how to start the server or where
// it is, what to take off the names of its tools and prompts, and what to ask it.
// With "modern" it is the client of the SDK's second version, which finds out the
// server's era and answers what a server asks. Runs in the folder where the
// packages are installed.

import { createRequire } from "node:module";
import { join } from "node:path";

const require = createRequire(join(process.cwd(), "here.js"));
const plan = JSON.parse(process.argv[2]);
const packages = plan.modern
  ? ["@modelcontextprotocol/client", "@modelcontextprotocol/client/stdio"]
  : ["index", "stdio", "streamableHttp"].map((name) => `@modelcontextprotocol/sdk/client/${name}.js`);
const { Client, StdioClientTransport, StreamableHTTPClientTransport } = Object.assign(
  {},
  ...packages.map(require),
);

function ours(items) {
  return items.map((item) => ({ ...item, name: item.name.replace(plan.prefix, "") }));
}

async function each(list, ask) {
  const answers = [];
  for (const item of list) {
    try {
      answers.push(await ask(item));
    } catch (error) {
      answers.push({ error: [error.code ?? null, error.message] });
    }
  }
  return answers;
}

// What a server may ask, and the answers.
const asked = {
  "elicitation/create": () => ({ action: "accept", content: { name: "Ann", color: "blue", ok: true } }),
  "sampling/createMessage": () => ({
    role: "assistant",
    model: "a-model",
    content: { type: "text", text: "sampled" },
  }),
  "roots/list": () => ({ roots: [{ uri: "file:///a-root", name: "a root" }] }),
};

const options = plan.modern
  ? { capabilities: { elicitation: {}, sampling: {}, roots: {} }, versionNegotiation: { mode: "auto" } }
  : { capabilities: {} };
const client = new Client({ name: "official", version: "1" }, options);
if (plan.modern) {
  for (const [method, answer] of Object.entries(asked)) {
    client.setRequestHandler(method, answer);
  }
}
const { command, args, env, url } = plan;
await client.connect(
  url
    ? new StreamableHTTPClientTransport(new URL(url))
    : new StdioClientTransport({ command, args, env, stderr: "ignore" }),
);
const { tools, ...rest } = await client.listTools();
const saw = {
  welcome: [client.getServerVersion(), client.getServerCapabilities(), client.getInstructions() ?? null],
  tools: ours(tools),
  "with tools": rest,
};
if (plan.prompts.length) {
  saw.prompts = ours((await client.listPrompts()).prompts);
}
if (plan.resources.length) {
  saw.resources = await client.listResources();
  saw.templates = await client.listResourceTemplates();
}
saw.calls = await each(plan.calls, ([name, given]) =>
  client.callTool({ name: plan.prefix + name, arguments: given }));
saw.got = await each(plan.prompts, ([name, given]) =>
  client.getPrompt({ name: plan.prefix + name, arguments: given }));
saw.read = await each(plan.resources, (uri) => client.readResource({ uri }));
if (plan.modern) {
  saw.version = client.getNegotiatedProtocolVersion();
}
console.log(JSON.stringify(saw));
await client.transport.terminateSession?.();
await client.close();
