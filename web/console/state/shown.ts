// What the map's lamps show: the live picture, or the levels of a previewed night in its place. Never both.

/** In `levels`: nothing is said of this lamp. */
export const UNSAID = 255

class Shown {
  /** By the number of the asset, in %; null while the map shows what is. */
  levels: Uint8Array | null = null
  /** Grows with each change. */
  version = 0

  set(levels: Uint8Array | null): void {
    this.levels = levels
    this.version += 1
  }
}

export const shown = new Shown()
