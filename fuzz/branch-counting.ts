// Which branches of the broker's code a run takes: its compiled modules are loaded once more with a counter in every branch. TypeScript's own
// parser finds the branches; it is a development dependency, and asked for only here.
import { readFileSync } from "node:fs";
import { registerHooks } from "node:module";
import { fileURLToPath } from "node:url";
import type TypeScript from "typescript";
import type { Monitor } from "../broker/monitor.ts";
import type { decode } from "../ipc/protocol.ts";
import type { BrokerCode } from "../lab/mutant-loader.ts";

/** Where compiled modules are: dist/ beside this file's folder, or below the checkout where tests load the sources. */
const dist = new URL(import.meta.url.includes("/dist/fuzz/") ? "../" : "../dist/", import.meta.url);
const remembering = new URL("fuzz/remembering-crypto.js", dist).href;
/** What parses and decides; what only reaches the operating system is not run by a fuzzer. */
const counted = /^(broker\/|ipc\/(protocol|fields|public-key|signature)\.js$)/;
const uncounted =
  /^broker\/(main|system-world|session-process|users|key-file|recording|session-end)\.js$/;

export interface CountedBroker {
  readonly code: BrokerCode;
  /** Branches in all. */
  readonly total: number;
  /** Numbers of those that were taken since the last call. */
  readonly take: () => readonly number[];
}

/** Taken since the last look; a branch that is taken again costs one comparison. */
class Counters {
  total = 0;
  #taken: number[] = [];
  #isTaken = new Uint8Array(65_536);

  readonly hit = (branch: number): void => {
    if (this.#isTaken[branch] === 1) return;
    this.#isTaken[branch] = 1;
    this.#taken.push(branch);
  };
  take(): readonly number[] {
    const taken = this.#taken;
    for (const branch of taken) this.#isTaken[branch] = 0;
    this.#taken = [];
    return taken;
  }
}

/** `source` with a call of `hit` in each branch: both arms of if and ?:, cases, loops, functions, right sides of && || ??. */
function instrument(
  ts: typeof TypeScript,
  source: string,
  hit: string,
  next: () => number,
): string {
  const { factory } = ts;
  const call = (): TypeScript.Expression =>
    factory.createCallExpression(factory.createIdentifier(hit), undefined, [factory.createNumericLiteral(next())]); // prettier-ignore
  const statement = (): TypeScript.Statement => factory.createExpressionStatement(call());
  const before = (expression: TypeScript.Expression): TypeScript.Expression =>
    factory.createParenthesizedExpression(factory.createComma(call(), expression));
  const block = (body: TypeScript.Statement | undefined): TypeScript.Block => {
    if (body === undefined) return factory.createBlock([statement()], true);
    const statements = ts.isBlock(body) ? body.statements : [body];
    return factory.createBlock([statement(), ...statements], true);
  };
  const transformer: TypeScript.TransformerFactory<TypeScript.SourceFile> = (context) => (file) => {
    const visit = (node: TypeScript.Node): TypeScript.Node => {
      const seen = ts.visitEachChild(node, visit, context);
      if (ts.isIfStatement(seen))
        return factory.updateIfStatement(seen, seen.expression, block(seen.thenStatement), block(seen.elseStatement)); // prettier-ignore
      if (ts.isConditionalExpression(seen))
        return factory.updateConditionalExpression(seen, seen.condition, seen.questionToken, before(seen.whenTrue), seen.colonToken, before(seen.whenFalse)); // prettier-ignore
      if (ts.isCaseClause(seen))
        return factory.updateCaseClause(seen, seen.expression, [statement(), ...seen.statements]);
      if (ts.isForOfStatement(seen))
        return factory.updateForOfStatement(seen, seen.awaitModifier, seen.initializer, seen.expression, block(seen.statement)); // prettier-ignore
      if (ts.isWhileStatement(seen))
        return factory.updateWhileStatement(seen, seen.expression, block(seen.statement));
      if (ts.isCatchClause(seen))
        return factory.updateCatchClause(seen, seen.variableDeclaration, block(seen.block));
      if (ts.isMethodDeclaration(seen) && seen.body !== undefined)
        return factory.updateMethodDeclaration(seen, seen.modifiers, seen.asteriskToken, seen.name, seen.questionToken, seen.typeParameters, seen.parameters, seen.type, block(seen.body)); // prettier-ignore
      const operator = ts.isBinaryExpression(seen) ? seen.operatorToken.kind : undefined;
      if (
        ts.isBinaryExpression(seen) &&
        (operator === ts.SyntaxKind.AmpersandAmpersandToken ||
          operator === ts.SyntaxKind.BarBarToken ||
          operator === ts.SyntaxKind.QuestionQuestionToken)
      )
        return factory.updateBinaryExpression(seen, seen.left, seen.operatorToken, before(seen.right)); // prettier-ignore
      return seen;
    };
    return ts.visitEachChild(file, visit, context);
  };
  const file = ts.createSourceFile("module.js", source, ts.ScriptTarget.ESNext, true);
  const { transformed } = ts.transform(file, [transformer]);
  const [result] = transformed;
  if (result === undefined) throw new TypeError("Cannot count branches: nothing came back");
  return `const ${hit} = globalThis.${hit};\n${ts.createPrinter().printFile(result)}`;
}

async function typescript(): Promise<typeof TypeScript> {
  try {
    return (await import("typescript")).default;
  } catch (cause) {
    throw new RangeError("branches cannot be counted without TypeScript: npm ci", { cause });
  }
}

/**
 * Loads the broker once more, for a fuzzer: with counters in its branches unless `areCounted` is false, and with a node:crypto that remembers.
 * RangeError where counters are wanted and TypeScript is not installed (`npm ci` installs it).
 */
export async function loadCountedBroker(areCounted = true): Promise<CountedBroker> {
  const ts = areCounted ? await typescript() : undefined;
  const counters = new Counters();
  const hit = "__sallyportHit";
  Object.assign(globalThis, { [hit]: counters.hit });
  const isOurs = (url: string): boolean => {
    const file = url.slice(dist.href.length);
    return url.startsWith(dist.href) && counted.test(file) && !uncounted.test(file);
  };
  const hooks = registerHooks({
    resolve: (specifier, context, next) => {
      const isAsked = context.parentURL?.endsWith("?counted") === true;
      if (isAsked && specifier === "node:crypto") return next(remembering, context);
      const resolved = next(specifier, context);
      return isAsked && isOurs(resolved.url) ? { ...resolved, url: `${resolved.url}?counted` } : resolved; // prettier-ignore
    },
    load: (url, context, next) => {
      if (!url.endsWith("?counted")) return next(url, context);
      const source = readFileSync(fileURLToPath(new URL(url)), "utf8");
      const number = (): number => (counters.total += 1) - 1;
      const made = ts === undefined ? source : instrument(ts, source, hit, number);
      return { format: "module", source: made, shortCircuit: true };
    },
  });
  const load = (file: string): Promise<unknown> => import(`${new URL(file, dist).href}?counted`);
  const monitor = await load("broker/monitor.js");
  const protocol = await load("ipc/protocol.js");
  hooks.deregister();
  return {
    // The modules are the compiled ones of these very types.
    code: {
      Monitor: (monitor as { Monitor: typeof Monitor }).Monitor,
      decode: (protocol as { decode: typeof decode }).decode,
    },
    total: counters.total,
    take: () => counters.take(),
  };
}
