// The crew's day on this telephone: who works, for which crew, what is to be done, what waits to be told.
import { api, Problem } from '@lib/api'
import { newKey } from '@lib/once'
import { prefs } from '@lib/prefs.svelte'
import type { Session } from '@lib/types'
import { afterAll } from './after'
import * as db from './db'
import { drafts } from './drafts'
import { forgetDay } from './pictures'
import type { Crew, Day, Deed, Item, Named, Person, Told, Waiting } from './types'

/** In this browser's storage while the post has not heard that somebody logged out here; the console's own name. */
const LEAVING = 'vigie.leaving'

/** So long what ends a case can be taken back, even where there is a network. */
export const HELD_MS = 8_000

export type Phase = 'starting' | 'out' | 'crew' | 'in' | 'broken'

export class NoRoom extends Error {}

class Field {
  phase = $state<Phase>('starting')
  person = $state.raw<Person | null>(null)
  crew = $state.raw<Crew | null>(null)
  /** That of this crew, where it was read. */
  day = $state.raw<Day | null>(null)
  /** The crew whose day lies here, though another may have been chosen since. */
  readOf = $state.raw<Named | null>(null)
  /** Another crew is being chosen: nothing has changed until it is. */
  choosing = $state(false)
  queue = $state.raw<Waiting[]>([])
  told = $state.raw<Told[]>([])
  /** When the post last had everything from here, and told the day. */
  synced = $state<number | null>(null)
  /** Whether the post answered when it was last asked. */
  reached = $state(navigator.onLine)
  /** The session is over: what waits goes on waiting, until somebody has logged in. */
  asked = $state(false)
  sending = $state(false)
  /** The crew is no more, or no longer one of theirs. */
  crewGone = $state(false)
  /** With which status something between here and the post stops what waits; 0 where nothing does. */
  hindered = $state(0)

  /** Of this person, in their order; what somebody else left here waits for them. */
  readonly mine = $derived(this.queue.filter((each) => each.user === this.person?.id))
  readonly items = $derived<Item[]>(afterAll(this.day?.cases ?? [], this.queue))

  /** Called when there is something to send, or to ask anew. */
  onWork: () => void = () => undefined
  #leaving: Promise<void> | null = null
  #tabs: BroadcastChannel | null = 'BroadcastChannel' in window ? new BroadcastChannel('vigie-field') : null

  constructor() {
    if (this.#tabs)
      this.#tabs.onmessage = ({ data }: MessageEvent<{ reached: boolean; asked: boolean }>) => {
        this.reached = data.reached
        this.asked = data.asked
        void this.refresh()
      }
    api.onExpired(() => (this.asked = true))
  }

  /** Takes what is kept; without any of it, somebody has to log in. */
  async start(): Promise<void> {
    try {
      await this.refresh()
    } catch {
      this.phase = 'broken'
    }
  }

  /** Reads anew what is kept here: another tab may have written. */
  async refresh(): Promise<void> {
    const all = await db.readAll()
    this.person = all.person
    this.crew = all.crew
    this.readOf = all.day?.crew ?? null
    this.day = all.day && all.day.crew.id === all.crew?.id ? all.day : null
    this.queue = all.queue
    this.told = all.told.filter((each) => (each.user ?? all.person?.id) === all.person?.id)
    this.synced = all.synced
    this.phase = !all.person ? 'out' : !all.crew || this.choosing ? 'crew' : 'in'
    this.onWork()
  }

  /** Tells other tabs that something here is otherwise. */
  tell(): void {
    this.#tabs?.postMessage({ reached: this.reached, asked: this.asked })
  }

  item(id: string): Item | undefined {
    return this.items.find((each) => each.row.id === id)
  }

  /** Logs in. Throws Problem; `Others` where somebody else's work waits here. */
  async login(login: string, password: string): Promise<void> {
    await this.leave()
    const session = await api.post<Session>('session', { login, password })
    const { user } = session
    const before = this.person?.id
    const waits = await db.enter({ id: user.id, epoch: newKey(), login: user.login, name: user.name })
    if (waits) {
      api.csrf = session.csrf
      await api.delete('session').catch(() => undefined)
      api.csrf = ''
      throw new Others(waits.who, waits.count)
    }
    if (before !== user.id) {
      drafts.forget()
      await forgetDay()
    }
    api.csrf = session.csrf
    void prefs.suggest(user.language)
    void navigator.storage?.persist?.()
    this.asked = false
    this.reached = true
    await this.refresh()
    this.tell()
  }

  /** Forgets the day and all that waits, and ends the session, now or as soon as the post answers. */
  async logout(): Promise<void> {
    try {
      localStorage.setItem(LEAVING, 'yes')
    } catch {
      // storage refused: told at once, or never
    }
    if (this.person) await db.wipe(this.person)
    drafts.forget()
    await forgetDay()
    this.choosing = false
    await this.refresh()
    this.tell()
    await this.leave().catch(() => undefined)
  }

  /** Tells the post that the session before is over, where it has not heard. Throws Problem. */
  leave(): Promise<void> {
    this.#leaving ??= this.#leave().finally(() => (this.#leaving = null))
    return this.#leaving
  }

  async #leave(): Promise<void> {
    if (!leavingIsOwed()) return
    try {
      api.csrf = (await api.get<Session>('session')).csrf
      await api.delete('session')
    } catch (error) {
      if (!(error instanceof Problem && error.status === 401)) throw error
    } finally {
      api.csrf = ''
    }
    localStorage.removeItem(LEAVING)
  }

  async choose(crew: Crew): Promise<void> {
    await db.keepCrew(crew)
    this.choosing = false
    this.crewGone = false
    await this.refresh()
    this.tell()
  }

  /** Begins to choose another crew, or stays with this one. */
  async chooses(is: boolean): Promise<void> {
    this.choosing = is
    await this.refresh()
  }

  /** Something was done: kept, then shown, then sent. Throws NoRoom where the telephone is full: then it was not. */
  async do(item: Item, deed: Deed, picture: Blob | null = null): Promise<Waiting> {
    if (!this.person) throw new Error('nobody works here')
    const now = Date.now()
    const ends = deed.what === 'move' && (deed.event === 'finish' || deed.event === 'block')
    let kept: Waiting
    try {
      kept = await db.add(
        {
          id: newKey(),
          user: this.person.id,
          crew: this.crew?.id ?? '',
          case: item.row.id,
          number: item.row.number,
          at: new Date(now).toISOString(),
          deed,
          from: ends ? now + HELD_MS : now,
          tried: false,
        },
        picture,
      )
    } catch (error) {
      throw new NoRoom(String(error))
    }
    this.queue = [...this.queue, kept]
    this.tell()
    this.onWork()
    return kept
  }

  /** Takes back what has never left; whether that was in time. */
  async takeBack(waiting: Waiting): Promise<boolean> {
    const taken = await db.takeBack(waiting.n)
    await this.refresh()
    this.tell()
    return taken
  }

  async read(told: Told): Promise<void> {
    await db.read(told.id)
    this.told = this.told.filter((each) => each.id !== told.id)
    this.tell()
  }
}

/** Somebody else's work waits on this telephone. */
export class Others extends Error {
  constructor(
    readonly who: string,
    readonly count: number,
  ) {
    super(who)
  }
}

export function leavingIsOwed(): boolean {
  try {
    return localStorage.getItem(LEAVING) !== null
  } catch {
    return false
  }
}

export const field = new Field()
