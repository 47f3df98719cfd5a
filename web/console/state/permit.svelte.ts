// Works that somebody writes: a request for a permit, or a change of one. It outlives the page that it is written on, so that
// the map can be looked at meanwhile. What it clashes with is asked for as it is written; nothing is kept until it is sent.
import { api, Problem } from '@lib/api'
import type { CaseRow, CaseSheet } from '@lib/cases'
import { cut, nearest } from '@lib/along'
import { dayOf } from '@lib/format'
import { OnceKey } from '@lib/once'
import { ROADWORKS, type Checks, type Phase, type Roadworks, type Street, type Stretch } from '@lib/works'
import type { PickedStretch } from '../map/works'
import { plus } from '../cases/days'
import { clock } from './clock.svelte'
import { problemText } from './notices.svelte'
import type { Pick, Picker } from './picking.svelte'
import { streetAt, streetsNamed } from './stretches'
import { NEW, view } from './view.svelte'

const CHECK_AFTER_MS = 400
const PHASES_MAX = 20
const CHANGED = 'engine.case_changed'
/** Nearer than this to a street's end, its end is meant. */
const END_M = 2

function freshPhase(day: string): Phase {
  return { begins: `${day}T08:00`, ends: `${plus(day, 4)}T17:00`, hours: '', occupancy: 'lane', passes: ['pedestrians', 'emergency'], stretches: [] }
}

function fresh(): Roadworks {
  return {
    owner_name: '',
    nature: 'network',
    networks: [],
    cuts_surface: false,
    anchored: false,
    urgent: false,
    organisation: false,
    phases: [freshPhase(plus(dayOf(clock.now), 14))],
    diversion: [],
    acts: [],
    answers: [],
  }
}

/** What the form shows of works, to be held against what it was. */
function formOf({ row, words, document }: CaseSheet): string {
  const { acts, answers, diversion, ...rest } = document as Roadworks
  void [acts, answers, diversion]
  return JSON.stringify([row.title, words, rest])
}

class Permit implements Picker {
  readonly how = 'console.works.pick.how'
  readonly counts = 'console.works.streets'
  /** The id of the works that are changed, '' for new ones; null where nothing is written. */
  id = $state<string | null>(null)
  title = $state('')
  words = $state('')
  body = $state.raw<Roadworks>(fresh())
  /** The phase whose streets are picked. */
  at = $state(0)
  /** What is known of streets that it names. */
  streets = $state.raw<ReadonlyMap<string, Street>>(new Map())
  checks = $state.raw<Checks | null>(null)
  checking = $state(false)
  checkFailed = $state('')
  busy = $state(false)
  error = $state('')
  /** Said about what was picked last. */
  picked = $state('')
  #revision = 0
  /** What was read, where works are changed. */
  #read: CaseSheet | null = null
  #touched = false
  #timer: ReturnType<typeof setTimeout> | undefined
  #abort: AbortController | null = null
  readonly #once = new OnceKey()

  get phase(): Phase | undefined {
    return this.body.phases[this.at]
  }

  /** Why it cannot be checked yet, as a text's key; '' where it can. */
  readonly lacks = $derived.by((): string => {
    if (this.body.phases.some((phase) => !phase.stretches.length)) return 'console.works.lacks.street'
    if (this.body.phases.some((phase) => !phase.begins || !phase.ends || phase.begins >= phase.ends)) return 'console.works.lacks.span'
    return ''
  })

  /** The name that would be told to everybody once it is sent, and is not yet; '' for none. */
  get publishes(): string {
    const before = this.#read?.document as Roadworks | undefined
    const { organisation, owner_name } = this.body
    return organisation && !(before?.organisation && before.owner_name === owner_name) ? owner_name.trim() : ''
  }

  /** As the map draws what is picked. */
  readonly drawn = $derived.by((): PickedStretch[] => {
    if (this.id === null || view.permit === null) return []
    return (this.phase?.stretches ?? []).flatMap((stretch) => {
      const street = this.streets.get(stretch.street)
      return street && street.line.length > 1 ? [{ whole: street.line, part: cut(street.line, stretch.from_m, stretch.to_m), at: true }] : []
    })
  })

  get count(): number {
    return this.phase?.stretches.length ?? 0
  }

  back(): void {
    if (view.page !== 'works') view.openPermit(this.id || NEW)
  }

  /** Works that are new: what was begun before is gone on with. */
  begin(): void {
    if (this.id === '') return
    this.#put('', '', '', fresh(), 0)
  }

  /** Works that are asked for already. */
  change(sheet: CaseSheet): void {
    if (this.id === sheet.row.id && this.#revision === sheet.row.revision) return
    this.#put(sheet.row.id, sheet.row.title, sheet.words, sheet.document as Roadworks, sheet.row.revision)
    this.#read = sheet
  }

  /** Whether something would be lost that nobody has sent. */
  get unsaved(): boolean {
    return this.id !== null && (this.#touched || this.title !== (this.#read?.row.title ?? ''))
  }

  drop(): void {
    clearTimeout(this.#timer)
    this.#abort?.abort()
    this.id = null
    this.#read = null
    this.#touched = false
    this.checks = null
    this.error = this.picked = this.checkFailed = ''
  }

  set(change: Partial<Roadworks>): void {
    this.body = { ...this.body, ...change }
    this.#touched = true
    this.#soon()
  }

  setPhase(index: number, change: Partial<Phase>): void {
    this.set({ phases: this.body.phases.map((each, n) => (n === index ? { ...each, ...change } : each)) })
  }

  addPhase(): void {
    const last = this.body.phases.at(-1)
    if (!last || this.body.phases.length >= PHASES_MAX) return
    const begins = plus(last.ends.slice(0, 10), 1)
    const days = Math.max(0, Math.round((Date.parse(last.ends.slice(0, 10)) - Date.parse(last.begins.slice(0, 10))) / 86_400_000))
    this.at = this.body.phases.length
    this.set({
      phases: [...this.body.phases, { ...last, begins: `${begins}T${last.begins.slice(11)}`, ends: `${plus(begins, days)}T${last.ends.slice(11)}` }],
    })
  }

  removePhase(index: number): void {
    if (this.body.phases.length < 2) return
    this.at = Math.max(0, Math.min(this.at, this.body.phases.length - 2))
    this.set({ phases: this.body.phases.filter((_, n) => n !== index) })
  }

  /** Takes streets up in the phase that is open. */
  add(found: readonly Street[]): void {
    const { phase } = this
    if (!phase) return
    this.#learn(found)
    const known = new Set(phase.stretches.map((each) => each.street))
    const fresh = found.filter((each) => !known.has(each.street)).map((each): Stretch => ({ street: each.street, from_m: 0, to_m: null, way: 'either' }))
    this.setPhase(this.at, { stretches: [...phase.stretches, ...fresh] })
  }

  remove(street: string): void {
    this.setPhase(this.at, { stretches: this.phase?.stretches.filter((each) => each.street !== street) ?? [] })
  }

  setStretch(street: string, change: Partial<Stretch>): void {
    const stretches = this.phase?.stretches ?? []
    this.setPhase(this.at, { stretches: stretches.map((each) => (each.street === street ? { ...each, ...change } : each)) })
  }

  /** A press on the map: the street there is taken up, or left out again. */
  async pick(lon: number, lat: number): Promise<Pick> {
    try {
      const street = await streetAt(lon, lat)
      if (!street) return 'none'
      this.picked = street.name || street.street
      if (this.phase?.stretches.some((each) => each.street === street.street)) {
        this.remove(street.street)
        return 'removed'
      }
      this.add([street])
      return 'added'
    } catch (error) {
      this.picked = problemText(error instanceof Problem ? error : null)
      return 'failed'
    }
  }

  /** A handle is drawn to a place. */
  drag(index: number, end: boolean, lon: number, lat: number): void {
    const stretch = this.phase?.stretches[this.#drawnIndex(index)]
    const street = stretch && this.streets.get(stretch.street)
    if (!stretch || !street) return
    const to = stretch.to_m ?? street.length_m
    const where = Math.round(nearest(street.line, lon, lat))
    if (end) {
      const beyond = Math.max(where, Math.ceil(stretch.from_m) + 1)
      this.setStretch(stretch.street, { to_m: beyond >= street.length_m - END_M ? null : beyond })
    } else {
      const before = Math.min(where, Math.floor(to) - 1)
      this.setStretch(stretch.street, { from_m: before <= END_M ? 0 : before })
    }
  }

  /** The works as they are now at the post; null where they were refused. */
  async send(): Promise<CaseRow | null> {
    if (this.busy || this.lacks) return null
    this.busy = true
    this.error = ''
    try {
      let row: CaseRow
      try {
        row = await this.#post()
      } catch (error) {
        // Acts, answers and the diversion are written on the sheet beside: that they were is no clash.
        if (!(error instanceof Problem && error.body.rule === CHANGED && (await this.#catchUp()))) throw error
        row = await this.#post()
      }
      this.drop()
      return row
    } catch (error) {
      this.error = problemText(error instanceof Problem ? error : null)
      return null
    } finally {
      this.busy = false
    }
  }

  async #post(): Promise<CaseRow> {
    const said = { title: this.title.trim(), words: this.words.trim(), document: this.body }
    const whole = this.id ? { revision: this.#revision, ...said } : { kind: ROADWORKS, category: 'roadworks', ...said }
    const headers = { 'Idempotency-Key': this.#once.of(whole) }
    const row = this.id ? await api.patch<CaseRow>(`cases/${encodeURIComponent(this.id)}`, whole, headers) : await api.post<CaseRow>('cases', whole, headers)
    this.#once.answered()
    return row
  }

  /** Takes what was written elsewhere meanwhile; false where that was in what is written here too. */
  async #catchUp(): Promise<boolean> {
    const sheet = await api.get<CaseSheet>(`cases/${encodeURIComponent(this.id ?? '')}`)
    const same = this.#read !== null && formOf(sheet) === formOf(this.#read)
    const { acts, answers, diversion } = sheet.document as Roadworks
    this.body = { ...this.body, acts, answers, diversion }
    this.#revision = sheet.row.revision
    this.#read = sheet
    return same
  }

  async check(): Promise<void> {
    clearTimeout(this.#timer)
    this.#abort?.abort()
    if (this.lacks || this.id === null) {
      this.checks = null
      this.checking = false
      return
    }
    const abort = (this.#abort = new AbortController())
    this.checking = true
    try {
      const said = { document: this.body, ...(this.id ? { case: this.id } : {}) }
      this.checks = await api.post<Checks>('roads/works/checks', said, {}, abort.signal)
      this.checkFailed = ''
      this.checking = false
    } catch (error) {
      if (abort.signal.aborted) return
      this.checks = null
      this.checkFailed = problemText(error instanceof Problem ? error : null)
      this.checking = false
    }
  }

  #put(id: string, title: string, words: string, body: Roadworks, revision: number): void {
    this.drop()
    this.id = id
    this.title = title
    this.words = words
    this.body = body
    this.at = 0
    this.#revision = revision
    void this.#learnOf(body)
    this.#soon()
  }

  async #learnOf(body: Roadworks): Promise<void> {
    const unknown = [...new Set(body.phases.flatMap((phase) => phase.stretches.map((each) => each.street)))].filter((each) => !this.streets.has(each))
    try {
      await streetsNamed(unknown, (found) => this.#learn(found))
    } catch {
      // they are named by their ids, and not drawn
    }
  }

  #learn(found: readonly Street[]): void {
    this.streets = new Map([...this.streets, ...found.map((each): [string, Street] => [each.street, each])])
  }

  #drawnIndex(drawn: number): number {
    const known = (this.phase?.stretches ?? []).flatMap((each, n) => ((this.streets.get(each.street)?.line.length ?? 0) > 1 ? [n] : []))
    return known[drawn] ?? -1
  }

  #soon(): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => void this.check(), CHECK_AFTER_MS)
  }
}

export const permit = new Permit()
