// The gateways of lighting, asked for every few seconds while somebody looks at them; how old the answer is stands beside
// it.
import { api, Problem } from '@lib/api'
import { rowsOf, type Gateway, type Row } from '@lib/gateways'
import { live } from '@lib/live.svelte'
import type { Page } from '@lib/types'
import { notices, problemText } from './notices.svelte'
import { view } from './view.svelte'

const EVERY_MS = 4_000

class Gateways {
  rows = $state.raw<Row[]>([])
  /** The one that is open, with all that is told of it. */
  one = $state.raw<Gateway | null>(null)
  phase = $state<'loading' | 'ready' | 'failed'>('loading')
  error = $state('')
  /** When what is shown was told, on the post's clock; null for never. */
  at = $state<number | null>(null)
  /** The last question was not answered: what is shown grows old. */
  old = $state(false)
  /** The one that is open is not there, or is not for who works here. */
  missing = $state(false)
  sending = $state(false)

  #watchers = 0
  #timer: ReturnType<typeof setTimeout> | undefined
  #offBack: (() => void) | undefined
  #asked = 0

  /** Follows them until the returned function is called. */
  watch(): () => void {
    this.#watchers += 1
    if (this.#watchers === 1) {
      this.#offBack = live.onBack(() => void this.load())
      void this.load()
    }
    return () => {
      this.#watchers -= 1
      if (this.#watchers > 0) return
      clearTimeout(this.#timer)
      this.#offBack?.()
      // Who comes back, or somebody else, sees nothing of before.
      this.rows = []
      this.one = null
      this.at = null
      this.phase = 'loading'
      this.#asked += 1
    }
  }

  async load(): Promise<void> {
    clearTimeout(this.#timer)
    const asked = ++this.#asked
    const name = view.page === 'gateways' ? view.gateway : null
    if (name !== this.one?.name) this.one = null
    try {
      const [page, one] = await Promise.all([
        api.get<Page<Gateway>>('gateways', { told: 0 }),
        name === null ? null : this.#read(name),
      ])
      if (asked !== this.#asked) return
      this.rows = rowsOf(page.items)
      this.one = one
      this.missing = name !== null && one === null
      this.at = live.now()
      this.phase = 'ready'
      this.old = false
    } catch (error) {
      if (asked !== this.#asked) return
      this.old = true
      this.error = problemText(error instanceof Problem ? error : null)
      if (this.at === null) this.phase = 'failed'
    }
    if (this.#watchers > 0) this.#timer = setTimeout(() => void this.load(), EVERY_MS)
  }

  /** Has a gateway read anew, and mended. Whether that was taken. */
  async readAgain(name: string, reason: string): Promise<boolean> {
    this.sending = true
    try {
      const one = await api.post<Gateway>(`gateways/${encodeURIComponent(name)}/read`, { reason })
      if (this.one?.name === name) this.one = one
      void this.load()
      return true
    } catch (error) {
      notices.problem(error instanceof Problem ? error : null)
      return false
    } finally {
      this.sending = false
    }
  }

  async #read(name: string): Promise<Gateway | null> {
    try {
      return await api.get<Gateway>(`gateways/${encodeURIComponent(name)}`)
    } catch (error) {
      if (error instanceof Problem && error.status === 404) return null
      throw error
    }
  }
}

export const gateways = new Gateways()
