// Loads the runner synchronously, as daemon/zygote/start.cts does the zygote: it forks, so it must not be inside the event loop.
// eslint-disable-next-line @typescript-eslint/no-require-imports -- the whole point of this file
require("./runner.js");
