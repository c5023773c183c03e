// componentize-qjs takes `wasi:http` for what its own engine imports, and cannot make a component with it. So all of
// `wasi:` that a guardrail imports has another name, as long, until the component is made.

import { cp, mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

const [NAME, OTHER] = ["wasi:", "wq9x:"];

/** For esbuild: what the gateway provides is imported by the other name. */
export const byAnotherName = {
  name: "wasi",
  setup(build) {
    build.onResolve({ filter: /^wasi:/ }, ({ path }) => ({ path: path.replace(NAME, OTHER), external: true }));
  },
};

/** A copy of a folder with WIT files, in which it has the other name. */
export async function inFolder(wit) {
  const folder = await mkdtemp(join(tmpdir(), "wit-"));
  await cp(wit, folder, { recursive: true, dereference: true });
  for (const entry of await readdir(folder, { recursive: true })) {
    if (!entry.endsWith(".wit")) continue;
    const file = join(folder, entry);
    await writeFile(file, (await readFile(file, "utf8")).replaceAll(NAME, OTHER));
  }
  return { folder, remove: () => rm(folder, { recursive: true }) };
}

/** The component, in which it has its own name again. */
export function byItsName(component) {
  return Buffer.from(component.toString("latin1").replaceAll(OTHER, NAME), "latin1");
}
