// Whether something secret stands in what was written: as it is, in hexadecimal digits, or in base64 wherever it begins.

/** The three forms that bytes can have within a longer base64 text: its first and last characters depend on the neighbours. */
function base64Forms(secret: Uint8Array): string[] {
  return [0, 1, 2].map((before) => {
    const text = Buffer.concat([new Uint8Array(before), secret]).toString("base64");
    return text.slice(before === 0 ? 0 : before + 1, 4 * Math.floor((before + secret.length) / 3)); // prettier-ignore
  });
}

export class Secrets {
  readonly #forms: readonly (readonly [name: string, form: string])[];

  /** Names are for findings. */
  constructor(secrets: ReadonlyMap<string, Uint8Array>) {
    this.#forms = [...secrets].flatMap(([name, secret]) => {
      const bytes = Buffer.from(secret);
      const hex = bytes.toString("hex");
      const escaped = JSON.stringify(bytes.toString("latin1")).slice(1, -1);
      return [
        bytes.toString("latin1"),
        escaped,
        hex,
        hex.toUpperCase(),
        ...base64Forms(secret),
      ].map((form): readonly [string, string] => [name, form]);
    });
  }

  /** The name of one that stands in this text (latin1), or undefined. */
  in(text: string): string | undefined {
    return this.#forms.find(([, form]) => text.includes(form))?.[0];
  }
}
