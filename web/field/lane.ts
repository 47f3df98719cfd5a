// Does one thing after the other, sleeps while there is none, and waits longer each time that it fails.
const PAUSE_MS = 2_000
const PAUSE_MS_MAX = 120_000
const EVER = 2 ** 31 - 1

export class Lane {
  failures = 0
  #wake: () => void = () => undefined
  #woken = false
  readonly #round: () => Promise<number>
  readonly #failed: (error: unknown) => number | null

  /** round: does the next thing; how long until there may be another, in ms. failed: how long it pauses after an error,
      null where that is for its failures to say. */
  constructor(round: () => Promise<number>, failed: (error: unknown) => number | null) {
    this.#round = round
    this.#failed = failed
  }

  /** Who failed waits, whatever was done meanwhile: unless `failures` was set back. */
  wake(): void {
    this.#woken = true
    this.#wake()
  }

  async work(still: () => boolean): Promise<void> {
    while (still()) {
      this.#woken = false
      let pause: number
      try {
        pause = await this.#round()
      } catch (error) {
        const said = this.#failed(error)
        // Not all telephones of a depot at once.
        pause = Math.max(said ?? 0, said === EVER ? 0 : this.#grown())
      }
      if (still() && (!this.#woken || this.failures > 0)) await this.#sleep(pause, still)
    }
  }

  #grown(): number {
    this.failures += 1
    return Math.min(PAUSE_MS * 2 ** (this.failures - 1), PAUSE_MS_MAX) * (0.5 + Math.random() / 2)
  }

  #sleep(ms: number, still: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const failing = this.failures
      const timer = setTimeout(resolve, Math.min(ms, EVER))
      this.#wake = () => {
        if (still() && failing > 0 && this.failures > 0) return
        clearTimeout(timer)
        resolve()
      }
    })
  }
}
