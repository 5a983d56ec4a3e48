// Loads the zygote synchronously: `require` of a module evaluates it before the event loop first runs, so the zygote's own loop, and
// with it every fork, happens outside uv_run and without libuv's pool.
// eslint-disable-next-line @typescript-eslint/no-require-imports -- the whole point of this file
require("./main.js");
