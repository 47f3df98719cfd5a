// What the console must know of a kind of plan to write it: its name at the post, what a new one says, when it is whole.
import type { Baseline, OnDemand, Programme, Tariff } from '@lib/plans'
import { t } from '@lib/i18n.svelte'
import { formerDifferences, tariffDifferences } from '../bases/words'
import { ruleDifferences } from '../demand/words'
import { differences } from '../programmes/words'
import { freshFormer, freshTariff, isWholeFormer, isWholeTariff } from './bases'
import { freshOnDemand, isWholeRule } from './demand'
import { freshProgramme, isWhole } from './programme'

/** A plan's document. */
export type Written = object

/** Where any document is checked as its kind says. */
export const BY_KIND = 'plans/checks'

/** What two texts differ in: the key of what it is called, and what each says. */
export interface Difference {
  part: string
  mine: string
  theirs: string
}

export interface Form<B extends Written> {
  kind: string
  service: string
  /** Where is asked what is wrong with a draft; '' where that is said when it is approved. */
  check: string
  /** At which part of it a finding is said as well, by the finding's rule. */
  at?: Record<string, string>
  /** What its texts begin with where they name it. */
  words: string
  fresh: (area: string) => B
  isWhole: (body: B) => boolean
  /** What it is called. */
  title: (body: B) => string
  /** What is answered in writing to what is wrong with it. */
  answer: (body: B) => string
  differences: (mine: B, theirs: B) => Difference[]
}

const LIGHTING = 'lighting'

export const PROGRAMMES: Form<Programme> = {
  kind: 'lighting.programme',
  service: LIGHTING,
  check: 'services/lighting/check',
  words: 'console.plans',
  fresh: (area) => freshProgramme(area, t('console.plans.rule.fresh')),
  isWhole,
  title: (body) => body.name,
  answer: (body) => body.answer,
  differences,
}

export const RULES: Form<OnDemand> = {
  kind: 'lighting.on_demand',
  service: LIGHTING,
  check: 'services/lighting/check_rule',
  words: 'console.demand',
  fresh: freshOnDemand,
  isWhole: isWholeRule,
  title: (body) => body.name,
  answer: (body) => body.answer,
  differences: ruleDifferences,
}

export const TARIFFS: Form<Tariff> = {
  kind: 'lighting.tariff',
  service: LIGHTING,
  check: '',
  words: 'console.tariff',
  fresh: freshTariff,
  isWhole: isWholeTariff,
  title: () => t('plan.lighting.tariff'),
  answer: () => '',
  differences: tariffDifferences,
}

export const FORMERS: Form<Baseline> = {
  kind: 'lighting.baseline',
  service: LIGHTING,
  check: '',
  words: 'console.former',
  fresh: freshFormer,
  isWhole: isWholeFormer,
  title: () => t('plan.lighting.baseline'),
  answer: () => '',
  differences: formerDifferences,
}
