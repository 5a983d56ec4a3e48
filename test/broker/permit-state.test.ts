import t from "tap";
import { PermitState } from "../../broker/permit-state.ts";
import { leadsTo, permits, phases, type Phase } from "../../broker/permits.ts";
import type { RequestName } from "../../ipc/monitor.ts";

const names = Object.keys(permits.ended) as RequestName[]; // Object.keys forgets the literal names
/** How an honest conversation gets there. */
const way: readonly (readonly [Phase, RequestName])[] = [
  ["handover", "confined"],
  ["kex", "adopted"],
  ["lookup", "sign"],
  ["authenticating", "lookupUser"],
];
function stateIn(phase: Phase): PermitState {
  const state = new PermitState();
  for (const [next, by] of way) {
    if (state.phase === phase) return state;
    state.enter(next, by);
  }
  if (phase === "refused") state.enter(phase, "authNone");
  if (phase === "postauth") state.enter(phase, "publickeySign");
  if (phase === "ended") state.end();
  return state;
}

for (const phase of phases)
  t.test(`PermitState.enter() refuses from ${phase} whatever the table does not lead to`, (t) => {
    for (const by of names)
      for (const next of phases) {
        const state = stateIn(phase);
        t.equal(state.phase, phase);
        const isLed = leadsTo[phase][by]?.includes(next) === true;
        if (isLed) state.enter(next, by);
        else t.throws(() => { state.enter(next, by); }, /does not lead there/, `${by} to ${next}`); // prettier-ignore
        t.equal(state.phase, isLed ? next : phase);
      }
    t.end();
  });

t.test("The table leads nowhere by a request that it never permits", (t) => {
  for (const phase of phases)
    for (const name of names)
      if (permits[phase][name] === "never") t.equal(leadsTo[phase][name], undefined);
  t.end();
});

t.test("PermitState.spend() refuses what is spent, and begins anew with a phase", (t) => {
  const state = stateIn("kex");
  for (let left = 64; left > 0; left -= 1) {
    t.equal(state.left("log"), left);
    state.spend("log");
  }
  t.throws(() => { state.spend("log"); }, { code: "SPENT" }); // prettier-ignore
  t.throws(() => { state.spend("lookupUser"); }, { code: "NOT_PERMITTED" }); // prettier-ignore
  state.enter("lookup", "sign");
  t.equal(state.left("log"), 64);
  t.equal(state.left("sign"), 0);
  t.equal(stateIn("postauth").left("sign"), Infinity);
  t.end();
});
