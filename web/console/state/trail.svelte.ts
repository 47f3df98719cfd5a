// The trail of a day that is on the map. It is asked for by hand and is no part of the address: where a driver was is not to
// be read by whoever is sent a link.
import { api, Problem } from '@lib/api'
import { dayBegins } from '@lib/format'
import type { Trail } from '@lib/trails'
import { clock } from './clock.svelte'
import { problemText } from './notices.svelte'

class TrailState {
  told = $state.raw<Trail | null>(null)
  loading = $state(false)
  error = $state('')
  #asked = 0

  /** The day as a date field says it (2026-11-24). */
  async load(vehicle: string, date: string): Promise<void> {
    const asked = ++this.#asked
    this.loading = true
    this.error = ''
    try {
      const from = dayBegins(date)
      // Where the clocks change a day has an hour more or less.
      const next = new Date(Date.parse(`${date}T12:00:00Z`) + 86_400_000).toISOString().slice(0, 10)
      const to = new Date(Math.min(dayBegins(next).getTime(), clock.now))
      const path = `roads/vehicles/${encodeURIComponent(vehicle)}/trail`
      const told = await api.get<Trail>(path, { from: from.toISOString(), to: to.toISOString() })
      if (asked === this.#asked) this.told = told
    } catch (error) {
      if (asked !== this.#asked) return
      this.told = null
      this.error = problemText(error instanceof Problem ? error : null)
    } finally {
      if (asked === this.#asked) this.loading = false
    }
  }

  clear(): void {
    this.#asked += 1
    this.told = null
    this.loading = false
    this.error = ''
  }
}

export const trail = new TrailState()
