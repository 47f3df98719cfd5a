// The live door. One socket, any number of subscriptions; a lost socket is opened again by itself, with a growing
// wait, and each subscription resumes from the last version it was given.
import { readFrame, type Frame } from './frames'
import type { Bounds } from './types'

export type Topic =
  | { subscribe: { bbox: Bounds; kinds: string[] | null; cells: number | null } }
  | { watch: { asset: string } }
  | { figures: Record<string, never> }
  | { conditions: Record<string, never> }
  | { commands: Record<string, never> }
  | { inventory: Record<string, never> }

export type Status = 'connecting' | 'live' | 'lost' | 'closed'
export type Taker = (frame: Frame) => void

interface Subscription {
  topic: Topic
  take: Taker
  resume: { epoch: string; version: number } | null
}

/** A subscription in the hands of who asked for it. */
export interface Handle {
  /** Asks for something else under the same subscription: a fresh snapshot follows. */
  change(topic: Topic): void
  close(): void
}

const WAIT_MS_FIRST = 500
const WAIT_MS_MAX = 15_000
/** Why the post has closed the link, where asking again at once would end the same. */
const NOT_AT_ONCE = new Set(['full', 'too_many_subscriptions', 'too_many_messages', 'not_understood'])
/** After this silence the post is asked whether it is still there: a cut network sends no goodbye. */
const SILENCE_MS_MAX = 12_000
const PULSE_MS_MAX = 5_000

class LiveLink {
  status = $state<Status>('closed')
  /** When the link was lost; null while it stands. */
  lostSince = $state<number | null>(null)
  /** Why the post has closed the link; null where it was cut. */
  reason = $state<string | null>(null)
  /** When the next attempt starts. */
  nextAttempt = $state<number | null>(null)
  /** When data was last coalesced because this browser was too slow; null when it never was. */
  slowAt = $state<number | null>(null)
  /** The post's clock minus this machine's, in ms. */
  offset = $state(0)

  #socket: WebSocket | null = null
  #subscriptions = new Map<number, Subscription>()
  #next = 1
  #attempts = 0
  #timer: ReturnType<typeof setTimeout> | undefined
  #pulse: ReturnType<typeof setInterval> | undefined
  #heard = 0
  #offsetKnown = false
  #bye: string | null = null
  #revoked: () => void = () => undefined
  #back = new Set<() => void>()

  /** Now, on the post's clock. */
  now(): number {
    return Date.now() + this.offset
  }

  onRevoked(listener: () => void): void {
    this.#revoked = listener
  }

  /** Calls whenever the link stands again after it was lost: what could not be asked meanwhile is asked now. Gives what
      ends it. */
  onBack(listener: () => void): () => void {
    this.#back.add(listener)
    return () => this.#back.delete(listener)
  }

  open(): void {
    if (this.status !== 'closed') return
    addEventListener('online', this.#retryNow)
    addEventListener('offline', this.#drop)
    this.#pulse = setInterval(() => void this.#feelPulse(), SILENCE_MS_MAX / 3)
    this.#connect('connecting')
  }

  close(): void {
    removeEventListener('online', this.#retryNow)
    removeEventListener('offline', this.#drop)
    clearInterval(this.#pulse)
    clearTimeout(this.#timer)
    this.#letGo()
    this.#subscriptions.clear()
    this.status = 'closed'
    this.lostSince = null
    this.reason = null
    this.nextAttempt = null
  }

  subscribe(topic: Topic, take: Taker): Handle {
    const id = this.#next++
    const own: Subscription = { topic, take, resume: null }
    this.#subscriptions.set(id, own)
    this.#ask(id, own)
    return {
      change: (changed) => {
        own.topic = changed
        own.resume = null
        this.#ask(id, own)
      },
      close: () => {
        if (this.#subscriptions.delete(id)) this.#send({ unsubscribe: { id } })
      },
    }
  }

  #connect(status: Status): void {
    this.status = status
    this.nextAttempt = null
    this.#bye = null
    const scheme = location.protocol === 'https:' ? 'wss:' : 'ws:'
    const socket = new WebSocket(`${scheme}//${location.host}/api/v1/live`)
    socket.binaryType = 'arraybuffer'
    this.#socket = socket
    socket.onopen = () => this.#opened()
    socket.onmessage = (event: MessageEvent<ArrayBuffer | string>) => this.#take(event.data)
    socket.onclose = () => {
      if (this.#socket === socket) this.#lost()
    }
  }

  #opened(): void {
    this.#heard = Date.now()
    for (const [id, own] of this.#subscriptions) this.#ask(id, own)
  }

  /** The link stands when it has brought something: a post that is full opens it to say goodbye. */
  #stands(): void {
    const wasLost = this.lostSince !== null
    this.#attempts = 0
    this.status = 'live'
    this.lostSince = null
    this.reason = null
    if (wasLost) for (const listener of this.#back) listener()
  }

  #lost(): void {
    this.#letGo()
    this.status = 'lost'
    this.lostSince ??= Date.now()
    this.reason = this.#bye
    const grown = Math.min(WAIT_MS_MAX, WAIT_MS_FIRST * 2 ** this.#attempts)
    const wait = (NOT_AT_ONCE.has(this.reason ?? '') ? WAIT_MS_MAX : grown) * (0.75 + Math.random() / 2)
    this.#attempts += 1
    this.nextAttempt = Date.now() + wait
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#connect('lost'), wait)
  }

  #drop = (): void => {
    if (this.#socket) this.#lost()
  }

  #retryNow = (): void => {
    if (this.status !== 'lost') return
    this.#attempts = 0
    clearTimeout(this.#timer)
    this.#letGo()
    this.#connect('lost')
  }

  /** Tries at once, when a person asks for it. */
  retry(): void {
    this.#retryNow()
  }

  #letGo(): void {
    const socket = this.#socket
    this.#socket = null
    if (!socket) return
    socket.onopen = socket.onmessage = socket.onclose = null
    socket.close()
  }

  async #feelPulse(): Promise<void> {
    const socket = this.#socket
    if (socket?.readyState !== WebSocket.OPEN || Date.now() - this.#heard < SILENCE_MS_MAX) return
    try {
      await fetch('/api/v1/session', { signal: AbortSignal.timeout(PULSE_MS_MAX), cache: 'no-store' })
      this.#heard = Date.now()
    } catch {
      if (this.#socket === socket) this.#lost()
    }
  }

  #ask(id: number, own: Subscription): void {
    const [verb, what] = Object.entries(own.topic)[0] as [string, object]
    const resume = verb === 'subscribe' ? { resume: own.resume } : {}
    this.#send({ [verb]: { id, ...what, ...resume } })
  }

  #send(message: object): void {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message))
  }

  #take(data: ArrayBuffer | string): void {
    if (typeof data === 'string') return
    this.#heard = Date.now()
    const frame = readFrame(data)
    const { header } = frame
    if (header.server_us) this.#setClock(header.server_us / 1000)
    if (header.type === 'bye') {
      this.#bye = (header.data as { reason?: string } | undefined)?.reason ?? null
      if (this.#bye === 'revoked') this.#revoked()
      return
    }
    if (this.status !== 'live') this.#stands()
    if (header.type === 'lost') {
      this.slowAt = Date.now()
      return
    }
    const own = header.sub === undefined ? undefined : this.#subscriptions.get(header.sub)
    if (!own) return
    if (header.epoch !== undefined && header.version !== undefined) {
      own.resume = { epoch: header.epoch, version: header.version }
    }
    own.take(frame)
  }

  /** The smallest difference seen is the least delayed one; a jump of over a minute is the clock itself. */
  #setClock(serverMs: number): void {
    const offset = serverMs - Date.now()
    if (!this.#offsetKnown || offset > this.offset || Math.abs(offset - this.offset) > 60_000) {
      this.offset = offset
      this.#offsetKnown = true
    }
  }
}

export const live = new LiveLink()
