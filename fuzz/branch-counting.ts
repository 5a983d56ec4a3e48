// Which branches of the broker's code a run takes, and how many: a mark is put into every branch of a compiled module. TypeScript's own parser
// finds the branches; it is a development dependency, and asked for only here.
import type TypeScript from "typescript";

/** Names in the changed modules; `handedOver` is read once from the global object, while a module is loaded. */
const [taken, meter, handedOver] = ["__taken", "__meter", "__sallyportCounters"] as const;
const maxBranches = 4096;

export class BranchCounters {
  readonly #ts: typeof TypeScript;
  readonly #taken = new Uint8Array(maxBranches);
  /** Branches that were gone through, one that is gone through again too: a measure of work. */
  readonly meter = { blocks: 0 };
  total = 0;

  constructor(ts: typeof TypeScript) {
    this.#ts = ts;
  }

  /** `source` with its branches marked. It must be loaded before another's `BranchCounters` mark anything. */
  mark(source: string): string {
    Object.assign(globalThis, { [handedOver]: { [taken]: this.#taken, [meter]: this.meter } });
    return instrument(this.#ts, source, () => {
      if (this.total === maxBranches) throw new TypeError("Cannot count branches: too many");
      this.total += 1;
      return this.total - 1;
    });
  }

  /** Numbers of the branches that were taken since the last call. */
  take(): readonly number[] {
    const numbers: number[] = [];
    const end = this.total;
    for (let i = 0; i < end; i += 1)
      if (this.#taken[i] === 1) {
        numbers.push(i);
        this.#taken[i] = 0;
      }
    return numbers;
  }
}

/** Puts a mark into each branch: both arms of if and ?:, cases, loops, functions, right sides of && || ??. */
function instrument(ts: typeof TypeScript, source: string, next: () => number): string {
  const { factory } = ts;
  /** `taken[N] = 1, meter.blocks++` */
  const mark = (): TypeScript.Expression =>
    factory.createComma(
      factory.createAssignment(
        factory.createElementAccessExpression(factory.createIdentifier(taken), next()),
        factory.createNumericLiteral(1),
      ),
      factory.createPostfixIncrement(
        factory.createPropertyAccessExpression(factory.createIdentifier(meter), "blocks"),
      ),
    );
  const statement = (): TypeScript.Statement => factory.createExpressionStatement(mark());
  const before = (expression: TypeScript.Expression): TypeScript.Expression =>
    factory.createParenthesizedExpression(factory.createComma(mark(), expression));
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
      if (ts.isForStatement(seen))
        return factory.updateForStatement(seen, seen.initializer, seen.condition, seen.incrementor, block(seen.statement)); // prettier-ignore
      if (ts.isWhileStatement(seen))
        return factory.updateWhileStatement(seen, seen.expression, block(seen.statement));
      if (ts.isCatchClause(seen))
        return factory.updateCatchClause(seen, seen.variableDeclaration, block(seen.block));
      if (ts.isMethodDeclaration(seen) && seen.body !== undefined)
        return factory.updateMethodDeclaration(seen, seen.modifiers, seen.asteriskToken, seen.name, seen.questionToken, seen.typeParameters, seen.parameters, seen.type, block(seen.body)); // prettier-ignore
      if (ts.isFunctionDeclaration(seen) && seen.body !== undefined)
        return factory.updateFunctionDeclaration(seen, seen.modifiers, seen.asteriskToken, seen.name, seen.typeParameters, seen.parameters, seen.type, block(seen.body)); // prettier-ignore
      if (ts.isArrowFunction(seen))
        return factory.updateArrowFunction(seen, seen.modifiers, seen.typeParameters, seen.parameters, seen.type, seen.equalsGreaterThanToken, ts.isBlock(seen.body) ? block(seen.body) : before(seen.body)); // prettier-ignore
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
  return `const { ${taken}, ${meter} } = globalThis.${handedOver};\n${ts.createPrinter().printFile(result)}`;
}

/** RangeError where it is not installed. */
export async function typescript(): Promise<typeof TypeScript> {
  try {
    return (await import("typescript")).default;
  } catch (cause) {
    throw new RangeError("branches cannot be counted without TypeScript: npm ci", { cause });
  }
}
