// The energy of a month: asked for again and again while the post sums it, with how far it is; kept while it is looked at.
import { api, Problem } from '@lib/api'
import { cabinetRow, dividing, monthAfter, monthsBetween, streetOf, usedRow, type Energy, type Part, type Row } from '@lib/energy'
import { dayBegins, dayOf, longDay } from '@lib/format'
import { language, t } from '@lib/i18n.svelte'
import { live } from '@lib/live.svelte'
import { city } from './city.svelte'
import { notices, problemText } from './notices.svelte'
import { view } from './view.svelte'

/** So long the post may hold an answer back while it sums. */
const WAIT_S = 1
const AGAIN_MS = 250
const BUSY_MS = 5_000
const NOON_MIN = 720
/** So many months are offered: what is kept of nights is kept for years. */
const MONTHS_MAX = 121
/** And so many where it is not known yet since when there is something to tell. */
const MONTHS_UNKNOWN = 24

/** So long it may take over a file: what is shown is summed already, unless the town was edited since. */
const FILE_WAIT_S = 60

export type Format = 'csv' | 'pdf'
export type Phase = 'loading' | 'ready' | 'none' | 'failed' | 'stopped'

class EnergyState {
  phase = $state<Phase>('loading')
  told = $state.raw<Energy | null>(null)
  /** Which table is shown. */
  part = $state<Part>('areas')
  /** How far the sums are, 0 to 1; null while others come before them. */
  done = $state<number | null>(null)
  error = $state('')
  /** The first night that history covers, where the post has said so. */
  since = $state('')
  /** The files that the post is making. */
  saving = $state.raw<ReadonlySet<Format>>(new Set())
  #asked = 0
  #sum: string | null = null
  #timer: ReturnType<typeof setTimeout> | undefined
  #of = ''

  /** The month that is meant: the one of the address, else the last that is whole. */
  get month(): string {
    return view.month ?? monthAfter(this.now, -1)
  }

  get now(): string {
    return dayOf(live.now()).slice(0, 7)
  }

  /** The months that can be chosen, the newest first. */
  get months(): string[] {
    const first = this.since ? this.since.slice(0, 7) : monthAfter(this.now, 1 - MONTHS_UNKNOWN)
    const all = monthsBetween(first, this.now, MONTHS_MAX)
    return all.includes(this.month) ? all : [...all, this.month].sort().reverse()
  }

  /** Shows the month and the area of the address. */
  async load(): Promise<void> {
    this.#leave()
    const asked = ++this.#asked
    const of = `${this.month} ${view.area ?? ''}`
    if (of !== this.#of) this.told = null
    this.#of = of
    this.phase = this.told ? 'ready' : 'loading'
    this.done = null
    await this.#ask(asked, of)
  }

  /** Nobody looks any more. What is being summed goes on for a while, should they come back. */
  close(): void {
    this.#asked += 1
    clearTimeout(this.#timer)
    this.#sum = null
    this.told = null
    this.#of = ''
    this.phase = 'loading'
  }

  /** Gives up the sum that is being waited for. */
  stop(): void {
    this.#asked += 1
    this.#leave()
    this.phase = 'stopped'
  }

  /** Saves the table or the paper of what is shown; says why where there is none. */
  async save(format: Format): Promise<void> {
    if (this.saving.has(format)) return
    this.saving = new Set([...this.saving, format])
    try {
      const query = { ...this.#query, format, language: language(), wait_s: FILE_WAIT_S }
      const { name, content } = await api.file('lighting/energy', query)
      const link = document.createElement('a')
      link.href = URL.createObjectURL(content)
      link.download = name
      link.click()
      URL.revokeObjectURL(link.href)
    } catch (error) {
      notices.problem(error instanceof Problem ? error : null)
    } finally {
      this.saving = new Set([...this.saving].filter((each) => each !== format))
    }
  }

  count(part: Part): number {
    const report = this.told?.report
    if (!report) return 0
    return part === 'areas' ? dividing(Object.keys(report.areas)).length : Object.keys(report[part]).length
  }

  rows(part: Part): Row[] {
    const report = this.told?.report
    if (!report) return []
    const priced = report.tariff !== null
    switch (part) {
      case 'areas':
        return dividing(Object.keys(report.areas)).map((path) =>
          usedRow(path, city.areaName(path), '', report.areas[path]!, priced),
        )
      case 'streets':
        return Object.entries(report.streets).map(([key, used]) => {
          const [name, area] = streetOf(key, report.areas)
          return usedRow(key, name || t('energy.no_street'), city.areaName(area), used, priced)
        })
      case 'programmes':
        return Object.entries(report.programmes).map(([id, used]) =>
          usedRow(id, (this.told?.programmes[id] ?? id) || t('energy.no_programme'), '', used, priced),
        )
      case 'cabinets':
        return report.cabinets.map((each) => cabinetRow(each, this.told?.cabinets[each.id] || each.id))
    }
  }

  get #query(): Record<string, string> {
    return { from: this.month, area: view.area ?? '' }
  }

  async #ask(asked: number, of: string): Promise<void> {
    clearTimeout(this.#timer)
    try {
      const told = await api.get<Energy>('lighting/energy', { ...this.#query, wait_s: WAIT_S })
      if (asked !== this.#asked) {
        this.#late(of, told.sum)
        return
      }
      this.since = told.since
      this.#sum = told.sum
      if (told.state === 'ready') {
        this.told = told
        this.phase = 'ready'
        return
      }
      this.done = told.state === 'waiting' ? null : told.done
      this.#timer = setTimeout(() => void this.#ask(asked, of), AGAIN_MS)
    } catch (error) {
      if (asked === this.#asked) this.#failed(error instanceof Problem ? error : null, asked, of)
    }
  }

  #failed(problem: Problem | null, asked: number, of: string): void {
    this.#sum = null
    const rule = problem?.body.rule ?? ''
    const day = String(problem?.body.values?.['day'] ?? '')
    this.error = day ? t(`refusal.${rule}`, { day: longDay(dayBegins(day, NOON_MIN)) }) : problemText(problem)
    if (rule === 'lighting.energy_before') this.since = day
    if (rule.startsWith('lighting.energy_')) {
      this.told = null
      this.phase = 'none'
    } else if (problem?.status === 503 && problem.retryAfterS !== null && problem.retryAfterS <= 10) {
      // Many ask: it comes when the post has time.
      this.#timer = setTimeout(() => void this.#ask(asked, of), BUSY_MS)
    } else {
      this.phase = this.told ? 'ready' : 'failed'
    }
  }

  #leave(): void {
    clearTimeout(this.#timer)
    const sum = this.#sum
    this.#sum = null
    if (sum !== null) this.#giveUp(sum)
  }

  /** An answer came when nobody waited for it any more: what it began is given up, unless it is wanted again, or the
   * page was only closed. */
  #late(of: string, sum: string | null): void {
    if (sum === null || this.#of === '') return
    if (of !== this.#of || this.phase === 'stopped') this.#giveUp(sum)
  }

  #giveUp(sum: string): void {
    // It may be ready by now: then there is nothing to leave.
    void api.delete(`lighting/energy/${sum}`).catch(() => undefined)
  }
}

export const energy = new EnergyState()
