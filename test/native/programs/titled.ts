// What ps(1) sees after setTitle(). Prints JSON.
import { readFileSync } from "node:fs";
import { setTitle } from "../../../native/process.ts";
import { say } from "./report.ts";

const cmdline = () => readFileSync("/proc/self/cmdline", "latin1").replace(/\0+$/, "");
setTitle("sallyport: x");
const short = cmdline();
const comm = readFileSync("/proc/self/comm", "latin1").trim();
setTitle("y".repeat(5000));
const long = cmdline();
const environ = readFileSync("/proc/self/environ", "latin1");
say({
  short,
  comm,
  long,
  nothingElse: !environ.includes("yy"),
  path: process.env["PATH"] !== undefined && environ.includes(process.env["PATH"]),
});
