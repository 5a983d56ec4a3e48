// From a policy to a BPF program: architecture and x32 first, then a balanced search over the call numbers, so that a hot call
// is decided in few instructions however long the list is.
import { numberOf, type Architecture } from "./architecture.ts";
import { x86_64 } from "./architectures/x86-64.ts";
import {
  and,
  jumpAlways,
  jumpAtLeast,
  jumpEqual,
  load,
  ret,
  seccompData,
  verdict,
  type Instruction,
} from "./bpf.ts";
import { errnos, type ArgumentTest, type Policy, type Rule } from "./rule.ts";

const low = (value: bigint): number => Number(value & 0xffff_ffffn);
const high = (value: bigint): number => Number((value >> 32n) & 0xffff_ffffn);

/** Falls through when the half fits, else jumps `miss` instructions beyond its own end. */
const testHalf = (offset: number, mask: number, value: number, miss: number): Instruction[] => [
  load(offset),
  ...(mask === 0xffff_ffff ? [] : [and(mask)]),
  jumpEqual(value, 0, miss),
];

/** Both halves, always: a filter that looks at the low 32 bits only lets a call through whose high bits the kernel uses. */
function compileTest(test: ArgumentTest, miss: number): Instruction[] {
  const upper =
    high(test.mask) === 0
      ? []
      : testHalf(seccompData.high(test.index), high(test.mask), high(test.value), miss);
  const lower =
    low(test.mask) === 0
      ? []
      : testHalf(seccompData.low(test.index), low(test.mask), low(test.value), miss + upper.length);
  return [...lower, ...upper];
}

const verdictOf = (rule: Rule): Instruction =>
  ret(rule.errno === undefined ? verdict.allow : verdict.errno | errnos[rule.errno]);

/** One rule: its tests, then its verdict; a test that misses jumps behind the verdict. */
function compileRule(rule: Rule): Instruction[] {
  let code = [verdictOf(rule)];
  for (const test of [...(rule.args ?? [])].reverse())
    code = [...compileTest(test, code.length), ...code];
  return code;
}

interface Leaf {
  readonly nr: number;
  readonly code: readonly Instruction[];
}

function leaves(policy: Policy, architecture: Architecture, kill: Instruction): Leaf[] {
  const byCall = new Map<number, Rule[]>();
  for (const rule of policy.rules) {
    const nr = numberOf(architecture, rule.syscall, rule.args !== undefined);
    byCall.set(nr, [...(byCall.get(nr) ?? []), rule]);
  }
  return [...byCall]
    .sort(([a], [b]) => a - b)
    .map(([nr, rules]) => ({ nr, code: [...rules.flatMap(compileRule), kill] }));
}

function search(list: readonly Leaf[], kill: Instruction): Instruction[] {
  const [only] = list;
  if (only === undefined) return [kill];
  // A mismatch at a leaf jumps over one instruction of its own, since a leaf's code may be longer than a jump (255).
  if (list.length === 1) return [jumpEqual(only.nr, 1, 0), kill, ...only.code];
  const middle = list.length >> 1;
  const pivot = list[middle];
  if (pivot === undefined) throw new RangeError("Cannot split an empty list");
  const below = search(list.slice(0, middle), kill);
  const above = search(list.slice(middle), kill);
  return below.length <= 255
    ? [jumpAtLeast(pivot.nr, below.length, 0), ...below, ...above]
    : [jumpAtLeast(pivot.nr, 0, 1), jumpAlways(below.length), ...below, ...above];
}

/**
 * The whole filter. The kernel's default for what is left is never reached: every path ends in a verdict of ours. `otherwise`: what becomes
 * of a call that no rule allows; nothing but the canary, -d and the listener asks for another one than the kill.
 */
export function compile(
  policy: Policy,
  otherwise: number = verdict.killProcess,
  architecture: Architecture = x86_64,
): Instruction[] {
  const kill = ret(otherwise);
  const { auditArch, foreignFrom } = architecture;
  return [
    load(seccompData.arch),
    jumpEqual(auditArch, 1, 0),
    kill,
    load(seccompData.nr),
    ...(foreignFrom === undefined ? [] : [jumpAtLeast(foreignFrom, 0, 1), kill]),
    ...search(leaves(policy, architecture, kill), kill),
  ];
}
