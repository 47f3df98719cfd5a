// Which streets were salted, asked for each minute while somebody looks; the town beneath is asked for once.
import { setZone } from '@lib/format'
import { ageOf, type Age, type Ground, type GroundStreet, type Salted, type SaltedStreet } from './types'

const EVERY_MS = 60_000
const WAIT_MS = 20_000
/** What is found of streets that were not salted is cut off there. */
export const FOUND_MAX = 40

export interface Row extends SaltedStreet {
  id: string
  age: Age
}

class Winter {
  salted = $state.raw<Salted | null>(null)
  ground = $state.raw<Ground | null>(null)
  phase = $state<'loading' | 'ready' | 'failed'>('loading')
  /** The last question was not answered: what is shown grows old. */
  old = $state(false)
  now = $state(Date.now())
  wanted = $state('')
  /** The row that is open, by its id. */
  open = $state<string | null>(null)
  #timer: ReturnType<typeof setTimeout> | undefined

  readonly rows = $derived.by((): Row[] =>
    (this.salted?.streets ?? []).map((each) => ({
      ...each,
      id: `${each.area} ${each.name} ${each.at}`,
      age: ageOf(each.at, this.now),
    })),
  )

  /** Those whose name, or whose commune's, has what is wanted. */
  readonly found = $derived.by((): Row[] => this.rows.filter((each) => this.#fits(each)))

  /** Streets of that name that were not salted; only asked for. */
  readonly unsalted = $derived.by((): GroundStreet[] => {
    if (plain(this.wanted).length < 2) return []
    const salted = new Set(this.rows.map(({ area, name }) => `${area} ${name}`))
    const seen = new Set<string>()
    return (this.ground?.streets ?? [])
      .filter((each) => {
        const key = `${each.area} ${each.name}`
        if (!each.name || salted.has(key) || seen.has(key) || !this.#fits(each)) return false
        return seen.add(key)
      })
      .slice(0, FOUND_MAX)
  })

  start(): void {
    addEventListener('online', () => void this.load())
    document.addEventListener('visibilitychange', () => {
      if (document.visibilityState === 'visible') void this.load()
    })
    setInterval(() => (this.now = Date.now()), 30_000)
    void this.load()
  }

  async load(): Promise<void> {
    clearTimeout(this.#timer)
    try {
      const [salted, ground] = await Promise.all([read<Salted>('salted'), this.ground ?? read<Ground>('ground')])
      setZone(ground.zone)
      this.salted = salted
      this.ground = ground
      this.phase = 'ready'
      this.old = false
    } catch {
      this.old = true
      if (!this.salted) this.phase = 'failed'
    }
    this.now = Date.now()
    if (document.visibilityState === 'visible') this.#timer = setTimeout(() => void this.load(), EVERY_MS)
  }

  #fits({ name, area }: { name: string; area: string }): boolean {
    const said = plain(`${name} ${area}`)
    return plain(this.wanted).split(' ').every((word) => said.includes(word))
  }
}

async function read<T>(path: string): Promise<T> {
  const answer = await fetch(`/api/v1/public/${path}`, { credentials: 'omit', signal: AbortSignal.timeout(WAIT_MS) })
  if (!answer.ok) throw new Error(`HTTP ${answer.status}`)
  return (await answer.json()) as T
}

/** Without accents and marks, as people type. */
function plain(text: string): string {
  return text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase().replace(/[^a-z0-9]+/g, ' ').trim()
}

export const winter = new Winter()
