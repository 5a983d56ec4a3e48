// The results of `sallyport sandbox prove` for a person, and in numbers.
import { families, type Family } from "./attempt.ts";
import type { AttemptResult } from "./result.ts";

export interface Summary {
  readonly attempts: number;
  readonly stopped: number;
  /** Whose control was refused: the machine itself does not allow it even to root without a layer. */
  readonly controlsRefused: number;
  /** Attempts that two layers or more stop, each alone. */
  readonly deep: number;
}

export const summary = (results: readonly AttemptResult[]): Summary => ({
  attempts: results.length,
  stopped: results.filter(({ isStopped }) => isStopped).length,
  controlsRefused: results.filter(({ control }) => !control.works).length,
  deep: results.filter(({ alone }) => alone.length >= 2).length,
});

export interface RenderOptions {
  readonly isQuick: boolean;
  readonly isColoured: boolean;
}
const nameWidth = 22;
const layerWidth = 30;

const several = "several layers together";
type Paint = (code: number, text: string) => string;
function thenText({ layer, next }: AttemptResult, isQuick: boolean, paint: Paint): string {
  if (isQuick) return "";
  if (next !== null) return `then ${next.layer ?? several} ${paint(90, next.outcome)}`;
  return layer === null || layer === "machine" ? "" : paint(90, "then nothing");
}

export function render(
  results: readonly AttemptResult[],
  { isQuick, isColoured }: RenderOptions,
): string {
  const paint: Paint = (code, text) => (isColoured ? `\u001b[${code}m${text}\u001b[0m` : text);
  const line = (result: AttemptResult): string[] => {
    const mark = result.isStopped ? paint(32, "✓") : paint(31, "✗");
    const head = `${mark} ${result.name.padEnd(nameWidth)}`;
    if (!result.isStopped)
      return [`${head} ${paint(31, `NOT STOPPED: ${result.outcome}`)} (${result.what})`];
    const first = result.layer ?? (isQuick ? "-" : several);
    const by = `${first} ${paint(90, result.outcome)}`;
    const plain = `${first} ${result.outcome}`;
    const next = thenText(result, isQuick, paint);
    const depth = isQuick ? "" : ` ${paint(36, `depth ${result.alone.length}`)}: ${result.alone.join(", ")}`; // prettier-ignore
    const control = result.control.works ? "" : paint(33, `  control: refused by the machine: ${result.control.text}`); // prettier-ignore
    return [
      `${head} ${by}${" ".repeat(Math.max(1, layerWidth - plain.length))}${next}`,
      ...(isQuick ? [] : [`  ${"".padEnd(nameWidth)}${depth}`]),
      ...(control === "" ? [] : [`  ${"".padEnd(nameWidth)}${control}`]),
    ];
  };
  const known = Object.keys(families) as Family[]; // Object.keys forgets the literal names
  const blocks = known.flatMap((family) => {
    const own = results.filter((result) => result.family === family);
    return own.length === 0 ? [] : [paint(1, families[family]), ...own.flatMap(line), ""];
  });
  const { attempts, stopped, controlsRefused, deep } = summary(results);
  const verdict = stopped === attempts ? paint(32, `all ${attempts} attempts were stopped`) : paint(31, `${attempts - stopped} of ${attempts} attempts were NOT stopped`); // prettier-ignore
  const more = [
    ...(isQuick ? [] : [`${deep} by two layers or more, each alone`]),
    ...(controlsRefused === 0
      ? []
      : [`${controlsRefused} are refused by this machine even without a layer`]),
  ];
  return [...blocks, [verdict, ...more].join("; ")].join("\n");
}
