// Corridors: those that can be drawn, and the one that is open, with what each of its junctions showed.
import { api, Problem } from '@lib/api'
import type { Corridor as Told, CorridorRow } from '@lib/corridors'
import { merged, type Shown } from '@lib/junctions'
import { live, type Handle } from '@lib/live.svelte'
import type { Page, Reading } from '@lib/types'
import { AGAIN_MS, shownUntil, WINDOW_MS } from './junctions.svelte'
import { problemText } from './notices.svelte'

class Corridors {
  rows = $state.raw<CorridorRow[]>([])
  phase = $state<'loading' | 'ready' | 'failed'>('loading')
  error = $state('')
  #asked = 0

  async load(): Promise<void> {
    const asked = ++this.#asked
    try {
      const { items } = await api.get<Page<CorridorRow>>('signals/corridors')
      if (asked === this.#asked) [this.rows, this.phase] = [items, 'ready']
    } catch (error) {
      if (asked !== this.#asked) return
      this.error = problemText(error instanceof Problem ? error : null)
      this.phase = 'failed'
    }
  }

  leave(): void {
    this.#asked += 1
    this.rows = []
    this.phase = 'loading'
  }
}

class Corridor {
  told = $state.raw<Told | null>(null)
  phase = $state<'loading' | 'ready' | 'missing' | 'failed'>('loading')
  /** What each junction showed lately, by its id; of the time that `end` asks for. */
  shown = $state.raw<ReadonlyMap<string, Shown[]>>(new Map())
  /** Of some junction it could not be read. */
  shownFailed = $state(false)
  /** Whether that was read at all since it was asked for. */
  shownRead = $state(false)
  /** The end of the time that is drawn; null: now. */
  end = $state<number | null>(null)
  #id: string | null = null
  #asked = 0
  #loads = 0
  #timer: ReturnType<typeof setInterval> | undefined
  #offBack: (() => void) | undefined
  #handles: Handle[] = []

  open(id: string | null): void {
    if (id === this.#id) return
    this.#close()
    this.#id = id
    if (id === null) return
    void this.load()
    // Anew as well, since documents and what one may see change while one looks.
    this.#timer = setInterval(() => void this.load(), AGAIN_MS)
    this.#offBack = live.onBack(() => void this.load())
  }

  async load(): Promise<void> {
    const id = this.#id
    if (id === null) return
    const load = ++this.#loads
    try {
      const told = await api.get<Told>(`signals/corridors/${encodeURIComponent(id)}`)
      if (load !== this.#loads) return
      this.#follow(told)
      ;[this.told, this.phase] = [told, 'ready']
    } catch (error) {
      if (load !== this.#loads) return
      if (error instanceof Problem && error.status === 404) {
        // It is no more, or not to be seen any more: nor is what was drawn of it.
        this.#drop()
        this.phase = 'missing'
      } else if (this.told === null) this.phase = 'failed'
    }
    void this.loadShown()
  }

  /** Hears of the junctions of a corridor as it is told now, and of no other. */
  #follow(told: Told): void {
    const before = this.told?.junctions.map((each) => each.id) ?? []
    if (before.length === told.junctions.length && told.junctions.every((each, at) => each.id === before[at])) return
    for (const each of this.#handles) each.close()
    this.#handles = told.junctions.map((each) =>
      live.subscribe({ watch: { asset: each.id } }, (frame) =>
        this.#hear(each.id, (frame.header.data as { points?: Reading[] } | undefined)?.points),
      ),
    )
  }

  async loadShown(): Promise<void> {
    const told = this.told
    if (told === null) return
    const asked = ++this.#asked
    const end = this.end ?? live.now()
    const read = await Promise.allSettled(told.junctions.map((each) => shownUntil(each.id, end)))
    if (asked !== this.#asked) return
    const next = new Map(this.shown)
    for (const [at, each] of told.junctions.entries()) {
      const fresh = read[at]!
      if (fresh.status === 'rejected') continue
      next.set(each.id, merged(fresh.value, this.end === null ? (next.get(each.id) ?? []) : [], end - WINDOW_MS))
    }
    this.shown = next
    this.shownFailed = read.some((each) => each.status === 'rejected')
    this.shownRead = true
  }

  /** Shows the time up to `end`; null: now, as it goes on. */
  look(end: number | null): void {
    this.end = end !== null && end >= live.now() ? null : end
    this.shown = new Map()
    this.shownRead = false
    void this.loadShown()
  }

  #hear(junction: string, points: Reading[] | undefined): void {
    const reading = points?.find((each) => each.point === 'groups')
    if (this.end !== null || typeof reading?.value !== 'string') return
    const [at, own] = [Date.parse(reading.at), this.shown.get(junction) ?? []]
    if (at <= (own.at(-1)?.at ?? 0)) return
    this.shown = new Map(this.shown).set(junction, merged(own, [{ at, letters: reading.value }], live.now() - WINDOW_MS))
  }

  #close(): void {
    clearInterval(this.#timer)
    this.#offBack?.()
    this.#loads += 1
    this.#drop()
    this.phase = 'loading'
    this.end = null
  }

  #drop(): void {
    for (const each of this.#handles) each.close()
    this.#handles = []
    this.#asked += 1
    this.told = null
    this.shown = new Map()
    this.shownFailed = this.shownRead = false
  }
}

export const corridors = new Corridors()
export const corridor = new Corridor()
