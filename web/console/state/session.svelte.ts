// Who is working here, and what they may do. Who-is-it and what-may-they stay apart: pages ask `may`.
import { api, Problem } from '@lib/api'
import { prefs } from '@lib/prefs.svelte'
import type { Role, Session, User } from '@lib/types'

export type Phase = 'starting' | 'out' | 'in' | 'unreachable'

class SessionState {
  phase = $state<Phase>('starting')
  user = $state.raw<User | null>(null)
  roles = $state.raw<Role[]>([])
  /** The session ended while someone was at work: said on the login page. */
  expired = $state(false)

  constructor() {
    api.onExpired(() => this.#end(true))
  }

  /** Asks whether a session is still there. */
  async resume(): Promise<void> {
    try {
      this.#take(await api.get<Session>('session'))
    } catch (error) {
      this.phase = error instanceof Problem && error.status === 401 ? 'out' : 'unreachable'
    }
  }

  /** Throws Problem: 401 for a wrong login or password, 429 when there were too many. */
  async login(login: string, password: string): Promise<void> {
    this.#take(await api.post<Session>('session', { login, password }))
    this.expired = false
  }

  async logout(): Promise<void> {
    try {
      await api.delete('session')
    } finally {
      this.#end(false)
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
