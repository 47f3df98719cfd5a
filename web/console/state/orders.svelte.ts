// Orders: what is being composed, and what is under way. What will change is shown before it is sent.
import { api, Problem } from '@lib/api'
import type { Frame } from '@lib/frames'
import { live, type Handle } from '@lib/live.svelte'
import type { OnceKey } from '@lib/once'
import type { Command, Order, Page, Preview } from '@lib/types'
import { notices } from './notices.svelte'
import { sheet } from './sheet.svelte'

const LAST = new Set(['refused', 'cancelled', 'expired', 'closed'])
const RECENT_MAX = 50

class Orders {
  /** Newest first: open ones, and those that ended while this page was open. */
  all = $state.raw<Command[]>([])
  open = $derived(this.all.filter((command) => !LAST.has(command.state)))
  /** Orders that wait for a second person, or for their author to confirm. */
  waiting = $derived(this.all.filter((command) => command.state === 'proposed' && command.hazard !== 'none'))
  #handle: Handle | null = null
  #timer: ReturnType<typeof setTimeout> | undefined
  #unback: () => void = () => undefined
  /** Counts the stops: what was asked before one was asked by somebody else, maybe, and its answer is dropped. */
  #stops = 0
  /** How often the live link has told all that are open. */
  #fulls = 0
  /** What each selection was at before, where it was one value: the way back. */
  #before = new Map<string, number>()

  start(): void {
    void this.load()
    this.#handle = live.subscribe({ commands: {} }, (frame) => this.#take(frame))
    // It may be another run of the post, which counts its changes anew.
    this.#unback = live.onBack(() => (this.all = this.all.map((command) => ({ ...command, changed: null }))))
  }

  stop(): void {
    this.#handle?.close()
    this.#handle = null
    this.#unback()
    clearTimeout(this.#timer)
    this.#stops += 1
    this.#before.clear()
    this.all = []
  }

  async load(): Promise<void> {
    const [stops, fulls] = [this.#stops, this.#fulls]
    try {
      const page = await api.get<Page<Command> | Command[]>('commands', { open: true })
      // What the link has told meanwhile is later than this answer may be.
      if (stops === this.#stops && fulls === this.#fulls) this.#merge(Array.isArray(page) ? page : page.items)
    } catch {
      // the live door will tell, or the next load
    }
  }

  preview(order: Order): Promise<Preview> {
    return api.post<Preview>('commands/preview', order)
  }

  /** Proposes an order, and confirms it where the hold on the button was the confirmation. */
  async send(order: Order, reason: string, preview: Preview, key: OnceKey): Promise<Command | null> {
    const stops = this.#stops
    try {
      const headers = { 'Idempotency-Key': key.of(order) }
      let command = await api.post<Command>('commands', { ...order, reason }, headers)
      if (stops !== this.#stops) return null
      if (preview.from && preview.from.min === preview.from.max) this.#before.set(command.id, preview.from.min)
      this.#merge([command])
      if (command.hazard === 'confirm' && command.state === 'proposed') command = await this.confirm(command.id)
      key.answered()
      sheet.later()
      return command
    } catch (error) {
      if (stops !== this.#stops) return null
      // What was refused is answered too. After anything else the post may have it or not.
      if (error instanceof Problem && error.status >= 400 && error.status < 500) key.answered()
      notices.problem(error instanceof Problem ? error : null)
      return null
    }
  }

  async confirm(id: string): Promise<Command> {
    const stops = this.#stops
    const command = await api.post<Command>(`commands/${encodeURIComponent(id)}/confirm`, {})
    if (stops === this.#stops) this.#merge([command])
    return command
  }

  async cancel(id: string): Promise<void> {
    const stops = this.#stops
    try {
      const command = await api.post<Command>(`commands/${encodeURIComponent(id)}/cancel`, {})
      if (stops === this.#stops) this.#merge([command])
    } catch (error) {
      if (stops === this.#stops) notices.problem(error instanceof Problem ? error : null)
    }
  }

  /** The one value that the selection had before this order, if it had one. */
  before(id: string): number | undefined {
    return this.#before.get(id)
  }

  find(id: string): Command | undefined {
    return this.all.find((command) => command.id === id)
  }

  #take(frame: Frame): void {
    const data = frame.header.data as { items?: Command[]; full?: boolean } | Command[] | Command | undefined
    if (Array.isArray(data)) this.#merge(data)
    else if (data && 'items' in data && data.items) {
      if (data.full) this.#keepOpen(data.items)
      this.#merge(data.items)
    }
    else if (data && 'id' in data) this.#merge([data])
    else {
      clearTimeout(this.#timer)
      this.#timer = setTimeout(() => void this.load(), 300)
    }
  }

  /** What ended while the link was lost is open no more. An order that is newer than this is told by the next frame. */
  #keepOpen(open: Command[]): void {
    const ids = new Set(open.map((command) => command.id))
    this.#fulls += 1
    this.all = this.all.filter((command) => LAST.has(command.state) || ids.has(command.id))
  }

  #merge(changed: Command[]): void {
    if (!changed.length) return
    const byId = new Map(this.all.map((command) => [command.id, command]))
    for (const command of changed) {
      const known = byId.get(command.id)
      // The answer to a person's own act may come after what the live door has told of what came of it.
      if (known && (command.changed ?? Infinity) < (known.changed ?? -Infinity)) continue
      byId.set(command.id, { ...known, ...command })
    }
    const all = [...byId.values()].sort((a, b) => (a.created < b.created ? 1 : -1))
    this.all = all.filter((command, index) => index < RECENT_MAX || !LAST.has(command.state))
    if (changed.some((command) => LAST.has(command.state)) && sheet.id) sheet.later()
  }
}

export function hasEnded(command: Command): boolean {
  return LAST.has(command.state)
}

export const orders = new Orders()
