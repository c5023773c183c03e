// componentize-qjs gives the message that `check` borrowed back when the results are freed. The component model wants
// it back before `check` returns, and traps otherwise. This puts `check` in a function that gives it back in time, and
// makes the later attempt do nothing. A component of another shape is an error: then componentize-qjs is another.

const CHECK = "mcp-gateway:guardrail/guardrail@0.1.0#check";
const DROP = ["mcp-gateway:guardrail/message@0.1.0", "[resource-drop]message"];

// Where the handle of the message stands in the arguments of `check`, by the canonical ABI.
const HANDLE = 80;

const [MODULE, COMPONENT] = [1, 4]; // Sections of a component.
const [TYPE, IMPORT, FUNCTION, EXPORT, ELEMENT, CODE] = [1, 2, 3, 7, 9, 10]; // Sections of a module.

export function dropInTime(component) {
  const found = { modules: 0 };
  const patched = inside(component, found);
  expect(found.modules === 1, `${found.modules} modules export check`);
  return patched;
}

function inside(component, found) {
  const changed = sections(component).map((section) => {
    const { id, body } = section;
    if (id === COMPONENT) return { id, body: inside(body, found) };
    if (id !== MODULE) return section;
    const parts = sections(body);
    const exports = parts.find((part) => part.id === EXPORT);
    if (!exports || !exported(exports.body).some(({ name }) => name === CHECK)) return section;
    found.modules++;
    return { id, body: binary(body, module(parts)) };
  });
  return binary(component, changed);
}

function module(parts) {
  const part = (id) => {
    const found = parts.filter((section) => section.id === id);
    expect(found.length === 1, `${found.length} sections ${id}`);
    return found[0];
  };
  const [functions, drop] = imported(part(IMPORT).body);
  const types = counted(part(TYPE).body);
  const defined = counted(part(FUNCTION).body);
  const [wrapper, nothing] = [functions + defined.count, functions + defined.count + 1];

  const before = exported(part(EXPORT).body);
  const check = before.find(({ name }) => name === CHECK).index;
  const exports = before.map((one) => (one.name === CHECK ? { ...one, index: wrapper } : one));

  const take = [0x20, 0, 0x28, 2, ...leb(HANDLE), 0x21, 1]; // local 1 = the handle
  const call = [0x20, 0, 0x10, ...leb(check)];
  const giveBack = [0x20, 1, 0x10, ...leb(drop)];
  const I32 = 0x7f;
  const changed = new Map([
    [TYPE, more(types, [0x60, 1, I32, 1, I32], [0x60, 1, I32, 0])],
    [FUNCTION, more(defined, leb(types.count), leb(types.count + 1))],
    [EXPORT, list(exports.map(({ name, kind, index }) => [...string(name), kind, ...leb(index)]))],
    [ELEMENT, replaced(part(ELEMENT).body, drop, nothing)],
    [CODE, more(counted(part(CODE).body), sized([1, 1, I32, ...take, ...call, ...giveBack, 0x0b]), sized([0, 0x0b]))],
  ]);
  return parts.map((section) => ({ id: section.id, body: changed.get(section.id) ?? section.body }));
}

// How many functions are imported, and which of them drops a message.
function imported(body) {
  const at = new Reader(body);
  let [functions, drop] = [0, undefined];
  for (let left = at.leb(); left > 0; left--) {
    const name = [at.string(), at.string()];
    const kind = at.byte();
    if (kind === 0) {
      if (name[0] === DROP[0] && name[1] === DROP[1]) drop = functions;
      functions++;
      at.leb();
    } else if (kind === 1) {
      at.byte();
      at.limits();
    } else if (kind === 2) {
      at.limits();
    } else {
      expect(kind === 3, `an import of kind ${kind}`);
      at.byte();
      at.byte();
    }
  }
  expect(drop !== undefined, "nothing drops a message");
  return [functions, drop];
}

function exported(body) {
  const at = new Reader(body);
  return Array.from({ length: at.leb() }, () => ({ name: at.string(), kind: at.byte(), index: at.leb() }));
}

// The one segment of the table, with another function in the place of this one.
function replaced(body, one, other) {
  const at = new Reader(body);
  expect(at.leb() === 1 && at.leb() === 2, "another table");
  at.leb(); // which table
  while (at.byte() !== 0x0b); // where in it
  at.byte(); // of functions
  const head = body.subarray(0, at.position);
  const functions = Array.from({ length: at.leb() }, () => at.leb());
  expect(functions.filter((index) => index === one).length === 1, "the table has it more than once");
  const changed = functions.map((index) => leb(index === one ? other : index));
  return [...head, ...list(changed)];
}

function sections(bytes) {
  const at = new Reader(bytes);
  at.position = 8;
  const found = [];
  while (at.position < bytes.length) {
    const [id, size] = [at.byte(), at.leb()];
    found.push({ id, body: bytes.subarray(at.position, at.position + size) });
    at.position += size;
  }
  return found;
}

function binary(original, parts) {
  const pieces = parts.flatMap(({ id, body }) => [Uint8Array.from([id, ...leb(body.length)]), Uint8Array.from(body)]);
  return Buffer.concat([original.subarray(0, 8), ...pieces]);
}

function counted(body) {
  const at = new Reader(body);
  return { count: at.leb(), rest: body.subarray(at.position) };
}

function more({ count, rest }, ...items) {
  return Buffer.concat([Buffer.from(leb(count + items.length)), rest, ...items.map((item) => Buffer.from(item))]);
}

function list(items) {
  return [...leb(items.length), ...items.flat()];
}

function sized(body) {
  return [...leb(body.length), ...body];
}

function string(text) {
  return sized([...Buffer.from(text)]);
}

function leb(value) {
  const bytes = [];
  for (; value > 0x7f; value >>>= 7) bytes.push((value & 0x7f) | 0x80);
  return [...bytes, value];
}

function expect(holds, otherwise) {
  if (!holds) throw new Error(`not the component that is expected of componentize-qjs: ${otherwise}`);
}

class Reader {
  position = 0;

  constructor(bytes) {
    this.bytes = bytes;
  }

  byte() {
    return this.bytes[this.position++];
  }

  leb() {
    let [value, shift, byte] = [0, 0, 0];
    do {
      byte = this.byte();
      value += (byte & 0x7f) * 2 ** shift;
      shift += 7;
    } while (byte & 0x80);
    return value;
  }

  string() {
    const length = this.leb();
    this.position += length;
    return Buffer.from(this.bytes.subarray(this.position - length, this.position)).toString();
  }

  limits() {
    if (this.byte() & 1) this.leb();
    this.leb();
  }
}
