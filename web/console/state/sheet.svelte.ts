// The sheet of one asset: asked for whole, then kept live by watching its points.
import { api, Problem } from '@lib/api'
import type { Frame } from '@lib/frames'
import { live, type Handle } from '@lib/live.svelte'
import type { AssetSheet, JournalEntry, Page, Reading } from '@lib/types'
import { learn } from '../map/places'

type Told = Partial<AssetSheet>

export class Sheet {
  id = $state<string | null>(null)
  asset = $state.raw<AssetSheet | null>(null)
  phase = $state<'idle' | 'loading' | 'ready' | 'missing' | 'failed'>('idle')
  journal = $state.raw<JournalEntry[]>([])
  /** How often a sheet was read whole; what the live frames say does not count. */
  reads = $state(0)

  #handle: Handle | null = null
  #abort: AbortController | null = null
  #timer: ReturnType<typeof setTimeout> | undefined
  /** What the live link has told since the sheet was last asked for: the answer may be of before. */
  #told: Told = {}

  constructor() {
    // Orders, lock-outs and moves of the time without a link are told by nobody: what is open is read again.
    live.onBack(() => void this.load())
  }

  open(id: string | null): void {
    if (id === this.id) return
    this.#handle?.close()
    this.#handle = null
    this.#abort?.abort()
    clearTimeout(this.#timer)
    this.id = id
    this.asset = null
    this.journal = []
    if (id === null) {
      this.phase = 'idle'
      return
    }
    this.phase = 'loading'
    void this.load()
    this.#handle = live.subscribe({ watch: { asset: id } }, (frame) => this.#take(frame))
  }

  async load(): Promise<void> {
    const id = this.id
    if (id === null) return
    this.#abort?.abort()
    this.#abort = new AbortController()
    this.#told = {}
    const signal = this.#abort.signal
    try {
      const path = `assets/${encodeURIComponent(id)}`
      const asset = await api.get<AssetSheet>(path, {}, signal)
      if (this.id !== id) return
      learn(asset)
      const { points = [], ...rest } = this.#told
      this.asset = { ...asset, ...rest, points: newest(asset.points, points) }
      // Which of the two is the later one, conditions do not say.
      if ('conditions' in rest) this.later()
      this.reads += 1
      this.phase = 'ready'
      const entries = await api.get<Page<JournalEntry> | JournalEntry[]>(`${path}/journal`, {}, signal)
      if (this.id === id) this.journal = Array.isArray(entries) ? entries : entries.items
    } catch (error) {
      if (this.id !== id || !(error instanceof Problem)) return
      if (this.asset === null) this.phase = error.status === 404 || error.status === 403 ? 'missing' : 'failed'
    }
  }

  /** Asks for the whole sheet again soon: an order or a condition has changed. */
  later(): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => void this.load(), 400)
  }

  #take(frame: Frame): void {
    const data = frame.header.data as Told | undefined
    if (!data) return
    const { points = [], ...rest } = data
    this.#told = { ...this.#told, ...rest, points: merged(this.#told.points ?? [], points) }
    const asset = this.asset
    if (!asset) return
    this.asset = { ...asset, ...rest, points: merged(asset.points, points) }
    // It is followed again: the sheet says no longer that it is not.
    if (points.some((reading) => asset.unfollowed.includes(reading.point))) this.later()
    if (!('conditions' in data) && !('points' in data)) this.later()
  }
}

/** The later reading of each point, where some were told by other ways. */
function newest(asked: Reading[], told: Reading[]): Reading[] {
  const at = new Map(asked.map((reading) => [reading.point, Date.parse(reading.at)]))
  return merged(asked, told.filter((reading) => Date.parse(reading.at) >= (at.get(reading.point) ?? 0)))
}

function merged(old: Reading[], fresh: Reading[]): Reading[] {
  const byPoint = new Map(old.map((reading) => [reading.point, reading]))
  for (const reading of fresh) byPoint.set(reading.point, reading)
  return [...byPoint.values()]
}

export const sheet = new Sheet()
