// Loads the spawner synchronously, as the zygote's start.cts does: it has no event loop either.
// eslint-disable-next-line @typescript-eslint/no-require-imports -- the whole point of this file
require("./main.js");
