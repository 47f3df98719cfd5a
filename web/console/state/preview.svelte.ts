// A night as a programme would have it, on the map in place of what is. The post is asked once for each night and draft:
// moving through the night asks nothing.
import { api, Problem } from '@lib/api'
import { dayBegins } from '@lib/format'
import type { Draft, Night } from '@lib/plans'
import { mapState } from './map.svelte'
import { notices } from './notices.svelte'
import { DAY_MIN, NOON } from './programme'
import { shown, UNSAID } from './shown'

const STEP_S = 300
/** So much of the day is shown before the first lamp comes on and after the last has gone out. */
const MARGIN_S = 1_800

/** What is previewed: a text, or without one what is in force. title: what the banner calls it; short: what the choice
    between it and what is in force does. */
export interface Subject {
  title: string
  short: string
  draft: Draft | null
}

class Preview {
  night = $state.raw<Night | null>(null)
  subject = $state.raw<Subject>({ title: '', short: '', draft: null })
  /** Whether the night is the subject's own; else it is what is in force. */
  drafted = $state(false)
  /** The moment that the map shows, in seconds since 1970. */
  at = $state(0)
  from = $state(0)
  to = $state(0)
  busy = $state(false)
  readonly step = STEP_S
  #asked = 0
  #known = new Map<string, Night>()
  /** What had the focus before. */
  #before: Element | null = null

  get on(): boolean {
    return this.night !== null
  }

  /** Shows a night. The moment stays where it was in the night, or is its middle. */
  async show(date: string, subject: Subject, drafted = subject.draft !== null): Promise<void> {
    const asked = ++this.#asked
    const draft = drafted ? subject.draft : null
    const key = JSON.stringify([date, draft])
    // A night in force may change while it is not looked at; a draft's text names all that it is.
    if (!this.on) this.#known.clear()
    this.busy = true
    try {
      const night = this.#known.get(key) ?? (await api.post<Night>('services/lighting/night', { night: date, draft }))
      if (asked !== this.#asked) return
      this.#known.set(key, night)
      if (!this.on) this.#before = document.activeElement
      this.#enter(night, subject, drafted)
    } catch (error) {
      if (asked === this.#asked) notices.problem(error instanceof Problem ? error : null)
    } finally {
      if (asked === this.#asked) this.busy = false
    }
  }

  #enter(night: Night, subject: Subject, drafted: boolean): void {
    const noon = this.#noonS
    const start = dayBegins(night.night, NOON).getTime() / 1000
    let [first, last] = [start + 8 * 3_600, start + 16 * 3_600]
    for (const spans of night.spans) {
      first = Math.min(first, spans[0]?.[0] ?? first)
      last = Math.max(last, spans.at(-1)?.[1] ?? last)
    }
    const into = this.night ? this.at - noon : NaN
    this.night = night
    this.subject = subject
    this.drafted = drafted
    this.from = Math.floor((first - MARGIN_S) / STEP_S) * STEP_S
    this.to = Math.ceil((last + MARGIN_S) / STEP_S) * STEP_S
    const at = Number.isNaN(into) ? Math.round((this.from + this.to) / 2 / STEP_S) * STEP_S : start + into
    this.go(at)
  }

  get #noonS(): number {
    return this.night ? dayBegins(this.night.night, NOON).getTime() / 1000 : 0
  }

  /** Another moment of the same night. */
  go(at: number): void {
    const { night } = this
    if (!night) return
    this.at = Math.min(this.to, Math.max(this.from, at))
    const level = Uint8Array.from(night.spans, (spans) => levelAt(spans, this.at))
    const levels = new Uint8Array(maximum(night.no) + 1).fill(UNSAID)
    for (const [row, no] of night.no.entries()) levels[no] = level[night.group[row]!]!
    shown.set(levels)
    mapState.chart?.map.triggerRepaint()
  }

  /** The moment of this night at which the city's clocks show a minute of the day. */
  goClock(minute: number): void {
    if (!this.night) return
    const after = minute < NOON ? minute + DAY_MIN : minute
    this.go(dayBegins(this.night.night, after).getTime() / 1000)
  }

  /** The map shows again what is. */
  stop(): void {
    this.#asked += 1
    this.busy = false
    if (!this.on) return
    this.night = null
    shown.set(null)
    mapState.chart?.map.triggerRepaint()
    const before = this.#before
    this.#before = null
    // What had the focus was hidden with its page until now.
    requestAnimationFrame(() => before instanceof HTMLElement && before.focus())
  }
}

function levelAt(spans: Night['spans'][number], at: number): number {
  for (const [from, to, level] of spans) if (from <= at && at < to) return level
  return 0
}

function maximum(numbers: readonly number[]): number {
  let most = 0
  for (const each of numbers) if (each > most) most = each
  return most
}

export const preview = new Preview()
