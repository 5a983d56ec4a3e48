// The page in a real browser: what is in it, what it does, and that a hostile trace makes it do nothing else.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath, pathToFileURL } from "node:url";
import t, { type Test } from "tap";
import { traceParties } from "../../../ipc/trace.ts";
import { tracePage } from "../../../tools/trace/page.ts";
import { parseTrace, readTrace } from "../../../tools/trace/read.ts";
import { Page } from "../../support/browser.ts";
import { accepted, header, hostileNames, lines, lookup, small } from "./samples.ts";

const sample = fileURLToPath(new URL("../../../docs/samples/login.jsonl", import.meta.url));
const folder = mkdtempSync("/var/tmp/sallyport-page.");
t.teardown(() => {
  rmSync(folder, { recursive: true, force: true });
});
function written(name: string, content: string): string {
  const file = `${folder}/${name}.html`;
  writeFileSync(file, content);
  return file;
}
/** Of the one record that is shown in the panel. */
const shownDetail =
  `(() => { const shown = [...document.querySelectorAll(".detail")].filter((d) => getComputedStyle(d).display !== "none");` +
  `return shown.map((d) => d.innerText); })()`;
const counted = (page: Page, selector: string): Promise<number> =>
  page.evaluate(`document.querySelectorAll(${JSON.stringify(selector)}).length`);
/** It asked for nothing but itself, and had nothing to say. */
function isQuiet(t: Test, page: Page, file: string): void {
  t.same(page.requests, [pathToFileURL(file).href]);
  t.same(page.complaints, []);
}

t.test(
  "tracePage() has no address, no attribute of style or script, and a policy without exceptions",
  (t) => {
    const page = tracePage(readTrace(sample));
    t.notMatch(page, /\b(src|action|srcset|style|on\w+)=/i);
    t.notMatch(page, /https?:|url\(|@import|\/\/[a-z]+\./i);
    const hrefs = [...page.matchAll(/href="([^"]*)"/g)].map(([, address]) => address);
    t.same(
      hrefs.filter((address) => address !== "data:," && address?.startsWith("#") !== true),
      [],
    );
    t.match(page, /content="default-src 'none'; style-src 'sha256-[^']+'; script-src 'sha256-[^']+'; img-src data:; base-uri 'none'; form-action 'none'"/); // prettier-ignore
    t.end();
  },
);
t.test("tracePage() lets a hostile trace add no element", (t) => {
  const elements = (page: string): string[] => [...page.matchAll(/<(\/?[a-z!][a-z0-9]*)/gi)].map(([, name]) => name ?? ""); // prettier-ignore
  const honest = elements(tracePage(parseTrace(small(), "t")));
  for (const name of hostileNames) {
    const page = tracePage(parseTrace(small(name), "t"));
    t.same(elements(page), honest);
    t.notMatch(page.replaceAll("\n", ""), /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
  }
  t.end();
});
t.test("the browser runs nothing of a hostile trace, and asks for nothing", async (t) => {
  const record = (n: number, name: string): unknown =>
    lookup(name, { n, refusal: name, outcome: "refused", permit: { rule: name, why: name } });
  const layer = { kind: "process", atUs: 9, party: "session", event: "verified", by: "broker", pid: 1 }; // prettier-ignore
  const names = hostileNames;
  const trace = lines(
    { ...header, server: names[0], kernel: names[1], connection: { ...header.connection, remoteAddress: names[1] } }, // prettier-ignore
    accepted,
    ...names.map((name, i) => record(i + 2, name)),
    { ...layer, n: names.length + 2, layers: names.map((name) => ({ name, state: "missing", detail: name })) }, // prettier-ignore
  );
  const file = written("hostile", tracePage(parseTrace(trace, "t")));
  const page = await Page.open(t, file);
  await page.hover("#r2 .arrow");
  for (let i = 0; i < names.length; i += 1) await page.press("ArrowDown");
  t.match(await page.evaluate("document.title"), /^<script>document\.title/);
  t.equal(await counted(page, "script"), 1);
  t.equal(await counted(page, "img, svg, iframe, object, embed, form"), 0);
  t.equal(await counted(page, "style"), 1);
  const width = await page.evaluate<number>("document.documentElement.scrollWidth");
  t.ok(width <= 1680, "and a name without end makes the page no wider");
  isQuiet(t, page, file);
});
t.test(
  "the page shows lanes, phases, and each record's details on hover and by keys",
  async (t) => {
    const trace = readTrace(sample);
    const file = written("login", tracePage(trace));
    const page = await Page.open(t, file);

    const heads = await page.evaluate<string[]>(`[...document.querySelectorAll(".head")].map((h) => h.innerText)`); // prettier-ignore
    t.equal(heads.length, traceParties.length);
    t.match(heads, [/^client/, /^session process[^]*uid \d+[^]*18 layers/, /^broker[^]*root/, /^signer[^]*uid \d+/, /^listener/, /^zygote/, /^login[^]*root/, /^worker[^]*uid \d+/]); // prettier-ignore
    const messages = trace.records.filter(({ kind }) => kind === "message");
    t.equal(await counted(page, ".arrow"), messages.length + 2, "messages, and the connection's start and end"); // prettier-ignore
    t.same(
      await page.evaluate(`[...document.querySelectorAll(".band h2")].map((h) => h.innerText)`),
      ["confining", "handover", "kex", "lookup", "authenticating", "postauth", "ended"],
    );

    t.same(await page.evaluate(shownDetail), [], "nothing is chosen at first");
    const signed = messages.find((record) => record.kind === "message" && record.message === "publickeySign"); // prettier-ignore
    await page.hover(`#r${signed?.n ?? 0} .arrow`);
    const [detail = "", ...more] = await page.evaluate<string[]>(shownDetail);
    t.same(more, []);
    t.match(detail, /^publickeySign\s+session process → broker/);
    t.match(detail, /WHY IT WAS PERMITTED\s+permit at most 128 \(\d+ left when it came\)/i);
    t.match(detail, /authenticating → postauth/);
    t.match(detail, /signature\s+\d+ bytes, sha256 [0-9a-f]{16}…/);

    await page.hover(".head:nth-child(2) b");
    const layers = await page.evaluate<string>(`document.querySelector(".head:nth-child(2) .pop").innerText`); // prettier-ignore
    t.match(layers, /seccomp/);
    t.match(layers, /landlock/);

    await page.press("Escape");
    t.same(await page.evaluate(shownDetail), []);
    await page.press("Home");
    const first = await page.evaluate<string[]>(shownDetail);
    t.equal(first.length, 1);
    await page.press("ArrowDown");
    const second = await page.evaluate<string[]>(shownDetail);
    t.equal(second.length, 1);
    t.notSame(second, first);
    t.equal(await page.evaluate("document.activeElement.classList.contains('row')"), true);
    await page.press("End");
    t.match(await page.evaluate(shownDetail), [/ended/]);
    t.equal(await counted(page, ".row[tabindex='0']"), 1, "one stop for the tab key");

    await page.evaluate(`document.querySelector("#only").click()`);
    const asked = messages.filter(
      (record) => record.kind === "message" && record.from === "session",
    );
    const left = `[...document.querySelectorAll("ol > li")].filter((i) => i.offsetParent !== null && i.querySelector(".arrow")).length`;
    t.equal(await page.evaluate(left), asked.length);

    const paper = `getComputedStyle(document.body).backgroundColor`;
    await page.scheme("light");
    const light = await page.evaluate(paper);
    await page.scheme("dark");
    t.not(await page.evaluate(paper), light, "dark where dark is wanted");
    isQuiet(t, page, file);
  },
);
