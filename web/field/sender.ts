// Tells the post what was done, in its order, one tab at a time, until each thing is answered.
import { api, Problem } from '@lib/api'
import type { Session } from '@lib/types'
import { after } from './after'
import * as db from './db'
import { field, HELD_MS } from './field.svelte'
import { keepDay, keepSmall } from './pictures'
import type { Day, Photo, Row, Told, Waiting } from './types'

const AT_ONCE = 100
const ACTS_MS = 30_000
const PHOTO_MS = 180_000
/** How old the day may grow while somebody looks at it. */
const DAY_MS = 120_000
const PAUSE_MS = 2_000
const PAUSE_MS_MAX = 120_000
const EVER = 2 ** 31 - 1

interface Outcome {
  id: string
  became: 'done' | 'again' | 'claimed' | 'refused'
  rule: string | null
  row: Row | null
}

class Sender {
  #wake: () => void = () => undefined
  #woken = false
  #failures = 0
  #forged = false
  #readAt = 0

  /** Works as long as the page lives; where another tab does, once that is gone. */
  start(): void {
    field.onWork = () => this.wake()
    addEventListener('online', () => this.now())
    addEventListener('offline', () => (field.reached = false))
    document.addEventListener('visibilitychange', () => document.visibilityState === 'visible' && this.wake())
    const work = (): Promise<never> => this.#work()
    if (navigator.locks) void navigator.locks.request('vigie-field-sender', work)
    else void work()
  }

  wake(): void {
    this.#woken = true
    this.#wake()
  }

  /** Asks at once, however long it was to wait. */
  now(): void {
    this.#failures = 0
    this.#readAt = 0
    this.wake()
  }

  async #work(): Promise<never> {
    for (;;) {
      this.#woken = false
      let pause: number
      try {
        pause = await this.#round()
      } catch (error) {
        pause = this.#failed(error)
      }
      field.sending = false
      if (!this.#woken) await this.#sleep(pause)
      // Who failed waits, whatever was done meanwhile: only `now` asks sooner.
      else if (this.#failures > 0) await this.#sleep(pause)
    }
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const failing = this.#failures
      const timer = setTimeout(resolve, Math.min(ms, EVER))
      this.#wake = () => {
        if (failing > 0 && this.#failures > 0) return
        clearTimeout(timer)
        resolve()
      }
    })
  }

  #failed(error: unknown): number {
    if (!(error instanceof Problem) && !(error instanceof DOMException)) console.warn(error)
    const status = error instanceof Problem ? error.status : 0
    if (status === 401) {
      field.asked = true
      field.reached = true
      api.csrf = ''
      this.#failures = 0
      field.tell()
      return EVER
    }
    field.reached = status !== 0 && status < 502
    field.tell()
    this.#failures += 1
    const grown = Math.min(PAUSE_MS * 2 ** (this.#failures - 1), PAUSE_MS_MAX)
    const asked = error instanceof Problem ? (error.retryAfterS ?? 0) * 1_000 : 0
    // Not all telephones of a depot at once.
    return Math.max(asked, grown * (0.5 + Math.random() / 2))
  }

  /** Does the next thing; how long until there may be another, in ms. */
  async #round(): Promise<number> {
    const { person, crew } = field
    if (!person || field.asked) return EVER
    if (!api.csrf) {
      const session = await api.get<Session>('session', undefined, AbortSignal.timeout(ACTS_MS))
      this.#heard()
      if (session.user.id !== person.id) {
        field.asked = true
        return EVER
      }
      api.csrf = session.csrf
    }
    const queue = (await db.readQueue()).filter((each) => each.user === person.id)
    const now = Date.now()
    // A clock that was set back holds nothing longer than it would have.
    const held = (each: Waiting): boolean => each.from > now && each.from <= now + HELD_MS
    const first = queue.findIndex(held)
    const ready = first === -1 ? queue : queue.slice(0, first)
    const until = first === -1 ? EVER : (queue[first] as Waiting).from - now
    if (ready.length > 0) {
      field.sending = true
      await this.#send(ready)
      return 0
    }
    if (!crew) return until
    if (queue.length > 0) return until
    const age = performance.now() - this.#readAt
    if (this.#readAt > 0 && age < DAY_MS) return DAY_MS - age
    if (this.#readAt > 0 && document.visibilityState !== 'visible') return EVER
    await this.#read(crew.id)
    return DAY_MS
  }

  #heard(): void {
    field.reached = true
    this.#failures = 0
  }

  async #read(crew: string): Promise<void> {
    const day = await api.get<Day>('crew/day', { crew }, AbortSignal.timeout(ACTS_MS))
    this.#heard()
    this.#readAt = performance.now()
    const synced = Date.now()
    // What was done while the day came is not in it, and still waits: it is shown on top of it.
    await db.keep({ day, synced })
    field.day = day
    field.synced = synced
    field.tell()
    void keepDay(day)
  }

  /** Sends what comes first: all acts up to the next photo, or that photo. */
  async #send(ready: readonly Waiting[]): Promise<void> {
    const photo = ready.findIndex((each) => each.deed.what === 'photo')
    const batch = await db.leaving(photo === 0 ? ready.slice(0, 1) : ready.slice(0, photo === -1 ? AT_ONCE : Math.min(photo, AT_ONCE)))
    if (batch.length === 0) {
      await field.refresh()
      return
    }
    field.queue = field.queue.map((each) => batch.find((left) => left.n === each.n) ?? each)
    this.#readAt = 0
    if (photo === 0) await this.#sendPhoto(batch[0] as Waiting)
    else await this.#sendActs(batch)
    this.#heard()
    this.#forged = false
  }

  async #sendActs(batch: readonly Waiting[]): Promise<void> {
    const acts = batch.map(({ id, case: of, at, deed }) => ({ id, case: of, at, ...deed }))
    let outcomes: Outcome[]
    try {
      const body = { sent: new Date().toISOString(), acts }
      outcomes = (await api.post<{ outcomes: Outcome[] }>('crew/acts', body, {}, AbortSignal.timeout(ACTS_MS))).outcomes
    } catch (error) {
      const rule = this.#refusal(error)
      // One that the post cannot read must not keep back all others: each is sent for itself.
      if (batch.length > 1) for (const each of batch) await this.#sendActs([each])
      else await this.#answered([{ id: (batch[0] as Waiting).id, became: 'refused', rule, row: null }], batch)
      return
    }
    await this.#answered(outcomes, batch)
  }

  async #sendPhoto(waiting: Waiting): Promise<void> {
    const picture = await db.picture(waiting.id)
    const outcome: Outcome = { id: waiting.id, became: 'done', rule: null, row: null }
    if (!picture) {
      await this.#answered([{ ...outcome, became: 'refused', rule: 'field.no_picture' }], [waiting])
      return
    }
    let photo: Photo
    try {
      const path = `cases/${encodeURIComponent(waiting.case)}/photos`
      photo = await api.send<Photo>(path, picture, { 'Idempotency-Key': waiting.id }, AbortSignal.timeout(PHOTO_MS))
    } catch (error) {
      await this.#answered([{ ...outcome, became: 'refused', rule: this.#refusal(error) }], [waiting])
      return
    }
    await keepSmall(waiting.case, photo.id, picture)
    await this.#answered([outcome], [waiting], photo)
  }

  /** The rule of an answer that will not be another one the next time. Throws what may be another one then. */
  #refusal(error: unknown): string {
    const status = error instanceof Problem ? error.status : 0
    if (status === 403 && !this.#forged) {
      // Perhaps it is the token against forged requests that has changed: another tab has logged in.
      this.#forged = true
      api.csrf = ''
      throw error
    }
    if (status < 400 || status >= 500 || [401, 408, 425, 429].includes(status)) throw error
    return (error as Problem).body.rule || 'field.unreadable'
  }

  async #answered(outcomes: readonly Outcome[], batch: readonly Waiting[], photo: Photo | null = null): Promise<void> {
    const became = new Map(outcomes.map((each) => [each.id, each]))
    const done = batch.filter((each) => became.has(each.id))
    const told: Told[] = []
    let cases = (await db.readAll()).day?.cases ?? []
    for (const waiting of done) {
      const { became: what, rule, row } = became.get(waiting.id) as Outcome
      if (what === 'claimed' || what === 'refused') {
        const { id, case: of, number, at, deed } = waiting
        told.push({ id, case: of, number, at, deed, became: what, rule, state: row?.state ?? null })
      }
      cases = cases.map((item) => {
        if (item.row.id !== waiting.case) return item
        const done = what === 'done' || what === 'again' ? after(item, waiting) : item
        const photos = photo && !done.photos.some((each) => each.id === photo.id) ? [...done.photos, photo] : done.photos
        return { ...done, photos, row: row ?? done.row }
      })
    }
    await db.answered(done, told, field.day ? { ...field.day, cases } : null)
    await field.refresh()
    field.tell()
  }
}

export const sender = new Sender()
