// One plan that is read or written, such as a programme or a market: its text, what of it is saved, what is wrong
// with it; of a programme, what a year of it uses.
import { api, Problem } from '@lib/api'
import type {
  Checked,
  Draft,
  Finding,
  Plan,
  PlanKept,
  Programme,
  Revision,
  Years,
} from '@lib/plans'
import { OnceKey } from '@lib/once'
import type { Page } from '@lib/types'
import { notices, problemText } from './notices.svelte'
import { BY_KIND, type Form, type Written } from './forms'
import { session } from './session.svelte'

const CHECK_AFTER_MS = 1_200

/** What somebody else saved while this was being written. */
export interface Clash<B> {
  plan: Plan<B>
  theirs: PlanKept<B>
}

export class Drafting<B extends Written = Programme> {
  readonly form: Form<B>
  /** '' until it is saved for the first time. */
  id = $state('')
  plan = $state.raw<Plan<B> | null>(null)
  phase = $state<'loading' | 'ready' | 'missing' | 'failed'>('ready')
  error = $state('')
  body = $state.raw<B>() as B
  busy = $state(false)
  clash = $state.raw<Clash<B> | null>(null)
  /** An earlier text that is being read in place of what is written. */
  looked = $state.raw<PlanKept<B> | null>(null)
  /** What was written here before somebody else's text was taken. */
  aside = $state.raw<B | null>(null)
  /** What is typed in fields, by their names, and cannot be part of the text. */
  untaken = $state.raw<Record<string, string>>({})
  /** A part of it that the post could not read when it was sent, and what it said. */
  refused = $state.raw<{ part: string; text: string } | null>(null)
  checked = $state.raw<Checked | null>(null)
  checkFailed = $state('')
  checking = $state(false)
  years = $state.raw<Years | null>(null)
  /** The text that `years` was reckoned for. */
  yearsOf = $state('')
  summing = $state(false)
  revisions = $state.raw<Revision[]>([])
  #saved = $state('')
  #seen = { version: 0, revision: 0 }
  #timer: ReturnType<typeof setTimeout> | undefined
  #checkedText = $state('')
  #key = new OnceKey()

  constructor(id: string, body: B, form: Form<B>) {
    this.form = form
    this.id = id
    this.body = body
    this.#saved = JSON.stringify(body)
    if (id) this.phase = 'loading'
    else this.checkSoon()
  }

  // Reckoned when they are read: what is derived would end with the page that it was first read on.

  get #text(): string {
    return JSON.stringify(this.body)
  }

  get dirty(): boolean {
    return this.phase !== 'missing' && (this.#text !== this.#saved || Object.keys(this.untaken).length > 0)
  }

  /** Whether nothing is left empty that must be said. */
  get whole(): boolean {
    return this.form.isWhole(this.draft.body)
  }

  /** Whether the year was reckoned for another text. */
  get yearsOld(): boolean {
    return this.yearsOf !== JSON.stringify(this.draft.body)
  }

  /** Whether what was found was found in another text. */
  get checkedOld(): boolean {
    return this.form.check !== '' && this.#checkedText !== JSON.stringify(this.draft)
  }

  /** Whether it can be asked here what is wrong with it: where any kind is checked, the post tells who may write it. */
  get checkable(): boolean {
    if (this.form.check !== BY_KIND) return this.form.check !== ''
    return this.plan === null ? session.may('plan', this.form.service) : this.plan.may_write || this.plan.may_approve
  }

  /** Whether it may be changed here and now. */
  get open(): boolean {
    return this.looked === null && (this.plan === null ? session.may('plan', this.form.service) : this.plan.may_write)
  }

  /** Whether who works here saved the draft last: then somebody else must approve it. */
  get own(): boolean {
    return this.plan?.draft_version?.editor.id === session.user?.id
  }

  /** What is to be reckoned with: as it is written here. */
  get draft(): Draft<B> {
    return { body: this.looked?.body ?? this.body, plan: this.id }
  }

  async load(): Promise<void> {
    const seen = this.#seen
    try {
      const plan = await api.get<Plan<B>>(`plans/${this.id}`)
      // What was saved meanwhile is later than this answer may be.
      if (this.plan === null || (!this.dirty && seen === this.#seen)) this.#take(plan)
      this.phase = 'ready'
      void this.#loadRevisions()
    } catch (error) {
      const problem = error instanceof Problem ? error : null
      if (this.plan !== null && this.dirty) return
      this.error = problemText(problem)
      this.phase = problem?.status === 404 ? 'missing' : 'failed'
    }
  }

  /** Writes a part anew. */
  change(part: Partial<B>): void {
    if (!this.open) return
    this.body = { ...this.body, ...part }
    for (const name of Object.keys(part)) this.leave(name, null)
    if (this.refused && this.refused.part in part) this.refused = null
    this.checkSoon()
  }

  /** Keeps what is typed in a field and cannot be taken; null: nothing is. */
  leave(name: string, text: string | null): void {
    const { [name]: _, ...others } = this.untaken
    this.untaken = text === null ? others : { ...others, [name]: text }
  }

  /** Lets what is not saved go. */
  revert(): void {
    this.body = JSON.parse(this.#saved) as B
    this.untaken = {}
    this.checkSoon()
  }

  /** Reads an earlier text, or goes back to what is written. */
  look(kept: PlanKept<B> | null): void {
    this.looked = kept
    this.checkSoon()
  }

  async lookAt(revision: Revision): Promise<void> {
    await this.#do(async () => {
      this.look(await api.get<PlanKept<B>>(`plans/${this.id}/revisions/${revision.version}/${revision.revision}`))
    })
  }

  /** Writes on from the text that is being read. */
  takeUp(): void {
    const { looked } = this
    this.looked = null
    if (looked) this.#rewrite(looked.body)
  }

  /** Whether it was saved. Where somebody else has saved in the meantime nothing is: `clash` says what they did. */
  async save(reason: string): Promise<boolean> {
    const { body } = this
    const { kind } = this.form
    return this.#do(async () => {
      const plan = this.id
        ? await api.put<Plan<B>>(`plans/${this.id}/draft`, { ...this.#seen, body, reason })
        : await this.#begin({ kind, body, reason })
      this.id = plan.id
      this.#answered(plan, JSON.stringify(body))
      this.aside = null
      void this.#loadRevisions()
    })
  }

  /** What they saved takes the place of what is written here, which is put aside. */
  takeTheirs(): void {
    const { clash } = this
    if (!clash) return
    this.aside = this.body
    this.#take(clash.plan)
  }

  /** What is written here is to be saved over theirs, which stays among the revisions. */
  keepMine(): void {
    if (!this.clash) return
    this.#see(this.clash.plan)
    this.clash = null
  }

  /** What was put aside is written again. */
  takeBack(): void {
    const { aside } = this
    this.aside = null
    if (aside) this.#rewrite(aside)
  }

  approve(reason: string): Promise<boolean> {
    const text = this.#saved
    return this.#do(async () => {
      this.#answered(await api.post<Plan<B>>(`plans/${this.id}/approve`, { ...this.#seen, reason }), text)
      void this.#loadRevisions()
    })
  }

  /** The draft goes; whether it did. Of what was never in force nothing is left to open. */
  discard(reason: string): Promise<boolean> {
    return this.#end('discard', { ...this.#seen, reason })
  }

  withdraw(reason: string): Promise<boolean> {
    return this.#end('withdraw', { version: this.plan?.in_force ?? 0, reason })
  }

  async sumYear(): Promise<void> {
    const draft = this.draft
    this.summing = true
    try {
      this.years = await api.post<Years>('services/lighting/year', { draft })
      this.yearsOf = JSON.stringify(draft.body)
    } catch (error) {
      notices.problem(error instanceof Problem ? error : null)
    } finally {
      this.summing = false
    }
  }

  /** Asks what is wrong once the writing has paused. */
  checkSoon(): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => void this.check(), CHECK_AFTER_MS)
  }

  async check(): Promise<void> {
    clearTimeout(this.#timer)
    const { draft } = this
    const text = JSON.stringify(draft)
    if (!this.form.check) {
      this.checked = { findings: [] }
      return
    }
    if (!this.checkable || !this.form.isWhole(draft.body) || this.checking || text === this.#checkedText) return
    this.checking = true
    try {
      const said = this.form.check === BY_KIND ? { kind: this.form.kind, ...draft } : { draft }
      this.checked = await api.post<Checked>(this.form.check, said)
      this.checkFailed = ''
      this.#checkedText = text
    } catch (error) {
      this.checked = null
      this.checkFailed = problemText(error instanceof Problem ? error : null)
    } finally {
      this.checking = false
    }
    // It was written on while the answer was on its way.
    if (!this.checkFailed && JSON.stringify(this.draft) !== text) this.checkSoon()
  }

  /** Writes the whole anew: what a text of before a part was known does not say is as a new one has it. */
  #rewrite(body: B): void {
    if (!this.open) return
    this.body = { ...this.form.fresh(''), ...body }
    this.untaken = {}
    this.refused = null
    this.checkSoon()
  }

  async #end(event: 'discard' | 'withdraw', said: object): Promise<boolean> {
    return this.#do(async () => {
      await api.post(`plans/${this.id}/${event}`, said)
      this.#saved = this.#text
      this.untaken = {}
      await this.load()
    })
  }

  async #begin(said: object): Promise<Plan<B>> {
    const plan = await api.post<Plan<B>>('plans', said, { 'Idempotency-Key': this.#key.of(said) })
    this.#key.answered()
    return plan
  }

  async #do(what: () => Promise<void>): Promise<boolean> {
    this.busy = true
    try {
      await what()
      return true
    } catch (error) {
      const problem = error instanceof Problem ? error : null
      if (problem?.body.rule === 'engine.plan_changed') await this.#clashed(problem)
      else if (problem?.body.rule === 'engine.plan_findings') this.#found(problem)
      else if (problem?.body.rule === 'engine.plan_form') this.#unread(problem)
      else notices.problem(problem)
      return false
    } finally {
      this.busy = false
    }
  }

  /** Somebody else was faster. Where nothing is written here, theirs is what is read now. */
  async #clashed(problem: Problem): Promise<void> {
    try {
      const plan = await api.get<Plan<B>>(`plans/${this.id}`)
      const theirs = plan.draft_version ?? plan.in_force_version
      if (this.dirty && theirs) this.clash = { plan, theirs }
      else {
        this.#take(plan)
        notices.problem(problem)
      }
    } catch {
      notices.problem(problem)
    }
  }

  #found(problem: Problem): void {
    const findings = (problem.body.values as { findings?: Finding[] } | undefined)?.findings ?? []
    this.checked = { ...this.checked, findings }
    this.#checkedText = ''
    if (this.form.check) this.checkSoon()
    notices.problem(problem)
  }

  /** The post says where in the document it is: such as `$.name`. */
  #unread(problem: Problem): void {
    const part = /`\$\.(\w+)/.exec(problem.body.detail ?? '')?.[1]
    if (part) this.refused = { part, text: problemText(problem) }
    notices.problem(problem)
  }

  #take(plan: Plan<B>): void {
    this.#see(plan)
    const kept = plan.draft_version ?? plan.in_force_version
    if (kept) this.body = kept.body
    this.#saved = JSON.stringify(this.body)
    this.untaken = {}
    this.refused = null
    this.clash = null
    this.looked = null
    this.checkSoon()
  }

  /** What was sent is kept, and what was written on while the answer was on its way stays as it is. */
  #answered(plan: Plan<B>, sent: string): void {
    this.#see(plan)
    const kept = plan.draft_version ?? plan.in_force_version
    const untouched = this.#text === sent
    this.refused = null
    this.#saved = kept ? JSON.stringify(kept.body) : sent
    if (kept && untouched) this.body = kept.body
    this.clash = null
    this.checkSoon()
  }

  #see(plan: Plan<B>): void {
    this.plan = plan
    const { draft_version: draft } = plan
    this.#seen = draft ? { version: draft.version, revision: draft.revision } : { version: plan.last, revision: 0 }
  }

  async #loadRevisions(): Promise<void> {
    try {
      this.revisions = (await api.get<Page<Revision>>(`plans/${this.id}/revisions`)).items
    } catch {
      // what was said before can be read another time: nothing here depends on it
    }
  }
}
