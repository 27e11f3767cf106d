/** Why a node cannot be a row: what is wrong with it, and what helps. */
export class Refusal extends Error {
  constructor(
    message: string,
    readonly cure?: string,
  ) {
    super(message);
  }
}
