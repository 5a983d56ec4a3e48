// Debian's chromium without a window, over the DevTools protocol on a pair of pipes: no port, no package.
import { spawn, type ChildProcess } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import type { Readable, Writable } from "node:stream";
import { pathToFileURL } from "node:url";
import type { Test } from "tap";

const program = "/usr/bin/chromium";
type Json = Readonly<Record<string, unknown>>;
interface Reply {
  readonly id?: number;
  readonly method?: string;
  readonly params?: Json;
  readonly result?: Json;
  readonly error?: { readonly message: string };
}

export class Page {
  /** Addresses that the page asked for, the page itself among them. */
  readonly requests: string[] = [];
  /** Errors, warnings and what the page's policy stopped. */
  readonly complaints: string[] = [];
  readonly #input: Writable;
  readonly #waiting = new Map<number, { done: (result: Json) => void; failed: (error: Error) => void }>(); // prettier-ignore
  readonly #events: { heard: (method: string) => void; failed: (error: Error) => void }[] = [];
  #session: string | undefined;
  #id = 0;

  private constructor(child: ChildProcess) {
    // Descriptors 3 and 4 of the browser, as stdio below has them.
    this.#input = child.stdio[3] as Writable;
    const output = child.stdio[4] as Readable;
    let held = "";
    output.setEncoding("utf8").on("data", (chunk: string) => {
      const parts = (held + chunk).split("\0");
      held = parts.pop() ?? "";
      for (const part of parts) this.#reply(JSON.parse(part) as Reply);
    });
    const gone = (): void => {
      for (const { failed } of this.#waiting.values()) failed(new Error("the browser is gone"));
      this.#waiting.clear();
      for (const { failed } of this.#events) failed(new Error("the browser is gone"));
    };
    this.#input.on("error", gone);
    child.once("close", gone);
  }

  /** The file, loaded. The browser ends when the test does. */
  static async open(t: Test, file: string, { width = 1680, height = 1200 } = {}): Promise<Page> {
    if (!existsSync(program))
      throw new Error(`Cannot run ${program}: see test/support/install-peers`);
    const profile = mkdtempSync("/var/tmp/sallyport-chromium.");
    const flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars", "--no-first-run", "--disable-background-networking", "--remote-debugging-pipe", `--user-data-dir=${profile}`, `--window-size=${width},${height}`]; // prettier-ignore
    const child = spawn(program, flags, { stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"], detached: true }); // prettier-ignore
    t.teardown(async () => {
      const ended = new Promise((resolve) => child.once("close", resolve));
      // Its helpers are of its group.
      if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, "SIGKILL");
      await ended;
      rmSync(profile, { recursive: true, force: true, maxRetries: 10 });
    });
    const page = new Page(child);
    const { targetId } = await page.send("Target.createTarget", { url: "about:blank" });
    const { sessionId } = await page.send("Target.attachToTarget", { targetId, flatten: true });
    page.#session = String(sessionId);
    for (const domain of ["Page", "Network", "Runtime", "Log"]) await page.send(`${domain}.enable`);
    const loaded = page.#event("Page.loadEventFired");
    await page.send("Page.navigate", { url: pathToFileURL(file).href });
    await loaded;
    return page;
  }

  send(method: string, params: Json = {}): Promise<Json> {
    this.#id += 1;
    const id = this.#id;
    const session = this.#session === undefined ? {} : { sessionId: this.#session };
    this.#input.write(`${JSON.stringify({ id, method, params, ...session })}\0`);
    return new Promise((done, failed) => this.#waiting.set(id, { done, failed }));
  }

  /** The value of an expression in the page, as JSON has it. */
  async evaluate<T>(expression: string): Promise<T> {
    const { result, exceptionDetails } = await this.send("Runtime.evaluate", { expression, returnByValue: true, awaitPromise: true }); // prettier-ignore
    if (exceptionDetails !== undefined) throw new Error(JSON.stringify(exceptionDetails));
    return (result as { value: T }).value; // the caller knows its expression
  }
  async hover(selector: string): Promise<void> {
    const [x, y] = await this.evaluate<[number, number]>(
      `(() => { const e = document.querySelector(${JSON.stringify(selector)}); e.scrollIntoView({ block: "center", behavior: "instant" });` +
        `const b = e.getBoundingClientRect(); return [b.x + b.width / 2, b.y + b.height / 2]; })()`,
    );
    await this.send("Input.dispatchMouseEvent", { type: "mouseMoved", x, y });
  }
  async press(key: string): Promise<void> {
    await this.send("Input.dispatchKeyEvent", { type: "keyDown", key, code: key });
    await this.send("Input.dispatchKeyEvent", { type: "keyUp", key, code: key });
  }
  async scheme(value: "light" | "dark"): Promise<void> {
    await this.send("Emulation.setEmulatedMedia", { features: [{ name: "prefers-color-scheme", value }] }); // prettier-ignore
  }
  /** A PNG of what is in view. */
  async screenshot(): Promise<Buffer> {
    const { data } = await this.send("Page.captureScreenshot", { format: "png" });
    return Buffer.from(String(data), "base64");
  }

  #event(name: string): Promise<void> {
    return new Promise((resolve, failed) => {
      const heard = (method: string): void => {
        if (method === name) resolve();
      };
      this.#events.push({ heard, failed });
    });
  }

  #reply({ id, method, params = {}, result = {}, error }: Reply): void {
    if (id !== undefined) {
      const waiting = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (error === undefined) waiting?.done(result);
      else waiting?.failed(new Error(error.message));
      return;
    }
    if (method === "Network.requestWillBeSent")
      this.requests.push(String((params["request"] as Json)["url"]));
    if (method === "Runtime.exceptionThrown" || method === "Runtime.consoleAPICalled" || method === "Log.entryAdded") this.complaints.push(JSON.stringify(params)); // prettier-ignore
    for (const { heard } of this.#events) heard(method ?? "");
  }
}
