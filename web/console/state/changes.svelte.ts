// The changes of the junction that is open, and what came of the one that is chosen.
import { api, Problem } from '@lib/api'
import type { After, Change } from '@lib/changes'
import type { Page } from '@lib/types'
import { problemText } from './notices.svelte'

export const DAYS = [7, 14, 28] as const

class Changes {
  rows = $state.raw<Change[]>([])
  phase = $state<'loading' | 'ready' | 'failed'>('loading')
  error = $state('')
  /** The change that is compared; null: none is known. */
  chosen = $state<string | null>(null)
  days = $state<number>(DAYS[0])
  told = $state.raw<After | null>(null)
  comparing = $state<'idle' | 'loading' | 'ready' | 'failed'>('idle')
  compareError = $state('')
  #id: string | null = null
  #abort: AbortController | null = null

  /** Reads the changes of a junction, again if it is the one that is open. */
  follow(id: string): void {
    if (id !== this.#id) {
      this.leave()
      this.#id = id
    }
    void this.load()
  }

  leave(): void {
    this.#id = null
    this.rows = []
    this.phase = 'loading'
    this.chosen = null
    this.days = DAYS[0]
    this.#forget()
  }

  /** Reads which changes there are; what is chosen stays so, as long as there is such a one. */
  async load(): Promise<void> {
    const id = this.#id
    if (id === null) return
    try {
      const { items } = await api.get<Page<Change>>(`signals/junctions/${encodeURIComponent(id)}/changes`)
      if (id !== this.#id) return
      ;[this.rows, this.phase] = [items, 'ready']
      const kept = items.find((each) => each.id === this.chosen) ?? items[0]
      if ((kept?.id ?? null) !== this.chosen) this.choose(kept?.id ?? null)
    } catch (error) {
      if (id !== this.#id || this.phase === 'ready') return
      this.error = problemText(error instanceof Problem ? error : null)
      this.phase = 'failed'
    }
  }

  choose(change: string | null): void {
    this.chosen = change
    void this.compare()
  }

  look(days: number): void {
    this.days = days
    void this.compare()
  }

  async compare(): Promise<void> {
    const [id, change] = [this.#id, this.chosen]
    this.#forget()
    if (id === null || change === null) return
    const asked = (this.#abort = new AbortController())
    this.comparing = 'loading'
    try {
      const path = `signals/junctions/${encodeURIComponent(id)}/changes/${encodeURIComponent(change)}/after`
      const told = await api.get<After>(path, { days: this.days }, asked.signal)
      if (this.#abort === asked) [this.told, this.comparing] = [told, 'ready']
    } catch (error) {
      if (this.#abort !== asked) return
      this.compareError = problemText(error instanceof Problem ? error : null)
      this.comparing = 'failed'
    }
  }

  /** What was asked for is not awaited any more. */
  #forget(): void {
    this.#abort?.abort()
    this.#abort = null
    this.told = null
    this.comparing = 'idle'
  }
}

export const changes = new Changes()
