/** The page's end of the bridge: posts requests to a worker and gives each its own reply. */

import { type Calls, type Name, Refused, type Reply } from "./messages.js";

/** What is needed of a Worker; of a MessagePort, too. */
export interface Port {
  postMessage(message: unknown): void;
  addEventListener(type: "message", listener: (event: MessageEvent<Reply>) => void): void;
}

interface Waiting {
  readonly resolve: (answer: Calls[Name]["answer"]) => void;
  readonly reject: (fault: Refused) => void;
}

/** Asks the worker. */
export class UnsealClient {
  readonly #port: Port;
  readonly #waiting = new Map<number, Waiting>();
  #next = 0;

  constructor(port: Port) {
    this.#port = port;
    port.addEventListener("message", ({ data }) => {
      this.#take(data);
    });
  }

  /** The answer to a request; rejects with Refused. */
  ask<N extends Name>(name: N, ask: Calls[N]["ask"]): Promise<Calls[N]["answer"]> {
    const id = (this.#next += 1);
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve: resolve, reject });
      this.#port.postMessage({ id, name, ask });
    });
  }

  /** Refuses whatever waits: the worker ended. */
  ended(): void {
    for (const one of this.#waiting.values()) one.reject(new Refused("The worker ended.", "internal"));
    this.#waiting.clear();
  }

  #take(reply: Reply): void {
    const waiting = this.#waiting.get(reply.id);
    this.#waiting.delete(reply.id);
    if (reply.ok) waiting?.resolve(reply.answer);
    else waiting?.reject(new Refused(reply.message, reply.fault));
  }
}
