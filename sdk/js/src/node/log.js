// What stands in for the gateway's log in a test.

const level = (name) => (line) => console.error(`${name}: ${line}`);

export const error = level("error");
export const warn = level("warn");
export const info = level("info");
export const debug = level("debug");
