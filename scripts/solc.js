#!/usr/bin/env node
// Present the pinned WebAssembly solc as a native `solc`, for forge and py-solc-x alike.
"use strict";
const fs = require("fs");
const path = require("path");
const solc = require("solc");

const args = process.argv.slice(2);
if (args.includes("--version")) {
  fs.writeSync(1, `solc, the solidity compiler commandline interface\nVersion: ${solc.version()}\n`);
  process.exit(0);
}
const base = args.includes("--base-path") ? args[args.indexOf("--base-path") + 1] : process.cwd();
const read = (name) => {
  try {
    return { contents: fs.readFileSync(path.resolve(base, name), "utf8") };
  } catch (error) {
    return { error: error.message };
  }
};
// process.stdout.write followed by an exit truncates pipes at 64 KiB; a synchronous write does not.
fs.writeFileSync(1, solc.compile(fs.readFileSync(0, "utf8"), { import: read }));
