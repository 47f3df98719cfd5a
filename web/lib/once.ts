import { toHex } from '@lib/merkle'

/** A name that nothing else has. Not randomUUID: over plain http a browser has none. */
export function newKey(): string {
  return toHex(crypto.getRandomValues(new Uint8Array(16)))
}

/** What names something while it is composed, until the post has answered it: sent again, it is not done twice. */
export class OnceKey {
  #words = ''
  #key = ''

  /** The key of what is sent; what says something else has another. */
  of(sent: object): string {
    const words = JSON.stringify(sent)
    if (words !== this.#words) {
      this.#words = words
      this.#key = newKey()
    }
    return this.#key
  }

  answered(): void {
    this.#words = ''
  }
}
