// Who is working here, and what they may do. Who-is-it and what-may-they stay apart: pages ask `may`.
import { api, Problem } from '@lib/api'
import { prefs } from '@lib/prefs.svelte'
import type { Role, Session, User } from '@lib/types'

/** In this browser's storage while the post has not heard that somebody logged out here. */
const LEAVING = 'vigie.leaving'

export type Phase = 'starting' | 'out' | 'in' | 'unreachable'

class SessionState {
  phase = $state<Phase>('starting')
  user = $state.raw<User | null>(null)
  roles = $state.raw<Role[]>([])
  /** The session ended while someone was at work: said on the login page. */
  expired = $state(false)
  /** Somebody logged out, and the post could not be told: there the session still counts. */
  unheard = $state(false)
  #telling: Promise<boolean> | null = null

  constructor() {
    api.onExpired(() => this.#end(true))
  }

  /** Asks whether a session is still there. */
  async resume(): Promise<void> {
    if (this.#leaving && !(await this.#leave())) {
      this.phase = 'out'
      return
    }
    try {
      this.#take(await api.get<Session>('session'))
    } catch (error) {
      this.phase = error instanceof Problem && error.status === 401 ? 'out' : 'unreachable'
    }
  }

  /** Throws Problem: 401 for a wrong login or password, 429 when there were too many. */
  async login(login: string, password: string): Promise<void> {
    // The session before must not live on behind the one that replaces its cookie.
    if (this.#leaving && !(await this.#leave())) throw new Problem(0, { title: 'unreachable' })
    this.#take(await api.post<Session>('session', { login, password }))
    this.expired = false
  }

  /** The page is left at once; the post is told now, or else as soon as it answers. */
  async logout(): Promise<void> {
    this.#leaving = true
    this.#end(false)
    await this.#leave()
  }

  /** Tells the post that this session is over; whether it has heard. Once, however many ask meanwhile: who logs in
      at once would end it a second time. */
  #leave(): Promise<boolean> {
    this.#telling ??= this.#tell().finally(() => (this.#telling = null))
    return this.#telling
  }

  async #tell(): Promise<boolean> {
    try {
      // The token against forged requests is asked for: after a reload nothing else is left of the session.
      api.csrf = (await api.get<Session>('session')).csrf
      await api.delete('session')
    } catch (error) {
      if (!(error instanceof Problem && error.status === 401)) {
        this.unheard = true
        return false
      }
    } finally {
      api.csrf = ''
    }
    this.#leaving = false
    this.unheard = false
    return true
  }

  get #leaving(): boolean {
    try {
      return localStorage.getItem(LEAVING) !== null
    } catch {
      return this.unheard
    }
  }

  set #leaving(on: boolean) {
    try {
      if (on) localStorage.setItem(LEAVING, 'yes')
      else localStorage.removeItem(LEAVING)
    } catch {
      // storage refused: it is known as long as this page lives
    }
  }

  /** The live door said that the session was revoked. */
  revoke(): void {
    this.#end(true)
  }

  /** Whether any role allows the verb, for a service and an area where they are named. */
  may(verb: string, service?: string, area?: string): boolean {
    return this.roles.some(
      (role) =>
        role.verbs.includes(verb) &&
        (service === undefined || role.services.includes('*') || role.services.includes(service)) &&
        (area === undefined || role.area === '' || area === role.area || area.startsWith(`${role.area}/`)),
    )
  }

  #take(session: Session): void {
    api.csrf = session.csrf
    this.user = session.user
    this.roles = session.roles
    this.phase = 'in'
    void prefs.suggest(session.user.language)
  }

  #end(expired: boolean): void {
    if (this.phase !== 'in') return
    api.csrf = ''
    this.user = null
    this.roles = []
    this.expired = expired
    this.phase = 'out'
  }
}

export const session = new SessionState()
