// Replies carry no number: their order alone says which request they answer (RFC 4254 sections 4 and 5.4). A request that waits for
// another process therefore holds back the replies to those behind it.
import { PeerFault } from "../../ipc/peer-fault.ts";

interface Expected<T> {
  readonly wantReply: boolean;
  answer: { readonly value: T } | null;
}

/** Requests of which the answer is still to come, in order. */
export class ReplyQueue<T> {
  readonly #expected: Expected<T>[] = [];
  readonly #max: number;
  readonly #send: (value: T) => void;

  /** `send` is called for each answer that was wanted, in the order of the requests. */
  constructor(max: number, send: (value: T) => void) {
    this.#max = max;
    this.#send = send;
  }

  get isEmpty(): boolean {
    return this.#expected.length === 0;
  }

  /** A request has come; the result takes its answer, once. Throws PeerFault FLOOD when too many wait. */
  expect(wantReply: boolean): (value: T) => void {
    if (this.#expected.length >= this.#max)
      throw new PeerFault("FLOOD", `Cannot take request: ${this.#max} wait for their answers`);
    const expected: Expected<T> = { wantReply, answer: null };
    this.#expected.push(expected);
    return (value) => {
      expected.answer = { value };
      this.#release();
    };
  }

  #release(): void {
    for (let [first] = this.#expected; first?.answer != null; [first] = this.#expected) {
      this.#expected.shift();
      if (first.wantReply) this.#send(first.answer.value);
    }
  }
}
