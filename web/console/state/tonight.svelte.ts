// What light on demand does tonight, read again while a page shows it.
import { api, Problem } from '@lib/api'
import type { RuleTonight, Tonight } from '@lib/plans'
import { problemText } from './notices.svelte'

const AGAIN_MS = 10_000

class TonightState {
  told = $state.raw<Tonight | null>(null)
  /** Why it could not be read; what was told before stays, and is old. */
  error = $state('')
  #watched = 0
  #timer: ReturnType<typeof setTimeout> | undefined

  /** Reads it from now on, until the returned function is called. */
  watch(): () => void {
    if (this.#watched++ === 0) void this.load()
    return () => {
      if (--this.#watched > 0) return
      clearTimeout(this.#timer)
      this.told = null
      this.error = ''
    }
  }

  of(plan: string): RuleTonight | null {
    return this.told?.rules.find((each) => each.plan === plan) ?? null
  }

  async load(): Promise<void> {
    clearTimeout(this.#timer)
    try {
      this.told = await api.post<Tonight>('services/lighting/tonight', {})
      this.error = ''
    } catch (error) {
      this.error = problemText(error instanceof Problem ? error : null)
    }
    clearTimeout(this.#timer)
    if (this.#watched > 0) this.#timer = setTimeout(() => void this.load(), AGAIN_MS)
  }
}

export const tonight = new TonightState()
