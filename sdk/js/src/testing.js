// Asks a guardrail without a gateway, so that plain Node.js tests its rule.

const bytes = new TextEncoder();
const chars = new TextDecoder();

export function judge(guardrail, sample, config = {}) {
  const manifest = guardrail.configure(JSON.stringify(config));
  return judged(guardrail, sample, manifest);
}

export function examplesHold(guardrail, config = {}) {
  const manifest = guardrail.configure(JSON.stringify(config));
  manifest.examples.forEach((example, number) => {
    const { decision, texts } = judged(guardrail, example, manifest);
    const after = example.expects === "redact" && example.after.length > 0 ? example.after : texts;
    if (decision !== example.expects || JSON.stringify(texts) !== JSON.stringify(after)) {
      throw new Error(`example ${number + 1}: ${decision}, ${JSON.stringify(texts)}`);
    }
  });
}

function judged(guardrail, sample, manifest) {
  const { method = "tools/call", direction = "to-client", texts, payload, request, subject } = sample;
  const kind = sample.kind ?? (direction === "to-server" ? "request" : "response");
  if (!wanted(manifest.wants, method, kind, direction)) return { decision: "pass", texts, rules: [], findings: [] };
  const raw = (texts ?? strings(payload)).map((text) => bytes.encode(text));
  const joined = new Uint8Array(raw.reduce((sum, text) => sum + text.length, 0));
  let end = 0;
  const ends = raw.map((text) => {
    joined.set(text, end);
    return (end += text.length);
  });
  const envelope = { session: "session", exchange: 1n, server: "server", method, kind, direction, subject };
  const details = {
    place: (index) => places(payload)[index],
    payload: () => json(payload),
    value: (pointer) => json(at(payload, pointer)),
    request: () => json(request),
    earlierFindings: () => [],
    elapsed: () => 0n,
  };
  const verdict = guardrail.check(envelope, { joined: chars.decode(joined), ends }, details);
  const { tag: decision, val } = verdict.decision;
  const edit = decision === "redact" || decision === "patch";
  return {
    decision,
    reason: decision === "block" || decision === "ask" ? val : undefined,
    patch: decision === "patch" ? val : undefined,
    texts: edit ? redacted(joined, ends, verdict.findings) : raw.map((text) => chars.decode(text)),
    rules: verdict.findings.map(({ rule }) => rule),
    findings: verdict.findings,
  };
}

function wanted(wants, method, kind, direction) {
  const fits = (list, value) => list.length === 0 || list.includes(value);
  const called = (pattern) => (pattern.endsWith("/*") ? method.startsWith(pattern.slice(0, -1)) : pattern === method);
  return (
    wants.length === 0 ||
    wants.some(
      ({ methods, kinds, directions }) =>
        (methods.length === 0 || methods.some(called)) && fits(kinds, kind) && fits(directions, direction),
    )
  );
}

function redacted(joined, ends, findings) {
  const edits = findings.filter(({ where, replacement }) => where && replacement !== undefined);
  let start = 0;
  return ends.map((end) => {
    let [after, copied] = ["", start];
    for (const { where, replacement } of edits) {
      if (where.start < start || where.start >= end) continue;
      after += chars.decode(joined.subarray(copied, where.start)) + replacement;
      copied = where.end;
    }
    after += chars.decode(joined.subarray(copied, end));
    start = end;
    return after;
  });
}

function json(value) {
  return value === undefined ? undefined : JSON.stringify(value);
}

function at(payload, pointer) {
  const steps = pointer.split("/").slice(1);
  return steps.reduce((value, step) => value?.[step.replaceAll("~1", "/").replaceAll("~0", "~")], payload);
}

function strings(payload) {
  return all(payload).map(({ text }) => text);
}

function places(payload) {
  return all(payload).map(({ pointer, role }) => ({ pointer, role }));
}

function all(value, pointer = "") {
  if (typeof value === "string") return [{ text: value, pointer, role: "value" }];
  if (value === null || typeof value !== "object") return [];
  return Object.entries(value).flatMap(([key, inner]) => {
    const place = `${pointer}/${key.replaceAll("~", "~0").replaceAll("/", "~1")}`;
    const own = Array.isArray(value) ? [] : [{ text: key, pointer: place, role: "key" }];
    return [...own, ...all(inner, place)];
  });
}
