// What needs a person now: the open alarms in one list, the worst and the newest first.
import { api, Problem } from '@lib/api'
import type { Frame } from '@lib/frames'
import { live, type Handle } from '@lib/live.svelte'
import type { Alarm, Page } from '@lib/types'
import { learn } from '../map/places'
import { notices } from './notices.svelte'

export const UNACKNOWLEDGED = new Set(['unacknowledged', 'returned_unacknowledged'])
const LIST_MAX = 2_000
const WAIT_MS_FIRST = 300
const WAIT_MS_MAX = 30_000

class Desk {
  alarms = $state.raw<Alarm[]>([])
  phase = $state<'loading' | 'ready' | 'failed'>('loading')
  /** The row that J and K move, by the alarm's id. */
  current = $state<string | null>(null)
  /** Alarms whose acknowledgement is on its way. */
  sending = $state.raw<ReadonlySet<string>>(new Set())
  /** Open alarms by area path, [1, 2, 3]; each area counts what lies below it. */
  byArea = $derived.by(() => countByArea(this.alarms))

  #handle: Handle | null = null
  #timer: ReturnType<typeof setTimeout> | undefined
  /** How many frames the live link has brought. */
  #frames = 0
  /** How many of them told all that are open. */
  #fulls = 0
  /** How long it waits before it asks again: longer each time an answer was overtaken. */
  #wait_ms = WAIT_MS_FIRST
  /** Counts the closings: what was asked before one was asked by somebody else, maybe, and its answer is dropped. */
  #closings = 0

  open(): void {
    void this.load()
    this.#handle = live.subscribe({ conditions: {} }, (frame) => this.#take(frame))
  }

  close(): void {
    this.#handle?.close()
    this.#handle = null
    clearTimeout(this.#timer)
    this.#closings += 1
    this.sending = new Set()
    this.alarms = []
    this.phase = 'loading'
  }

  async load(): Promise<void> {
    const [closings, frames, fulls] = [this.#closings, this.#frames, this.#fulls]
    try {
      const all: Alarm[] = []
      let cursor: string | null = null
      do {
        const page: Page<Alarm> = await api.get('conditions', { outlet: 'alarm', open: true, limit: 500, cursor })
        if (closings !== this.#closings) return
        all.push(...page.items)
        cursor = page.next
      } while (cursor && all.length < LIST_MAX)
      // What was told meanwhile may be later than this answer: an alarm must not go from the list with it.
      if (frames === this.#frames) {
        this.#show(all)
        this.#wait_ms = WAIT_MS_FIRST
      } else if (fulls === this.#fulls) {
        this.#wait_ms = Math.min(2 * this.#wait_ms, WAIT_MS_MAX)
        this.#later()
      }
    } catch {
      if (closings === this.#closings && this.phase === 'loading') this.phase = 'failed'
    }
  }

  async acknowledge(id: string): Promise<void> {
    const closings = this.#closings
    this.sending = new Set(this.sending).add(id)
    try {
      const answer = await api.post<Partial<Alarm> | undefined>(`conditions/${id}/acknowledge`, {})
      if (closings !== this.#closings) return
      const state = answer?.state
      if (state) this.#merge([{ ...this.#find(id), ...answer } as Alarm])
      else this.#later()
    } catch (error) {
      if (closings !== this.#closings) return
      notices.problem(error instanceof Problem ? error : null)
      this.#later()
    } finally {
      const sending = new Set(this.sending)
      sending.delete(id)
      this.sending = sending
    }
  }

  /** Moves the current row by one, down or up. */
  step(by: 1 | -1): Alarm | undefined {
    const at = this.alarms.findIndex((alarm) => alarm.id === this.current)
    const next = this.alarms[at < 0 ? 0 : Math.min(this.alarms.length - 1, Math.max(0, at + by))]
    this.current = next?.id ?? null
    return next
  }

  #find(id: string): Alarm | undefined {
    return this.alarms.find((alarm) => alarm.id === id)
  }

  #take(frame: Frame): void {
    const data = frame.header.data as { items?: Alarm[]; full?: boolean } | Alarm[] | undefined
    const items = Array.isArray(data) ? data : data?.items
    this.#frames += 1
    if (!items) this.#later()
    else if (!Array.isArray(data) && data?.full) {
      this.#fulls += 1
      this.#wait_ms = WAIT_MS_FIRST
      this.#show(items.filter(isOpenAlarm))
    } else this.#merge(items)
  }

  #merge(changed: Alarm[]): void {
    const byId = new Map(this.alarms.map((alarm) => [alarm.id, alarm]))
    for (const alarm of changed) {
      if (isOpenAlarm(alarm)) byId.set(alarm.id, { ...byId.get(alarm.id), ...alarm })
      else byId.delete(alarm.id)
    }
    this.#show([...byId.values()])
  }

  /** Asks again soon; many reasons in a row are one question. */
  #later(): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => void this.load(), this.#wait_ms)
  }

  #show(alarms: Alarm[]): void {
    for (const alarm of alarms) learn(alarm.asset)
    this.alarms = alarms.sort(
      (a, b) => a.priority - b.priority || (a.raised < b.raised ? 1 : a.raised > b.raised ? -1 : a.id < b.id ? 1 : -1),
    )
    this.phase = 'ready'
  }
}

function isOpenAlarm(alarm: Alarm): boolean {
  return alarm.outlet === 'alarm' && alarm.state !== 'normal'
}

function countByArea(alarms: Alarm[]): Map<string, [number, number, number]> {
  const counts = new Map<string, [number, number, number]>()
  for (const { asset, priority } of alarms) {
    const parts = asset.area.split('/')
    for (let depth = 1; depth <= parts.length; depth++) {
      const path = parts.slice(0, depth).join('/')
      const count = counts.get(path) ?? [0, 0, 0]
      count[(priority - 1) as 0 | 1 | 2] += 1
      counts.set(path, count)
    }
  }
  return counts
}

export const desk = new Desk()
