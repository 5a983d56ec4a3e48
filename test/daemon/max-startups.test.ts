import fc from "fast-check";
import t from "tap";
import { isDropped, Throttle } from "../../daemon/listener/max-startups.ts";

const limits = { begin: 10, rate: 30, full: 100 };
const minuteMs = 60_000;

t.test("isDropped() drops every connection from `full` on", (t) => {
  t.equal(isDropped(100, limits, 99), true);
  t.equal(isDropped(5000, limits, 99), true);
  t.end();
});

t.test("isDropped() drops every connection from `begin` on when the rate is 100", (t) => {
  t.equal(isDropped(10, { begin: 10, rate: 100, full: 100 }, 99), true);
  t.equal(isDropped(2, { begin: 2, rate: 100, full: 2 }, 99), true);
  t.end();
});

t.test("isDropped() drops none below `begin`, whatever the dice say", (t) => {
  t.equal(isDropped(9, limits, 0), false);
  t.end();
});

t.test("isDropped() drops `rate` percent at `begin` and more with each connection", (t) => {
  const percent = (startups: number): number =>
    Array.from({ length: 100 }, (_, random) => isDropped(startups, limits, random)).filter(Boolean)
      .length;
  t.equal(percent(10), 30);
  t.equal(percent(55), 65);
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 120 }), (n) => percent(n) <= percent(n + 1)),
    { seed: 1 },
  );
  t.end();
});

t.test("Throttle says that it begins once, and drops quietly for five minutes after", (t) => {
  const throttle = new Throttle();
  t.same(throttle.dropped(0), {
    summary: { level: "error", text: "beginning MaxStartups throttling" },
    dropLevel: "info",
  });
  t.same(throttle.dropped(4 * minuteMs), { dropLevel: "verbose" });
  t.same(throttle.dropped(5 * minuteMs), { dropLevel: "verbose" });
  t.same(throttle.dropped(5 * minuteMs + 1), {
    summary: {
      level: "error",
      text: "in MaxStartups throttling for 00:05:00, 4 connections dropped",
    },
    dropLevel: "info",
  });
  t.end();
});

t.test("Throttle.passed() says nothing when nothing was dropped, or too many still wait", (t) => {
  const throttle = new Throttle();
  t.equal(throttle.passed(0, limits, 0), undefined);
  throttle.dropped(0);
  t.equal(throttle.passed(9, limits, 1000), undefined);
  t.end();
});

t.test("Throttle.passed() says once that it is over, and counts anew", (t) => {
  const throttle = new Throttle();
  throttle.dropped(0);
  throttle.dropped(1);
  t.equal(
    throttle.passed(8, limits, 3_725_000),
    "exited MaxStartups throttling after 01:02:05, 2 connections dropped",
  );
  t.equal(throttle.passed(8, limits, 3_725_000), undefined);
  throttle.dropped(0);
  t.match(throttle.passed(0, limits, 0), /after 00:00:00, 1 connections dropped/);
  t.end();
});
