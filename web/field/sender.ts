// Tells the post what was done, in its order, one tab at a time, until each thing is answered. Photos go by themselves:
// on a bad network one takes minutes, and what is only said must not wait for it.
import { api, Problem } from '@lib/api'
import type { Session } from '@lib/types'
import { after } from './after'
import * as db from './db'
import { field, HELD_MS, leavingIsOwed } from './field.svelte'
import { Lane } from './lane'
import { keepDay, keepSmall } from './pictures'
import type { Day, Person, Photo, Row, Told, Waiting } from './types'

const LOCK = 'vigie-field-sender'
const AT_ONCE = 100
const ACTS_MS = 30_000
/** A photo may take so long, and so long for each of its bytes: 16 kbit/s pass. */
const PHOTO_MS = 60_000
const PHOTO_BYTE_MS = 0.5
/** How old the day may grow while somebody looks at it. */
const DAY_MS = 120_000
const STUCK_MS = 60_000
/** So many that fail by themselves, and it is no matter of theirs. */
const STUCK_MAX = 2
const EVER = 2 ** 31 - 1

interface Outcome {
  id: string
  became: 'done' | 'again' | 'claimed' | 'refused'
  rule: string | null
  row: Row | null
}

class Sender {
  readonly #acts = new Lane(() => this.#actsRound(), (error) => this.#failed(error, true))
  readonly #photos = new Lane(() => this.#photosRound(), (error) => this.#failed(error, false))
  /** What something between here and the post does not let through, by case or photo: not tried before this instant. */
  readonly #stuck = new Map<string, number>()
  #forged = false
  /** The day that was read last: when, whose, and of which crew. */
  #readAt = 0
  #readFor = ''
  #holds = false
  /** Grows when another tab takes over: what began before ends. */
  #turn = 0
  #queued: AbortController | null = null

  /** Works as long as the page lives, in the tab that was looked at last; in another, once that is gone. */
  start(): void {
    field.onWork = () => this.wake()
    addEventListener('online', () => this.now())
    addEventListener('offline', () => (field.reached = false))
    document.addEventListener('visibilitychange', () => document.visibilityState === 'visible' && this.#seen())
    this.#seen()
  }

  wake(): void {
    this.#acts.wake()
    this.#photos.wake()
  }

  /** Asks at once, however long it was to wait. */
  now(): void {
    this.#acts.failures = 0
    this.#photos.failures = 0
    this.#stuck.clear()
    this.#readAt = 0
    this.#seen()
  }

  /** A tab in the background may be frozen, and hold the lock for hours: the one that is looked at takes it. */
  #seen(): void {
    if (this.#holds) this.wake()
    else void this.#hold(document.visibilityState === 'visible')
  }

  async #hold(steal: boolean): Promise<void> {
    if (!navigator.locks) {
      // Over plain http there are none: each tab sends, and the post does each thing once.
      await this.#work()
      return
    }
    // Asked for at once, it would be taken from itself.
    if (steal) this.#holds = true
    this.#queued?.abort()
    const queued = new AbortController()
    if (!steal) this.#queued = queued
    try {
      await navigator.locks.request(LOCK, steal ? { steal } : { signal: queued.signal }, () => this.#work())
    } catch (error) {
      if (!(error instanceof DOMException) || error.name !== 'AbortError') throw error
      if (queued.signal.aborted) return
      // Taken over by another tab.
      this.#turn += 1
      this.#holds = false
      field.sending = false
      this.wake()
      void this.#hold(false)
    }
  }

  async #work(): Promise<void> {
    this.#holds = true
    const turn = ++this.#turn
    const still = (): boolean => this.#turn === turn
    await Promise.all([this.#acts.work(still), this.#photos.work(still)])
  }

  /** How long a lane pauses after this, in ms; null where that is for its failures to say. */
  #failed(error: unknown, isActs: boolean): number | null {
    field.sending = false
    if (!(error instanceof Problem) && !(error instanceof DOMException)) console.warn(error)
    const status = error instanceof Problem ? error.status : 0
    if (status === 401) {
      field.asked = true
      field.reached = true
      api.csrf = ''
      // Who logs in is heard at once.
      this.#acts.failures = 0
      this.#photos.failures = 0
      field.tell()
      return EVER
    }
    // A photo that took too long says nothing of the network.
    if (isActs) field.reached = status !== 0 && status < 502
    field.tell()
    const asked = error instanceof Problem ? (error.retryAfterS ?? 0) * 1_000 : 0
    return asked || null
  }

  /** Whether the session is that of the person here. */
  async #session(person: Person): Promise<boolean> {
    if (api.csrf) return true
    const session = await api.get<Session>('session', undefined, AbortSignal.timeout(ACTS_MS))
    this.#heard()
    if (session.user.id !== person.id) {
      field.asked = true
      return false
    }
    api.csrf = session.csrf
    return true
  }

  #heard(): void {
    field.reached = true
    if (this.#acts.failures === 0) return
    // The network is back: no photo waits for its own next try.
    this.#acts.failures = 0
    this.#photos.failures = 0
    this.#photos.wake()
  }

  /** Does the next thing; how long until there may be another, in ms. */
  async #actsRound(): Promise<number> {
    const { person, crew } = field
    if (!person) {
      this.#stuck.clear()
      field.hindered = 0
      if (leavingIsOwed()) await field.leave()
      return EVER
    }
    if (field.asked || !(await this.#session(person))) return EVER
    const acts = (await db.readQueue()).filter((each) => each.user === person.id && each.deed.what !== 'photo')
    const now = Date.now()
    // A clock that was set back holds nothing longer than it would have.
    const first = acts.findIndex((each) => each.from > now && each.from <= now + HELD_MS)
    const ready = first === -1 ? acts : acts.slice(0, first)
    const going = ready.filter((each) => !this.#isStuck(each.case))
    if (going.length > 0) {
      field.sending = true
      await this.#send(person, going.slice(0, AT_ONCE))
      field.sending = false
      return 0
    }
    this.#photos.wake()
    if (first !== -1) return (acts[first] as Waiting).from - now
    const stuck = this.#stuckFor(ready.map((each) => each.case))
    if (!crew) return stuck
    const key = `${person.epoch}/${crew.id}`
    if (key !== this.#readFor) this.#readAt = 0
    const age = performance.now() - this.#readAt
    if (this.#readAt > 0 && age < DAY_MS) return Math.min(stuck, DAY_MS - age)
    if (this.#readAt > 0 && document.visibilityState !== 'visible') return stuck
    await this.#read(person, crew.id)
    this.#readFor = key
    return Math.min(stuck, DAY_MS)
  }

  async #photosRound(): Promise<number> {
    const { person } = field
    if (!person || field.asked) return EVER
    if (!api.csrf) {
      this.#acts.wake()
      return EVER
    }
    const queue = (await db.readQueue()).filter((each) => each.user === person.id)
    const isReady = (each: Waiting): boolean => each.from <= Date.now() && !this.#isStuck(each.case)
    // What is said in a few bytes goes first; who sends that, wakes this.
    if (queue.some((each) => each.deed.what !== 'photo' && isReady(each))) return EVER
    const photos = queue.filter((each) => each.deed.what === 'photo')
    const next = photos.find((each) => !this.#isStuck(each.id))
    if (!next) return this.#stuckFor(photos.map((each) => each.id))
    field.sending = true
    const [left] = await db.leaving([next])
    if (left) await this.#sendPhoto(person, left)
    else await field.refresh()
    field.sending = false
    this.#photos.failures = 0
    this.#acts.wake()
    return 0
  }

  #isStuck(what: string): boolean {
    return (this.#stuck.get(what) ?? 0) > performance.now()
  }

  /** How long until one of them is tried again, in ms. */
  #stuckFor(of: readonly string[]): number {
    return Math.max(0, Math.min(EVER, ...of.map((each) => (this.#stuck.get(each) ?? EVER) - performance.now())))
  }

  #stick(what: string, status: number): void {
    this.#stuck.set(what, performance.now() + STUCK_MS)
    field.hindered = status
  }

  #free(what: string): void {
    this.#stuck.delete(what)
    if (this.#stuck.size === 0) field.hindered = 0
  }

  async #read(person: Person, crew: string): Promise<void> {
    let day: Day
    try {
      day = await api.get<Day>('crew/day', { crew }, AbortSignal.timeout(ACTS_MS))
    } catch (error) {
      if (!(error instanceof Problem) || error.body.rule !== 'engine.no_crew') throw error
      this.#heard()
      this.#readAt = performance.now()
      field.crewGone = true
      return
    }
    this.#heard()
    this.#readAt = performance.now()
    field.crewGone = false
    // What was done while the day came is not in it, and still waits: it is shown on top of it.
    if (!(await db.keepDay(person, day, Date.now()))) return
    await field.refresh()
    field.tell()
    void keepDay(day, () => db.isHere(person))
  }

  async #send(person: Person, ready: readonly Waiting[]): Promise<void> {
    const batch = await db.leaving(ready)
    if (batch.length === 0) {
      await field.refresh()
      return
    }
    field.queue = field.queue.map((each) => batch.find((left) => left.n === each.n) ?? each)
    this.#readAt = 0
    try {
      await this.#sendActs(person, batch)
    } catch (error) {
      if (batch.length === 1) await this.#missed(person, batch[0] as Waiting, error)
      else {
        this.#needRefused(error)
        await this.#sendEach(person, batch)
      }
    }
    this.#heard()
    this.#forged = false
  }

  /** One that the post cannot read, or that does not come through to it, must not keep back all others. */
  async #sendEach(person: Person, batch: readonly Waiting[]): Promise<void> {
    let missed = 0
    for (const each of batch) {
      if (this.#isStuck(each.case)) continue
      try {
        await this.#sendActs(person, [each])
      } catch (error) {
        if (await this.#missed(person, each, error)) missed += 1
        if (missed === STUCK_MAX) throw error
      }
    }
  }

  /** Takes in that one was not taken; whether it waits, and all that was done to its case after it. */
  async #missed(person: Person, waiting: Waiting, error: unknown): Promise<boolean> {
    const rule = this.#needRefused(error)
    if (!rule) {
      this.#stick(waiting.case, (error as Problem).status)
      return true
    }
    this.#free(waiting.case)
    await this.#answered(person, [{ id: waiting.id, became: 'refused', rule, row: null }], [waiting])
    return false
  }

  async #sendActs(person: Person, batch: readonly Waiting[]): Promise<void> {
    const acts = batch.map(({ id, case: of, at, crew, deed }) => ({ id, case: of, at, crew: crew ?? '', ...deed }))
    const body = { sent: new Date().toISOString(), acts }
    const { outcomes } = await api.post<{ outcomes: Outcome[] }>('crew/acts', body, {}, AbortSignal.timeout(ACTS_MS))
    for (const each of batch) this.#free(each.case)
    await this.#answered(person, outcomes, batch)
  }

  async #sendPhoto(person: Person, waiting: Waiting): Promise<void> {
    const picture = await db.picture(waiting.id)
    const outcome: Outcome = { id: waiting.id, became: 'done', rule: null, row: null }
    if (!picture) {
      await this.#answered(person, [{ ...outcome, became: 'refused', rule: 'field.no_picture' }], [waiting])
      return
    }
    let photo: Photo
    try {
      const path = `cases/${encodeURIComponent(waiting.case)}/photos`
      const patience = AbortSignal.timeout(PHOTO_MS + picture.size * PHOTO_BYTE_MS)
      photo = await api.send<Photo>(path, picture, { 'Idempotency-Key': waiting.id }, patience)
    } catch (error) {
      const rule = this.#needRefused(error)
      if (rule) {
        this.#free(waiting.id)
        await this.#answered(person, [{ ...outcome, became: 'refused', rule }], [waiting])
      } else this.#stick(waiting.id, (error as Problem).status)
      return
    }
    this.#forged = false
    this.#free(waiting.id)
    if (await this.#answered(person, [outcome], [waiting], photo)) await keepSmall(waiting.case, photo.id, picture)
  }

  /** The rule by which the post refuses something for good; '' where it is not the post that does, or not for good.
      Throws what concerns all that waits. */
  #needRefused(error: unknown): string {
    const status = error instanceof Problem ? error.status : 0
    if (status < 400 || status >= 500 || [401, 408, 425, 429].includes(status)) throw error
    const { rule = '' } = (error as Problem).body
    if (status === 403 && !rule && !this.#forged) {
      // Perhaps it is the token against forged requests that has changed: another tab has logged in.
      this.#forged = true
      api.csrf = ''
      throw error
    }
    return rule
  }

  /** Whether it was for who is here still. */
  async #answered(
    person: Person,
    outcomes: readonly Outcome[],
    batch: readonly Waiting[],
    photo: Photo | null = null,
  ): Promise<boolean> {
    const became = new Map(outcomes.map((each) => [each.id, each]))
    const done = batch.filter((each) => became.has(each.id))
    const told: Told[] = []
    for (const { id, user, case: of, number, at, deed } of done) {
      const { became: what, rule, row } = became.get(id) as Outcome
      if (what === 'claimed' || what === 'refused') {
        told.push({ id, user, case: of, number, at, deed, became: what, rule, state: row?.state ?? null })
      }
    }
    const changed = (day: Day): Day => ({
      ...day,
      cases: day.cases.map((item) => {
        const own = done.filter((each) => each.case === item.row.id)
        return own.reduce((before, waiting) => {
          const { became: what, row } = became.get(waiting.id) as Outcome
          const now = what === 'done' || what === 'again' ? after(before, waiting) : before
          const photos = photo && !now.photos.some((each) => each.id === photo.id) ? [...now.photos, photo] : now.photos
          return { ...now, photos, row: row ?? now.row }
        }, item)
      }),
    })
    const isHere = await db.answered(person, done, told, changed)
    await field.refresh()
    field.tell()
    return isHere
  }
}

export const sender = new Sender()
