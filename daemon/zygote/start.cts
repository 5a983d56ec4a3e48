// Loads the zygote synchronously: `require` of a module evaluates it before the event loop first runs, so the zygote's own loop, and
// with it every fork, happens outside uv_run and without libuv's pool.
/* eslint-disable @typescript-eslint/no-require-imports -- the whole point of this file */
import type * as prefault from "../../native/prefault.ts" with { "resolution-mode": "import" };

const { keepHeapTogether } = require("../../native/prefault.js") as typeof prefault;
// Before the rest, which is most of the heap: daemon/zygote/prepare.ts ends it.
keepHeapTogether();
require("./main.js");
