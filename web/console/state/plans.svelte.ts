// The lists of the plans that people write, and those that are being written: what is not saved yet stays when another
// page is opened, until somebody lets it go.
import { api, Problem } from '@lib/api'
import { t } from '@lib/i18n.svelte'
import type { Page } from '@lib/types'
import type { Baseline, OnDemand, PlanRow, Programme, Tariff } from '@lib/plans'
import type { Circuit, Coordination, Fence, Occasion, Preventive } from '@lib/settings'
import { Drafting } from './drafting.svelte'
import { FORMERS, PROGRAMMES, RULES, TARIFFS, type Form, type Written } from './forms'
import { problemText } from './notices.svelte'
import { CIRCUITS, COORDINATIONS, FENCES, OCCASIONS, PREVENTIVES } from './settings'
import { session } from './session.svelte'
import { NEW } from './view.svelte'

export const SERVICE = 'lighting'

export class Plans<B extends Written> {
  rows = $state.raw<PlanRow[]>([])
  phase = $state<'loading' | 'ready' | 'failed'>('loading')
  error = $state('')
  #form: Form<B>
  #drafting = new Map<string, Drafting<B>>()
  #whose = ''

  constructor(form: Form<B>) {
    this.#form = form
  }

  async load(): Promise<void> {
    this.#own()
    this.phase = this.rows.length ? this.phase : 'loading'
    try {
      this.rows = (await api.get<Page<PlanRow>>('plans', { kind: this.#form.kind })).items
      this.phase = 'ready'
    } catch (error) {
      this.error = problemText(error instanceof Problem ? error : null)
      this.phase = 'failed'
    }
  }

  /** One as it is being read or written here; read anew where nothing of it is unsaved. */
  open(id: string): Drafting<B> {
    this.#own()
    let found = this.#drafting.get(id)
    if (!found) {
      found = new Drafting(id === NEW ? '' : id, this.#form.fresh(this.#area()), this.#form)
      this.#drafting.set(id, found)
    }
    if (found.id) void found.load()
    return found
  }

  /** A new one has got its id; it is no longer what is being made. */
  made(drafting: Drafting<B>): void {
    this.#drafting.delete(NEW)
    this.#drafting.set(drafting.id, drafting)
  }

  /** Lets go what was written and not saved. */
  forget(id: string): void {
    this.#drafting.delete(id)
  }

  /** Whether something of one is not saved. */
  unsaved(id: string): boolean {
    return this.#whose === session.user?.id && (this.#drafting.get(id)?.dirty ?? false)
  }

  /** Lets go all that is not saved. */
  forgetAll(): void {
    this.#drafting.clear()
  }

  /** What is not saved, as a person calls it. */
  get unsavedNames(): string[] {
    if (this.#whose !== session.user?.id) return []
    const kind = t(`plan.${this.#form.kind}`)
    return [...this.#drafting.values()]
      .filter((each) => each.dirty)
      .map((each) => this.#form.title(each.body))
      .map((title) => (title && title !== kind ? t('console.plans.leaving.one', { kind, name: title }) : kind))
  }

  /** What somebody else wrote here before is not for whoever works here now. */
  #own(): void {
    const whose = session.user?.id ?? ''
    if (whose === this.#whose) return
    this.#drafting.clear()
    this.rows = []
    this.#whose = whose
  }

  /** Where a new one is for, unless its author says otherwise: the largest area that they write for. */
  #area(): string {
    const areas = session.roles.filter((role) => role.verbs.includes('plan') && [this.#form.service, '*'].some((each) => role.services.includes(each))).map((role) => role.area)
    return areas.sort((a, b) => a.length - b.length)[0] ?? ''
  }
}

export const plans = new Plans<Programme>(PROGRAMMES)
export const rules = new Plans<OnDemand>(RULES)
export const tariffs = new Plans<Tariff>(TARIFFS)
export const formers = new Plans<Baseline>(FORMERS)
export const occasions = new Plans<Occasion>(OCCASIONS)
export const coordinations = new Plans<Coordination>(COORDINATIONS)
export const circuits = new Plans<Circuit>(CIRCUITS)
export const preventives = new Plans<Preventive>(PREVENTIVES)
export const fences = new Plans<Fence>(FENCES)
const ALL = [plans, rules, tariffs, formers, occasions, coordinations, circuits, preventives, fences]

/** What somebody wrote here and did not save. */
export function unsavedPlans(): string[] {
  return ALL.flatMap((each) => each.unsavedNames)
}

/** Lets all of it go. */
export function forgetPlans(): void {
  for (const each of ALL) each.forgetAll()
}
