// The changes of the junction that is open, and what came of the one that is chosen.
import { api, Problem } from '@lib/api'
import type { After, Change } from '@lib/changes'
import { live } from '@lib/live.svelte'
import type { Page } from '@lib/types'
import { problemText } from './notices.svelte'

export const DAYS = [7, 14, 28] as const
/** So long after the last key it is asked: whoever goes down the list asks of where they stop. */
const ASK_AFTER_MS = 300
const HOUR_MS = 3_600_000

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
  #timer: ReturnType<typeof setTimeout> | undefined
  #loads = 0
  /** The list and the hour that were compared last: with others, what came of a change is another. */
  #of = ''

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
    const load = ++this.#loads
    try {
      const { items } = await api.get<Page<Change>>(`signals/junctions/${encodeURIComponent(id)}/changes`)
      if (id !== this.#id || load !== this.#loads) return
      ;[this.rows, this.phase] = [items, 'ready']
      const kept = (items.find((each) => each.id === this.chosen) ?? items[0])?.id ?? null
      const of = JSON.stringify([items, Math.floor(live.now() / HOUR_MS)])
      if (kept === this.chosen && of === this.#of) return
      this.#of = of
      // What is shown of the same change stays until it is known anew.
      const shown = kept === this.chosen ? this.told : null
      this.chosen = kept
      void this.compare()
      this.told = shown
    } catch (error) {
      if (id !== this.#id || load !== this.#loads || this.phase === 'ready') return
      this.error = problemText(error instanceof Problem ? error : null)
      this.phase = 'failed'
    }
  }

  choose(change: string): void {
    this.chosen = change
    this.#compareSoon()
  }

  look(days: number): void {
    this.days = days
    this.#compareSoon()
  }

  #compareSoon(): void {
    this.#forget()
    this.comparing = 'loading'
    this.#timer = setTimeout(() => void this.compare(), ASK_AFTER_MS)
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
    clearTimeout(this.#timer)
    this.#abort?.abort()
    this.#abort = null
    this.told = null
    this.comparing = 'idle'
  }
}

export const changes = new Changes()
